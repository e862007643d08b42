package reassembly

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tcpwhy/capture"
)

// shift adds constants to all numbers of both directions.
func shift(segs []capture.Segment, client, server uint32) []capture.Segment {
	out := make([]capture.Segment, len(segs))
	for i, s := range segs {
		own, peer := client, server
		if s.Src.Port() == 80 {
			own, peer = server, client
		}
		s.Seq += own
		if s.Flags.Has(capture.ACK) {
			s.Ack += peer
		}
		for j := range s.SACK[:s.NSACK] {
			s.SACK[j].Start += peer
			s.SACK[j].End += peer
		}
		out[i] = s
	}
	return out
}

// summary is everything about a run that must not depend on where the numbers begin.
func summary(r run) string {
	s := fmt.Sprint(r.State, r.History, r.Caveats, r.app.data[0].String(), r.app.data[1].String())
	for i := range r.Half {
		h := r.Half[i]
		h.ISN = 0
		s += fmt.Sprintf("%+v", h)
	}
	for _, rec := range r.sink.records {
		s += fmt.Sprintf("%+v", rec)
	}
	return s
}

// conversation draws a handshake and segments of all kinds after it, sensible and senseless ones.
func conversation(t *rapid.T) []capture.Segment {
	a, b := netip.MustParseAddrPort("10.0.0.1:40000"), netip.MustParseAddrPort("10.0.0.2:80")
	var segs []capture.Segment
	now := time.Duration(0)
	n := rapid.IntRange(1, 60).Draw(t, "segments")
	for i := range n {
		now += time.Duration(rapid.SampledFrom([]int{0, 1, 20, 1000, 50000, 300000}).Draw(t, "µs")) * time.Microsecond
		s := capture.Segment{Src: a, Dst: b, Window: rapid.SampledFrom([]uint16{0, 500, 65535}).Draw(t, "window"), TTL: 64}
		if rapid.Bool().Draw(t, "server") {
			s.Src, s.Dst = b, a
		}
		s.Time, s.Frame = now, capture.NewFrameID(0, uint64(i+1))
		s.Flags = rapid.SampledFrom([]capture.TCPFlags{capture.ACK, capture.ACK, capture.ACK, capture.ACK | capture.PSH,
			capture.ACK | capture.FIN, capture.SYN, capture.SYN | capture.ACK, capture.RST, capture.RST | capture.ACK}).Draw(t, "flags")
		s.Seq = uint32(rapid.IntRange(0, 40).Draw(t, "seq")) * 100
		s.Ack = uint32(rapid.IntRange(0, 40).Draw(t, "ack")) * 100
		s.Len = uint32(rapid.SampledFrom([]int{0, 0, 1, 100, 200, 1000}).Draw(t, "len"))
		s.Payload = make([]byte, s.Len)
		for j := range s.Payload {
			s.Payload[j] = byte('a' + (int(s.Seq)+j)%26)
		}
		if rapid.Bool().Draw(t, "sack") {
			s.NSACK = 1
			s.SACK[0].Start = s.Ack + uint32(rapid.IntRange(-3, 5).Draw(t, "sack at"))*100
			s.SACK[0].End = s.SACK[0].Start + 100
		}
		if rapid.Bool().Draw(t, "options") {
			s.Options = capture.HasTS | capture.HasMSS | capture.HasWScale
			s.MSS, s.WScale, s.TSVal, s.TSEcr = 1460, 7, uint32(now/time.Millisecond), uint32(i)
		}
		segs = append(segs, s)
	}
	return segs
}

// TestNumbersMayBeginAnywhere adds constants to all sequence numbers, wrapping included: nothing
// may change.
func TestNumbersMayBeginAnywhere(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		segs := conversation(rt)
		client, server := rapid.Uint32().Draw(rt, "client"), rapid.Uint32().Draw(rt, "server")
		want := summary(play(t, segs, false))
		if got := summary(play(t, shift(segs, client, server), false)); got != want {
			rt.Fatalf("got  %s\nwant %s", got, want)
		}
	})
}

