package analysis

import (
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// fragile is the connection on which rules of these tests fail.
const fragile = 2

// crowd are six connections of one client, each with two exchanges, at the same time.
func crowd(t *testing.T) *memorySource {
	t.Helper()
	c := &memorySource{}
	for i := range 6 {
		at := float64(i) / 1000
		k := newTalk(40000+i).open(at, 0.005)
		for x := range 2 {
			k = k.exchange(at+0.02+float64(x), 0.005, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
				"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
		}
		c.segs = append(c.segs, k.bye(at+3, 0.005).segments(t)...)
	}
	slices.SortStableFunc(c.segs, func(a, b capture.Segment) int { return int(a.Time - b.Time) })
	for i := range c.segs {
		c.segs[i].Frame = capture.NewFrameID(0, uint64(i+1))
	}
	return c
}

// fail panics as a mistake in a rule does.
func fail(conn int) {
	if conn == fragile {
		_ = make([]int, 3)[conn+1]
	}
}

// onConn fails on the fragile connection when it looks at it.
func onConn(p *rule.Pass) { fail(p.Conn.ID) }

// cross is a comparison that fails on the fragile connection: in what it is called.
type cross struct{ in string }

func (c cross) Event(_ rule.Desk, of *rule.Conn, e *rule.Told) {
	if c.in == "event" && e.Kind == rule.ExchangeOver {
		fail(of.Id)
	}
}

func (c cross) Claims(_ rule.Desk, of *rule.Conn, _ *rule.Judged) {
	if c.in == "claims" {
		fail(of.Id)
	}
}

func (c cross) Finish(rule.Desk) {
	if c.in == "finish" {
		fail(fragile)
	}
}

// crossing is a rule with such a comparison.
func crossing(in string) *rule.Detector {
	return &rule.Detector{Rule: report.Rule{Name: "frail"}, Across: &rule.Comparison{
		Start: func() rule.Across { return cross{in} }, Wants: ^rule.EventKinds(0),
	}}
}

// crowdReport is the report of the crowd with one more rule.
func crowdReport(t *testing.T, frail *rule.Detector, workers int) *report.Report {
	t.Helper()
	o := &options{workers: workers}
	src := crowd(t)
	p := newPipeline(o, append(o.rules(), frail))
	if err := p.read(t.Context(), src); err != nil {
		t.Fatal(err)
	}
	return p.judge.Report(src.Stats())
}

// told is the caveat with a code.
func told(t *testing.T, r *report.Report, code string) report.Caveat {
	t.Helper()
	i := slices.IndexFunc(r.Caveats, func(c report.Caveat) bool { return c.Code == code })
	if i < 0 {
		t.Fatalf("no caveat %s: %v", code, r.Caveats)
	}
	return r.Caveats[i]
}

// TestFencedConnection: a rule that fails on a connection costs that connection, which a caveat
// names with its frames; of the others all is as it was, however many workers there are.
func TestFencedConnection(t *testing.T) {
	whole := crowdReport(t, &rule.Detector{Rule: report.Rule{Name: "frail"}}, 1)
	for name, tt := range map[string]struct {
		frail *rule.Detector
		lost  int // exchanges
		last  string
	}{
		"exchange": {&rule.Detector{Exchange: onConn}, 2, ""},
		"certain":  {&rule.Detector{Certain: onConn}, 2, ""},
		"closed":   {&rule.Detector{Closed: onConn}, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			tt.frail.Rule = report.Rule{Name: "frail"}
			first := crowdReport(t, tt.frail, 1)
			for _, workers := range []int{2, 3, 8} {
				if diff := cmp.Diff(first, crowdReport(t, tt.frail, workers), cmp.Exporter(func(reflect.Type) bool { return true })); diff != "" {
					t.Errorf("%d workers: %s", workers, diff)
				}
			}
			if first.Connections != whole.Connections || first.ExchangeCount != whole.ExchangeCount-tt.lost {
				t.Errorf("%d connections, %d exchanges; want %d and %d", first.Connections, first.ExchangeCount,
					whole.Connections, whole.ExchangeCount-tt.lost)
			}
			c := told(t, first, report.CaveatNotJudged)
			for _, want := range []string{"1 connection ", "connection 2 of 10.0.0.1 with 10.0.0.2:80, frames 3 to ",
				"index out of range [3] with length 3, in tcpwhy/analysis.fail"} {
				if !strings.Contains(c.Message, want) {
					t.Errorf("%q lacks %q", c.Message, want)
				}
			}
			for _, x := range first.Exchanges {
				if x.Connection == fragile && tt.lost > 0 {
					t.Errorf("exchange %d of the connection is listed", x.ID)
				}
			}
		})
	}
}

// TestFencedComparison: a comparison that fails ends, and a caveat names its rules; all others say
// what they say without it.
func TestFencedComparison(t *testing.T) {
	whole := crowdReport(t, &rule.Detector{Rule: report.Rule{Name: "frail"}}, 1)
	for _, in := range []string{"event", "claims", "finish"} {
		for _, workers := range []int{1, 4} {
			r := crowdReport(t, crossing(in), workers)
			if c := told(t, r, report.CaveatRuleEnded); !strings.Contains(c.Message, "frail did not look at all") {
				t.Errorf("%s: %q", in, c.Message)
			}
			if r.Caveats = r.Caveats[1:]; len(r.Caveats) == 0 {
				r.Caveats = nil
			}
			if diff := cmp.Diff(whole, r, cmp.Exporter(func(reflect.Type) bool { return true })); diff != "" {
				t.Errorf("%s, %d workers: %s", in, workers, diff)
			}
		}
	}
}

// TestFencedJudge: where the judge itself fails on a connection, as it does if what it tells fails,
// the report has the others.
func TestFencedJudge(t *testing.T) {
	for _, workers := range []int{1, 4} {
		r, err := Run(t.Context(), crowd(t), WithWorkers(workers), OnExchange(func(_ report.Pair, x *report.ExchangeInfo) {
			fail(x.Connection)
		}))
		if err != nil {
			t.Fatal(err)
		}
		if c := told(t, r, report.CaveatNotJudged); !strings.Contains(c.Message, "connection 2 of 10.0.0.1") {
			t.Errorf("%q", c.Message)
		}
		conns := map[int]int{}
		for _, x := range r.Exchanges {
			conns[x.Connection]++
		}
		delete(conns, fragile) // what was told of it before stands
		if want := map[int]int{0: 2, 1: 2, 3: 2, 4: 2, 5: 2}; !maps.Equal(conns, want) {
			t.Errorf("%d workers: exchanges by connection are %v", workers, conns)
		}
	}
}

// TestPanicsWanted: who looks for the defect gets the panic.
func TestPanicsWanted(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	o := &options{workers: 1, panics: true}
	w := newWorker([]*rule.Detector{{Exchange: func(*rule.Pass) { panic("wanted") }}}, o.limits.tracker())
	w.panics = o.panics
	table := reassembly.NewTable(o.limits.table())
	src := crowd(t)
	for _, seg := range src.segs {
		c, dir, _ := table.Assign(&seg, seg.Time)
		w.work([]item{{op: opAdd, dir: dir, conn: c, now: seg.Time, seg: seg}})
	}
}

// sampled is how many captures of the repository there are for each that is tried here.
const sampled = 20

// TestFencedAnywhere fails on a connection of real captures, of all protocols, at its first
// exchange, or when it is over: the report comes, and is the same for any number of workers.
func TestFencedAnywhere(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../testdata/pcaps/*/capture.pcap")
	if err != nil || len(files) < sampled {
		t.Fatal(err, len(files))
	}
	failed := 0
	for i, file := range files {
		if i%sampled != 0 {
			continue
		}
		breaks := func(p *rule.Pass) { fail(p.Conn.ID%2 + fragile) }
		frail := &rule.Detector{Rule: report.Rule{Name: "frail"}, Exchange: breaks}
		if i/sampled%2 == 0 {
			frail.Exchange, frail.Closed = nil, breaks
		}
		run := func(workers int) *report.Report {
			src, err := capture.Open(capture.Config{Inputs: []string{file}})
			if err != nil {
				t.Fatal(err)
			}
			defer src.Close()
			o := &options{workers: workers}
			p := newPipeline(o, append(o.rules(), frail))
			if err := p.read(t.Context(), src); err != nil {
				t.Fatal(err)
			}
			return p.judge.Report(src.Stats())
		}
		one, three := run(1), run(3)
		if diff := cmp.Diff(one, three, cmp.Exporter(func(reflect.Type) bool { return true })); diff != "" {
			t.Errorf("%s: %s", file, diff)
		}
		if slices.ContainsFunc(one.Caveats, func(c report.Caveat) bool { return c.Code == report.CaveatNotJudged }) {
			failed++
		}
	}
	if failed < len(files)/sampled/2 {
		t.Errorf("a connection failed in %d of %d captures", failed, len(files)/sampled)
	}
}
