package html

import (
	"strconv"
	"strings"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/output/finding"
	"tcpwhy/output/mask"
	"tcpwhy/output/sentence"
	"tcpwhy/output/wording"
)

// told are the stories that get a card: the first of those that people see, of which one that is
// only worth knowing gets one if it is the first.
func told(r *report.Report) (all []*report.Story) {
	for i, s := range finding.Stories(r) {
		if len(all) < maxCards && (i == 0 || s.Severity > report.Info) {
			all = append(all, s)
		}
	}
	return all
}

// card is a story in full.
type card struct {
	N                    int
	Severity, Title      string
	Cost, Share          string
	Facts, When, Message string
	Also                 string
	Processes            string // whose this machine's ends are
	Services             *table
	Ladder               *ladder
	Steps                *steps
	Graph                string // the anchor of the graph that shows it; "" if none does
	Where                string
	Proof                []proof
	MoreProof            string
	Filter               string
	Fixes                []fix
	Rule                 string
}

// proof is one frame of it.
type proof struct {
	N                          int
	Frame, Offset, Side, Shows string
}

// fix is what one side can change.
type fix struct {
	Side  string
	Words []words
}

// words are part of a text; typed ones stand between backquotes in it.
type words struct {
	Text  string
	Typed bool
}

// typed takes a text apart.
func typed(text string) (out []words) {
	parts := strings.Split(text, "`")
	if len(parts)%2 == 0 { // one that has no end
		return []words{{text, false}}
	}
	for i, part := range parts {
		if part != "" {
			out = append(out, words{part, i%2 == 1})
		}
	}
	return out
}

// brief is a story in one line.
type brief struct{ Severity, Title, Cost, Facts string }

// tellCards are the cards, the stories that are told in a line each, and how many there are beside
// those.
func (b *builder) tellCards() (cards []card, rest []brief, more string) {
	for i, s := range b.cards {
		cards = append(cards, b.card(i+1, s))
	}
	shown := map[*report.Story]bool{}
	for _, s := range b.cards {
		shown[s] = true
	}
	left := 0
	for _, s := range finding.Stories(b.r) {
		switch {
		case shown[s]:
		case len(rest) == maxTable:
			left++
		default:
			rest = append(rest, brief{
				s.Severity.String(), text(s.Title), cost(s.Cost.Expected - s.Shared),
				text(b.Between(s) + " · " + b.Extent(s)),
			})
		}
	}
	if left > 0 {
		more = "and " + wording.Grouped(left) + " more"
	}
	return cards, rest, more
}

// cost is what a story cost; "" for nothing.
func cost(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return spaced(wording.Duration(d))
}

// card is a story in full.
func (b *builder) card(n int, s *report.Story) card {
	c := card{
		N: n, Severity: s.Severity.String(), Title: text(s.Title), Cost: cost(s.Cost.Expected - s.Shared),
		Facts: text(b.Extent(s)), When: text(b.When(s.When)), Message: text(s.Message),
		Services: b.shares(s), Rule: s.Rule,
	}
	if between := b.Between(s); between != "" {
		c.Facts = text(between + " · " + b.Extent(s))
	}
	if share := b.Teller.Share(s); s.Cost.Expected > 0 && share != "-" {
		c.Share = spaced(share)
	}
	if others := b.AlsoFrom(s); len(others) > 0 {
		c.Also = text("and " + strings.Join(others, "; "))
	}
	c.Processes = text(strings.Join(b.Processes(s), "; "))
	for _, m := range s.Remedies {
		side := m.Side.String()
		if m.Side == report.SideUnknown {
			side = ""
		}
		c.Fixes = append(c.Fixes, fix{side, typed(text(m.Text))})
	}
	if f := finding.Worst(b.r, s); f != nil && len(f.Occurrences) > 0 {
		b.prove(&c, s, &f.Occurrences[0])
	}
	return c
}

