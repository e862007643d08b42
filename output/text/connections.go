package text

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"tcpwhy/analysis/report"
	"tcpwhy/output/page"
	"tcpwhy/output/sentence"
	"tcpwhy/output/wording"
)

const maxConnections = 5

// connections names those that went wrong or carry the worst finding; if there are few, all of
// them.
func (t *textReport) connections() {
	conns := t.worthNaming()
	if len(conns) == 0 {
		return
	}
	t.Heading("Connections")
	for _, c := range conns[:min(maxConnections, len(conns))] {
		label := fmt.Sprintf("%6d  ", c.ID)
		ends := c.Client.String() + " -> " + c.Server.String()
		t.Row(label, page.Plain, ends, wording.Duration(c.Duration), page.Plain)
		t.Para(strings.Repeat(" ", len(label)), sentence.ConnectionFacts(c), page.Faint)
	}
	if more := len(conns) - maxConnections; more > 0 {
		least := ""
		if len(t.report.Conns) < t.report.Connections {
			least = "at least " // who else is like these is not listed
		}
		t.Para("        ", "and "+least+wording.Grouped(more)+" more like these", page.Plain)
	}
}

// worthNaming are the connections to name, those of findings first.
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
		if few || named[c.ID] || sentence.Troubled(c) {
			conns = append(conns, c)
		}
	}
	slices.SortStableFunc(conns, func(a, b *report.ConnInfo) int {
		return cmp.Or(
			boolOrder(named[a.ID], named[b.ID]),
			cmp.Compare(sentence.Trouble(b), sentence.Trouble(a)),
		)
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
