package main

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"regexp"
	"slices"
	"strconv"

	"tcpwhy/analysis/report"
)

// question is a fact that is to be looked up.
type question struct {
	lookup
	proof []report.Evidence
	at    int // of proof
	f     *looked
	report.Asserted
}

// holdsError looks up what an ICMP error says.
func (l lookup) holdsError(e *report.Evidence, a report.Asserted) (holds, known bool) {
	b := l.errors[int(e.Frame.Number())]
	if len(b) < 8 {
		return false, a.Fact == report.ReportsError && int(e.Frame.Number()) < len(l.all) && l.plain
	}
	mtu := int64(binary.BigEndian.Uint16(b[6:]))
	if b[0] == 2 {
		mtu = int64(binary.BigEndian.Uint32(b[4:]))
	}
	switch a.Fact {
	case report.ReportsError:
		return true, true
	case report.ErrorType:
		return int64(b[0]) == a.N, true
	case report.ErrorCode:
		return int64(b[1]) == a.N, true
	case report.NextHop:
		return mtu == a.N, true
	}
	return false, false
}

// ofPair reports whether a frame is of the connection's ports and addresses.
func ofPair(b, f *looked) bool {
	return b != nil && (b.src == f.src && b.dst == f.dst || b.src == f.dst && b.dst == f.src)
}

// next is the number of the first frame of the proof that was captured behind this one.
func (q *question) next() int {
	next := 0
	for i := range q.proof {
		if n := int(q.proof[i].Frame.Number()); n > q.f.number && (next == 0 || n < next) {
			next = n
		}
	}
	return next
}

// answered is the latest frame of the proof before this one that its peer sent.
func (q *question) answered() (*looked, int) {
	for i := q.at - 1; i >= 0; i-- {
		b := q.frame(&q.proof[i])
		if b != nil && b.src == q.f.dst && b.dst == q.f.src && b.number < q.f.number {
			return b, i
		}
	}
	return nil, 0
}

// highest is the end of what dir's sender had sent before a frame; ok is false if that is nothing.
func (l lookup) highest(src, dst netip.AddrPort, before int) (end uint32, ok bool) {
	for _, b := range l.all[:before] {
		if b != nil && b.src == src && b.dst == dst &&
			(!ok || b.flags&0x02 != 0 || int32(b.end()-end) > 0) {
			end, ok = b.end(), true
		}
	}
	return end, ok
}

// farewell is what may be said on a connection that is at rest: an alert of TLS in clear, one that
// is encrypted (RFC 8446 section 5.2: two octets, a type and a tag of 16), an error (RFC 9110
// section 15.5).
var farewell = regexp.MustCompile(`^(\x15\x03|\x17\x03\x03\x00\x13|HTTP/1\.[01] 4)`)

// isNew reports whether a frame carries data that had not been captured before, but for a farewell.
func (l lookup) isNew(b *looked) bool {
	if farewell.Match(b.payload) {
		return false
	}
	end, ok := l.highest(b.src, b.dst, b.number)
	return b.data > 0 && (!ok || int32(b.end()-end) > 0)
}

// holds looks up what other frames of the connection decide.
func (q *question) holds() (holds, known bool) {
	f := q.f
	is := func(from, to int, match func(b *looked) bool) bool {
		return slices.ContainsFunc(q.all[min(from, to):to], func(b *looked) bool {
			return ofPair(b, f) && match(b)
		})
	}
	own := func(b *looked) bool { return b.src == f.src }
	end := len(q.all)
	switch q.Fact {
	case report.RestsAfter:
		return !is(f.number+1, max(q.next(), f.number+1), q.isNew), true
	case report.NoneBefore:
		return !is(q.lastSYN(f), f.number, func(b *looked) bool { return b.data > 0 }), true
	case report.BehindHole:
		return !is(0, f.number, func(b *looked) bool {
			return own(b) && int32(b.seq-f.seq) < 0 && int32(b.end()-f.seq) >= 0 ||
				!own(b) && b.flags&0x10 != 0 && b.number > q.lastSYN(f) && int32(b.ack-f.seq) >= 0
		}), true
	case report.ClosesFirst:
		return f.flags&1 != 0 && !is(q.lastSYN(f), f.number, func(b *looked) bool {
			return b.flags&5 != 0 && (!own(b) || b.seq != f.seq)
		}), true
	case report.HadClosed:
		return is(0, f.number, func(b *looked) bool { return own(b) && b.flags&1 != 0 }), true
	case report.PeerClosed:
		return is(0, end, func(b *looked) bool { return !own(b) && b.flags&5 != 0 }), true
	case report.GoesOn:
		return is(f.number+1, end, own), true
	case report.SenderTTL:
		return is(0, end, func(b *looked) bool { return own(b) && int64(b.ttl) == q.N }), true
	case report.SenderID:
		return is(0, end, func(b *looked) bool { return own(b) && int64(b.id) == q.N }), true
	case report.KeptAlive, report.NoKeepAlive:
		return is(0, end, q.keepsAlive) == (q.Fact == report.KeptAlive), true
	}
	return q.holdsNumbers()
}

