package copies

import (
	"net/netip"
	"testing"

	"tcpwhy/capture/internal/decode"
	"tcpwhy/capture/internal/frame"
	"tcpwhy/capture/internal/frametest"
	"tcpwhy/capture/internal/header"
	"tcpwhy/capture/segment"
)

// sight is a segment and where and when it is seen.
type sight struct {
	us    int64 // microseconds
	iface uint32
	id    uint16 // IPv4 identification
	back  bool   // from the server
	v6    bool
	ttl   uint8
	seg   frametest.TCP
	drop  bool // taken for a copy
}

// copyBench decodes frames and asks of each segment whether it was seen before.
type copyBench struct {
	*Table
	t       *testing.T
	decoder *decode.Decoder
	now     int64
	seg     segment.Segment
}

func newCopyBench(t *testing.T) *copyBench {
	return &copyBench{Table: New(nil), t: t, decoder: decode.New(new(uint64)), now: 1e18}
}

// show decodes a frame at the bench's time.
func (b *copyBench) show(f frame.Frame) bool {
	f.Time = b.now
	if got := b.decoder.Decode(&f, &b.seg); got != decode.Segment && got != decode.ICMPError {
		b.t.Fatalf("outcome %v", got)
	}
	return b.Duplicate(&b.seg, b.decoder.Ends(), b.decoder.Hop(), b.now)
}

// checkSights runs sights through a table and checks what is dropped.
func checkSights(t *testing.T, sights []sight) {
	t.Helper()
	b := newCopyBench(t)
	start := b.now
	for i, s := range sights {
		b.now = start + s.us*1000
		p := s.frame()
		got := b.show(frame.Frame{Link: frame.LinkRaw, Data: p, OrigLen: uint32(len(p)), Iface: s.iface})
		if got != s.drop {
			t.Errorf("sight %d at %d us: copy %v, want %v", i, s.us, got, s.drop)
		}
	}
}

func (s sight) frame() []byte {
	src, dst := frametest.Client4, frametest.Server4
	if s.v6 {
		src, dst = frametest.Client6, frametest.Server6
	}
	if s.back {
		src, dst = dst, src
		s.seg.SrcPort, s.seg.DstPort = 80, 50000
	}
	if s.v6 {
		return frametest.IPv6{Src: src, Dst: dst}.Wrap(s.seg.Octets(src, dst))
	}
	return frametest.IPv4{Src: src, Dst: dst, ID: s.id, TTL: s.ttl}.Wrap(s.seg.Octets(src, dst))
}

func data(seq uint32, ts uint32) frametest.TCP {
	s := frametest.TCP{Seq: seq, Ack: 1, Payload: []byte("some data, the same each time it is sent")}
	if ts != 0 {
		s.Options = frametest.Stamped(ts)
	}
	return s
}

func ack(number uint32, ts uint32) frametest.TCP {
	s := frametest.TCP{Seq: 1, Ack: number, Window: 500}
	if ts != 0 {
		s.Options = frametest.Stamped(ts)
	}
	return s
}

func syn(ts uint32) frametest.TCP {
	return frametest.TCP{Seq: 100, Flags: segment.SYN, Options: frametest.Cat([]byte{2, 4, 5, 180}, frametest.Stamped(ts))}
}

func synAck(ts uint32) frametest.TCP {
	return frametest.TCP{Seq: 300, Ack: 101, Flags: segment.SYN | segment.ACK, Options: frametest.Cat([]byte{2, 4, 5, 180}, frametest.Stamped(ts))}
}

