package json

import (
	"strings"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/output/finding"
	"tcpwhy/output/mask"
)

type findingObject struct {
	ID          string             `json:"id"`
	Rule        string             `json:"rule"`
	Cause       maybe              `json:"cause"`
	Title       string             `json:"title"`
	Severity    string             `json:"severity"`
	Confidence  string             `json:"confidence"`
	Side        string             `json:"side"`
	Client      maybe              `json:"client"`
	Server      maybe              `json:"server"`
	Host        maybe              `json:"host"`
	Message     string             `json:"message"`
	Count       int                `json:"count"`
	Cost        costObject         `json:"cost_ms"`
	Wall        millis             `json:"wall_ms"`
	Shared      millis             `json:"shared_ms,omitzero"`
	Within      millis             `json:"within_exchanges_ms"`
	Affected    int                `json:"affected_exchanges"`
	When        whenObject         `json:",embed"`
	Remedies    []remedyObject     `json:"remedy"`
	References  []string           `json:"references"`
	Occurrences []occurrenceObject `json:"occurrences"`
	Known       *knownObject       `json:"known,omitzero"` // with a baseline only
}

// knownObject is why a finding is no news, and until when.
type knownObject struct {
	Reason string `json:"reason"`
	Until  string `json:"until"`
}

func whyKnown(k *report.Known) *knownObject {
	if k == nil {
		return nil
	}
	return &knownObject{mask.Visible(k.Reason), k.Until}
}

type remedyObject struct {
	Side string `json:"side"`
	Text string `json:"text"`
}

type costObject struct {
	Low      millis `json:"low"`
	Expected millis `json:"expected"`
	High     millis `json:"high"`
}

func (e *encoder) finding(f *report.Finding, id string) findingObject {
	o := findingObject{
		ID: id, Rule: f.Rule, Cause: text(f.Cause), Title: mask.Visible(f.Title),
		Severity: f.Severity.String(), Confidence: f.Confidence.String(), Side: f.Side.String(),
		Client: address(f.Client), Server: endpoint(f.Server), Host: text(mask.Host(f.Host)),
		Message: mask.Visible(f.Message), Count: f.Count, Cost: cost(f.Cost), Wall: millis(f.Wall),
		Shared: millis(f.Shared),
		Within: millis(f.Within), Affected: f.Affected, When: when(f.When),
		Remedies:    remedies(f.Remedies),
		References:  list(f.References),
		Occurrences: make([]occurrenceObject, 0, len(f.Occurrences)),
		Known:       whyKnown(f.Known),
	}
	for i := range f.Occurrences {
		o.Occurrences = append(o.Occurrences, e.occurrence(&f.Occurrences[i]))
	}
	return o
}

// finding reads the next finding.
func (d *decoder) finding(o *findingObject) {
	f := report.Finding{
		Rule: o.Rule, Cause: string(o.Cause), Title: o.Title,
		Severity:   named(d, "severity", o.Severity, report.ParseSeverity),
		Confidence: named(d, "confidence", o.Confidence, report.ParseConfidence),
		Side:       named(d, "side", o.Side, report.ParseSide),
		Client:     d.address(o.Client), Server: d.endpoint(o.Server), Host: string(o.Host),
		Message: o.Message, Count: o.Count, Cost: decodeCost(o.Cost), Wall: time.Duration(o.Wall),
		Shared:   time.Duration(o.Shared),
		Within:   time.Duration(o.Within),
		Affected: o.Affected, When: decodeWhen(o.When), References: o.References,
		Remedies: d.remedies(o.Remedies),
	}
	if k := o.Known; k != nil {
		f.Known = &report.Known{Reason: k.Reason, Until: k.Until}
	}
	for i := range o.Occurrences {
		f.Occurrences = append(f.Occurrences, d.occurrence(&o.Occurrences[i]))
	}
	d.report.Findings = append(d.report.Findings, f)
}

// whenObject is what is regular about when a fault was.
type whenObject struct {
	Began *millis `json:"began_ms"`
	Ended *millis `json:"ended_ms"`
	Every *millis `json:"every_ms"`
}

func when(w report.When) whenObject {
	return whenObject{optional(&w.Began), optional(&w.Ended), optional(&w.Every)}
}

func decodeWhen(o whenObject) report.When {
	return report.When{
		Began: time.Duration(known(o.Began)), Ended: time.Duration(known(o.Ended)),
		Every: time.Duration(known(o.Every)),
	}
}

func cost(c report.Cost) costObject {
	return costObject{millis(c.Low), millis(c.Expected), millis(c.High)}
}

func decodeCost(o costObject) report.Cost {
	return report.Cost{
		Low: time.Duration(o.Low), Expected: time.Duration(o.Expected), High: time.Duration(o.High),
	}
}

type occurrenceObject struct {
	Connection int              `json:"connection"`
	Exchange   *int             `json:"exchange"`
	Start      millis           `json:"start_ms"`
	End        millis           `json:"end_ms"`
	Cost       costObject       `json:"cost_ms"`
	Evidence   []evidenceObject `json:"evidence"`
	Filter     maybe            `json:"wireshark_filter"`
}

type evidenceObject struct {
	Input int    `json:"input"`
	Frame uint64 `json:"frame"`
	Time  millis `json:"time_ms"`
	Side  string `json:"side"`
	Role  string `json:"role"`
	Text  string `json:"text"`
}

// noExchange is the exchange of an occurrence that concerns the connection as a whole.
const noExchange = -1

func (e *encoder) occurrence(p *report.Occurrence) occurrenceObject {
	o := occurrenceObject{
		Connection: p.Connection, Start: millis(p.Start), End: millis(p.End), Cost: cost(p.Cost),
		Evidence: make([]evidenceObject, 0, len(p.Evidence)),
		Filter:   text(finding.Filter(e.report, p)),
	}
	if p.Exchange > noExchange {
		o.Exchange = &p.Exchange
	}
	for i := range p.Evidence {
		v := &p.Evidence[i]
		o.Evidence = append(o.Evidence, evidenceObject{
			Input: v.Frame.Input(), Frame: v.Frame.Number(), Time: millis(v.Time),
			Side: v.Side.String(), Role: mask.Visible(v.Role), Text: mask.Visible(v.Text),
		})
	}
	return o
}

// occurrence reads an occurrence. Whether some of its evidence is elsewhere is known only when all
// connections are.
func (d *decoder) occurrence(o *occurrenceObject) report.Occurrence {
	p := report.Occurrence{
		Connection: o.Connection, Exchange: noExchange, Start: time.Duration(o.Start),
		End: time.Duration(o.End), Cost: decodeCost(o.Cost),
		Elsewhere: o.Filter != "" && !strings.HasPrefix(string(o.Filter), finding.StreamFilter),
	}
	if o.Exchange != nil {
		p.Exchange = *o.Exchange
	}
	for _, v := range o.Evidence {
		p.Evidence = append(p.Evidence, report.Evidence{
			Mark: capture.Mark{Time: time.Duration(v.Time), Frame: d.frame(v.Input, v.Frame)},
			Role: v.Role, Text: v.Text, Side: named(d, "side", v.Side, report.ParseSide),
		})
	}
	return p
}

// settleElsewhere takes back that evidence is elsewhere where the filter would not name the
// connection in any case.
func (d *decoder) settleElsewhere() {
	for i := range d.report.Findings {
		all := d.report.Findings[i].Occurrences
		for k := range all {
			if all[k].Elsewhere {
				all[k].Elsewhere = false
				all[k].Elsewhere = finding.NamesStream(d.report, &all[k])
			}
		}
	}
}
