package html

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/output/internal/sample"
	"tcpwhy/reassembly"
)

// written is the page of a report.
func written(t *testing.T, r *report.Report) string {
	t.Helper()
	var b strings.Builder
	if err := Write(&b, r, Options{Version: "1"}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// drawn is the sample with the segments of its connection.
func drawn() *report.Report {
	r := sample.Traced()
	g := report.Graph{Of: report.GraphOf{Connection: 0}, Coarsely: true, LeftOut: 3}
	for _, s := range r.Trace.Segments {
		g.Strokes = append(g.Strokes, report.Stroke{Record: s.Record, Segments: 1})
	}
	for _, tile := range r.Trace.Tiles {
		g.Pieces = append(g.Pieces, report.Piece{Label: tile.Label, From: tile.From, To: tile.To})
	}
	for i := range 5 {
		g.Trips = append(g.Trips, report.Trip{
			At: time.Duration(
				i,
			) * time.Millisecond, Took: time.Millisecond, By: reassembly.FromServer,
		})
	}
	r.Trace, r.Graphs = nil, []report.Graph{g}
	return r
}

// hostile is text that tries to get out of wherever it stands.
const hostile = `"'><script>alert(1)</script><img src=x onerror=alert(2)>--></style></title></svg>` +
	`&lt;{{.}} url(javascript:alert(3)) ]]> ` + "\u2028\u202e\x1b[31m`${7}`"

// attacked is the sample with that wherever the network, or a file's name, can put text.
func attacked() *report.Report {
	r := drawn()
	r.Capture.Inputs[0].Name = hostile
	r.Capture.Inputs[0].Error = hostile
	for i := range r.Findings {
		f := &r.Findings[i]
		f.Host, f.Message, f.Title = hostile, f.Message+hostile, f.Title+hostile
		for k := range f.Occurrences[0].Evidence {
			f.Occurrences[0].Evidence[k].Text = hostile
		}
	}
	for i := range r.Exchanges {
		x := &r.Exchanges[i]
		x.Method, x.Target, x.Host, x.Version = hostile, hostile, hostile, hostile
	}
	r.Conns[0].TLS.SNI, r.Conns[0].TLS.ALPN = hostile, hostile
	r.Caveats[0].Message = hostile
	r.Endpoints = []report.Endpoint{
		{Method: hostile, Template: hostile, Host: hostile, Exchanges: 5},
	}
	return sample.Tell(r)
}

// elements calls f for every element of a page, and counts its nodes.
func elements(t *testing.T, page string, f func(n *html.Node)) (nodes int) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		nodes++
		if n.Type == html.ElementNode {
			f(n)
		}
	}
	return nodes
}

// TestNothingLoads: a page has the one script, the one style sheet and the one block of data that
// it comes with, its policy names the first two, and nothing in it loads or runs anything,
// whatever stands in the report.
func TestNothingLoads(t *testing.T) {
	for name, r := range map[string]*report.Report{
		"sample": drawn(), "hostile": attacked(), "empty": {Capture: &capture.Stats{}},
	} {
		page := written(t, r)
		policy, scripts, styles, blocks := "", []string{}, []string{}, 0
		elements(t, page, func(n *html.Node) {
			for _, a := range n.Attr {
				bad := strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "src" ||
					a.Key == "href" && !strings.HasPrefix(a.Val, "#")
				if bad {
					t.Errorf("%s: %s has %s=%q", name, n.Data, a.Key, a.Val)
				}
				if a.Key == "content" && strings.Contains(a.Val, "default-src") {
					policy = a.Val
				}
			}
			switch n.Data {
			case "script":
				if len(n.Attr) > 0 {
					blocks++
				} else {
					scripts = append(scripts, n.FirstChild.Data)
				}
			case "style":
				styles = append(styles, n.FirstChild.Data)
			case "img", "iframe", "object", "link", "base", "form", "image", "use", "foreignobject":
				t.Errorf("%s: there is an element %s", name, n.Data)
			}
		})
		if len(scripts) != 1 || len(styles) != 1 || blocks > 1 {
			t.Fatalf(
				"%s: %d scripts, %d style sheets, %d blocks",
				name,
				len(scripts),
				len(styles),
				blocks,
			)
		}
		for _, want := range []string{
			"script-src 'sha256-" + hash(scripts[0]) + "'", "style-src 'sha256-" + hash(styles[0]) + "'",
			"default-src 'none'", "require-trusted-types-for 'script'",
		} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: the policy lacks %s", name, want)
			}
		}
		if strings.Contains(strings.ToLower(page), "<img") || strings.Contains(page, "\u202e") {
			t.Errorf("%s: text got out of where it stands", name)
		}
	}
}

// TestSameStructure: what stands in a report changes no element of its page.
func TestSameStructure(t *testing.T) {
	tags := func(page string) (all string) {
		elements(t, page, func(n *html.Node) { all += n.Data + " " })
		return all
	}
	page := written(t, attacked())
	tame := tags(
		strings.NewReplacer("&lt;", "", "&gt;", "", "&#34;", "", "&#39;", "").Replace(page),
	)
	if got := tags(page); got != tame {
		t.Errorf("hostile text makes elements:\n%s\n%s", got, tame)
	}
}