func TestCopiesAtOnePoint(t *testing.T) {
	tests := []struct {
		name   string
		sights []sight
	}{
		{
			"identified, bridge",
			[]sight{{us: 0, id: 5, seg: data(1, 9)}, {us: 30, id: 5, seg: data(1, 9), drop: true}},
		},
		{
			"identified, seen three times",
			[]sight{
				{us: 0, id: 5, seg: data(1, 9)},
				{us: 10, id: 5, seg: data(1, 9), drop: true},
				{us: 20, id: 5, seg: data(1, 9), drop: true},
			},
		},
		{
			"identified, routed",
			[]sight{
				{us: 0, id: 5, ttl: 64, seg: data(1, 0)},
				{us: 300, id: 5, ttl: 63, seg: data(1, 0), drop: true},
			},
		},
		{
			"identified, routed after a long queue",
			[]sight{
				{us: 0, id: 5, ttl: 64, seg: data(1, 9)},
				{us: 1800000, id: 5, ttl: 63, seg: data(1, 9), drop: true},
			},
		},
		{
			"sent again with another identification, routed",
			[]sight{
				{us: 0, id: 5, ttl: 64, seg: data(1, 0)},
				{us: 1800000, id: 6, ttl: 63, seg: data(1, 0)},
			},
		},
		{
			"identified acknowledgment",
			[]sight{{us: 0, id: 5, seg: ack(7, 0)}, {us: 50, id: 5, seg: ack(7, 0), drop: true}},
		},
		{
			"identified, too late",
			[]sight{{us: 0, id: 5, seg: data(1, 0)}, {us: 2100, id: 5, seg: data(1, 0)}},
		},
		{
			"identified and stamped, captures of two hosts merged",
			[]sight{
				{us: 0, id: 5, seg: data(1, 9)},
				{us: 80000, id: 5, seg: data(1, 9), drop: true},
			},
		},
		{
			"identified and stamped, far too late",
			[]sight{{us: 0, id: 5, seg: data(1, 9)}, {us: 600000, id: 5, seg: data(1, 9)}},
		},
		{
			"identified, later timestamp",
			[]sight{{us: 0, id: 5, seg: data(1, 9)}, {us: 80000, id: 5, seg: data(1, 10)}},
		},
		{
			"time runs backwards",
			[]sight{{us: 50, id: 5, seg: data(1, 9)}, {us: 0, id: 5, seg: data(1, 9), drop: true}},
		},
		{
			"retransmission, new identification",
			[]sight{{us: 0, id: 5, seg: data(1, 0)}, {us: 40, id: 6, seg: data(1, 0)}},
		},
		{
			"retransmission, later timestamp",
			[]sight{{us: 0, v6: true, seg: data(1, 9)}, {us: 40, v6: true, seg: data(1, 10)}},
		},
		{
			"stamped data",
			[]sight{
				{us: 0, v6: true, seg: data(1, 9)},
				{us: 40, v6: true, seg: data(1, 9), drop: true},
			},
		},
		{
			"stamped data, identification 0",
			[]sight{{us: 0, seg: data(1, 9)}, {us: 40, seg: data(1, 9), drop: true}},
		},
		{
			"stamped data, one round trip later",
			[]sight{{us: 0, v6: true, seg: data(1, 9)}, {us: 200, v6: true, seg: data(1, 9)}},
		},
		{
			"data without any identity",
			[]sight{{us: 0, v6: true, seg: data(1, 0)}, {us: 40, v6: true, seg: data(1, 0)}},
		},
		{
			"syn",
			[]sight{{us: 0, v6: true, seg: syn(1)}, {us: 900, v6: true, seg: syn(1), drop: true}},
		},
		{
			"syn sent again",
			[]sight{{us: 0, v6: true, seg: syn(1)}, {us: 1000000, v6: true, seg: syn(1)}},
		},
		{
			"same numbers from the other side",
			[]sight{{us: 0, id: 5, seg: ack(1, 0)}, {us: 10, id: 5, back: true, seg: ack(1, 0)}},
		},
		{
			"window differs",
			[]sight{
				{us: 0, id: 5, seg: ack(7, 0)},
				{us: 10, id: 5, seg: frametest.TCP{Seq: 1, Ack: 7, Window: 501}},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { checkSights(t, tt.sights) })
	}
}

// TestDuplicateAcknowledgmentsStay is about bursts of equal segments that were really sent.
func TestDuplicateAcknowledgmentsStay(t *testing.T) {
	burst := func(n int, make func(i int) sight) []sight {
		sights := []sight{{us: 0, seg: syn(1), v6: true}, {us: 90, seg: synAck(2), v6: true, back: true}}
		for i := range n {
			s := make(i)
			s.us += 200 + 12*int64(i)
			sights = append(sights, s)
		}
		return sights
	}
	reset := frametest.TCP{Seq: 77, Flags: segment.RST}
	sacked := func(end uint32) frametest.TCP {
		s := ack(7, 3)
		s.Options = frametest.Cat(s.Options, []byte{1, 1, 5, 10}, frametest.U32(1000), frametest.U32(end))
		return s
	}
	tests := []struct {
		name   string
		sights []sight
	}{
		{"ipv6, no timestamps", burst(20, func(int) sight { return sight{v6: true, seg: ack(7, 0)} })},
		{"ipv6, one timestamp tick", burst(20, func(int) sight { return sight{v6: true, seg: ack(7, 3)} })},
		{"ipv4, identification 0", burst(20, func(int) sight { return sight{seg: ack(7, 3)} })},
		{"ipv4, identification counts", burst(20, func(i int) sight { return sight{id: uint16(100 + i), seg: ack(7, 3)} })},
		{"ipv4, identification is constant", append([]sight{
			{us: 0, id: 4, seg: ack(5, 3)}, {us: 20, id: 4, seg: ack(6, 3)}},
			burst(20, func(int) sight { return sight{id: 4, seg: ack(7, 3)} })...)},
		{"selective", burst(20, func(i int) sight { return sight{v6: true, seg: sacked(uint32(2000 + i))} })},
		{"resets", burst(20, func(int) sight { return sight{v6: true, seg: reset} })},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { checkSights(t, tt.sights) })
	}
}

