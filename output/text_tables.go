package output

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/output/mask"
	"tcpwhy/reassembly"
)

const (
	barCells       = 20
	labelCells     = 35 // the longest title of a label
	maxTimeRows    = 10
	maxSlowest     = 5
	maxConnections = 5
)

// timeTable shows where the time of all exchanges went, the largest share first.
func (t *textReport) timeTable() {
	parts := byTime(t.report.Times)
	if len(parts) == 0 || t.report.ExchangeTime <= 0 {
		return
	}
	t.heading("Where the time went")
	shown := 0
	for shown < len(parts) && shown < maxTimeRows && 200*parts[shown].Time >= t.report.ExchangeTime {
		shown++
	}
	if shown == len(parts)-1 {
		shown++ // a row for one of them takes no more room than a row for "1 smaller one"
	}
	for _, part := range parts[:shown] {
		t.timeRow(part.Label.Title(), part.Time)
	}
	var others time.Duration
	for _, part := range parts[shown:] {
		others += part.Time
	}
	if others > 0 {
		t.timeRow(plural(uint64(len(parts)-shown), "smaller one", "smaller ones"), others)
	}
}

// timeRow is one bar of the table.
func (t *textReport) timeRow(title string, d time.Duration) {
	whole := t.report.ExchangeTime
	line := t.fit(
		fmt.Sprintf(
			"  %-*s  %s  %5s",
			labelCells,
			title,
			bar(d, whole, min(barCells, t.width-58)),
			percent(d, whole),
		),
	)
	figure := spoken(d)
	t.put(line+strings.Repeat(" ", max(1, t.width-cells(line)-cells(figure)))+figure, plain)
	t.blank()
}

// bar is d's share of whole in blocks, room cells wide; what is not nothing gets half a block at
// least.
func bar(d, whole time.Duration, room int) string {
	halves := int(float64(2*room)*float64(d)/float64(whole) + 0.5)
	halves = min(max(halves, 1), 2*room)
	s := strings.Repeat("█", halves/2) + strings.Repeat("▌", halves%2)
	return s + strings.Repeat(" ", room-halves/2-halves%2)
}

// byTime are the parts that got time, the largest first.
func byTime(times []report.LabelTime) []report.LabelTime {
	var parts []report.LabelTime
	for _, part := range times {
		if part.Time > 0 {
			parts = append(parts, part)
		}
	}
	slices.SortStableFunc(
		parts,
		func(a, b report.LabelTime) int { return cmp.Compare(b.Time, a.Time) },
	)
	return parts
}

// slowest names the exchanges that took longest, and what they spent their time on.
func (t *textReport) slowest() {
	if len(t.report.Exchanges) == 0 {
		return
	}
	all := make([]*report.ExchangeInfo, len(t.report.Exchanges))
	for i := range all {
		all[i] = &t.report.Exchanges[i]
	}
	slices.SortStableFunc(
		all,
		func(a, b *report.ExchangeInfo) int { return cmp.Compare(b.Duration, a.Duration) },
	)
	t.heading("Slowest exchanges")
	for _, x := range all[:min(maxSlowest, len(all))] {
		label := fmt.Sprintf("%6d  ", x.ID)
		t.row(label, plain, t.request(x, textTarget-16)+t.ending(x), spoken(x.Duration), plain)
		rest := strings.Repeat(" ", len(label))
		if len(x.Pieces) > 0 {
			t.para(rest, timeLine(x.Pieces, t.width-len(label)), cyan)
		}
		t.para(rest, t.mainLabels(x, t.width-len(label)), faint)
	}
	t.legend(all[:min(maxSlowest, len(all))])
}

// ending is an exchange's status, and how it ended if not well.
func (t *textReport) ending(x *report.ExchangeInfo) string {
	s := ""
	if x.Status > 0 {
		s = " " + strconv.Itoa(x.Status)
	}
	if x.Outcome != reassembly.Complete {
		s += ", " + x.Outcome.String()
	}
	if t.report.Connections > 1 {
		s += ", connection " + strconv.Itoa(x.Connection)
	}
	return s
}

