package text

import (
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
	// endpointFigures is how many columns the figures of an endpoint take.
	endpointFigures = 50
)

// endpoints is a table of those on which clients waited longest, and one of those that proxies asked.
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
	if len(shown) == 0 || t.asked() < leastTable {
		return
	}
	t.endpointTable("Endpoints", shown)
	if all := r.Proxied.Servers; len(behind) > 0 && len(all) == 1 {
		t.endpointTable("Behind the proxy: "+wording.Server(all[0].Server), behind)
	} else if len(behind) > 0 {
		t.endpointTable("Behind proxies", behind)
	}
}

// endpointTable is a table of some of the endpoints.
func (t *textReport) endpointTable(title string, shown []*report.Endpoint) {
	t.Heading(title)
	name := t.Width - endpointFigures - 3
	t.endpointLine(
		name,
		"",
		[]string{"count", "failed", "4xx/5xx", "median", "90 %", "server", "share"},
	)
	for _, e := range shown[:min(len(shown), maxEndpoints)] {
		t.endpointLine(name, t.endpointName(e, name), t.figures(e))
	}
	if rest := shown[min(len(shown), maxEndpoints):]; len(rest) > 0 {
		t.Para("  ", "and "+wording.Count(len(rest), "more", "more")+leftOver(rest), page.Faint)
	}
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
func (t *textReport) endpointLine(name int, text string, figures []string) {
	columns := [...]int{6, 7, 8, 8, 8, 7, 6}
	if over := page.Cells(text) - name; over > 0 {
		text = mask.Shorten(text, name)
	}
	var b strings.Builder
	b.WriteString("  " + text + strings.Repeat(" ", max(0, name-page.Cells(text))))
	for i, f := range figures {
		f = strings.ReplaceAll(f, wording.NoBreak, " ")
		fmt.Fprintf(&b, "%s%s", strings.Repeat(" ", max(1, columns[i]-page.Cells(f))), f)
	}
	t.Put(page.Cut(t.Fit(b.String()), t.Width), page.Plain)
	t.Blank()
}

// endpointName is its method and template, with the host if there are several.
func (t *textReport) endpointName(e *report.Endpoint, room int) string {
	name := mask.ASCII(e.Method) + " "
	if e.Behind && len(t.report.Proxied.Servers) > 1 {
		name += wording.Server(e.Server)
	} else if !e.Behind && t.severalHosts() {
		switch {
		case e.Host != "":
			name += mask.Host(e.Host)
		case e.Server.IsValid():
			name += wording.Server(e.Server)
		}
	}
	return mask.Shorten(name+mask.Target(e.Template, false, room), room)
}

// severalHosts reports whether endpoints with a path are of more than one host.
func (t *textReport) severalHosts() bool {
	var first *report.Endpoint
	for i := range t.report.Endpoints {
		e := &t.report.Endpoints[i]
		switch {
		case e.Method == "" || e.Behind:
		case first == nil:
			first = e
		case first.Host != e.Host || first.Server != e.Server:
			return true
		}
	}
	return false
}
