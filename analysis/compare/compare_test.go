package compare

import (
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// endpointOf is an endpoint whose exchanges took so long.
func endpointOf(method, template, host string, all ...time.Duration) report.Endpoint {
	e := report.Endpoint{
		Method: method, Template: template, Host: host, Exchanges: len(all), Octets: int64(len(all)) << 10,
	}
	for _, t := range all {
		e.Duration.Add(t)
		e.Time += t
	}
	e.Times = []report.LabelTime{{Label: report.RoundTrip, Time: e.Time}}
	return e
}

// times are n durations from one on, each a little longer.
func times(from time.Duration, n int) (all []time.Duration) {
	for i := range n {
		all = append(all, from+time.Duration(i)*ms/10)
	}
	return all
}

// reportOf is a report of those endpoints, with many connections.
func reportOf(all ...report.Endpoint) *report.Report {
	r := &report.Report{
		Capture:     &capture.Stats{Start: time.Unix(1, 0), End: time.Second, Frames: 1},
		Connections: 10, Tally: report.Tally{Endpoints: all}, Checked: []string{"nagle", "slow-start"},
		Vantages: map[reassembly.Vantage]int{reassembly.ClientSide: 10},
	}
	for i := range all {
		r.ExchangeCount += all[i].Exchanges
		r.ExchangeTime += all[i].Time
	}
	return r
}

// finding adds a finding that so many exchanges were affected by.
func finding(r *report.Report, rule, host string, affected int, cost time.Duration) {
	r.Findings = append(r.Findings, report.Finding{
		Rule: rule, Title: rule, Severity: report.High, Host: host, Count: affected, Affected: affected,
		Cost: report.Cost{Expected: cost},
	})
	r.Found++
}

func compareThem(before, after *report.Report, opts Options) *Comparison {
	after.Capture.Start = time.Unix(9, 0)
	return Of(Side{Report: before}, Side{Report: after}, opts)
}

// codes are those of all warnings.
func codes(c *Comparison) (all []string) {
	for _, w := range c.Warnings {
		all = append(all, w.Code)
	}
	return all
}

// TestVerdicts: one slower, one faster, one as it was, one with too few; what became worse is first.
func TestVerdicts(t *testing.T) {
	before := reportOf(
		endpointOf("GET", "/a", "h", times(10*ms, 10)...),
		endpointOf("GET", "/b", "h", times(10*ms, 10)...),
		endpointOf(
			"GET",
			"/c",
			"h",
			times(10*ms, 10)...),
		endpointOf("GET", "/d", "h", times(10*ms, 3)...),
	)
	after := reportOf(
		endpointOf("GET", "/a", "h", times(10*ms, 10)...),
		endpointOf("GET", "/b", "h", times(30*ms, 10)...),
		endpointOf(
			"GET",
			"/c",
			"h",
			times(5*ms, 10)...),
		endpointOf("GET", "/d", "h", times(90*ms, 3)...),
	)
	c := compareThem(before, after, Options{})
	var got []string
	for _, e := range c.Endpoints {
		got = append(got, e.Template+" "+e.Verdict.String())
	}
	want := "/b slower, /c faster, /a no-difference, /d too-few"
	if strings.Join(got, ", ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if !c.Regressed() {
		t.Error("one is slower, and that is no regression")
	}
	// Of those that have a shift, each was asked as often: (0 + 20 - 5) / 3.
	if c.Shift == nil || c.Shift.Estimate != 5*ms || !slices.Contains(codes(c), "few-exchanges") {
		t.Errorf("shift %+v, warnings %v", c.Shift, codes(c))
	}
}

// TestSmallShift: what nobody decides by is no difference, however sure it is.
func TestSmallShift(t *testing.T) {
	c := compareThem(reportOf(endpointOf("GET", "/", "h", times(100*ms, 30)...)),
		reportOf(endpointOf("GET", "/", "h", times(100*ms-900*time.Microsecond, 30)...)), Options{})
	if e := c.Endpoints[0]; e.Verdict != Alike || e.Shift.P > level {
		t.Errorf("%+v", e)
	}
}

// TestHistograms: of many, cells tell a difference that is larger than they are, and no other.
func TestHistograms(t *testing.T) {
	for by, want := range map[time.Duration]Verdict{2 * ms: Alike, 60 * ms: Slower} {
		c := compareThem(reportOf(endpointOf("GET", "/", "h", times(100*ms, 300)...)),
			reportOf(endpointOf("GET", "/", "h", times(100*ms+by, 300)...)), Options{})
		e := c.Endpoints[0]
		if e.Verdict != want || e.Shift.Low > by || e.Shift.High < by {
			t.Errorf("%v more: %s, %+v", by, e.Verdict, e.Shift)
		}
		if !e.Before.P95.Sure || want == Slower && e.Tail != Slower {
			t.Errorf("%v more: 95 %% %+v -> %+v", by, e.Before.P95, e.After.P95)
		}
	}
}

// TestFailing: an endpoint that is faster because it fails is told as one that fails.
func TestFailing(t *testing.T) {
	after := endpointOf("GET", "/", "h", times(1*ms, 20)...)
	after.Statuses[5] = 15
	c := compareThem(
		reportOf(endpointOf("GET", "/", "h", times(50*ms, 20)...)),
		reportOf(after),
		Options{},
	)
	e := c.Endpoints[0]
	if e.Verdict != Faster || e.Erring != Slower || !c.Regressed() ||
		!slices.Contains(codes(c), "faster-by-failing") {
		t.Errorf("%+v, warnings %v", e, codes(c))
	}
}

// TestMix: another proportion of endpoints changes no ledger, and is told.
func TestMix(t *testing.T) {
	slow, fast := times(100*ms, 40), times(1*ms, 40)
	c := compareThem(
		reportOf(
			endpointOf("GET", "/slow", "h", slow...),
			endpointOf("GET", "/fast", "h", fast[:10]...),
		),
		reportOf(
			endpointOf("GET", "/slow", "h", slow[:10]...),
			endpointOf("GET", "/fast", "h", fast...),
		),
		Options{},
	)
	if !slices.Contains(codes(c), "other-mix") || len(c.Times) != 1 ||
		(c.Times[0].Before-c.Times[0].After).Abs() > 3*ms {
		t.Errorf("warnings %v, times %+v", codes(c), c.Times)
	}
}

// TestNames: services are matched by host whatever the address, by another name if told so, and as
// one if asked for.
func TestNames(t *testing.T) {
	before := reportOf(endpointOf("GET", "/a", "old", times(9*ms, 5)...))
	after := reportOf(endpointOf("GET", "/b", "new", times(9*ms, 5)...))
	if c := compareThem(before, after, Options{}); len(c.Endpoints) != 0 ||
		c.Alone != [2]int{5, 5} ||
		!strings.Contains(c.Warnings[0].Text, `--map "old=new"`) {
		t.Errorf("%+v", c)
	}
	opts := Options{ByService: true, Renamed: map[string]string{"old": "new"}}
	if c := compareThem(before, after, opts); len(c.Endpoints) != 1 || c.Alone != [2]int{} {
		t.Errorf("%+v", c)
	}
	// Without a host an address names the service, and another port is another one.
	address := endpointOf("GET", "/a", "", times(9*ms, 5)...)
	address.Server = netip.MustParseAddrPort("192.0.2.1:80")
	opts = Options{Renamed: map[string]string{"192.0.2.1:80": "new"}}
	same := endpointOf("GET", "/a", "new", times(9*ms, 5)...)
	if c := compareThem(reportOf(address), reportOf(same), opts); len(c.Endpoints) != 1 {
		t.Errorf("%+v", c)
	}
}

// TestVariety: a segment of many values is one endpoint, unless most of the values are asked for on
// both sides, as endpoints are.
func TestVariety(t *testing.T) {
	side := func(names string, more ...report.Endpoint) *report.Report {
		for i := range 25 {
			path := "/user/" + names + string(rune('a'+i)) + "/mail"
			more = append(more, endpointOf("GET", path, "h", times(9*ms, 2)...))
		}
		return reportOf(more...)
	}
	c := compareThem(
		side("old-"),
		side("new-", endpointOf("GET", "/user/x", "h", times(9*ms, 2)...)),
		Options{},
	)
	if len(c.Endpoints) != 1 || c.Endpoints[0].Template != "/user/{…}/mail" ||
		c.Endpoints[0].Before.Durations.N != 50 || c.Alone != [2]int{0, 2} {
		t.Errorf("%d endpoints, %+v", len(c.Endpoints), c.Alone)
	}
	if c := compareThem(side("same-"), side("same-"), Options{}); len(c.Endpoints) != 25 {
		t.Errorf("%d endpoints of 25 that both have", len(c.Endpoints))
	}
}

// TestFindings: what came, what went, and when neither is certain.
func TestFindings(t *testing.T) {
	ends := func(n int) *report.Report { return reportOf(endpointOf("GET", "/", "h", times(9*ms, n)...)) }
	for _, c := range []struct {
		name          string
		before, after int // of
		n, m          int
		change        func(after *report.Report)
		want          Change
		regression    bool
	}{
		{name: "gone", before: 8, n: 10, m: 10, want: Gone},
		{name: "new", after: 8, n: 10, m: 10, want: New, regression: true},
		{name: "more", before: 1, after: 10, n: 10, m: 10, want: More, regression: true},
		{name: "less", before: 10, after: 1, n: 10, m: 10, want: Less},
		{name: "still there", before: 5, after: 6, n: 10, m: 10, want: Still},
		{name: "rare", before: 1, n: 100, m: 10, want: NotSeen},
		{name: "rare and new", after: 1, n: 10, m: 100, want: New},
		{name: "too few", before: 2, n: 2, m: 2, want: NotSeen},
		{
			name: "not looked for", before: 8, n: 10, m: 10, want: NotSeen,
			change: func(r *report.Report) { r.Checked = []string{"slow-start"} },
		},
		{
			name: "weakened", before: 8, n: 10, m: 10, want: NotSeen,
			change: func(r *report.Report) {
				r.Caveats = []report.Caveat{{Code: "gaps", Message: "frames are missing", Weakens: []string{"nagle"}}}
			},
		},
		{
			name: "left out", before: 8, n: 10, m: 10, want: NotSeen,
			change: func(r *report.Report) { r.LeftOut = 1 },
		},
		{
			name: "known", after: 8, n: 10, m: 10, want: New,
			change: func(r *report.Report) { r.Findings[0].Known = &report.Known{Reason: "so it is"} },
		},
	} {
		before, after := ends(c.n), ends(c.m)
		if c.before > 0 {
			finding(before, "nagle", "h", c.before, 80*ms)
		}
		if c.after > 0 {
			finding(after, "nagle", "h", c.after, 80*ms)
		}
		if c.change != nil {
			c.change(after)
		}
		got := compareThem(before, after, Options{}).Findings
		if len(got) != 1 || got[0].Change != c.want || got[0].Regression != c.regression {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

// TestServicesOfFindings: services that only one side has are one, so that another address is no
// change; findings that are not all listed are compared by stories.
func TestServicesOfFindings(t *testing.T) {
	before := reportOf(endpointOf("GET", "/", "a", times(9*ms, 9)...))
	after := reportOf(endpointOf("GET", "/", "b", times(9*ms, 9)...))
	finding(before, "nagle", "a", 9, 80*ms)
	finding(after, "nagle", "b", 9, 80*ms)
	if got := compareThem(before, after, Options{}).Findings; len(got) != 1 ||
		got[0].Change != Still {
		t.Errorf("%+v", got)
	}
	after.Found = 20
	after.Stories = []report.Story{{Rule: "nagle", Count: 9, Affected: 9}}
	c := compareThem(before, after, Options{})
	if len(c.Findings) != 1 || c.Findings[0].Change != Still || c.Findings[0].Service != "" ||
		!slices.Contains(codes(c), "findings-not-listed") {
		t.Errorf("%+v, warnings %v", c.Findings, codes(c))
	}
}

// TestExcused: where exchanges take less, a finding that costs time is no regression.
func TestExcused(t *testing.T) {
	before := reportOf(endpointOf("GET", "/", "h", times(90*ms, 9)...))
	after := reportOf(endpointOf("GET", "/", "h", times(9*ms, 9)...))
	finding(after, "slow-start", "h", 9, 9*ms)
	if c := compareThem(before, after, Options{}); c.Regressed() || c.Findings[0].Change != New {
		t.Errorf("%+v", c.Findings)
	}
}

// TestWarnings: each when it applies, and none between two runs that are alike.
func TestWarnings(t *testing.T) {
	base := func() *report.Report {
		r := reportOf(endpointOf("GET", "/", "h", times(9*ms, 120)...))
		r.Conns = []report.ConnInfo{{RTTMin: 10 * ms}}
		return r
	}
	for code, change := range map[string]func(r *report.Report){
		"":                  func(*report.Report) {},
		"no-exchanges":      func(r *report.Report) { r.Endpoints, r.ExchangeCount = nil, 0 },
		"nothing-in-common": func(r *report.Report) { r.Endpoints[0].Host = "other" },
		"other-vantage":     func(r *report.Report) { r.Vantages = map[reassembly.Vantage]int{reassembly.ServerSide: 1} },
		"other-path":        func(r *report.Report) { r.Conns[0].RTTMin = 20 * ms },
		"other-endpoints": func(r *report.Report) {
			r.Endpoints = append(r.Endpoints, endpointOf("GET", "/x", "h", times(ms, 90)...))
		},
		"other-size":        func(r *report.Report) { r.Endpoints[0].Octets *= 9 },
		"other-length":      func(r *report.Report) { r.ExchangeCount, r.Capture.End = 999, 9*time.Second },
		"other-load":        func(r *report.Report) { r.Capture.End = 5 * time.Second },
		"other-rules":       func(r *report.Report) { r.Checked = nil },
		"findings-left-out": func(r *report.Report) { r.LeftOut = 2 },
		"goes-on":           func(r *report.Report) { r.GoesOn = true },
		"incomplete":        func(r *report.Report) { r.Capture.Inputs = []capture.Input{{Name: "a", Error: "cut"}} },
		"flaw":              func(r *report.Report) { r.Caveats = []report.Caveat{{Code: "x", Weakens: []string{"nagle"}}} },
		"few-connections":   func(r *report.Report) { r.Connections = 1 },
	} {
		after := base()
		change(after)
		got := codes(compareThem(base(), after, Options{}))
		if code == "" && len(got) > 0 || code != "" && !slices.Contains(got, code) {
			t.Errorf("%s: warnings %v", code, got)
		}
	}
	c := Of(Side{Report: base()}, Side{Report: base()}, Options{})
	if got := codes(c); !slices.Equal(got, []string{"same-capture"}) {
		t.Errorf("the same: warnings %v", got)
	}
}

// TestAlarms simulates: how often two runs of which nothing changed are called a regression, by any
// of all verdicts of all endpoints. Each kind is tested at 5 % to both sides over all endpoints, and
// kinds agree for the most part, so that together they are right in 19 of 20 runs, too.
func TestAlarms(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	side := func(n int) *report.Report {
		var all []report.Endpoint
		for _, path := range []string{"/a", "/b", "/c", "/d"} {
			e := endpointOf("GET", path, "h")
			for range n {
				e.Exchanges++
				took := time.Duration(40 * math.Exp(0.7*random.NormFloat64()) * float64(ms))
				e.Duration.Add(took)
				e.Time += took
				if random.IntN(10) == 0 {
					e.Statuses[5]++
				}
			}
			all = append(all, e)
		}
		r := reportOf(all...)
		hits := 0
		for range 4 * n {
			hits += max(0, random.IntN(5)-3)
		}
		finding(r, "nagle", "h", hits, 80*ms)
		return r
	}
	for _, n := range []int{8, 30, 150} {
		const runs = 200 // of which one in twenty are ten; three standard deviations more are 19
		alarms := 0
		for range runs {
			if compareThem(side(n), side(n), Options{}).Regressed() {
				alarms++
			}
		}
		if alarms > 19 {
			t.Errorf("%d exchanges: %d of %d are called a regression", n, alarms, runs)
		}
	}
}
