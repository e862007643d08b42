package text

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"tcpwhy/analysis/report"
	"tcpwhy/output/mask"
	"tcpwhy/output/page"
	"tcpwhy/output/wording"
)

const (
	maxEndpoints = 10
	// leastTable is how many exchanges make a table worth its lines.
	leastTable = 5
)

// endpoints is a table of those on which clients waited longest, and one of those that proxies
// asked.
func (t *textReport) endpoints() {
	r := t.report
	var shown, behind []*report.Endpoint
	for i := range r.Endpoints {
		switch e := &r.Endpoints[i]; {
		case e.Method == "" || e.Other():
		case e.Behind:
			behind = append(behind, e)
		default:
			shown = append(shown, e)
		}
	}
	if len(shown) == 0 || t.Asked() < leastTable {
		return
	}
	t.endpointTable("Endpoints", shown)
	if all := r.Proxied.Servers; len(behind) > 0 && len(all) == 1 {
		t.endpointTable("Behind the proxy: "+wording.Server(all[0].Server), behind)
	} else if len(behind) > 0 {
		t.endpointTable("Behind proxies", behind)
	}
}

// endpointTable is a table of some of the endpoints. Where they are of several hosts, and not all
// have room for theirs, those of one host stand together below it.
func (t *textReport) endpointTable(title string, all []*report.Endpoint) {
	t.Heading(title)
	shown := all[:min(len(all), maxEndpoints)]
	rows := [][]string{{"count", "failed", "4xx/5xx", "median", "90 %", "server", "share"}}
	for _, e := range shown {
		rows = append(rows, t.figures(e))
	}
	columns := endpointColumns(rows)
	name := t.Width - columns.all() - 3
	t.endpointLine(name, "", rows[0], columns)
	beside := t.hostsBeside(shown, name)
	if !beside {
		shown, rows = byHost(shown, rows[1:], t.HostOf)
	} else {
		rows = rows[1:]
	}
	host := ""
	for i, e := range shown {
		text, at := t.EndpointName(e, beside), t.HostOf(e)
		if !beside && at != host {
			t.Para("  ", at, page.Plain)
			host = at
		}
		if !beside && at != "" {
			text = "  " + text
		}
		t.endpointLine(name, text, rows[i], columns)
	}
	if rest := all[len(shown):]; len(rest) > 0 {
		t.Para("  ", "and "+wording.Count(len(rest), "more", "more")+leftOver(rest), page.Faint)
	}
}

// hostsBeside reports whether the names of all endpoints have room with their hosts.
func (t *textReport) hostsBeside(all []*report.Endpoint, room int) bool {
	for _, e := range all {
		if t.HostOf(e) != "" && page.Cells(t.EndpointName(e, true)) > room {
			return false
		}
	}
	return true
}

// byHost puts endpoints of one host together, with their rows: hosts in the order of their first.
func byHost(
	all []*report.Endpoint, rows [][]string, host func(*report.Endpoint) string,
) ([]*report.Endpoint, [][]string) {
	first := map[string]int{}
	order := make([]int, len(all))
	for i, e := range all {
		if _, known := first[host(e)]; !known {
			first[host(e)] = i
		}
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		return cmp.Compare(first[host(all[i])], first[host(all[j])])
	})
	var es []*report.Endpoint
	var rs [][]string
	for _, i := range order {
		es, rs = append(es, all[i]), append(rs, rows[i])
	}
	return es, rs
}

// widths are those of columns of figures, the blank before each included.
type widths [7]int

// leastWidths are those that tables have at least, so that most look alike.
var leastWidths = widths{6, 7, 8, 8, 8, 7, 6}

// endpointColumns are as wide as the figures of all rows need.
func endpointColumns(rows [][]string) widths {
	w := leastWidths
	for _, row := range rows {
		for i, f := range row {
			if i > 0 {
				w[i] = max(w[i], page.Cells(f)+1)
			}
			w[i] = max(w[i], page.Cells(f))
		}
	}
	return w
}

// all is how wide all columns are together.
func (w *widths) all() (n int) {
	for _, c := range w {
		n += c
	}
	return n
}

// leftOver says what endpoints that are not shown took, each at most.
func leftOver(rest []*report.Endpoint) string {
	most := slices.MaxFunc(rest,
		func(a, b *report.Endpoint) int { return int(a.Time - b.Time) })
	if len(rest) == 1 {
		return ", of " + wording.Duration(most.Time)
	}
	return ", each of " + wording.Duration(most.Time) + " at most"
}

// figures are those of an endpoint, as they stand in its line.
func (t *textReport) figures(e *report.Endpoint) []string {
	dash := func(n int) string {
		if n == 0 {
			return "-"
		}
		return wording.Grouped(n)
	}
	errors := "-"
	if e.Statuses[4]+e.Statuses[5] > 0 {
		errors = dash(e.Statuses[4]) + "/" + dash(e.Statuses[5])
	}
	median, p90, server := "-", "-", "-"
	if e.Duration.N > 0 {
		median, p90 = wording.Duration(
			e.Duration.Median(),
		), wording.Duration(
			e.Duration.Quantile(0.90),
		)
		server = wording.Percent(min(e.Thought, e.Time), e.Time)
	}
	return []string{
		wording.Grouped(e.Exchanges), dash(e.Failed), errors, median, p90, server,
		wording.Percent(min(e.Time, t.report.ExchangeTime), t.report.ExchangeTime),
	}
}

// endpointLine is a name and figures in columns.
func (t *textReport) endpointLine(name int, text string, figures []string, columns widths) {
	text = mask.Shorten(text, name)
	var b strings.Builder
	b.WriteString("  " + text + strings.Repeat(" ", max(0, name-page.Cells(text))))
	for i, f := range figures {
		f = strings.ReplaceAll(f, wording.NoBreak, " ")
		fmt.Fprintf(&b, "%s%s", strings.Repeat(" ", max(0, columns[i]-page.Cells(f))), f)
	}
	t.Put(page.Cut(t.Fit(b.String()), t.Width), page.Plain)
	t.Blank()
}
