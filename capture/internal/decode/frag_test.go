package decode

import (
	"bytes"
	"testing"

	"tcpwhy/capture/internal/frame"
	"tcpwhy/capture/internal/frametest"
	"tcpwhy/capture/internal/header"
	"tcpwhy/capture/segment"
)

// fragments cuts a payload into IPv4 fragments that start at the given offsets (multiples of 8).
func fragments(id uint16, payload []byte, starts ...int) [][]byte {
	var frames [][]byte
	for i, start := range starts {
		end, more := len(payload), uint16(0)
		if i+1 < len(starts) {
			end, more = starts[i+1], 0x2000
		}
		frames = append(frames, frametest.IPv4{ID: id, Fragment: more | uint16(start/8)}.Wrap(payload[start:end]))
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
		frames = append(frames, frametest.IPv6{Next: 44}.Wrap(frametest.Cat([]byte{6, 0}, frametest.U16(uint16(start)|more), frametest.U32(id), payload[start:end])))
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
	// 120 octets
	whole := frametest.TCP{Seq: 5, Payload: payload}.Octets(frametest.Client4, frametest.Server4)
	segment6 := frametest.TCP{Seq: 5, Payload: payload}.Octets(frametest.Client6, frametest.Server6)
	three, three6 := fragments(9, whole, 0, 48, 96), fragments6(9, segment6, 0, 48, 96)
	// over 40 to 80
	liar := frametest.IPv4{ID: 9, Fragment: 0x2000 | 5}.Wrap(bytes.Repeat([]byte{0xee}, 40))
	// says that 40 is the end
	end := frametest.IPv4{ID: 9, Fragment: 4}.Wrap(make([]byte, 8))
	df := frametest.IPv4{ID: 9, Fragment: 0x6000}.Wrap(whole[:48])
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
		{"another identification between", [][]byte{three[0], fragments(8, whole, 0, 48)[0], three[1], three[2]}, 3, 1},
		{"ipv6 in order", three6, 2, 0},
		{"ipv6 reverse", pick(three6, 2, 1, 0), 2, 0},
		{"ipv6 missing", pick(three6, 1, 2), -1, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench()
			for i, p := range tt.frames {
				want := Fragment
				if i == tt.whole {
					want = Segment
				}
				if got := b.feed(frame.LinkRaw, p); got != want {
					t.Fatalf("frame %d: outcome %v, want %v", i, got, want)
				}
			}
			if tt.whole >= 0 && (!bytes.Equal(b.seg.Payload, payload) || b.seg.Len != 100 || b.seg.Options.Has(segment.Snapped)) {
				t.Errorf("len %d options %b payload %x", b.seg.Len, b.seg.Options, b.seg.Payload)
			}
			b.Finish()
			if b.lost != tt.lost {
				t.Errorf("lost %d, want %d", b.lost, tt.lost)
			}
			if b.frags.octets != 0 || len(b.frags.waiting) != 0 || b.frags.newest != nil {
				t.Errorf("%d octets, %d datagrams are still held", b.frags.octets, len(b.frags.waiting))
			}
		})
	}
}

func TestFirstOctetsWin(t *testing.T) {
	// 80 octets
	whole := frametest.TCP{Payload: bytes.Repeat([]byte{'a'}, 60)}.Octets(frametest.Client4, frametest.Server4)
	evil := bytes.Repeat([]byte{'b'}, 80)
	b := newBench()
	at := func(offset int, more uint16, p []byte) Outcome {
		return b.feed(frame.LinkRaw, frametest.IPv4{ID: 4, Fragment: more | uint16(offset/8)}.Wrap(p))
	}
	at(32, 0x2000, whole[32:48])
	at(24, 0x2000, evil[:40]) // 24 to 64: only 24 to 32 and 48 to 64 are new
	at(0, 0x2000, whole[:24])
	if got := at(64, 0, whole[64:]); got != Segment {
		t.Fatalf("outcome %v, want tcp", got)
	}
	want := "aaaabbbbbbbbaaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbaaaaaaaaaaaaaaaa"
	if string(b.seg.Payload) != want {
		t.Errorf("payload %q, want %q", b.seg.Payload, want)
	}
}