// mainLabels are the parts that took most of the time, as many as fit into room cells.
func (t *textReport) mainLabels(x *report.ExchangeInfo, room int) string {
	line := ""
	for i, part := range byTime(x.Times) {
		longer := line + ", " + part.Label.Title() + " " + spoken(part.Time)
		if share := percent(part.Time, x.Duration); share != "" {
			longer += " (" + strings.ReplaceAll(share, " ", nbsp) + ")"
		}
		if i == 0 {
			longer = longer[2:]
		}
		if i == 3 || i > 0 && cells(longer) > room {
			break
		}
		line = longer
	}
	return line
}

// connections names those that went wrong or carry the worst finding; if there are few, all of
// them.
func (t *textReport) connections() {
	conns := t.worthNaming()
	if len(conns) == 0 {
		return
	}
	t.heading("Connections")
	for _, c := range conns[:min(maxConnections, len(conns))] {
		label := fmt.Sprintf("%6d  ", c.ID)
		t.row(label, plain, c.Client.String()+" -> "+c.Server.String(), spoken(c.Duration), plain)
		t.para(strings.Repeat(" ", len(label)), connectionFacts(c), faint)
	}
	if more := len(conns) - maxConnections; more > 0 {
		t.para("        ", "and "+plural(uint64(more), "more like these", "more like these"), plain)
	}
}

func (t *textReport) worthNaming() []*report.ConnInfo {
	named := map[int]bool{}
	for _, f := range t.report.Findings {
		if f.Severity > report.Info && len(f.Occurrences) > 0 {
			named[f.Occurrences[0].Connection] = true
		}
	}
	few := len(t.report.Conns) <= 3
	var conns []*report.ConnInfo
	for i := range t.report.Conns {
		c := &t.report.Conns[i]
		if few || named[c.ID] || troubled(c) {
			conns = append(conns, c)
		}
	}
	slices.SortStableFunc(conns, func(a, b *report.ConnInfo) int {
		return cmp.Or(boolOrder(named[a.ID], named[b.ID]), cmp.Compare(trouble(b), trouble(a)))
	})
	return conns
}

// boolOrder puts true before false.
func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

func troubled(c *report.ConnInfo) bool {
	return trouble(c) > 0 || c.State == reassembly.Refused || c.State == reassembly.Connecting
}

// trouble is how many segments were sent again, a reset counting as one.
func trouble(c *report.ConnInfo) uint32 {
	n := c.Retransmissions[reassembly.FromClient] + c.Retransmissions[reassembly.FromServer]
	if c.State == reassembly.Reset {
		n++
	}
	return n
}

// connectionFacts is a connection in one line.
func connectionFacts(c *report.ConnInfo) string {
	var facts []string
	if c.Protocol != reassembly.ProtoUnknown {
		facts = append(facts, c.Protocol.String())
	}
	facts = append(facts, plural(uint64(len(c.Exchanges)), "exchange", "exchanges"))
	if c.TLS != nil && c.TLS.SNI != "" {
		facts = append(facts, mask.Shorten(mask.Host(c.TLS.SNI), textTarget))
	}
	if c.RTTMin > 0 {
		facts = append(facts, "round trip "+spoken(c.RTTMin))
	}
	if n := trouble(c); n > 0 && c.State != reassembly.Reset {
		facts = append(facts, plural(uint64(n), "retransmission", "retransmissions"))
	} else if n > 1 {
		facts = append(facts, plural(uint64(n-1), "retransmission", "retransmissions"))
	}
	return strings.Join(append(facts, stateWords(c)), ", ")
}

// stateWords says how the connection ended.
func stateWords(c *report.ConnInfo) string {
	switch {
	case c.State == reassembly.Reset && c.ResetBy != "":
		return "reset by the " + c.ResetBy
	case c.State == reassembly.Closed && c.ClosedBy != "":
		return "closed by the " + c.ClosedBy
	case c.State == reassembly.Established:
		return "open at the end"
	case c.State == reassembly.Connecting:
		return "never answered"
	}
	return c.State.String()
}
