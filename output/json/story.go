package json

import (
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/output/finding"
	"tcpwhy/output/mask"
)

// storyObject is all findings of one rule, cause and side.
type storyObject struct {
	ID            string            `json:"id"`
	Rule          string            `json:"rule"`
	Cause         maybe             `json:"cause"`
	Side          string            `json:"side"`
	Title         string            `json:"title"`
	Severity      string            `json:"severity"`
	Confidence    string            `json:"confidence"`
	Message       string            `json:"message"`
	Count         int               `json:"count"`
	Cost          costObject        `json:"cost_ms"`
	Wall          millis            `json:"wall_ms"`
	Shared        millis            `json:"shared_ms,omitzero"`
	Within        millis            `json:"within_exchanges_ms"`
	Affected      int               `json:"affected_exchanges"`
	When          whenObject        `json:",embed"`
	Services      int               `json:"services"`
	Clients       int               `json:"clients"`
	Spread        string            `json:"spread"`
	WorstServices []serviceShare    `json:"worst_services"`
	WorstClients  []clientShare     `json:"worst_clients"`
	Findings      []string          `json:"findings"`
	Remedies      []remedyObject    `json:"remedy"`
	References    []string          `json:"references"`
	Occurrence    *occurrenceObject `json:"occurrence"`
}

type serviceShare struct {
	Server    maybe  `json:"server"`
	Host      maybe  `json:"host"`
	Count     int    `json:"count"`
	Clients   int    `json:"clients"`
	Cost      millis `json:"cost_ms"`
	Affected  int    `json:"affected_exchanges"`
	Exchanges int    `json:"exchanges"`
}

type clientShare struct {
	Client    maybe  `json:"client"`
	Count     int    `json:"count"`
	Services  int    `json:"services"`
	Cost      millis `json:"cost_ms"`
	Affected  int    `json:"affected_exchanges"`
	Exchanges int    `json:"exchanges"`
}

// story is one of the report's, whose findings have the given names.
func (e *encoder) story(s *report.Story, ids []string) storyObject {
	o := storyObject{
		ID: finding.StoryID(s), Rule: s.Rule, Cause: text(s.Cause), Side: s.Side.String(),
		Title: mask.Visible(s.Title), Severity: s.Severity.String(),
		Confidence: s.Confidence.String(), Message: mask.Visible(s.Message), Count: s.Count,
		Cost: cost(s.Cost), Wall: millis(s.Wall), Shared: millis(s.Shared),
		Within: millis(s.Within), Affected: s.Affected,
		When:     when(s.When),
		Services: s.Services, Clients: s.Clients, Spread: s.Spread.String(),
		WorstServices: []serviceShare{}, WorstClients: []clientShare{}, Findings: []string{},
		Remedies: remedies(s.Remedies), References: list(s.References),
	}
	for i := range s.WorstServices {
		p := &s.WorstServices[i]
		o.WorstServices = append(o.WorstServices, serviceShare{
			endpoint(p.Server), text(mask.Host(p.Host)), p.Count, p.Others, millis(p.Cost),
			p.Affected, p.Exchanges,
		})
	}
	for i := range s.WorstClients {
		p := &s.WorstClients[i]
		o.WorstClients = append(o.WorstClients, clientShare{
			address(p.Client), p.Count, p.Others, millis(p.Cost), p.Affected, p.Exchanges,
		})
	}
	for _, place := range s.Findings {
		o.Findings = append(o.Findings, ids[place])
	}
	if worst := finding.Worst(e.report, s); worst != nil && len(worst.Occurrences) > 0 {
		one := e.occurrence(&worst.Occurrences[0])
		o.Occurrence = &one
	}
	return o
}

// story reads the next story; which findings it has is known when they have been read.
func (d *decoder) story(o *storyObject) {
	s := report.Story{
		Rule: o.Rule, Cause: string(o.Cause), Title: o.Title, Message: o.Message,
		Side:       named(d, "side", o.Side, report.ParseSide),
		Severity:   named(d, "severity", o.Severity, report.ParseSeverity),
		Confidence: named(d, "confidence", o.Confidence, report.ParseConfidence),
		Count:      o.Count, Cost: decodeCost(o.Cost), Wall: time.Duration(o.Wall),
		Shared: time.Duration(o.Shared),
		Within: time.Duration(o.Within), Affected: o.Affected, When: decodeWhen(o.When),
		Services: o.Services,
		Clients:  o.Clients, Spread: named(d, "spread", o.Spread, report.ParseSpread),
		Remedies: d.remedies(o.Remedies), References: o.References,
	}
	for _, p := range o.WorstServices {
		s.WorstServices = append(s.WorstServices, report.Share{
			Server: d.endpoint(p.Server), Host: string(p.Host), Count: p.Count, Others: p.Clients,
			Cost: time.Duration(p.Cost), Affected: p.Affected, Exchanges: p.Exchanges,
		})
	}
	for _, p := range o.WorstClients {
		s.WorstClients = append(s.WorstClients, report.Share{
			Client: d.address(p.Client), Count: p.Count, Others: p.Services,
			Cost: time.Duration(p.Cost), Affected: p.Affected, Exchanges: p.Exchanges,
		})
	}
	if o.Occurrence != nil {
		d.occurrence(
			o.Occurrence,
		) // the worst finding has it, too: only what is wrong with it counts
	}
	d.report.Stories = append(d.report.Stories, s)
	d.told = append(d.told, o.Findings)
}

// settleStories gives every story its findings.
func (d *decoder) settleStories() {
	place := map[string]int{}
	for i, id := range finding.IDs(d.report.Findings) {
		place[id] = i
	}
	for i, ids := range d.told {
		s := &d.report.Stories[i]
		for _, id := range ids {
			if at, ok := place[id]; ok {
				s.Findings = append(s.Findings, at)
			}
		}
	}
}

func remedies(all []report.Remedy) []remedyObject {
	out := make([]remedyObject, 0, len(all))
	for i := range all {
		out = append(out, remedyObject{all[i].Side.String(), mask.Visible(all[i].Text)})
	}
	return out
}

func (d *decoder) remedies(all []remedyObject) (out []report.Remedy) {
	for _, m := range all {
		side := named(d, "side", m.Side, report.ParseSide)
		out = append(out, report.Remedy{Side: side, Text: m.Text})
	}
	return out
}
