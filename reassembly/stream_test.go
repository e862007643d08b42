package reassembly

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tcpwhy/capture"
)

func TestStreams(t *testing.T) {
	tests := []struct {
		name, text, server string
		caveats            []string
		unread             bool
	}{
		{name: "in order", text: threeWay + `
0.100 < P. 1 ack 1 "one "
0.101 < P. 5 ack 1 "two"`, server: "one two"},
		{name: "out of order, overlapping, repeated", text: threeWay + `
0.100 < P. 5 ack 1 "two "
0.101 < P. 9 ack 1 "three"
0.102 < P. 3 ack 1 "e two th"
0.103 < P. 1 ack 1 "one tw"
0.104 < P. 1 ack 1 "one two three"`, server: "one two three"},
		{name: "the first copy wins", text: threeWay + `
0.100 < P. 5 ack 1 "good"
0.101 < P. 5 ack 1 "evil"
0.102 < P. 1 ack 1 "all evil"`, server: "all good", caveats: []string{CaveatConflict}},
		{name: "lacks what was acknowledged", text: threeWay + `
0.100 < P. 5 ack 1 "two"
0.101 > .  1:1(0) ack 8 win 502
0.150 < P. 8 ack 1 " three"`, server: "[4]two three", caveats: []string{CaveatMissing}},
		{name: "turns up within the slack", text: threeWay + `
0.100 < P. 5 ack 1 "two"
0.101 > .  1:1(0) ack 8 win 502
0.1015 < P. 1 ack 1 "one "
0.150 < P. 8 ack 1 " three"`, server: "one two three"},
		{name: "turns up late", text: threeWay + `
0.100 < P. 1 ack 1 "one "
0.101 > .  1:1(0) ack 8 win 502
0.104 < P. 5 ack 1 "two"`, server: "one two", caveats: []string{CaveatCrossed}},
		{name: "a hole nobody acknowledged stays", text: threeWay + `
0.100 < P. 1 ack 1 "one"
0.101 < P. 5 ack 1 "three"`, server: "one"},
		{name: "acknowledged at the very end", text: threeWay + `
0.100 < P. 5 ack 1 "two"
0.101 > .  1:1(0) ack 8 win 502`, server: "[4]two", caveats: []string{CaveatMissing}},
		{name: "cut by the capture", text: threeWay + `
0.100 < P. 1 ack 1 "HTTP/1.1 200 OK" snap 4
0.101 < P. 16 ack 1 "end"`, server: "HTTP[11]end", caveats: []string{CaveatSnapped}},
		{name: "cut and out of order", text: threeWay + `
0.100 < P. 5 ack 1 "abcdef" snap 2
0.101 < P. 1 ack 1 "one "`, server: "one [6]", caveats: []string{CaveatSnapped}},
		{name: "not needed, so not kept", unread: true, text: threeWay + `
0.100 < P. 5 ack 1 "two "
0.101 < P. 9 ack 1 "three"
0.102 < P. 1 ack 1 "one "`, server: "one {9}"},
		{name: "only one direction", text: `
0.000 < P. 1 ack 1 "one"
0.001 < P. 6 ack 1 "three"
1.500 < P. 11 ack 1 "four"`, server: "one[2]threefour", caveats: []string{CaveatMidStream, CaveatOneSided, CaveatMissing}},
		{name: "only the acknowledgments", text: `
0.000 > .  1:1(0) ack 1
0.100 > .  1:1(0) ack 1001
0.200 > .  1:1(0) ack 2001
0.300 > .  1:1(0) ack 2001`, server: "[2000]", caveats: []string{CaveatMidStream, CaveatMissing, CaveatOneSided}},
		{name: "begins in mid-stream with data on the way", text: `
0.000 > .  101:101(0) ack 1
0.010 < .  1449 ack 101 "later"
0.020 > .  101:101(0) ack 1454`, server: "later", caveats: []string{CaveatMidStream}},
		{name: "begins with a keep-alive", text: `
0.000 > .  100:100(0) ack 1
0.010 < .  1:1(0) ack 101
0.020 > P. 101 ack 1 "ask"
0.030 < P. 1 ack 104 "tell"`, server: "tell", caveats: []string{CaveatMidStream}},
		{name: "nothing after FIN", text: threeWay + `
0.100 < FP. 1 ack 1 "end"
0.101 < P. 4 ack 1 "more"`, server: "end"},
		{name: "wraps", text: "client 10.0.0.1:4000 isn 4294967290\nserver 10.0.0.2:80 isn 4294967294" + threeWay + `
0.100 < P. 5 ack 1 "two "
0.101 < P. 1 ack 1 "one "
0.102 < P. 9 ack 1 "three"`, server: "one two three"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := play(t, parse(t, tt.text), tt.unread)
			if got := r.app.data[FromServer].String(); got != tt.server {
				t.Errorf("server said %q, want %q", got, tt.server)
			}
			if !slices.Equal(r.Caveats, tt.caveats) {
				t.Errorf("caveats %q, want %q", r.Caveats, tt.caveats)
			}
			if r.app.ended != 1 || r.sink.closed != 1 {
				t.Errorf("ended %d times, closed %d times, want once each", r.app.ended, r.sink.closed)
			}
		})
	}
}

