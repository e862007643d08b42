package reassembly

import (
	"testing"
	"time"

	"tcpwhy/capture"
)

// conflicting makes a connection out of fuzz input: four octets a segment, whose data anyone may
// have made up. Octets overlap, repeat and leave holes; copies differ. first is what each octet was
// when it came first.
func conflicting(t testing.TB, in []byte) (segs []capture.Segment, first [2]map[int]byte) {
	segs = parse(t, threeWay)
	isn := [2]uint32{segs[0].Seq, segs[1].Seq}
	ends := [2]capture.Segment{segs[2], segs[1]}
	first = [2]map[int]byte{{}, {}}
	for ; len(in) >= 4 && len(segs) < 1000; in = in[4:] {
		dir := int(in[0] & 1)
		off, n := int(in[1])<<2|int(in[0]>>1&3), int(in[2])
		s := ends[dir]
		s.Flags, s.Options = capture.ACK, 0
		s.Seq, s.Ack = isn[dir]+1+uint32(off), isn[1-dir]+1
		// the peer has some of it: holes below that are not going to be filled
		if in[0]&0x18 == 0x18 {
			s.Ack += uint32(in[3]) << 2
		}
		s.Len, s.Payload = uint32(n), make([]byte, n)
		for i := range s.Payload {
			s.Payload[i] = 'a' + (in[3]+byte(i))%26
			if _, there := first[dir][off+i]; !there {
				first[dir][off+i] = s.Payload[i]
			}
		}
		s.Time, s.Frame = segs[2].Time+time.Duration(len(segs))*time.Millisecond, capture.NewFrameID(0, uint64(len(segs)+1))
		segs = append(segs, s)
	}
	return segs, first
}

// FuzzOverlaps feeds streams whose copies differ. What is delivered is a stream without a break,
// and each octet of it is the one that came first.
func FuzzOverlaps(f *testing.F) {
	f.Add([]byte("\x01\x00\x20a\x01\x02\x20b\x01\x10\x20c\x01\x00\xffd"))
	f.Add([]byte("\x01\x08\x04a\x01\x04\x10b\x01\x00\x40c\x00\x00\x40d\x18\x40\x02\x20"))
	f.Add([]byte("\x01\x20\x01a\x03\x20\x01b\x05\x20\x01c\x01\x1f\x0ad\x19\x00\x00\xff"))
	f.Fuzz(func(t *testing.T, in []byte) {
		segs, first := conflicting(t, in)
		r := play(t, segs, false)
		if len(r.all) != 1 || len(r.sink.records) != len(segs) {
			t.Fatalf("%d connections, %d records of %d segments", len(r.all), len(r.sink.records), len(segs))
		}
		for dir := range first {
			checkFirst(t, r.app.data[dir].String(), first[dir])
		}
	})
}

// checkFirst compares a delivered stream, whose gaps are shown as [n], with what each octet was at
// first.
func checkFirst(t *testing.T, stream string, first map[int]byte) {
	off, gap, inGap := 0, 0, false
	for i := range len(stream) {
		switch c := stream[i]; {
		case c == '[':
			gap, inGap = 0, true
		case c == ']':
			off, inGap = off+gap, false
		case inGap:
			gap = gap*10 + int(c-'0')
		case first[off] != c:
			t.Fatalf("octet %d is %q, came first as %q, in %q", off, c, first[off], stream)
		default:
			off++
		}
	}
}