// TestDoubledFlow shows every frame of a connection twice, as a mirror port does, without
// identifications: the SYNs teach that, and from then on acknowledgments are halved, but duplicate
// ones stay as many as they are.
func TestDoubledFlow(t *testing.T) {
	var sights []sight
	at := int64(0)
	twice := func(s sight, gap int64) {
		s.v6 = true
		s.us = at
		sights = append(sights, s)
		s.us, s.drop = at+gap, true
		sights = append(sights, s)
		at += 2 * gap
	}
	twice(sight{seg: syn(1)}, 20)
	twice(sight{seg: synAck(2), back: true}, 20)
	twice(sight{seg: ack(301, 3)}, 20)
	twice(sight{seg: data(101, 3)}, 20)
	for range 5 {
		twice(sight{seg: ack(141, 4), back: true}, 20)
	}
	twice(sight{seg: data(141, 5)}, 900)
	checkSights(t, sights)
}

func TestSeveralInterfaces(t *testing.T) {
	// The connection is seen at interface 1 (near the client) and 0 (near the server), 30 us apart.
	var sights []sight
	at := int64(0)
	both := func(back bool, s frametest.TCP, id uint16, dropNear, dropFar bool) {
		first, second, dropFirst, dropSecond := uint32(1), uint32(0), dropNear, dropFar
		if back {
			first, second, dropFirst, dropSecond = 0, 1, dropFar, dropNear
		}
		sights = append(sights, sight{us: at, iface: first, id: id, back: back, seg: s, drop: dropFirst},
			sight{us: at + 30, iface: second, id: id, back: back, seg: s, drop: dropSecond})
		at += 1000
	}
	both(false, syn(1), 10, false, true)
	// nothing is known yet of this direction: the first sighting counts
	both(true, synAck(2), 0, true, false)
	sights[2].drop, sights[3].drop = false, true
	for i := range uint16(5) {
		// as seen near the server, where both directions were seen first
		both(false, ack(301, 3), 11+i, true, false)
		both(true, data(301+40*uint32(i), 4), 21+i, true, false)
	}
	checkSights(t, sights)
}

