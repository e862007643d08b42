package reassembly

import (
	"net/netip"
	"time"

	"tcpwhy/capture"
)

// A capture on all interfaces of a host that translates addresses (containers, a router) has each
// connection twice: before and after the translation. The SYN of the second view is that of the
// first but for an address.

const (
	keptSYNs = 1 << 12 // SYNs remembered; a new one takes the place of an older one
	// viewWithin is how long after the first view the second may come, in a capture that was joined
	// of several hosts, too.
	viewWithin = time.Second
)

// synID is what a translation of addresses leaves as it was: what the client's kernel chose for
// this SYN alone.
type synID struct {
	seq, stamp uint32
	window     uint16
	port       uint16 // of the client; where that is translated, too, the views are not recognised
}

// seenSYN is where and when a SYN began a connection.
type seenSYN struct {
	id       synID
	src, dst netip.AddrPort
	at       time.Duration
}

// views recognises SYNs that were seen before their addresses were translated, or after.
type views struct {
	seen  []seenSYN // by hash
	count uint64
}

// SYNKey is a number that two SYNs have in common, of one connection seen before and after a
// translation of addresses; false of a segment that cannot tell.
func SYNKey(seg *capture.Segment) (key uint64, ok bool) {
	if seg.Flags&(capture.SYN|capture.ACK) != capture.SYN || !seg.Options.Has(capture.HasTS) ||
		seg.TSVal == 0 {
		return 0, false
	}
	return fold(uint64(seg.Seq)<<32^uint64(seg.TSVal)^0x6a09e667f3bcc909,
		uint64(seg.Window)<<16^uint64(seg.Src.Port())^0xbb67ae8584caa73b), true
}

// again reports whether the SYN is one that began another connection. Only timestamps make sure of
// that: scanners give all SYNs the same number.
func (v *views) again(seg *capture.Segment) bool {
	if _, tells := SYNKey(seg); !tells {
		return false
	}
	if v.seen == nil {
		v.seen = make([]seenSYN, keptSYNs)
	}
	id := synID{seg.Seq, seg.TSVal, seg.Window, seg.Src.Port()}
	s := &v.seen[(seg.Seq^seg.TSVal)*2654435769>>20]
	if s.id == id && s.src.IsValid() && seg.Time-s.at <= viewWithin {
		if s.src == seg.Src && s.dst == seg.Dst {
			return false
		}
		v.count++
		return true
	}
	*s = seenSYN{id, seg.Src, seg.Dst, seg.Time}
	return false
}

// Views is how many connections were others seen once more.
func (t *Table) Views() uint64 { return t.views.count }
