package http2

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"tcpwhy/reassembly/exchange"
)

// readFrames reads octets as frames, in pieces of the given sizes, and writes down what they are.
func readFrames(octets []byte, sizes func() int) (out []string) {
	var f frames
	a := &exchange.Arrival{}
	for off := 0; off < len(octets); {
		piece := octets[off:min(off+max(sizes(), 1), len(octets))]
		if !f.inPayload() {
			off += f.takeHead(int64(off), piece, a)
		} else {
			n := min(f.left, int64(len(piece)))
			f.keep(piece[:n])
			f.left -= n
			off += int(n)
		}
		if f.inPayload() && f.left == 0 {
			part, ok := []byte(nil), false
			if f.head.fits() && f.head.ofStream() && f.head.kind != dataFrame {
				part, ok = f.unpadded()
			}
			out = append(
				out,
				fmt.Sprintf("%d %v kept %x part %x %v", f.from, f.head, f.kept, part, ok),
			)
			f.end()
		}
	}
	return out
}

// FuzzFrames cuts any octets anywhere: that gives the same frames.
func FuzzFrames(f *testing.F) {
	f.Add(
		[]byte("\x00\x00\x03\x00\x01\x00\x00\x00\x01abc\x00\x00\x00\x04\x01\x00\x00\x00\x00"),
		uint64(1),
	)
	f.Add([]byte("\x00\x00\x05\x01\x0c\x00\x00\x00\x01\x02ab\x00\x00"), uint64(2))
	f.Fuzz(func(t *testing.T, octets []byte, seed uint64) {
		whole := readFrames(octets, func() int { return len(octets) })
		r := rand.New(rand.NewPCG(seed, seed))
		cut := readFrames(octets, func() int { return r.IntN(12) })
		if !slices.Equal(whole, cut) {
			t.Fatalf("whole %q\ncut   %q", whole, cut)
		}
	})
}

// TestFits has frames whose length or stream their type forbids.
func TestFits(t *testing.T) {
	for _, h := range []head{
		{kind: dataFrame}, {kind: dataFrame, stream: 1, flags: padded}, {kind: resetFrame, stream: 1},
		{kind: headersFrame, stream: 1, length: 4, flags: withWeight}, {kind: pingFrame, length: 7},
		{kind: settingsFrame, length: 5}, {kind: settingsFrame, length: 6, flags: ack},
		{kind: settingsFrame, stream: 1}, {kind: goAwayFrame, length: 7}, {kind: updateFrame, length: 3},
		{kind: priorityFrame, stream: 1, length: 4}, {kind: promiseFrame, stream: 1, length: 3},
	} {
		if h.fits() {
			t.Errorf("%v fits", h)
		}
	}
}

// TestSearch finds frames again at any place, whatever pieces they come in, and none in other data.
func TestSearch(t *testing.T) {
	var stream []byte
	heads := map[int]bool{}
	for i := range 40 {
		heads[len(stream)] = true
		n := []int{0, 3000, 17, 16384, 1}[i%5]
		h := []byte{byte(n >> 16), byte(n >> 8), byte(n), byte(dataFrame), 0}
		if n == 0 {
			h[4] = endStream
		}
		stream = append(stream, binary.BigEndian.AppendUint32(h, uint32(2*(i%7)+1))...)
		stream = append(stream, bytes.Repeat([]byte{byte(i), 0, 0}, n/3+1)[:n]...)
	}
	for from := 1; from < len(stream)-60000; from += 997 {
		for _, size := range []int{1, 5, 9, 1400, 1 << 20} {
			if at := searchFrom(stream, from, size); !heads[at] {
				t.Fatalf("from %d in pieces of %d: found %d", from, size, at)
			}
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	other := make([]byte, 1<<18)
	for i := range other {
		other[i] = byte(r.Uint32())
		other[i] &= byte(r.Uint32()) // zeros are more frequent, as in frames
	}
	if at := searchFrom(other, 0, 1400); at >= 0 {
		t.Errorf("found %d in noise", at)
	}
	if at := searchFrom(make([]byte, 1<<16), 0, 1400); at >= 0 {
		t.Errorf("found %d in zeros", at)
	}
}

// first says that the first stream alone is open.
func first(id uint32) bool { return id == 1 }

// searchFrom is where the search finds a head; -1: nowhere.
func searchFrom(stream []byte, from, size int) int {
	var p search
	p.lose()
	for off := from; off < len(stream); off += size {
		piece := stream[off:min(off+size, len(stream))]
		if _, n := p.look(int64(off), piece, 13, first); n > 0 {
			return off + n - headSize
		}
	}
	return -1
}
