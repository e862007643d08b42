package capture

import (
	"bytes"
	"testing"
)

// fragments cuts a payload into IPv4 fragments that start at the given offsets (multiples of 8).
func fragments(id uint16, payload []byte, starts ...int) [][]byte {
	var frames [][]byte
	for i, start := range starts {
		end, more := len(payload), uint16(0)
		if i+1 < len(starts) {
			end, more = starts[i+1], 0x2000
		}
		frames = append(frames, testIPv4{id: id, fragment: more | uint16(start/8)}.wrap(payload[start:end]))
	}
	return frames
}

// fragments6 is the same for IPv6.
func fragments6(id uint32, payload []byte, starts ...int) [][]byte {
	var frames [][]byte
	for i, start := range starts {
		end, more := len(payload), uint16(0)
		if i+1 < len(starts) {
			end, more = starts[i+1], 1
		}
		frames = append(frames, testIPv6{next: 44}.wrap(cat([]byte{6, 0}, u16(uint16(start)|more), u32(id), payload[start:end])))
	}
	return frames
}

// pick gives frames in another order.
func pick(frames [][]byte, order ...int) [][]byte {
	var picked [][]byte
	for _, i := range order {
		picked = append(picked, frames[i])
	}
	return picked
}

func TestFragments(t *testing.T) {
	payload := make([]byte, 100)
	for i := range payload {
		payload[i] = byte(i)
	}
	segment := testTCP{seq: 5, payload: payload}.octets(client4, server4) // 120 octets
	segment6 := testTCP{seq: 5, payload: payload}.octets(client6, server6)
	three, three6 := fragments(9, segment, 0, 48, 96), fragments6(9, segment6, 0, 48, 96)
	// over 40 to 80
	liar := testIPv4{id: 9, fragment: 0x2000 | 5}.wrap(bytes.Repeat([]byte{0xee}, 40))
	// says that 40 is the end
	end := testIPv4{id: 9, fragment: 4}.wrap(make([]byte, 8))
	df := testIPv4{id: 9, fragment: 0x6000}.wrap(segment[:48])
	tests := []struct {
		name   string
		frames [][]byte
		whole  int // index of the frame that makes it whole, -1: none
		lost   uint64
	}{
		{"in order", three, 2, 0},
		{"reverse", pick(three, 2, 1, 0), 2, 0},
		{"middle last", pick(three, 0, 2, 1), 2, 0},
		{"sent twice", pick(three, 0, 0, 1, 1, 2), 4, 0},
		{"one missing", pick(three, 0, 2), -1, 1},
		{"last missing", pick(three, 0, 1), -1, 1},
		{"overlap comes second", [][]byte{three[0], three[1], liar, three[2]}, 3, 0},
		{"two ends", [][]byte{three[2], end, three[0], three[1]}, 3, 0},
		{"end before known octets", [][]byte{three[1], end, three[0], three[2]}, 3, 0},
		{"do not fragment", [][]byte{df, three[1], three[2]}, 2, 0},
		{"another identification between", [][]byte{three[0], fragments(8, segment, 0, 48)[0], three[1], three[2]}, 3, 1},
		{"ipv6 in order", three6, 2, 0},
		{"ipv6 reverse", pick(three6, 2, 1, 0), 2, 0},
		{"ipv6 missing", pick(three6, 1, 2), -1, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, "")
			for i, p := range tt.frames {
				want := OutcomeFragment
				if i == tt.whole {
					want = OutcomeSegment
				}
				if got := b.feed(linkRaw, p); got != want {
					t.Fatalf("frame %d: outcome %v, want %v", i, got, want)
				}
			}
			if tt.whole >= 0 && (!bytes.Equal(b.seg.Payload, payload) || b.seg.Len != 100 || b.seg.Options.Has(Snapped)) {
				t.Errorf("len %d options %b payload %x", b.seg.Len, b.seg.Options, b.seg.Payload)
			}
			b.finish()
			if b.stats.FragmentsLost != tt.lost {
				t.Errorf("lost %d, want %d", b.stats.FragmentsLost, tt.lost)
			}
			if b.decoder.frags.octets != 0 || len(b.decoder.frags.waiting) != 0 || b.decoder.frags.newest != nil {
				t.Errorf("%d octets, %d datagrams are still held", b.decoder.frags.octets, len(b.decoder.frags.waiting))
			}
		})
	}
}

func TestFirstOctetsWin(t *testing.T) {
	segment := testTCP{payload: bytes.Repeat([]byte{'a'}, 60)}.octets(client4, server4) // 80 octets
	evil := bytes.Repeat([]byte{'b'}, 80)
	b := newBench(t, "")
	at := func(offset int, more uint16, p []byte) Outcome {
		return b.feed(linkRaw, testIPv4{id: 4, fragment: more | uint16(offset/8)}.wrap(p))
	}
	at(32, 0x2000, segment[32:48])
	at(24, 0x2000, evil[:40]) // 24 to 64: only 24 to 32 and 48 to 64 are new
	at(0, 0x2000, segment[:24])
	if got := at(64, 0, segment[64:]); got != OutcomeSegment {
		t.Fatalf("outcome %v, want tcp", got)
	}
	want := "aaaabbbbbbbbaaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbaaaaaaaaaaaaaaaa"
	if string(b.seg.Payload) != want {
		t.Errorf("payload %q, want %q", b.seg.Payload, want)
	}
}

