package html

import (
	"cmp"
	"slices"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/output/mask"
	"tcpwhy/output/wording"
)

// leastP95 is from how many exchanges on a 95th percentile says something.
const leastP95 = 20

// services is a table of whom was asked; nil if there was one.
func (b *builder) services() *table {
	sums := map[string]*report.Endpoint{}
	var order []string
	for i := range b.r.Endpoints {
		e := &b.r.Endpoints[i]
		name := mask.Host(e.Host)
		if name == "" && e.Server.IsValid() {
			name = wording.Server(e.Server)
		}
		if name == "" || e.Behind {
			continue
		}
		sum := sums[name]
		if sum == nil {
			sum = &report.Endpoint{}
			sums[name], order = sum, append(order, name)
		}
		sum.Exchanges, sum.Failed = sum.Exchanges+e.Exchanges, sum.Failed+e.Failed
		sum.Time, sum.Thought = sum.Time+e.Time, sum.Thought+e.Thought
		sum.Duration.Merge(&e.Duration)
	}
	if len(order) < 2 {
		return nil
	}
	slices.SortStableFunc(
		order,
		func(x, y string) int { return cmp.Compare(sums[y].Time, sums[x].Time) },
	)
	t := &table{Heads: []string{"service", "exchanges", "failed", "median", "95 %", "time", ""}}
	for _, name := range order[:min(len(order), maxTable)] {
		e := sums[name]
		t.Rows = append(t.Rows, row{
			Name: text(name),
			Cells: []string{
				wording.Grouped(
					e.Exchanges,
				), dashed(e.Failed), median(&e.Duration), p95(&e.Duration),
				spaced(wording.Duration(e.Time)),
			},
			Bar:   pct(float64(e.Time) / float64(max(sums[order[0]].Time, 1))),
			Class: "c-setup", Fill: palette[famSetup].light,
		})
	}
	if more := len(order) - maxTable; more > 0 {
		t.More = "and " + wording.Count(more, "more", "more")
	}
	return t
}

// dashed is a number, or a dash for none.
func dashed(n int) string {
	if n == 0 {
		return "–"
	}
	return wording.Grouped(n)
}

// median and p95 are quantiles in words; a dash where there are too few.
func median(d *report.Durations) string {
	if d.N == 0 {
		return "–"
	}
	return spaced(wording.Duration(d.Median()))
}

func p95(d *report.Durations) string {
	if d.N < leastP95 {
		return "–"
	}
	return spaced(wording.Duration(d.Quantile(0.95)))
}

// endpoints is what was asked for, with a line of dots each: how long the server took.
type endpoints struct {
	Rows  []endpointRow
	Ticks []tick
	More  string
}

// endpointRow is one endpoint.
type endpointRow struct {
	Name   string
	Cells  []string
	Behind bool // proxies asked it
	// dots or, of many exchanges, cells of growing opacity
	Dots   string
	Cloud  []level
	Median string // its place
	About  string
}

// endpoints draws the endpoints on which most time was spent.
func (b *builder) endpoints() *endpoints {
	const most = 25
	var all []*report.Endpoint
	for i := range b.r.Endpoints {
		if e := &b.r.Endpoints[i]; e.Method != "" {
			all = append(all, e)
		}
	}
	if len(all) == 0 {
		return nil
	}
	shown := all[:min(len(all), most)]
	var thinks report.Durations
	for _, e := range shown {
		thinks.Merge(&e.Think)
	}
	s := logOf(max(thinks.Least, 10*time.Microsecond), thinks.Most)
	out := &endpoints{Ticks: s.marks()}
	for _, e := range shown {
		out.Rows = append(out.Rows, b.endpointRow(e, s))
	}
	if more := len(all) - len(shown); more > 0 {
		out.More = "and " + wording.Count(more, "more", "more")
	}
	return out
}

// endpointRow draws one endpoint.
func (b *builder) endpointRow(e *report.Endpoint, s logScale) endpointRow {
	errors := "–"
	if n := e.Statuses[4] + e.Statuses[5]; n > 0 {
		errors = wording.Grouped(n)
	}
	r := endpointRow{
		Name: text(mask.Shorten(b.EndpointName(e, true), 2*targetRoom)), Behind: e.Behind,
		Cells: []string{
			wording.Grouped(
				e.Exchanges,
			), dashed(e.Failed), errors, median(&e.Duration), p95(&e.Duration),
			median(&e.Think),
		},
	}
	if e.Think.N == 0 {
		return r
	}
	r.Median = pct(s.place(e.Think.Median()))
	r.About = "server time, median " + median(&e.Think)
	r.Dots, r.Cloud = spreadAlong(&e.Think, s)
	return r
}

// spreadAlong draws durations on an axis: each as a dot, or of many the cells of their histogram.
func spreadAlong(d *report.Durations, s logScale) (marks string, cloud []level) {
	for _, t := range d.Few {
		marks += dot(s.place(t), 0.5)
	}
	most := 1
	for _, n := range d.Cells {
		most = max(most, n)
	}
	for k, n := range d.Cells {
		if n > 0 {
			from := s.place(report.CellStart(d.First + k))
			to := s.place(report.CellStart(d.First + k + 1))
			cloud = append(cloud, level{
				trimmed(0.15 + 0.85*float64(n)/float64(most)),
				"M" + unit(from) + " 200000H" + unit(to) + "V800000H" + unit(from) + "Z",
			})
		}
	}
	return marks, cloud
}
