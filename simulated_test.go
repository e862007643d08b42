package main

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tcpwhy/analysis/report"
)

const ms = time.Millisecond

// drawSimulation draws hosts, a path and exchanges; Nagle's algorithm is off, and nothing is lost.
func drawSimulation(t *rapid.T) simulation {
	s := simulation{
		near: time.Duration(rapid.SampledFrom([]int{10, 50, 1000, 5000, 20000}).Draw(t, "near")) * time.Microsecond,
		far:  time.Duration(rapid.SampledFrom([]int{10, 1000, 5000, 25000}).Draw(t, "far")) * time.Microsecond,
		mss:  rapid.SampledFrom([]int{536, 1448, 8948}).Draw(t, "mss"),
	}
	for i := range s.delack {
		s.delack[i] = rapid.SampledFrom([]time.Duration{0, 40 * ms, 120 * ms}).Draw(t, "delayed acknowledgments")
	}
	for range rapid.IntRange(1, 4).Draw(t, "exchanges") {
		s.talks = append(s.talks, talk{
			idle:     time.Duration(rapid.SampledFrom([]int{0, 1, 80, 1200}).Draw(t, "idle")) * ms,
			request:  drawWrites(t, 400),
			think:    time.Duration(rapid.SampledFrom([]int{0, 1, 30, 300}).Draw(t, "think")) * ms,
			response: drawWrites(t, 20000),
		})
	}
	return s
}

// drawWrites draws the writes of a message. A pause is longer than a round trip, and begins when
// nothing is left to be sent: then it is the application's alone. Nor is it like the 200 ms and
// more after which Linux gives up a corked segment.
func drawWrites(t *rapid.T, most int) []appWrite {
	if !rapid.Bool().Draw(t, "in two writes") {
		return []appWrite{{0, rapid.IntRange(150, most).Draw(t, "octets")}}
	}
	pause := time.Duration(rapid.IntRange(110, 150).Draw(t, "pause")) * ms
	return []appWrite{{0, rapid.IntRange(150, min(most, 5000)).Draw(t, "octets")}, {pause, rapid.IntRange(1, min(most, 5000)).Draw(t, "octets")}}
}

// report analyses what the capture point saw.
func (s simulation) report(t tester) *report.Report {
	t.Helper()
	return analyseData(t, writeCapture(t, s.run()))
}

// clone is a copy whose exchanges may be changed.
func (s simulation) clone() simulation {
	talks := make([]talk, len(s.talks))
	for i, x := range s.talks {
		x.request = append([]appWrite(nil), x.request...)
		x.response = append([]appWrite(nil), x.response...)
		talks[i] = x
	}
	s.talks = talks
	return s
}

// TestInsertedWaits: what is added to a wait of one kind is added to its label alone (property 10).
func TestInsertedWaits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawSimulation(t)
		longer := s.clone()
		i := rapid.IntRange(0, len(s.talks)-1).Draw(t, "exchange")
		x := time.Duration(rapid.SampledFrom([]int{1, 5, 20, 400, 900}).Draw(t, "ms more")) * ms
		label := insertWait(t, &longer.talks[i], i, x)
		before, after := s.report(t), longer.report(t)
		for _, l := range report.Labels() {
			grew := labelTotal(after.Conns[0].Times, l) - labelTotal(before.Conns[0].Times, l)
			want := time.Duration(0)
			if l == label {
				want = x
			}
			// pauses about as long as the round trip look like a pacing kernel's
			if l == report.Paced {
				continue
			}
			if l == report.AppPaced {
				grew += labelTotal(after.Conns[0].Times, report.Paced) - labelTotal(before.Conns[0].Times, report.Paced)
			}
			if (grew - want).Abs() > 200*time.Microsecond {
				t.Errorf("%v more of %v: %v grew by %v", x, label, l, grew)
			}
		}
	})
}

// insertWait lengthens one wait of an exchange and tells its label.
func insertWait(draw *rapid.T, x *talk, i int, more time.Duration) report.Label {
	kinds := []report.Label{report.Think}
	if len(x.request) > 1 {
		kinds = append(kinds, report.ReqApp)
	}
	if len(x.response) > 1 {
		kinds = append(kinds, report.AppPaced)
	}
	if i > 0 {
		kinds = append(kinds, report.IdleReusable)
	}
	kind := rapid.SampledFrom(kinds).Draw(draw, "wait")
	switch kind {
	case report.Think:
		x.think += more
	case report.ReqApp:
		x.request[1].pause += more
	case report.AppPaced:
		x.response[1].pause += more
	default:
		x.idle += more
	}
	return kind
}

