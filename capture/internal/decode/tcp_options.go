package decode

import "tcpwhy/capture/segment"

// Kinds of TCP options (IANA, "TCP Option Kind Numbers").
const (
	optionEnd        = 0
	optionNop        = 1
	optionMSS        = 2
	optionWScale     = 3
	optionSACKPerm   = 4
	optionSACK       = 5
	optionTimestamps = 8
)

// maxWScale is the largest shift count; a larger one is to be taken for it (RFC 7323 §2.3).
const maxWScale = 14

// alignedTimestamps is how almost every segment of a connection with timestamps starts its options
// (RFC 7323 appendix A): two no-operations, then kind 8 and length 10.
const alignedTimestamps = 0x0101080a

// readOptions reads the option list p of a segment. If the capture cut the list, an option that
// reaches beyond p is no fault.
func readOptions(s *segment.Segment, p []byte, cut bool) {
	if len(p) >= 12 && be32(p) == alignedTimestamps {
		s.TSVal, s.TSEcr = be32(p[4:]), be32(p[8:])
		s.Options |= segment.HasTS
		p = p[12:]
	}
	for len(p) > 0 {
		if p[0] == optionEnd {
			return
		}
		if p[0] == optionNop {
			p = p[1:]
			continue
		}
		if cut && (len(p) < 2 || int(p[1]) > len(p)) {
			return
		}
		if len(p) < 2 || p[1] < 2 || int(p[1]) > len(p) || !readOption(s, p[0], p[2:p[1]]) {
			s.Options |= segment.BadOptions
			return
		}
		p = p[p[1]:]
	}
}

// readOption reads one option. It is false if the length does not fit the kind. Options that belong
// into a SYN mean nothing elsewhere (RFC 9293 §3.2, RFC 7323 §2.2, RFC 2018 §2).
func readOption(s *segment.Segment, kind byte, value []byte) bool {
	syn := s.Flags&segment.SYN != 0
	switch kind {
	case optionMSS:
		if len(value) != 2 {
			return false
		}
		if syn {
			s.MSS = be16(value)
			s.Options |= segment.HasMSS
		}
	case optionWScale:
		if len(value) != 1 {
			return false
		}
		if syn {
			s.WScale = min(value[0], maxWScale)
			s.Options |= segment.HasWScale
		}
	case optionSACKPerm:
		if len(value) != 0 {
			return false
		}
		if syn {
			s.Options |= segment.HasSACKPerm
		}
	case optionSACK:
		return readSACK(s, value)
	case optionTimestamps:
		if len(value) != 8 {
			return false
		}
		s.TSVal, s.TSEcr = be32(value), be32(value[4:])
		s.Options |= segment.HasTS
	}
	return true
}

// readSACK reads the blocks of a SACK option (RFC 2018 §3).
func readSACK(s *segment.Segment, value []byte) bool {
	if len(value) == 0 || len(value)%8 != 0 {
		return false
	}
	for ; len(value) > 0; value = value[8:] {
		if int(s.NSACK) == len(s.SACK) {
			return false // the list has room for four; a second option cannot be meant
		}
		s.SACK[s.NSACK] = segment.SACKBlock{Start: be32(value), End: be32(value[4:])}
		s.NSACK++
	}
	return true
}