// TestMirrorsAreRemembered shows two connections whole at two interfaces; in the third the answer
// to the SYN is taken from the interface that showed the SYN, though the other one shows it first.
func TestMirrorsAreRemembered(t *testing.T) {
	b := newCopyBench(t)
	show := func(port uint16, iface uint32, back bool, s frametest.TCP, id uint16) bool {
		b.now += 30e3
		s.SrcPort, s.DstPort = port, 80
		src, dst := frametest.Client4, frametest.Server4
		if back {
			src, dst, s.SrcPort, s.DstPort = dst, src, s.DstPort, s.SrcPort
		}
		p := frametest.IPv4{Src: src, Dst: dst, ID: id}.Wrap(s.Octets(src, dst))
		return b.show(frame.Frame{Link: frame.LinkRaw, Data: p, OrigLen: uint32(len(p)), Iface: iface})
	}
	for port := uint16(1); port <= 3; port++ {
		b.now += 1e9
		show(port, 1, false, syn(1), port)
		show(port, 0, false, syn(1), port)
		far, near := show(port, 0, true, synAck(2), port), show(port, 1, true, synAck(2), port)
		wantFar, wantNear := false, true
		if port == 3 {
			wantFar, wantNear = true, false
		}
		if far != wantFar || near != wantNear {
			t.Errorf("connection %d: far %v, near %v, want %v and %v", port, far, near, wantFar, wantNear)
		}
	}
}

// TestTapLosesNothing has one interface for each direction, and bonded interfaces that share one.
func TestTapLosesNothing(t *testing.T) {
	var tap, bond []sight
	for i := range int64(50) {
		tap = append(tap, sight{us: 100 * i, iface: 0, id: uint16(i + 1), seg: data(uint32(40*i), 5)},
			sight{us: 100*i + 20, iface: 1, id: uint16(i + 1), back: true, seg: ack(uint32(40*i), 5)})
		bond = append(bond, sight{us: 20 * i, iface: uint32(i % 2), v6: true, seg: ack(7, 0)})
	}
	t.Run("tap", func(t *testing.T) { checkSights(t, tap) })
	t.Run("bond", func(t *testing.T) { checkSights(t, bond) })
}

// TestManyInterfaces shows each frame at six interfaces, more than a sighting has room for.
func TestManyInterfaces(t *testing.T) {
	var sights []sight
	for i := range int64(20) {
		for iface := range uint32(6) {
			s := sight{us: 1000*i + 5*int64(iface), iface: iface, id: uint16(1 + i), seg: data(uint32(40*i), 5), drop: iface > 0}
			if i%3 == 2 {
				s.back, s.seg = true, ack(uint32(40*i), 5)
			}
			sights = append(sights, s)
		}
	}
	checkSights(t, sights)
}

// TestFileGivenTwice reads acknowledgments without any identity at two interfaces. As SYNs have
// shown that both see the same, as many are left as one of them shows.
func TestFileGivenTwice(t *testing.T) {
	var sights []sight
	at := int64(0)
	add := func(s sight) {
		s.us, s.v6 = at, true
		for iface := range uint32(2) {
			s.iface, s.drop = iface, iface == 1
			sights = append(sights, s)
		}
		at += 12
	}
	add(sight{seg: syn(1)})
	add(sight{seg: synAck(2), back: true})
	for range 10 {
		add(sight{seg: ack(301, 3)})
		add(sight{seg: ack(101, 3), back: true})
	}
	checkSights(t, sights)
}

// TestCanonicalViewEnds moves a connection that was seen at two interfaces to the second alone:
// after a quarter of a second that one counts.
func TestCanonicalViewEnds(t *testing.T) {
	var sights []sight
	for i := range int64(4) {
		sights = append(sights,
			sight{us: 1000 * i, iface: 0, id: uint16(10 + i), seg: data(uint32(40*i), 5)},
			sight{us: 1000*i + 20, iface: 1, id: uint16(10 + i), seg: data(uint32(40*i), 5), drop: true},
			sight{us: 1000*i + 40, iface: 0, id: uint16(10 + i), back: true, seg: ack(uint32(40*i), 5)},
			sight{us: 1000*i + 60, iface: 1, id: uint16(10 + i), back: true, seg: ack(uint32(40*i), 5), drop: true})
	}
	for i := range int64(20) {
		us := 10000 + 50000*i
		sights = append(sights, sight{us: us, iface: 1, id: uint16(100 + i), seg: data(uint32(1000+40*i), 5), drop: us < 255000})
	}
	checkSights(t, sights)
}

