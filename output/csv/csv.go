// Package csv writes the exchanges of a report as a table: a line for each, with fixed columns,
// then one for each label of time. Programs that compute with tables read it as it is.
package csv

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/output/finding"
	"tcpwhy/output/mask"
	"tcpwhy/output/wording"
)

// Options choose what is shown of exchanges.
type Options struct {
	ShowQuery bool // print query values, which are otherwise masked
}

// targetRoom is how many characters a masked request target has at most.
const targetRoom = 512

// column is one of the table.
type column struct {
	name string
	cell func(*table, *report.ExchangeInfo) string
}

// table is what cells are made of.
type table struct {
	opts  Options
	conns map[int]*report.ConnInfo
	parts map[int][]finding.Part
}

// Write writes the exchanges that the report lists.
func Write(w io.Writer, r *report.Report, opts Options) error {
	t := table{opts: opts, conns: map[int]*report.ConnInfo{}, parts: finding.ByExchange(r)}
	for i := range r.Conns {
		t.conns[r.Conns[i].ID] = &r.Conns[i]
	}
	all := columns()
	out := csv.NewWriter(w)
	line := make([]string, len(all))
	for i, c := range all {
		line[i] = c.name
	}
	out.Write(line) // Error tells
	for k := range r.Exchanges {
		for i, c := range all {
			line[i] = harmless(c.cell(&t, &r.Exchanges[k]))
		}
		out.Write(line)
	}
	out.Flush()
	return out.Error()
}

// harmless is a cell that a spreadsheet does not take for a formula (OWASP, CSV injection).
func harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@", rune(s[0])) {
		return "'" + s
	}
	return s
}

// columns are those of the table, in order.
func columns() []column {
	all := []column{
		{"exchange", func(_ *table, x *report.ExchangeInfo) string { return strconv.Itoa(x.ID) }},
		{"connection", func(_ *table, x *report.ExchangeInfo) string {
			return strconv.Itoa(x.Connection)
		}},
		{"stream", func(_ *table, x *report.ExchangeInfo) string {
			return number(int64(x.OnStream.Stream))
		}},
		{"client", (*table).client},
		{"server", (*table).server},
		{"method", func(_ *table, x *report.ExchangeInfo) string { return mask.ASCII(x.Method) }},
		{"target", (*table).target},
		{"host", func(_ *table, x *report.ExchangeInfo) string { return mask.Host(x.Host) }},
		{"version", func(_ *table, x *report.ExchangeInfo) string { return mask.ASCII(x.Version) }},
		{
			"status",
			func(_ *table, x *report.ExchangeInfo) string { return number(int64(x.Status)) },
		},
		{"outcome", func(_ *table, x *report.ExchangeInfo) string { return x.Outcome.String() }},
		{"start_ms", func(_ *table, x *report.ExchangeInfo) string { return millis(x.Start) }},
		{
			"duration_ms",
			func(_ *table, x *report.ExchangeInfo) string { return millis(x.Duration) },
		},
		{
			"request_frame",
			func(_ *table, x *report.ExchangeInfo) string { return frame(x.Request) },
		},
		{
			"request_bytes",
			func(_ *table, x *report.ExchangeInfo) string { return octets(x.Request) },
		},
		{
			"response_frame",
			func(_ *table, x *report.ExchangeInfo) string { return frame(x.Response) },
		},
		{
			"response_bytes",
			func(_ *table, x *report.ExchangeInfo) string { return octets(x.Response) },
		},
		{"findings", (*table).findings},
		{"findings_cost_ms", (*table).cost},
	}
	for _, l := range report.Labels() {
		all = append(all, column{l.String() + "_ms", func(_ *table, x *report.ExchangeInfo) string {
			return timeOf(x, l)
		}})
	}
	return all
}

// client and server are the ends of the exchange's connection; "" if that is not listed.
func (t *table) client(x *report.ExchangeInfo) string {
	if c := t.conns[x.Connection]; c != nil {
		return c.Client.String()
	}
	return ""
}

func (t *table) server(x *report.ExchangeInfo) string {
	if c := t.conns[x.Connection]; c != nil {
		return c.Server.String()
	}
	return ""
}

// target is the request target.
func (t *table) target(x *report.ExchangeInfo) string {
	room := targetRoom
	if t.opts.ShowQuery {
		room = mask.WholeTarget
	}
	return mask.Target(x.Target, t.opts.ShowQuery, room)
}

// findings are the rules, with their causes, of the listed findings that the exchange is part of.
func (t *table) findings(x *report.ExchangeInfo) string {
	var names []string
	for _, p := range t.parts[x.ID] {
		name := p.Finding.Rule
		if p.Finding.Cause != "" {
			name += "/" + p.Finding.Cause
		}
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

// cost is what they cost it, each by itself: some of it may be the same time.
func (t *table) cost(x *report.ExchangeInfo) string {
	var sum time.Duration
	for _, p := range t.parts[x.ID] {
		sum += p.Cost
	}
	if len(t.parts[x.ID]) == 0 {
		return ""
	}
	return millis(sum)
}

// timeOf is how much of an exchange's time has a label.
func timeOf(x *report.ExchangeInfo, l report.Label) string {
	for _, t := range x.Times {
		if t.Label == l {
			return millis(t.Time)
		}
	}
	return "0"
}

func millis(d time.Duration) string { return string(wording.AppendMillis(nil, d)) }

// number is n; "" for none.
func number(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// frame is the first frame of a message.
func frame(m *report.MessageInfo) string {
	if m == nil {
		return ""
	}
	return number(int64(m.Start.Frame.Number()))
}

// octets are those of a message, with its head.
func octets(m *report.MessageInfo) string {
	if m == nil {
		return ""
	}
	return strconv.FormatInt(m.HeaderBytes+m.BodyBytes, 10)
}