// lastSYN is the number of the last frame before f that begins its connection; 0 if there is none.
func (l lookup) lastSYN(f *looked) int {
	for n := f.number - 1; n > 0; n-- {
		if b := l.all[n]; ofPair(b, f) && b.flags&0x12 == 0x02 {
			return n
		}
	}
	return 0
}

// keepsAlive reports whether a frame repeats at most the last octet, of what was acknowledged.
func (l lookup) keepsAlive(b *looked) bool {
	end, ok := l.highest(b.src, b.dst, b.number)
	if !ok || b.data > 1 || b.seq != end-1 || b.flags&0x17 != 0x10 {
		return false
	}
	return slices.ContainsFunc(l.all[:b.number], func(a *looked) bool {
		return a != nil && a.src == b.dst && a.dst == b.src && a.flags&0x10 != 0 && a.ack == end
	})
}

// holdsNumbers looks up facts about acknowledgments and moments.
func (q *question) holdsNumbers() (holds, known bool) {
	f := q.f
	b, at := q.answered()
	switch q.Fact {
	case report.Lacks:
		return f.flags&0x10 != 0 && int32(f.ack-b.end()) < 0, b != nil
	case report.Misses:
		return f.flags&0x10 != 0 && f.ack != b.end(), b != nil
	case report.SincePeer:
		return b != nil && near(q.proof[q.at].Time-q.proof[at].Time, q.N), b != nil
	case report.Advances:
		before := q.all[q.lastSYN(f):f.number]
		return f.flags&0x10 != 0 && !slices.ContainsFunc(before, func(b *looked) bool {
			return b != nil && b.src == f.src && b.dst == f.dst && b.flags&0x10 != 0 &&
				int32(b.ack-f.ack) >= 0
		}), true
	case report.HeardAll:
		return q.heardAll(), true
	case report.SYNCount, report.SYNsApart, report.SYNACKs, report.PortsRested:
		return q.holdsSYNs()
	}
	return q.holdsBeyond()
}

// heardAll reports whether the sender of the frame acknowledged, at any time, all that its peer had
// sent before it.
func (q *question) heardAll() bool {
	end, ok := q.highest(q.f.dst, q.f.src, q.f.number)
	return ok && slices.ContainsFunc(q.all, func(b *looked) bool {
		return b != nil && b.src == q.f.src && b.dst == q.f.dst && b.flags&0x10 != 0 &&
			int32(b.ack-end) >= 0
	})
}

// holdsSYNs looks up facts about the frames that begin the frame's connection.
func (q *question) holdsSYNs() (holds, known bool) {
	var syns, answers []*looked
	var first *looked
	for _, b := range q.all {
		if !ofPair(b, q.f) || b.flags&2 == 0 {
			continue
		}
		if b.flags&0x10 != 0 {
			answers = append(answers, b)
			continue
		}
		if first == nil || b.seq != first.seq && b.number <= q.f.number {
			first, syns = b, nil
		}
		if b.seq == first.seq {
			syns = append(syns, b)
		}
	}
	if first == nil && q.Fact != report.SYNACKs {
		return false, true
	}
	apart := func(all []*looked) bool {
		for i := range len(all) - 1 {
			if near(all[i+1].at-all[i].at, q.N) {
				return true
			}
		}
		return false
	}
	switch q.Fact {
	case report.SYNCount:
		return int64(len(syns)) == q.N, true
	case report.SYNsApart:
		return apart(syns), true
	case report.SYNACKs:
		return apart(answers), true
	}
	for n := first.number - 1; n > 0; n-- {
		if b := q.all[n]; ofPair(b, first) {
			return near(first.at-b.at, q.N), true
		}
	}
	return false, true
}

// holdsBeyond looks up facts that other connections decide.
func (q *question) holdsBeyond() (holds, known bool) {
	f := q.f
	switch q.Fact {
	case report.NamesSYN:
		b := q.all[min(int(q.N), len(q.all)-1)]
		return b != nil && b.flags&0x12 == 2, true
	case report.AskedBeside, report.OtherAnswers:
		want := byte(2)
		if q.Fact == report.OtherAnswers {
			want = 0x12
		}
		return slices.ContainsFunc(q.all, func(b *looked) bool {
			return b != nil && b.flags&0x12 == want && !ofPair(b, f) && b.dst.Port() != 0
		}), true
	case report.OpenBeside:
		open := map[[2]netip.AddrPort]bool{}
		for _, b := range q.all[:f.number+1] {
			if b != nil && b.src.Addr() == f.src.Addr() && b.dst == f.dst {
				open[[2]netip.AddrPort{b.src, b.dst}] = true
			}
		}
		return q.N <= int64(len(open)), true
	}
	first := q.frame(&q.proof[0])
	if first == nil {
		return false, false
	}
	if q.Fact == report.FirstEnds {
		return slices.ContainsFunc(q.all[first.number:], func(b *looked) bool {
			return ofPair(b, first) && b.flags&5 != 0 && near(b.at-first.at, q.N)
		}), !q.alerts(first)
	}
	return q.holdsText(first)
}

