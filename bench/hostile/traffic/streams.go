package traffic

import (
	"strings"

	"tcpwhy/capture"
)

// streams are kinds that no stream can be made of.
func streams() []Kind {
	return []Kind{
		{"single octets, every other one missing", func(i int, s *capture.Segment) {
			if !opening(i, s) {
				s.Seq, s.Payload = uint32(i)*2, []byte("x")
			}
		}, "reordering-cap"},
		{"single octets, the last first", func(i int, s *capture.Segment) {
			if !opening(i, s) {
				s.Seq, s.Payload = 1_000_000-uint32(i)%1_000_000, []byte("x")
			}
		}, "reordering-cap"},
		{"single octets in no order", func(i int, s *capture.Segment) {
			if !opening(i, s) {
				s.Seq, s.Payload = scramble(i)%1_000_000, []byte("x")
			}
		}, "reordering-cap"},
		{"copies with other octets", func(i int, s *capture.Segment) {
			if !opening(i, s) {
				s.Seq = uint32(i/3)*700 + 1400
				s.Payload = []byte(strings.Repeat(string(rune('a'+i%26)), 1400))
			}
		}, "conflicting-octets"},
		{"data behind one hole", func(i int, s *capture.Segment) {
			if !opening(i, s) {
				s.Seq, s.Payload = uint32(i)*1400, []byte(strings.Repeat("x", 1400))
			}
		}, "buffer-cap"},
		{"windows and options that lie", func(i int, s *capture.Segment) {
			opening(i, s)
			r := scramble(i)
			talker(s, 1, r&1 == 0)
			s.Seq, s.Ack, s.Window = uint32(i)*10, uint32(i)*10, uint16(r>>8)
			s.Options = capture.HasTS | capture.HasMSS | capture.HasWScale | capture.BadOptions
			s.WScale, s.MSS, s.TSVal, s.TSEcr = uint8(r), uint16(r>>4), r, ^r
			s.NSACK = 4
			for k := range s.SACK {
				s.SACK[k] = capture.SACKBlock{Start: scramble(i + k), End: scramble(i - k)}
			}
			s.Payload = []byte("0123456789")
		}, ""},
		{"numbers that jump", func(i int, s *capture.Segment) {
			if !opening(i, s) {
				talker(s, 1, i%2 == 0)
				s.Seq, s.Ack, s.Payload = scramble(i), scramble(i+1), []byte("jump")
			}
		}, "wild-sequence"},
	}
}