func TestFinWaitsForHoles(t *testing.T) {
	r := play(t, parse(t, threeWay+`
0.100 < FP. 5 ack 1 "two"
0.200 < P. 1 ack 1 "one "`), false)
	if got := r.app.fin[FromServer].Frame.Number(); got != 5 {
		t.Errorf("FIN delivered at frame %d, want 5", got)
	}
	if got := r.Half[FromServer].Fin.Frame.Number(); got != 4 {
		t.Errorf("FIN seen at frame %d, want 4", got)
	}
}

// TestHostileOrders sends single octets in orders that make naive queues quadratic; it would take
// minutes then.
func TestHostileOrders(t *testing.T) {
	const n = 100_000
	orders := map[string]func(i int) int{
		"backwards":      func(i int) int { return n - i },
		"every second":   func(i int) int { return (i*2)%n + i*2/n },
		"middle outward": func(i int) int { return n/2 + (i+1)/2*(1-2*(i%2)) },
	}
	names := []string{"backwards", "every second", "middle outward"}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			segs := parse(t, threeWay)
			tmpl := segs[1]
			tmpl.Flags, tmpl.Options, tmpl.Ack = capture.ACK, 0, segs[2].Seq
			base := segs[1].Seq + 1
			for i := range n {
				s := tmpl
				s.Seq, s.Len, s.Payload = base+uint32(orders[name](i)), 1, []byte{byte(i)}
				s.Time = 60*time.Millisecond + time.Duration(i)*time.Microsecond
				s.Frame = capture.NewFrameID(0, uint64(i+4))
				segs = append(segs, s)
			}
			start := time.Now()
			play(t, segs, false)
			// far above what a busy machine needs
			if took := time.Since(start); took > 40*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

func TestBufferCap(t *testing.T) {
	sink := &fakeSink{}
	table, tracker := NewTable(TableLimits{}), NewTracker(sink, TrackerLimits{ConnBuffer: 5000})
	app := &fakeReader{}
	text := threeWay + "0.1 < . 101:1549(1448) ack 1\n0.1 < . 1549:2997(1448) ack 1\n0.1 < . 2997:4445(1448) ack 1\n" +
		"0.1 < . 4445:5893(1448) ack 1\n0.2 < . 1:101(100) ack 1\n"
	segs := parse(t, text)
	for i := range segs {
		c, dir, fresh := table.Assign(&segs[i], segs[i].Time)
		if fresh {
			tracker.state(c).reader = app
		}
		tracker.Add(c, dir, &segs[i])
		if tracker.held > 5000 {
			t.Fatalf("%d octets held, want at most 5000", tracker.held)
		}
	}
	if got, want := app.data[FromServer].String(), strings.Repeat("x", 100+3*1448)+"[1448]"; got != want {
		t.Errorf("got %d octets ending in %q", len(got), got[max(0, len(got)-10):])
	}
	if tracker.held != 0 {
		t.Errorf("%d octets held after the hole was filled", tracker.held)
	}
}

func TestHalves(t *testing.T) {
	r := play(t, parse(t, threeWay+`
0.050 > P. 1:101(100) ack 1 win 502
0.100 < .  1449:2897(1448) ack 101 win 509
0.101 > .  101:101(0) ack 2897 win 502
0.150 < F. 2897:2997(100) ack 101 win 509`), false)
	got := fmt.Sprintf("%+v", []any{r.Half[1].Bytes, r.Half[1].Missing, r.Half[1].Frontier, r.Half[1].Una, r.Half[1].Max,
		r.Half[1].FinSeq, r.Half[1].Eff, r.Half[0].Una, r.Half[0].Bytes})
	if want := "[1548 1448 2997 2896 2997 2996 1460 100 100]"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