// alerts reports whether the connection is one of TLS, where an alert may close.
func (l lookup) alerts(f *looked) bool {
	return slices.ContainsFunc(l.all, func(b *looked) bool {
		return ofPair(b, f) && len(b.payload) > 2 && b.payload[0] == 0x16 && b.payload[1] == 3
	})
}

var (
	firstLine  = regexp.MustCompile(`(?m)^[A-Z]+ \S+ HTTP/1\.[01]\r?$`)
	headerEnds = []byte("\r\n\r\n")
)

// stream is what a side had said up to a frame, in order; whole is false if not all of it is there.
func (l lookup) stream(src, dst netip.AddrPort, until int) (said []byte, whole bool) {
	var next uint32
	begun, later := false, map[uint32][]byte{}
	for _, b := range l.all[:min(until+1, len(l.all))] {
		switch {
		case b == nil || b.src != src || b.dst != dst:
		case b.flags&2 != 0:
			next, begun, said = b.seq+1, true, nil
			clear(later)
			if b.data > 0 {
				return nil, false
			}
		case !begun || b.data != len(b.payload):
			return nil, false
		case b.data > 0:
			if len(b.payload) > len(later[b.seq]) {
				later[b.seq] = b.payload
			}
			for p := later[next]; len(p) > 0; p = later[next] {
				said, next = append(said, p...), next+uint32(len(p))
			}
			if int32(b.end()-next) > 0 && int32(b.seq-next) < 0 {
				return nil, false // cut anew
			}
		}
	}
	for seq := range later {
		if int32(seq-next) >= 0 {
			return nil, false
		}
	}
	return said, begun
}

// holdsText looks up what the octets of a connection say; first is the first frame of the proof.
func (q *question) holdsText(first *looked) (holds, known bool) {
	switch q.Fact {
	case report.FirstAsks10, report.FirstSpeak10, report.FirstServed:
		client, server := first.dst, first.src // it is a response
		asked, whole := q.stream(client, server, len(q.all))
		told, heard := q.stream(server, client, len(q.all))
		switch q.Fact {
		case report.FirstAsks10:
			return bytes.Contains(asked, []byte(" HTTP/1.0\r\n")), whole
		case report.FirstSpeak10:
			return bytes.Contains(told, []byte("HTTP/1.0 ")), heard
		}
		return int64(len(firstLine.FindAll(asked, -1))) == q.N, whole
	}
	said, whole := q.stream(q.f.src, q.f.dst, len(q.all))
	if fields := fieldsOf(q.Asserted); fields != "" {
		return regexp.MustCompile(`(?i)\n` + fields).Match(said), whole && q.f.data > 0
	}
	said, whole = q.stream(q.f.src, q.f.dst, q.f.number)
	at := bytes.LastIndex(said, headerEnds)
	switch q.Fact {
	case report.BodyIs:
		return int64(len(said)-at-len(headerEnds)) == q.N, whole && at >= 0 && q.f.data > 0
	case report.HeaderOpen:
		return bytes.LastIndex(said, []byte("HTTP/1.")) > at, whole
	case report.RecordOpen:
		for len(said) >= 5 && int(binary.BigEndian.Uint16(said[3:]))+5 <= len(said) {
			said = said[binary.BigEndian.Uint16(said[3:])+5:]
		}
		return len(said) > 0, whole
	case report.AlertIs:
		return bytes.Contains(q.f.payload, []byte{0, 2, 1, byte(q.N)}) ||
			bytes.Contains(q.f.payload, []byte{0, 2, 2, byte(q.N)}), len(q.f.payload) == q.f.data
	}
	return false, false
}

// fieldsOf are the fields that a header has, as an expression.
func fieldsOf(a report.Asserted) string {
	switch a.Fact {
	case report.SaysLength:
		return `content-length[ \t]*:`
	case report.SaysLengthOf:
		return `content-length:[ \t]*0*` + strconv.FormatInt(a.N, 10) + `[ \t]*\r?\n`
	case report.SaysCoding:
		return `transfer-encoding[ \t]*:`
	case report.SaysClose:
		return `(proxy-)?connection:[^\n]*close`
	case report.SaysConnection:
		return `connection:`
	case report.SaysKeepAlive:
		return `keep-alive:`
	case report.SaysUpgrade:
		return `upgrade:`
	case report.SaysProxy:
		return `(proxy-|connection:[^\n]*proxy-)`
	}
	return ""
}

// icmpOf is the ICMP message of a packet; nil if it is none.
func icmpOf(p *packet, link uint16) []byte {
	b, kind := p.data, uint16(0)
	switch {
	case link == 1 && len(b) > 14:
		kind, b = binary.BigEndian.Uint16(b[12:]), b[14:]
	case link == 113 && len(b) > 16:
		kind, b = binary.BigEndian.Uint16(b[14:]), b[16:]
	}
	switch {
	case kind == 0x0800 && len(b) > 28 && b[9] == 1:
		return b[int(b[0]&15)*4:]
	case kind == 0x86dd && len(b) > 48 && b[6] == 58:
		return b[40:]
	}
	return nil
}