func TestFragmentsCut(t *testing.T) {
	whole := frametest.TCP{Seq: 5, Payload: make([]byte, 2000)}.Octets(frametest.Client4, frametest.Server4)
	b := newBench()
	var got Outcome
	for _, p := range fragments(9, whole, 0, 1480) {
		b.now += 1e3
		got = b.show(frame.Frame{Link: frame.LinkRaw, Data: p[:96], OrigLen: uint32(len(p))})
	}
	if got != Segment {
		t.Fatalf("outcome %v, want tcp", got)
	}
	if b.seg.Len != 2000 || len(b.seg.Payload) != 96-40 || !b.seg.Options.Has(segment.Snapped) {
		t.Errorf("len %d payload %d options %b", b.seg.Len, len(b.seg.Payload), b.seg.Options)
	}
}

func TestFragmentsSeenTwice(t *testing.T) {
	whole := frametest.TCP{Seq: 5, Payload: make([]byte, 200)}.Octets(frametest.Client4, frametest.Server4)
	two := fragments(9, whole, 0, 104)
	for name, order := range map[string][]int{"interleaved": {0, 0, 1, 1}, "one after the other": {0, 1, 0, 1}} {
		t.Run(name, func(t *testing.T) {
			b := newBench()
			segments := 0
			for _, i := range order {
				b.now += 20e3
				if b.show(frame.Frame{Link: frame.LinkRaw, Data: two[i], OrigLen: uint32(len(two[i]))}) == Segment {
					segments++
				}
			}
			b.Finish()
			if segments != 1 || b.lost != 0 {
				t.Errorf("%d segments, %d lost, want 1 and 0", segments, b.lost)
			}
		})
	}
}

func TestFragmentsAge(t *testing.T) {
	two := fragments(9, frametest.TCP{Payload: make([]byte, 200)}.Octets(frametest.Client4, frametest.Server4), 0, 104)
	b := newBench()
	b.feed(frame.LinkRaw, two[0])
	b.now += fragTimeout
	if got := b.feed(frame.LinkRaw, two[1]); got != Fragment || b.lost != 1 {
		t.Errorf("outcome %v, %d lost: the first fragment should be too old", got, b.lost)
	}
}

func TestFragmentsBounded(t *testing.T) {
	b := newBench()
	for i := range 20000 {
		p := frametest.IPv4{ID: uint16(i), Src: frametest.Client4, Dst: frametest.Server4, Fragment: 0x2000}.Wrap(make([]byte, 8+i%150*8))
		b.now += 1e3
		b.show(frame.Frame{Link: frame.LinkRaw, Data: p, OrigLen: uint32(len(p))})
		if b.frags.octets > fragOctets || len(b.frags.waiting) > fragDatagrams {
			t.Fatalf("%d octets, %d datagrams wait", b.frags.octets, len(b.frags.waiting))
		}
	}
	for i := range 8000 { // one datagram in the smallest pieces, every other one missing
		p := frametest.IPv4{ID: 1, Fragment: 0x2000 | uint16(i)}.Wrap(make([]byte, 8))
		b.show(frame.Frame{Link: frame.LinkRaw, Data: p, OrigLen: uint32(len(p))})
		if b.frags.octets > fragOctets {
			t.Fatalf("%d octets wait", b.frags.octets)
		}
	}
	b.Finish()
	if b.lost < 20000-10 {
		t.Errorf("%d lost, want every one counted", b.lost)
	}
}

func TestFragmentsMalformed(t *testing.T) {
	tests := map[string][]byte{
		"length no multiple of 8": frametest.IPv4{Fragment: 0x2000}.Wrap(make([]byte, 13)),
		"beyond 64 KiB":           frametest.IPv4{Fragment: 0x1fff}.Wrap(make([]byte, 100)),
		"empty":                   frametest.IPv4{Fragment: 0x2000}.Wrap(nil),
	}
	for name, p := range tests {
		t.Run(name, func(t *testing.T) {
			if got := newBench().feed(frame.LinkRaw, p); got != Malformed {
				t.Errorf("outcome %v, want malformed", got)
			}
		})
	}
}

func TestFragmentedTunnel(t *testing.T) {
	inner := frametest.Cat([]byte{8, 0, 0, 0}, frametest.U32(0), frametest.Ethernet(header.EtherIPv4, frametest.Hello4()))
	datagram := frametest.UDP(1, header.PortVXLAN, inner)
	b := newBench()
	var got Outcome
	for _, p := range fragments(9, datagram, 0, 48) {
		p[9] = 17
		got = b.feed(frame.LinkRaw, p)
	}
	if got != Segment {
		t.Fatalf("outcome %v, want tcp", got)
	}
	checkHello(t, &b.seg)
}
