package reassembly

// A sequence number is 32 bits and wraps (RFC 9293 §3.4); an offset is 64 bits and does not. All
// state and all records hold offsets: octets of the sender's stream, 0 being the first octet of
// data.

// origin maps raw sequence numbers of one direction to offsets.
type origin struct {
	zero uint32 // raw sequence number of offset 0
	set  bool
	soft bool // known only from what the peer acknowledged
}

// offset is the offset whose raw sequence number is raw, the one nearest to near.
func (o *origin) offset(raw uint32, near int64) int64 {
	return near + int64(int32(raw-(o.zero+uint32(near))))
}

// learn sets the origin from the first segment that tells it.
func (o *origin) learn(raw uint32, soft bool) {
	if !o.set {
		*o = origin{zero: raw, set: true, soft: soft}
	}
}

// wildJump is how far beyond everything known a sequence or acknowledgment number may be before it
// is not believed at once: larger than the windows in use (Linux's tcp_rmem ends at 6 MiB by
// default), and 1/64 of the sequence space.
const wildJump = 1 << 26

// jump decides whether to believe a number far outside of what is known. One such number is not
// believed; a second that continues the first is: then the capture lacks what was between (or the
// first was right about it).
type jump struct {
	at  int64
	set bool
}

// believe reports whether an offset may move state. low and high bound what is known. An offset far
// below is an old duplicate at best; it is never believed.
func (j *jump) believe(off, end, low, high int64) bool {
	if off >= low-wildJump && end <= high+wildJump {
		return true
	}
	if end <= high {
		return false
	}
	again := j.set && off >= j.at-wildJump/64 && off <= j.at+wildJump/64
	j.at, j.set = end, true
	return again
}

// span is the range [lo, hi) of offsets.
type span struct{ lo, hi int64 }

// spans are disjoint, not adjacent, and sorted.
type spans []span

// maxSpans caps a scoreboard. The lowest span goes first: it is the next to be acknowledged anyway.
const maxSpans = 256

// search is the index of the first span that ends after off.
func (s spans) search(off int64) int {
	lo, hi := 0, len(s)
	for lo < hi {
		mid := (lo + hi) / 2
		if s[mid].hi > off {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}

// covers reports whether all of [lo, hi) is in the set.
func (s spans) covers(lo, hi int64) bool {
	i := s.search(lo)
	return i < len(s) && s[i].lo <= lo && hi <= s[i].hi
}

// add puts [lo, hi) into the set and reports whether any of it was new.
func (s *spans) add(lo, hi int64) bool {
	if lo >= hi || s.covers(lo, hi) {
		return false
	}
	from := s.search(lo - 1) // spans that touch are merged
	to := from
	for to < len(*s) && (*s)[to].lo <= hi {
		lo, hi = min(lo, (*s)[to].lo), max(hi, (*s)[to].hi)
		to++
	}
	if from == to {
		s.insert(from, span{lo, hi})
		return true
	}
	(*s)[from] = span{lo, hi}
	*s = append((*s)[:from+1], (*s)[to:]...)
	return true
}

// insert puts a span at index i, at the cost of the lowest one if the set is full.
func (s *spans) insert(i int, in span) {
	if len(*s) >= maxSpans {
		if i == 0 {
			return
		}
		copy(*s, (*s)[1:i])
		(*s)[i-1] = in
		return
	}
	*s = append(*s, span{})
	copy((*s)[i+1:], (*s)[i:])
	(*s)[i] = in
}

// dropBelow removes everything below off.
func (s *spans) dropBelow(off int64) {
	n := s.search(off)
	if n > 0 {
		*s = append((*s)[:0], (*s)[n:]...)
	}
	if len(*s) > 0 && (*s)[0].lo < off {
		(*s)[0].lo = off
	}
}
