package capture

import (
	"net/netip"
	"testing"
	"time"

	"tcpwhy/capture/internal/flow"
	"tcpwhy/capture/internal/frame"
)

// beat is a segment of a host: when it was captured, who sent it, and the clocks that it shows, in
// ms.
type beat struct {
	at        time.Duration
	back      bool
	val, echo uint32
}

// segment is the segment of a beat, and its addresses.
func (b *beat) segment() (Segment, flow.Ends) {
	client, server := netip.MustParseAddrPort("10.0.0.1:1024"),
		netip.MustParseAddrPort("10.0.0.2:80")
	from, to := flow.Address4([]byte{10, 0, 0, 1}), flow.Address4([]byte{10, 0, 0, 2})
	s := Segment{Src: client, Dst: server, Options: HasTS, TSVal: b.val, TSEcr: b.echo}
	if b.back {
		s.Src, s.Dst, from, to = server, client, to, from
	}
	return s, flow.Ends{Src: from, Dst: to}
}

// stepIn is what hosts say of the time between before and after.
func stepIn(before, after []beat) (time.Duration, bool) {
	var h hostClocks
	for i := range before {
		s, ends := before[i].segment()
		h.note(&s, &ends, int64(before[i].at))
	}
	var ahead []heldFrame
	for i := range after {
		s, ends := after[i].segment()
		ahead = append(ahead, heldFrame{
			Frame: frame.Frame{Time: int64(after[i].at)},
			sign: sign{known: true, stamped: true, stamp: s.TSVal, echo: s.TSEcr,
				key: ends.Key(s.Src.Port(), s.Dst.Port())},
		})
	}
	gap := after[0].at - before[len(before)-1].at
	step, ok := h.step(ahead, 0, int64(gap))
	return time.Duration(step), ok
}

// TestHostsTellOfSteps: only where the clocks of both hosts went on less than the capture's, and one
// answers what the other sent since, was that set.
func TestHostsTellOfSteps(t *testing.T) {
	const s, ms = time.Second, time.Millisecond
	before := []beat{
		{0, false, 1000, 0},
		{10 * ms, true, 7010, 1000},
		{500 * ms, false, 1500, 7010},
		{510 * ms, true, 7510, 1500},
	}
	for _, test := range []struct {
		name   string
		before []beat
		after  []beat
		want   time.Duration // 0: none
	}{
		{"set forward by an hour", before, []beat{{3600*s + 600*ms, false, 1600, 7510},
			{3600*s + 610*ms, true, 7610, 1600}}, time.Hour},
		{"set back by a minute", before, []beat{{-60*s + 600*ms, false, 1600, 7510},
			{-60*s + 610*ms, true, 7610, 1600}}, -time.Minute},
		{"an hour passed", before, []beat{{3600*s + 600*ms, false, 3601600, 7510},
			{3600*s + 610*ms, true, 3607610, 3601600}}, 0},
		{"the server stood still", before, []beat{{60*s + 600*ms, false, 61600, 7510},
			{60*s + 610*ms, true, 7610, 61600}}, 0},
		{"the client stood still, and what had come before went first", before,
			[]beat{{60*s + 600*ms, true, 7520, 1500}, {60*s + 601*ms, false, 1601, 7520},
				{60*s + 611*ms, true, 67611, 1601}}, 0},
		{"both were held up on the way", before, []beat{{60*s + 600*ms, false, 1520, 7510},
			{60*s + 601*ms, true, 7520, 1500}}, 0},
		{"one host alone", before, []beat{{3600*s + 600*ms, false, 1600, 7510},
			{3600*s + 700*ms, false, 1700, 7510}}, 0},
		{"stamps that do not go on", []beat{{0, false, 5, 5}, {10 * ms, true, 5, 5}},
			[]beat{{60 * s, false, 5, 5}, {60*s + 10*ms, true, 5, 5}}, 0},
	} {
		step, ok := stepIn(test.before, test.after)
		if ok != (test.want != 0) || ok && step != test.want {
			t.Errorf("%s: set by %v, %v; want %v", test.name, step, ok, test.want)
		}
	}
}

// TestUsualTick: a pace that was measured is that of a clock in use, if it is near one.
func TestUsualTick(t *testing.T) {
	for measured, want := range map[int64]int64{
		1_040_000: 1_000_000, 9_500_000: 10_000_000, 970: 1000, 2_000_000: 2_000_000,
	} {
		if got := usualTick(measured); got != want {
			t.Errorf("%d ns: %d, want %d", measured, got, want)
		}
	}
}

// TestUnheard: data that waited for an hour for its acknowledgment would have been sent again.
func TestUnheard(t *testing.T) {
	part := func(seq uint32) Segment { // of the server's, without timestamps
		s, _ := (&beat{back: true}).segment()
		s.Options, s.Seq, s.Len, s.Ack, s.Flags = 0, seq, 100, 50, ACK
		return s
	}
	ack := func(n uint32) Segment {
		s, _ := (&beat{}).segment()
		s.Options, s.Seq, s.Ack, s.Flags = 0, 50, n, ACK
		return s
	}
	for _, test := range []struct {
		name   string
		behind []Segment
		want   bool
	}{
		{"acknowledged", []Segment{ack(300)}, true},
		{"some of it acknowledged", []Segment{ack(100), ack(200)}, true},
		{"more sent", []Segment{part(300)}, true},
		{"sent again", []Segment{part(100), ack(300)}, false},
		{"more acknowledged than was seen", []Segment{ack(900)}, false},
	} {
		var h hostClocks
		for _, s := range []Segment{part(0), ack(100), part(100), part(200)} {
			_, ends := (&beat{back: s.Src.Port() == 80}).segment()
			h.note(&s, &ends, 0)
		}
		var ahead []heldFrame
		for _, s := range test.behind {
			_, ends := (&beat{back: s.Src.Port() == 80}).segment()
			ahead = append(ahead, heldFrame{sign: sign{known: true, seq: s.Seq, end: s.Seq + s.Len,
				ack: s.Ack, acks: true, carries: s.Len > 0,
				key: ends.Key(s.Src.Port(), s.Dst.Port())}})
		}
		if step, ok := h.step(ahead, 0, int64(time.Hour)); ok != test.want ||
			ok && step != int64(time.Hour) {
			t.Errorf("%s: set by %v, %v; want %v", test.name, time.Duration(step), ok, test.want)
		}
	}
}