func TestFragmentsCut(t *testing.T) {
	segment := testTCP{seq: 5, payload: make([]byte, 2000)}.octets(client4, server4)
	b := newBench(t, "")
	var got Outcome
	for _, p := range fragments(9, segment, 0, 1480) {
		b.now += 1e3
		got = b.show(rawFrame{Link: linkRaw, Data: p[:96], OrigLen: uint32(len(p))})
	}
	if got != OutcomeSegment {
		t.Fatalf("outcome %v, want tcp", got)
	}
	if b.seg.Len != 2000 || len(b.seg.Payload) != 96-40 || !b.seg.Options.Has(Snapped) {
		t.Errorf("len %d payload %d options %b", b.seg.Len, len(b.seg.Payload), b.seg.Options)
	}
}

func TestFragmentsSeenTwice(t *testing.T) {
	segment := testTCP{seq: 5, payload: make([]byte, 200)}.octets(client4, server4)
	two := fragments(9, segment, 0, 104)
	for name, order := range map[string][]int{"interleaved": {0, 0, 1, 1}, "one after the other": {0, 1, 0, 1}} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, "")
			segments := 0
			for _, i := range order {
				b.now += 20e3
				if b.show(rawFrame{Link: linkRaw, Data: two[i], OrigLen: uint32(len(two[i]))}) == OutcomeSegment {
					segments++
				}
			}
			b.finish()
			if segments != 1 || b.stats.FragmentsLost != 0 {
				t.Errorf("%d segments, %d lost, want 1 and 0", segments, b.stats.FragmentsLost)
			}
		})
	}
}

func TestFragmentsAge(t *testing.T) {
	two := fragments(9, testTCP{payload: make([]byte, 200)}.octets(client4, server4), 0, 104)
	b := newBench(t, "")
	b.feed(linkRaw, two[0])
	b.now += fragTimeout
	if got := b.feed(linkRaw, two[1]); got != OutcomeFragment || b.stats.FragmentsLost != 1 {
		t.Errorf("outcome %v, %d lost: the first fragment should be too old", got, b.stats.FragmentsLost)
	}
}

func TestFragmentsBounded(t *testing.T) {
	b := newBench(t, "")
	for i := range 20000 {
		p := testIPv4{id: uint16(i), src: client4, dst: server4, fragment: 0x2000}.wrap(make([]byte, 8+i%150*8))
		b.now += 1e3
		b.show(rawFrame{Link: linkRaw, Data: p, OrigLen: uint32(len(p))})
		if b.decoder.frags.octets > fragOctets || len(b.decoder.frags.waiting) > fragDatagrams {
			t.Fatalf("%d octets, %d datagrams wait", b.decoder.frags.octets, len(b.decoder.frags.waiting))
		}
	}
	for i := range 8000 { // one datagram in the smallest pieces, every other one missing
		p := testIPv4{id: 1, fragment: 0x2000 | uint16(i)}.wrap(make([]byte, 8))
		b.show(rawFrame{Link: linkRaw, Data: p, OrigLen: uint32(len(p))})
		if b.decoder.frags.octets > fragOctets {
			t.Fatalf("%d octets wait", b.decoder.frags.octets)
		}
	}
	b.finish()
	if b.stats.FragmentsLost < 20000-10 {
		t.Errorf("%d lost, want every one counted", b.stats.FragmentsLost)
	}
}

func TestFragmentsMalformed(t *testing.T) {
	tests := map[string][]byte{
		"length no multiple of 8": testIPv4{fragment: 0x2000}.wrap(make([]byte, 13)),
		"beyond 64 KiB":           testIPv4{fragment: 0x1fff}.wrap(make([]byte, 100)),
		"empty":                   testIPv4{fragment: 0x2000}.wrap(nil),
	}
	for name, p := range tests {
		t.Run(name, func(t *testing.T) {
			if got := newBench(t, "").feed(linkRaw, p); got != OutcomeMalformed {
				t.Errorf("outcome %v, want malformed", got)
			}
		})
	}
}

func TestFragmentedTunnel(t *testing.T) {
	inner := cat([]byte{8, 0, 0, 0}, u32(0), ethernetFrame(etherIPv4, plain4()))
	datagram := udpIn(1, portVXLAN, inner)
	b := newBench(t, "")
	var got Outcome
	for _, p := range fragments(9, datagram, 0, 48) {
		p[9] = 17
		got = b.feed(linkRaw, p)
	}
	if got != OutcomeSegment {
		t.Fatalf("outcome %v, want tcp", got)
	}
	checkHello(t, &b.seg)
}