func TestCookedInterfacesAreApart(t *testing.T) {
	b := newCopyBench(t)
	p := frametest.IPv6{}.Wrap(data(1, 0).Octets(frametest.Client6, frametest.Server6))
	octets := func(ifindex uint32) frame.Frame {
		q := frametest.Cat(frametest.Cooked2(0, ifindex, header.EtherIPv6), p)
		return frame.Frame{Link: frame.LinkCooked2, Data: q, OrigLen: uint32(len(q))}
	}
	b.show(octets(2))
	b.show(octets(3))
	if len(b.points.ids) != 2 {
		t.Error("interfaces of an SLL2 header count as one point")
	}
}

func TestICMPSeenTwice(t *testing.T) {
	b := newCopyBench(t)
	from := netip.MustParseAddr("198.51.100.1")
	p := frametest.IPv4{Src: from, Dst: frametest.Client4, Protocol: 1}.Wrap(frametest.Cat([]byte{3, 1, 0, 0}, frametest.U32(0), frametest.Hello4()[:28]))
	f := frame.Frame{Link: frame.LinkRaw, Data: p, OrigLen: uint32(len(p))}
	for i, want := range []bool{false, true} {
		b.now += 30e3
		if got := b.show(f); got != want {
			t.Errorf("sight %d: copy %v, want %v", i, got, want)
		}
	}
	b.now += 1e9
	if b.show(f) {
		t.Error("taken for a copy a second later")
	}
}

// TestRingGoesOn shows frames at an interface of one file, and the next at that of the file that
// continues it: the two are one point, and what only the second can show is not dropped.
func TestRingGoesOn(t *testing.T) {
	for _, continues := range []bool{false, true} {
		b := newCopyBench(t)
		b.points.continues = func(iface, earlier uint32) bool { return continues && iface == 1 && earlier == 0 }
		show := func(iface uint32, id uint16, back bool, s frametest.TCP) bool {
			b.now += 100e3
			p := sight{id: id, back: back, seg: s}.frame()
			return b.show(frame.Frame{Link: frame.LinkRaw, Data: p, OrigLen: uint32(len(p)), Iface: iface})
		}
		show(0, 1, false, data(1, 9))
		show(0, 2, true, ack(41, 9))
		show(1, 1, false, data(1, 9)) // copies on both sides of the cut
		show(1, 2, true, ack(41, 9))
		if dropped := show(1, 3, false, data(41, 9)); dropped == continues {
			t.Errorf("continues %t: new data is dropped: %t", continues, dropped)
		}
	}
}