// TestLooks: no two labels look the same, and every one has a colour.
func TestLooks(t *testing.T) {
	seen := map[look]report.Label{}
	for _, l := range report.Labels() {
		k := looks[l]
		if other, known := seen[k]; known {
			t.Errorf("%s looks like %s", l, other)
		}
		seen[k] = l
		if k.family == famNone && l != report.Unknown && l != report.CaptureGap {
			t.Errorf("%s has no colour", l)
		}
		if k.pattern != solid && shapes[k.pattern].lines == "" {
			t.Errorf("the pattern of %s is empty", l)
		}
	}
}

// TestLimits: a page keeps its limits, however much a report has.
func TestLimits(t *testing.T) {
	page := written(t, long())
	const most, mostNodes = 3 << 20, 60_000
	nodes := elements(t, page, func(*html.Node) {})
	t.Logf("%d octets, %d nodes", len(page), nodes)
	if len(page) > most || nodes > mostNodes {
		t.Errorf("%d octets, %d nodes", len(page), nodes)
	}
}

// long is a report that is full: as many of everything as an analysis lists, and more.
func long() *report.Report {
	r := drawn()
	finding, conn, x, graph := r.Findings[0], r.Conns[0], r.Exchanges[0], r.Graphs[0]
	r.Findings, r.Conns, r.Exchanges, r.Graphs = nil, nil, nil, nil
	x.Target = "/" + strings.Repeat("long", 500)
	for i := range 60 {
		x.Pieces = append(x.Pieces, report.Piece{
			Label: report.Label(
				i % int(report.LabelCount),
			), From: time.Duration(i) * 10 * time.Millisecond,
			To: time.Duration(i+1) * 10 * time.Millisecond,
		})
	}
	for i := range 1000 {
		finding.Rule = fmt.Sprintf("rule-%d", i)
		finding.Occurrences = []report.Occurrence{finding.Occurrences[0]}
		finding.Occurrences[0].Connection, finding.Occurrences[0].Exchange = i, i
		conn.ID, x.ID, x.Connection = i, i, i/4
		r.Findings, r.Conns = append(r.Findings, finding), append(r.Conns, conn)
		r.Exchanges = append(r.Exchanges, x)
		r.Endpoints = append(r.Endpoints, report.Endpoint{
			Method: "GET", Template: x.Target, Host: fmt.Sprintf("host%d.example", i), Exchanges: 1000,
			Think: many(), Duration: many(),
		})
	}
	for range 120 {
		r.Over.Steps = append(r.Over.Steps, report.Step{Exchanges: 10_000, Duration: many()})
	}
	r.Over.Each, r.ExchangeCount, r.Connections = time.Second, 1_000_000, 500_000
	for i := range 20 {
		graph.Of.Connection = i
		graph.Strokes, graph.Pieces, graph.Trips = nil, nil, nil
		for k := range maxStrokes / maxGraphs {
			s := report.Stroke{Segments: 9, Record: sample.Traced().Trace.Segments[k%5].Record}
			s.Time, s.Seq = time.Duration(k)*time.Second, int64(k)*100_000_000
			s.Ack, s.Window, s.Kind = s.Seq, 1<<31, reassembly.DuplicateAck
			graph.Strokes = append(graph.Strokes, s)
			graph.Trips = append(graph.Trips, report.Trip{At: s.Time, Took: time.Duration(k)})
		}
		for k := range 2000 {
			graph.Pieces = append(graph.Pieces, report.Piece{
				Label: report.Label(k % int(report.LabelCount)),
				From:  time.Duration(k) * time.Second, To: time.Duration(k+1) * time.Second,
			})
		}
		r.Graphs = append(r.Graphs, graph)
	}
	return sample.Tell(r)
}

// many are durations that fill a histogram.
func many() (d report.Durations) {
	for t := 10 * time.Microsecond; t < time.Hour; t += t / 7 {
		d.Add(t)
		d.Add(t + t/20)
	}
	return d
}

// TestSpread: discs keep their order and their distance, and stay inside.
func TestSpread(t *testing.T) {
	for _, places := range [][]float64{
		{0.1, 0.5, 0.9}, {0.5, 0.5, 0.5, 0.5}, {0, 0, 0.01}, {1, 1, 1, 0.99}, {0.3, 0.2, 0.21, 0.9},
	} {
		got := spread(places)
		for i := range got {
			if got[i] < 0 || got[i] > 1 {
				t.Errorf("%v: %v", places, got)
			}
			for k := range got {
				apart := got[i] - got[k]
				if i != k && max(apart, -apart) < discApart-1e-9 ||
					places[i] < places[k] && got[i] > got[k] {
					t.Errorf("%v: %v", places, got)
				}
			}
		}
	}
}