// drawLosses loses one segment in ten, before or behind the capture point; retransmissions arrive.
func drawLosses(t *rapid.T) func(dir, n int, repeated bool) fate {
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "losses"), 1))
	return func(_, _ int, repeated bool) fate {
		if repeated || random.IntN(10) > 0 {
			return arrives
		}
		return lostEarly + fate(random.IntN(2))
	}
}

// TestLedger: the labels of a connection and of each exchange add up to its duration, and no more
// is lost than was spent (property 1), on paths with loss and hosts with Nagle's algorithm too.
func TestLedger(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawSimulation(t)
		s.nagle = [2]bool{rapid.Bool().Draw(t, "client's Nagle"), rapid.Bool().Draw(t, "server's Nagle")}
		s.opaque = rapid.Bool().Draw(t, "opaque")
		if rapid.Bool().Draw(t, "lossy") {
			s.fate = drawLosses(t)
		}
		r := s.report(t)
		for i := range r.Conns {
			if c := &r.Conns[i]; sumTimes(c.Times) != c.Duration {
				t.Errorf("connection %d: %v of %v", i, sumTimes(c.Times), c.Duration)
			}
		}
		for i := range r.Exchanges {
			if x := &r.Exchanges[i]; sumTimes(x.Times) != x.Duration {
				t.Errorf("exchange %d: %v of %v", i, sumTimes(x.Times), x.Duration)
			}
		}
		if r.Lost > r.ExchangeTime {
			t.Errorf("%v lost of %v", r.Lost, r.ExchangeTime)
		}
		if !s.opaque && r.ExchangeCount != len(s.talks) {
			t.Errorf("%d exchanges, %d were played", r.ExchangeCount, len(s.talks))
		}
	})
}

// TestRoundTrip: a longer path costs round trips and what is made of them, and nothing else
// (property 10).
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawSimulation(t)
		for i := range s.delack { // a later acknowledgment may be on another side of a pause
			s.delack[i] = 0
		}
		longer := s
		longer.far += time.Duration(rapid.IntRange(1, 20).Draw(t, "ms more")) * ms
		before, after := s.report(t), longer.report(t)
		for _, l := range []report.Label{report.Think, report.ReqApp, report.AppPaced, report.RTO, report.FastRetx,
			report.RWnd, report.ZeroWindow, report.NagleDelack, report.NagleRTT, report.Cork} {
			b, a := labelTotal(before.Times, l), labelTotal(after.Times, l)
			if (a-b).Abs() > time.Duration(4*len(s.talks))*(longer.far-s.far)/2+ms || l >= report.NagleRTT && l != report.AppPaced && a != b {
				t.Errorf("%v longer: %v was %v, is %v", longer.far-s.far, l, b, a)
			}
		}
	})
}

// TestMirrored: what a rule of TCP says of the client's half it says of the server's, if that is in
// the same place (property 14: roles).
func TestMirrored(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		held := []appWrite{{0, rapid.IntRange(100, 400).Draw(t, "first")}, {0, rapid.IntRange(20, 400).Draw(t, "second")}}
		swift := []appWrite{{0, 300}}
		s := simulation{near: 50 * time.Microsecond, mss: 1448}
		s.far = time.Duration(rapid.IntRange(1, 20).Draw(t, "far")) * ms
		mirror := s
		mirror.near, mirror.far = s.far, s.near
		s.nagle[0], mirror.nagle[1] = true, true
		s.delack[1], mirror.delack[0] = 40*ms, 40*ms
		for range 6 {
			s.talks = append(s.talks, talk{request: held, response: swift, think: 3 * ms, idle: ms})
			mirror.talks = append(mirror.talks, talk{request: swift, response: held, think: 3 * ms, idle: ms})
		}
		request, response := faults(s.report(t)), faults(mirror.report(t))
		a, b := request["nagle-delayed-ack/request"], response["nagle-delayed-ack/response"]
		if a.count != 6 || a.count != b.count || (a.cost-b.cost).Abs() > ms {
			t.Errorf("request %+v, response %+v", a, b)
		}
	})
}