// TestInvariants checks what must hold whatever arrives: each segment makes one record, times do
// not go back, the streams have no holes (play checks that), and what was delivered is what was
// counted.
func TestInvariants(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		segs := conversation(rt)
		r := play(t, segs, rapid.Bool().Draw(rt, "unread"))
		if len(r.sink.records) != len(segs) {
			rt.Fatalf("%d records of %d segments", len(r.sink.records), len(segs))
		}
		for dir, h := range r.Half {
			// What is delivered ends at the frontier, which may have begun above 0.
			if got := h.Bytes + h.Missing; got > max(h.Frontier, 0) || h.Frontier > max(h.Max, h.Una, 0)+1 {
				rt.Fatalf("%v: %+v", Dir(dir), h)
			}
		}
	})
}

// TestAnyOrderGivesTheSameOctets cuts a stream into segments, repeats and reorders them, and
// expects the stream.
func TestAnyOrderGivesTheSameOctets(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 3000).Draw(rt, "octets")
		text := make([]byte, n)
		for i := range text {
			text[i] = byte('a' + i%26)
		}
		segs := parse(t, threeWay)
		isn := rapid.Uint32().Draw(rt, "isn")
		segs[1].Seq, segs[2].Ack = isn, isn+1
		tmpl := segs[1]
		tmpl.Flags, tmpl.Options = capture.ACK, 0
		var pieces [][2]int
		for at := 0; at < n; {
			size := rapid.IntRange(1, 700).Draw(rt, "size")
			pieces = append(pieces, [2]int{at, min(n, at+size)})
			at += max(1, size-rapid.SampledFrom([]int{0, 0, 30}).Draw(rt, "overlap"))
		}
		pieces = append(pieces, pieces[:rapid.IntRange(0, len(pieces)).Draw(rt, "repeated")]...)
		for i, p := range rapid.Permutation(pieces).Draw(rt, "order") {
			s := tmpl
			s.Seq, s.Len, s.Payload = isn+1+uint32(p[0]), uint32(p[1]-p[0]), text[p[0]:p[1]]
			s.Time, s.Frame = time.Duration(60+i)*time.Millisecond, capture.NewFrameID(0, uint64(4+i))
			segs = append(segs, s)
		}
		r := play(t, segs, false)
		if got := r.app.data[FromServer].String(); got != string(text) {
			rt.Fatalf("got %q\nwant %q", got, text)
		}
		if h := r.Half[FromServer]; h.Bytes != int64(n) || h.Missing != 0 || h.Frontier != int64(n) {
			rt.Fatalf("%+v", h)
		}
	})
}

// FuzzTracker feeds arbitrary headers. Nothing may panic, and what is held stays bounded.
func FuzzTracker(f *testing.F) {
	f.Add([]byte("\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x12\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte("\x10\x00\x00\x00\x64\x00\x00\x00\x01\x00\x64\x00\x00\x00\x00\x00\x10\x01\x00\x00\x00\x00\x00\x00\xff\x01\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, in []byte) {
		a, b := netip.MustParseAddrPort("10.0.0.1:40000"), netip.MustParseAddrPort("10.0.0.2:80")
		var segs []capture.Segment
		now := time.Duration(0)
		for ; len(in) >= 16 && len(segs) < 2000; in = in[16:] {
			s := capture.Segment{Src: a, Dst: b, Flags: capture.TCPFlags(in[0]), TTL: in[15]}
			if in[1]&1 != 0 {
				s.Src, s.Dst = b, a
			}
			s.Options = capture.Options(uint16(in[1])<<8|uint16(in[2])) &^ capture.Snapped
			s.Kind = capture.Kind(in[1] >> 7)
			s.Seq = uint32(in[3])<<24 | uint32(in[4])<<8 | uint32(in[5])
			s.Ack = uint32(in[6])<<24 | uint32(in[7])<<8 | uint32(in[8])
			s.Len = uint32(in[9]) * uint32(in[10]&15)
			s.Payload = make([]byte, s.Len/uint32(1+in[10]>>7))
			s.Window, s.WScale, s.NSACK = uint16(in[11])<<4, in[11], in[12]&7
			s.SACK[0] = capture.SACKBlock{Start: s.Ack + uint32(in[13]), End: s.Ack + uint32(in[14])}
			s.MSS, s.TSVal, s.TSEcr = uint16(in[13])<<3, uint32(in[14])<<24, uint32(in[13])<<24
			now += time.Duration(in[12]) * time.Millisecond
			s.Time, s.Frame = now, capture.NewFrameID(0, uint64(len(segs)+1))
			segs = append(segs, s)
		}
		play(t, segs, len(in) > 0)
	})
}