// TestBeforeAndBehindARouter shows segments at one interface on both sides of a router that takes
// its time, and what only looks alike: a segment that was sent again, on the same way or on
// another.
func TestBeforeAndBehindARouter(t *testing.T) {
	const ms = 1000
	type hop struct {
		at   int64 // us
		side byte  // of the router: what the last octets of the Ethernet addresses are
		ttl  uint8
		id   uint16
		v6   bool
		seg  frametest.TCP
		drop bool
	}
	for name, hops := range map[string][]hop{
		"identified":              {{0, 1, 64, 5, false, data(1, 0), false}, {30 * ms, 2, 63, 5, false, data(1, 0), true}},
		"a queue of two seconds":  {{0, 1, 64, 5, false, data(1, 0), false}, {2000 * ms, 2, 63, 5, false, data(1, 0), true}},
		"stamped in the reverse":  {{0, 1, 63, 5, false, data(1, 0), false}, {30 * ms, 2, 64, 5, false, data(1, 0), true}},
		"without identification":  {{0, 1, 64, 0, true, data(1, 0), false}, {30 * ms, 2, 63, 0, true, data(1, 0), true}},
		"acknowledgments, both":   {{0, 1, 64, 0, true, ack(7, 0), false}, {1, 1, 64, 0, true, ack(7, 0), false}, {30 * ms, 2, 63, 0, true, ack(7, 0), true}, {30*ms + 1, 2, 63, 0, true, ack(7, 0), true}},
		"sent again":              {{0, 1, 64, 5, false, data(1, 0), false}, {30 * ms, 1, 64, 6, false, data(1, 0), false}},
		"sent again, constant id": {{0, 1, 64, 5, false, data(9, 0), false}, {1, 1, 64, 5, false, data(1, 0), false}, {30 * ms, 1, 64, 5, false, data(1, 0), false}},
		"sent again, no id":       {{0, 1, 64, 0, true, data(1, 0), false}, {30 * ms, 1, 64, 0, true, data(1, 0), false}},
		"sent again elsewhere":    {{0, 1, 64, 0, true, data(1, 0), false}, {30 * ms, 2, 64, 0, true, data(1, 0), false}},
		"sent again after long":   {{0, 1, 64, 0, true, data(1, 0), false}, {900 * ms, 2, 63, 0, true, data(1, 0), false}},
		"a gateway that changed":  {{0, 1, 64, 5, false, data(1, 9), false}, {30 * ms, 2, 64, 6, false, data(1, 12), false}},
	} {
		b := newCopyBench(t)
		start := b.now
		for i, h := range hops {
			b.now = start + h.at*1000
			p, etherType := (frametest.IPv4{ID: h.id, TTL: h.ttl}).Wrap(
				h.seg.Octets(frametest.Client4, frametest.Server4),
			), uint16(header.EtherIPv4)
			if h.v6 {
				p, etherType = frametest.IPv6{}.Wrap(
					h.seg.Octets(frametest.Client6, frametest.Server6),
				), header.EtherIPv6
				p[7] = h.ttl
			}
			p = frametest.Ethernet(etherType, p)
			p[5], p[11] = h.side, h.side+8
			if got := b.show(frame.Frame{Link: frame.LinkEthernet, Data: p, OrigLen: uint32(len(p))}); got != h.drop {
				t.Errorf("%s: frame %d is a copy: %t", name, i, got)
			}
		}
	}
}

// TestDatagrams asks of one query of DNS, seen again, whether it is a copy: a resolver asks again
// with another identification, or after a second.
func TestDatagrams(t *testing.T) {
	query := func(id uint16) []byte {
		return frametest.IPv4{Protocol: 17, ID: id}.Wrap(frametest.UDP(5000, 53, []byte("query")))
	}
	for _, tt := range []struct {
		name          string
		first, second uint16
		iface         uint32
		after         int64
		copied        bool
	}{
		{"same identification", 7, 7, 0, 20e6, true},
		{"other identification", 7, 8, 0, 1e6, false},
		{"none, at once", 0, 0, 0, 1e6, true},
		{"none, later", 0, 0, 0, 20e6, false},
		{"none, at another point", 0, 0, 1, 20e6, true},
		{"none, at another point, repeated", 0, 0, 1, 1e9, false},
	} {
		b := newCopyBench(t)
		show := func(id uint16, iface uint32) bool {
			p := query(id)
			f := frame.Frame{Link: frame.LinkRaw, Data: p, OrigLen: uint32(len(p)), Iface: iface}
			b.decoder.Decode(&f, &b.seg)
			return b.Duplicate(&b.seg, b.decoder.Ends(), b.decoder.Hop(), b.now)
		}
		first := show(tt.first, 0)
		b.now += tt.after
		if second := show(tt.second, tt.iface); first || second != tt.copied {
			t.Errorf("%s: copies %v, %v, want the second %v", tt.name, first, second, tt.copied)
		}
	}
}
