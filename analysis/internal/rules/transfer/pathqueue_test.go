package transfer

import (
	"math"
	"slices"
	"testing"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/rule/ruletest"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// fills is a message at the path's rate on a connection of its own.
func (k *thinker) fills(dir reassembly.Dir, from, to, queue time.Duration) {
	large := &exchange.Message{
		Start: capture.Mark{Time: from, Frame: 3}, End: capture.Mark{Time: to, Frame: 4}}
	x := &rule.Draft{Info: &report.ExchangeInfo{ID: 1000}, Exchange: ledger.Exchange{
		Account: ledger.Account{
			Until: to,
			Transfers: ledger.Transfers{Flow: ledger.Flow{Rate: 500_000, RTT: 10 * time.Millisecond,
				Measured: to - from, Window: 1 << 20, Queue: queue}},
		},
		Parsed: &exchange.Exchange{Request: &exchange.Message{}, Response: large},
	}}
	x.Times[report.Serialize] = to - from
	if dir == reassembly.FromClient {
		x.Parsed.Request, x.Parsed.Response, x.Upload = large, &exchange.Message{}, &x.Flow
		x.UploadTimes[report.Serialize-ledger.FirstOfTransfer] = to - from
	}
	k.t.paths.judged(&k.d, &rule.Conn{Id: 99, Pair: k.c.Pair, Far: k.c.Far}, ruletest.Judge(x))
}

// askAt is an exchange whose response came at the given moment.
func (k *thinker) askAt(at, took time.Duration) {
	k.at = at - time.Millisecond
	k.ask("/api", took)
}

// bloat is what was booked of a queue behind a transfer; nil if nothing was.
func (k *thinker) bloat() *ruletest.Finding {
	return k.d.Booked[rule.Key{Rule: bandwidthRule, Cause: "bufferbloat", Pair: k.c.Pair}]
}

// millis are durations.
func millis(n ...int) (out []time.Duration) {
	for _, v := range n {
		out = append(out, time.Duration(v)*time.Millisecond)
	}
	return out
}

// TestThinksBehindTransfer: what takes longer while a transfer fills the path is not the server's
// time, unless it is longer than a queue can hold up, or others that passed meanwhile were quick.
func TestThinksBehindTransfer(t *testing.T) {
	for _, tt := range []struct {
		name            string
		behind          []time.Duration
		thinks, suspect int
		stamped         bool
		upload          bool
		queue           time.Duration // as the transfer's own round trips show it
		confidence      report.Confidence
	}{
		{name: "all late", behind: millis(150, 170, 180, 160), suspect: 4},
		{name: "one late among quick ones", behind: millis(10, 150, 10, 11)},
		{name: "longer than a queue holds up", behind: millis(10, 3000, 11), thinks: 1},
		{name: "timestamps tell", behind: millis(150, 170, 180), thinks: 3, stamped: true},
		{name: "timestamps do not tell how requests fared", behind: millis(150, 170, 180),
			stamped: true, upload: true, suspect: 3},
		{name: "as much as the transfer's round trips grew", behind: millis(150, 170, 180),
			upload: true, suspect: 3, queue: 160 * time.Millisecond,
			confidence: report.ConfidenceMedium},
	} {
		k := newThinker()
		k.rtt, k.stamped = 10*time.Millisecond, tt.stamped
		for i := range 20 {
			k.askAt(time.Duration(i)*100*time.Millisecond, 10*time.Millisecond)
		}
		for i, took := range tt.behind {
			k.askAt(10*time.Second+time.Duration(i)*200*time.Millisecond, took)
		}
		dir := reassembly.FromServer
		if tt.upload {
			dir = reassembly.FromClient
		}
		k.fills(dir, 9*time.Second, 12*time.Second, tt.queue)
		n, _ := k.found()
		suspect := 0
		if f := k.bloat(); f != nil {
			suspect = f.N
			if f.Certainty != tt.confidence {
				t.Errorf("%s: confidence %v", tt.name, f.Certainty)
			}
		}
		if n != tt.thinks || suspect != tt.suspect {
			t.Errorf("%s: %d server-think and %d bufferbloat, want %d and %d",
				tt.name, n, suspect, tt.thinks, tt.suspect)
		}
	}
}

// heldUp is an exchange whose answer was held up by that much before the given moment, by its
// timestamp.
func heldUp(id int, at, delay time.Duration) *rule.Draft {
	x := &rule.Draft{Info: &report.ExchangeInfo{ID: id}, Exchange: ledger.Exchange{
		Account: ledger.Account{Until: at},
		Parsed: &exchange.Exchange{
			Request:  &exchange.Message{End: capture.Mark{Time: at - delay, Frame: 1}},
			Response: &exchange.Message{Start: capture.Mark{Time: at, Frame: 2}}},
		LongWaits: ledger.LongWaits{Waits: []ledger.Wait{{Label: report.Queue,
			From: at - delay, To: at, Dir: reassembly.FromServer}}},
	}}
	x.Times[report.Queue] = delay
	return x
}

// TestQueuedBehindTransfer: what waited in a queue is told once it is known who filled it,
// whichever is judged first.
func TestQueuedBehindTransfer(t *testing.T) {
	for _, tt := range []struct {
		name    string
		at      time.Duration
		delay   time.Duration
		same    bool
		earlier bool // the transfer is judged before
		want    time.Duration
	}{
		{name: "judged before the transfer", at: 2 * time.Second, delay: 100 * time.Millisecond,
			want: 95 * time.Millisecond},
		{name: "judged after it", at: 2 * time.Second, delay: 100 * time.Millisecond,
			earlier: true, want: 95 * time.Millisecond},
		{name: "over before it", at: 900 * time.Millisecond, delay: 100 * time.Millisecond},
		{name: "on the same connection", at: 2 * time.Second, delay: 100 * time.Millisecond,
			same: true},
		{name: "too short to matter", at: 2 * time.Second, delay: 15 * time.Millisecond},
	} {
		k := newThinker()
		c := k.c
		if tt.same {
			c.Id = 99
		}
		if tt.earlier {
			k.fills(reassembly.FromServer, time.Second, 3*time.Second, 0)
		}
		k.t.paths.judged(&k.d, &c, ruletest.Judge(heldUp(1, tt.at, tt.delay)))
		if !tt.earlier {
			k.fills(reassembly.FromServer, time.Second, 3*time.Second, 0)
		}
		var got time.Duration
		if f := k.bloat(); f != nil {
			got = f.Cost.Expected
		}
		if got != tt.want {
			t.Errorf("%s: cost %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestPathsWithoutEnd: what is kept stays small, and what was full stays known to have been.
func TestPathsWithoutEnd(t *testing.T) {
	k := newThinker()
	for i := range 10_000 {
		at := time.Duration(i+1) * time.Second
		// behind nothing
		k.t.paths.judged(&k.d, &k.c,
			ruletest.Judge(heldUp(i, at+900*time.Millisecond, 100*time.Millisecond)))
		k.fills(reassembly.FromServer, at, at+500*time.Millisecond, 0)
	}
	p := &k.t.paths
	c := p.clients.Has(pathOf(k.c.Pair))
	busy := c.ways[reassembly.FromServer].busy
	if len(busy) > maxBusy || len(c.full) > maxFillings || len(c.late) > maxQueued ||
		p.held != len(c.late) {
		t.Errorf("%d stretches, %d transfers, %d exchanges (%d counted)",
			len(busy), len(c.full), len(c.late), p.held)
	}
	if !slices.IsSortedFunc(busy, func(a, b report.Interval) int {
		return int(min(max(a.To-b.From, -1), 1))
	}) {
		t.Error("the stretches are not apart and in order")
	}
	for _, at := range []time.Duration{1200 * time.Millisecond,
		5000*time.Second + 200*time.Millisecond, 10_000*time.Second + 400*time.Millisecond} {
		span := report.Interval{From: at, To: at + 1*time.Millisecond}
		if !p.mayHold(k.c.Pair, reassembly.FromServer, span, 100*time.Millisecond) {
			t.Errorf("at %v nothing fills the path", at)
		}
	}
	after := report.Interval{From: 20_000 * time.Second, To: math.MaxInt64}
	if p.mayHold(k.c.Pair, reassembly.FromServer, after, 1*time.Millisecond) {
		t.Error("after the last transfer something fills the path")
	}
}

// TestManyQueued: what nobody is known to have filled is forgotten after a while, and with the
// clients that are silent, so that it does not keep out what comes later.
func TestManyQueued(t *testing.T) {
	k := newThinker()
	p := &k.t.paths
	late := func(i int, at time.Duration) {
		of := k.c.Pair
		of.Client = ruletest.Host(i)
		p.judged(&k.d, &rule.Conn{Id: i, Pair: of},
			ruletest.Judge(heldUp(i, at, 100*time.Millisecond)))
	}
	kept := func() (n int) {
		for c := range p.clients.All() {
			n += len(c.late)
		}
		return n
	}
	for i := range 2 * maxQueuedAll {
		late(i%100, time.Second+time.Duration(i)*time.Microsecond)
	}
	if n := kept(); n != maxQueuedAll || p.held != n {
		t.Errorf("%d exchanges at once (%d counted), want %d", n, p.held, maxQueuedAll)
	}
	late(200, 10*time.Minute)
	if n := kept(); n != 1 || p.held != n {
		t.Errorf("%d exchanges after a while (%d counted), want 1", n, p.held)
	}
	for i := range rule.MaxPaths {
		late(300+i, 10*time.Minute+time.Duration(i)*time.Microsecond)
	}
	late(1, time.Hour) // the others have been silent
	if n := kept(); n != 1 || p.held != n {
		t.Errorf("%d exchanges of clients that are not silent (%d counted), want 1", n, p.held)
	}
}

// TestFartherHosts: long round trips of a connection that began while the path was free are those
// of a host that is farther away.
func TestFartherHosts(t *testing.T) {
	for _, tt := range []struct {
		name  string
		began time.Duration
		queue time.Duration // as the transfer's own round trips show it
		far   time.Duration // from the capture to the client and back
		want  report.Confidence
		told  bool
	}{
		{"began behind the transfer", 1500 * time.Millisecond, 0, 0, report.ConfidenceMedium, true},
		{"began with its first octets under way", 950 * time.Millisecond, 0, 0,
			report.ConfidenceMedium, true},
		{"had begun before", 500 * time.Millisecond, 0, 0, 0, false},
		{"as long as the transfer's own grew", 1500 * time.Millisecond, 85 * time.Millisecond,
			10 * time.Millisecond, report.ConfidenceMedium, true},
		{"longer than they grew", 1500 * time.Millisecond, 30 * time.Millisecond,
			10 * time.Millisecond, 0, false},
		{"longer, but they do not show where it is captured", 1500 * time.Millisecond,
			30 * time.Millisecond, 0, report.ConfidenceMedium, true},
	} {
		for _, earlier := range []bool{false, true} {
			k := newThinker()
			k.d.Totals = map[report.Pair]rule.Totals{k.c.Pair: {Rtt: 10 * time.Millisecond}}
			k.c.Far = tt.far
			if earlier {
				k.fills(reassembly.FromServer, time.Second, 3*time.Second, tt.queue)
			}
			x := heldUp(1, 2*time.Second, 100*time.Millisecond)
			x.Waits, x.Times[report.Queue] = nil, 0
			x.Times[report.RoundTrip], x.Flow.RTT = 100*time.Millisecond, 100*time.Millisecond
			k.c.Start = capture.Mark{Time: tt.began, Frame: 1}
			k.t.paths.judged(&k.d, &k.c, ruletest.Judge(x))
			if !earlier {
				k.fills(reassembly.FromServer, time.Second, 3*time.Second, tt.queue)
			}
			f := k.bloat()
			if (f != nil) != tt.told || f != nil && f.Certainty != tt.want {
				t.Errorf("%s, the transfer judged first %v: %+v", tt.name, earlier, f)
			}
		}
	}
}