// prove shows the worst occurrence.
func (b *builder) prove(c *card, s *report.Story, o *report.Occurrence) {
	c.Where = text(b.Place(o))
	switch {
	case s.Count > 1 && o.Cost.Expected > 0:
		c.Where += ", the worst of " + wording.Grouped(s.Count)
	case s.Count > 1:
		c.Where += ", one of " + wording.Grouped(s.Count)
	}
	c.Filter = finding.Filter(b.r, o)
	several := sentence.SeveralFiles(o.Evidence)
	for i := range o.Evidence[:min(maxProof, len(o.Evidence))] {
		e := &o.Evidence[i]
		c.Proof = append(c.Proof, proof{
			i + 1, text(b.FrameName(e.Frame, several)),
			spaced(wording.Offset(e.Time - o.Evidence[0].Time)), sentence.Sender(e.Side),
			text(wording.Evidence(e)),
		})
	}
	if more := len(o.Evidence) - maxProof; more > 0 {
		c.MoreProof = "and " + wording.Count(more, "more frame", "more frames")
	}
	if b.graphs[o.Connection] != nil {
		c.Graph = "graph-" + strconv.Itoa(o.Connection)
	}
	if ofConnections[s.Rule] {
		c.Steps = b.steps(s)
	}
	if c.Steps == nil && len(o.Evidence) > 0 {
		c.Ladder = b.ladder(o, farSide(s.Rule))
	}
}

// farSide names whom a client speaks with in the proof of a rule.
func farSide(rule string) string {
	if rule == "dns" {
		return "resolver, server"
	}
	return "server"
}

// ofConnections are the rules about how many connections there were: of them steps tell more than
// single frames.
var ofConnections = map[string]bool{
	"parallel-connections": true, "pool-wait": true, "serial-requests": true,
	"port-exhaustion": true, "h2-connections": true,
}

// table is a table of which the last column may be a bar.
type table struct {
	Heads []string
	Rows  []row
	More  string
}

// row is one of a table.
type row struct {
	Name  string
	Cells []string
	Bar   string // how long the bar is; "" for none
	Class string // of the bar
	Fill  string
}

// shares is the table of the worst services of a story; nil where there is one.
func (b *builder) shares(s *report.Story) *table {
	const few, many = 4, 10 // clients are told of where there are few for each service
	if s.Services < 2 {
		return nil
	}
	all, whole, who, others := s.WorstServices, s.Services, "service", "clients"
	if s.Clients*few <= s.Services {
		all, whole, who, others = s.WorstClients, s.Clients, "client", "services"
	}
	t := &table{Heads: []string{who, "times", others, "lost", "share of its exchanges", ""}}
	most := time.Duration(1)
	for i := range all {
		most = max(most, weight(&all[i]))
	}
	for i := range all[:min(len(all), many)] {
		p := &all[i]
		share := ""
		if p.Affected > 0 && p.Exchanges > 0 {
			share = spaced(wording.Percent(time.Duration(min(p.Affected, p.Exchanges)),
				time.Duration(p.Exchanges)))
		}
		t.Rows = append(t.Rows, row{
			Name: text(sentence.ShareName(p)),
			Cells: []string{
				wording.Grouped(p.Count), wording.Grouped(p.Others), cost(p.Cost), share,
			},
			Bar: pct(float64(weight(p)) / float64(most)), Class: "c-" + s.Severity.String(),
			Fill: "#c4321c",
		})
	}
	if more := whole - len(t.Rows); more > 0 {
		t.More = "and " + wording.Count(more, "more", "more")
	}
	return t
}

// weight is how long the bar of a service is: what it lost, or how often.
func weight(p *report.Share) time.Duration {
	if p.Cost > 0 {
		return p.Cost
	}
	return time.Duration(p.Count)
}

// request is an exchange in one line.
func (b *builder) request(x *report.ExchangeInfo) string {
	return mask.Visible(spaced(wording.Request(x, b.opts.ShowQuery, targetRoom)))
}

// joined are the parts that say something, in one line.
func joined(parts ...string) string {
	var all []string
	for _, p := range parts {
		if p != "" {
			all = append(all, p)
		}
	}
	return strings.Join(all, " · ")
}
