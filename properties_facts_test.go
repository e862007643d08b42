package main

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"tcpwhy/analysis/report"
)

// TestFacts looks up in the packets what the sentences of proofs assert of them: of every capture,
// and of what is left when frames are missing, when it begins late or ends early, and when the
// payload is cut. The reader of packets here shares nothing with the program's.
func TestFacts(t *testing.T) {
	t.Parallel()
	corpus(t, func(t *testing.T, tr trace, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 21))
		checkFacts(t, "whole", tr)
		n := len(tr.packets)
		if n < 8 {
			return
		}
		checkFacts(t, "begins late", trace{tr.link, tr.packets[random.IntN(n/2):]})
		checkFacts(t, "ends early", trace{tr.link, tr.packets[:n/2+random.IntN(n/2)]})
		holes := trace{link: tr.link}
		for _, p := range tr.packets {
			if random.IntN(20) > 0 {
				holes.packets = append(holes.packets, p)
			}
		}
		checkFacts(t, "with holes", holes)
		cut := tr.clone()
		for i := range cut.packets {
			p := &cut.packets[i]
			p.data = p.data[:min(len(p.data), 128)]
		}
		checkFacts(t, "cut", cut)
	})
}

// checkFacts analyses a trace and looks up what the report asserts of its frames.
func checkFacts(t *testing.T, how string, tr trace) {
	t.Helper()
	r := analyseData(t, tr.pcap(t, true))
	checkUnits(t, how, r)
	frames := lookupTable(tr)
	for i := range r.Findings {
		f := &r.Findings[i]
		checkSaid(t, how, f, frames)
		for k := range f.Occurrences {
			o := &f.Occurrences[k]
			checkOrder(t, how, f, o)
			for at := range o.Evidence {
				e := &o.Evidence[at]
				for _, a := range e.Asserts {
					if holds, known := frames.holds(o.Evidence, at, a); known && !holds {
						t.Errorf("%s: %s/%s, frame %d: %s: %q: fact %d (%d) does not hold",
							how, f.Rule, f.Cause, e.Frame.Number(), e.Role, e.Text, a.Fact, a.N)
					}
				}
			}
		}
	}
}

// checkOrder holds the rows of a proof of a loss, or of a full window, to their order: a cause
// comes before what it did, and a frame shows one thing.
func checkOrder(t *testing.T, how string, f *report.Finding, o *report.Occurrence) {
	t.Helper()
	if f.Rule != "packet-loss" && f.Rule != "receive-window" {
		return
	}
	for i := 1; i < len(o.Evidence); i++ {
		a, b := &o.Evidence[i-1], &o.Evidence[i]
		if a.Time > b.Time || a.Frame == b.Frame {
			t.Errorf("%s: %s/%s: frame %d (%s) stands behind frame %d (%s)", how, f.Rule, f.Cause,
				b.Frame.Number(), b.Role, a.Frame.Number(), a.Role)
		}
	}
}

// checkUnits holds the figures of findings against each other and against the exchanges: what the
// first lines, the findings and the lists say in different places.
func checkUnits(t *testing.T, how string, r *report.Report) {
	t.Helper()
	for i := range r.Findings {
		f := &r.Findings[i]
		switch {
		case f.Affected > r.ExchangeCount:
			t.Errorf("%s: %s/%s: %d exchanges of %d", how, f.Rule, f.Cause, f.Affected,
				r.ExchangeCount)
		case f.Count < len(f.Occurrences):
			t.Errorf("%s: %s/%s: %d times, %d listed", how, f.Rule, f.Cause, f.Count,
				len(f.Occurrences))
		case f.Wall > f.Cost.Expected, f.Within > f.Cost.Expected:
			t.Errorf("%s: %s/%s: %v by the clock, %v within exchanges, of %v",
				how, f.Rule, f.Cause, f.Wall, f.Within, f.Cost.Expected)
		case f.Within > r.ExchangeTime:
			t.Errorf("%s: %s/%s: %v within exchanges, which lasted %v", how, f.Rule, f.Cause,
				f.Within, r.ExchangeTime)
		case f.Confidence == report.ConfidenceLow && f.Severity > report.Low:
			t.Errorf("%s: %s/%s: nothing is promised of it, and it is %v", how, f.Rule, f.Cause,
				f.Severity)
		case f.Cost.Expected-f.Wall > time.Millisecond && !besideOthers(r, f):
			t.Errorf("%s: %s/%s: %v by the clock of %v, and nothing ran beside it",
				how, f.Rule, f.Cause, f.Wall, f.Cost.Expected)
		}
		if i > 0 && f.Severity > r.Findings[i-1].Severity {
			t.Errorf("%s: %s/%s is %v behind %v", how, f.Rule, f.Cause, f.Severity,
				r.Findings[i-1].Severity)
		}
	}
}

// besideOthers reports whether two exchanges of the finding's client overlap.
func besideOthers(r *report.Report, f *report.Finding) bool {
	client := map[int]netip.Addr{}
	for i := range r.Conns {
		client[r.Conns[i].ID] = r.Conns[i].Client.Addr()
	}
	for i := range r.Exchanges {
		x := &r.Exchanges[i]
		for k := range r.Exchanges[:i] {
			y := &r.Exchanges[k]
			if client[x.Connection] == f.Client && client[y.Connection] == f.Client &&
				x.Start < y.Start+y.Duration && y.Start < x.Start+x.Duration {
				return true
			}
		}
	}
	return false
}

// checkSaid looks up what a finding's message asserts of the last frame of its first proof.
func checkSaid(t *testing.T, how string, f *report.Finding, frames lookup) {
	t.Helper()
	if len(f.Asserts) == 0 || len(f.Occurrences) == 0 || len(f.Occurrences[0].Evidence) == 0 {
		return
	}
	proof := f.Occurrences[0].Evidence
	for _, a := range f.Asserts {
		if holds, known := frames.holds(proof, len(proof)-1, a); known && !holds {
			t.Errorf("%s: %s/%s: %q: fact %d (%d) does not hold of frame %d",
				how, f.Rule, f.Cause, f.Message, a.Fact, a.N, proof[len(proof)-1].Frame.Number())
		}
	}
}

// looked is a frame with a TCP header, as the lookup sees it.
type looked struct {
	number     int
	at         time.Duration
	src, dst   netip.AddrPort
	seq, ack   uint32
	data       int
	flags, ttl byte
	window, id uint16
	payload    []byte // as captured
}

// end is the number behind its data, SYN and FIN.
func (l *looked) end() uint32 {
	end := l.seq + uint32(l.data)
	if l.flags&0x02 != 0 {
		end++
	}
	if l.flags&0x01 != 0 {
		end++
	}
	return end
}

// lookup are the frames of a trace, by number; nil where there is no TCP header.
type lookup struct {
	all    []*looked
	errors map[int][]byte // ICMP messages
	plain  bool           // of a link whose frames all can be looked up
}

func lookupTable(tr trace) lookup {
	l := lookup{make([]*looked, len(tr.packets)+1), map[int][]byte{}, tr.link == 113}
	for i := range tr.packets {
		p := &tr.packets[i]
		h, ok := p.headers(tr.link)
		if !ok || h.data < 0 {
			if b := icmpOf(p, tr.link); b != nil {
				l.errors[i+1] = b
			}
			continue
		}
		f := &looked{
			number: i + 1, at: time.Duration(p.at - tr.packets[0].at), src: h.src(), dst: h.dst(),
			seq: h.get32(4), ack: h.get32(8), data: h.data, flags: h.tcp[13],
			window: uint16(h.tcp[14])<<8 | uint16(h.tcp[15]),
		}
		f.payload = h.tcp[min(int(h.tcp[12]>>4)*4, len(h.tcp)):]
		f.ttl, f.id = h.ip[8], uint16(h.ip[4])<<8|uint16(h.ip[5])
		if h.v6 {
			f.id = 0
			f.ttl = h.ip[7]
		}
		l.all[i+1] = f
	}
	return l
}

// frame is the frame of evidence; nil if it has no TCP header.
func (l lookup) frame(e *report.Evidence) *looked {
	if n := e.Frame.Number(); n > 0 && n < uint64(len(l.all)) {
		return l.all[n]
	}
	return nil
}

// holds looks up a fact of the frame of evidence number at; known is false if this reader cannot
// see the frame.
func (l lookup) holds(proof []report.Evidence, at int, a report.Asserted) (holds, known bool) {
	e := &proof[at]
	f := l.frame(e)
	if f == nil {
		return l.holdsError(e, a)
	}
	switch a.Fact {
	case report.CarriesOctets:
		return int64(f.data) == a.N, true
	case report.CarriesData:
		return f.data > 0, true
	case report.CarriesNone:
		return f.data == 0 && f.flags&0x07 == 0, true
	case report.BeginsConnection:
		return f.flags&0x12 == 0x02, true
	case report.AcceptsConnection:
		return f.flags&0x12 == 0x12, true
	case report.Closes:
		return f.flags&0x01 != 0, true
	case report.Resets:
		return f.flags&0x04 != 0, true
	case report.Ends:
		return f.flags&0x05 != 0, true
	case report.ShutsWindow, report.OpensWindow:
		return (f.window == 0) == (a.Fact == report.ShutsWindow), true
	case report.HasTTL:
		return int64(f.ttl) == a.N, true
	case report.HasID:
		return int64(f.id) == a.N, true
	case report.SinceFirst:
		return near(e.Time-proof[0].Time, a.N), true
	case report.SinceBefore:
		return at > 0 && near(e.Time-proof[at-1].Time, a.N), true
	}
	return l.holdsBeside(proof, at, a, f)
}

// near allows for the rounding of a capture's clock.
func near(d time.Duration, n int64) bool { return (d - time.Duration(n)).Abs() <= time.Microsecond }

// holdsBeside looks up a fact that other frames of the connection decide.
func (l lookup) holdsBeside(
	proof []report.Evidence,
	at int,
	a report.Asserted,
	f *looked,
) (holds, known bool) {
	switch a.Fact {
	case report.Acknowledges:
		for i := at - 1; i >= 0; i-- {
			if b := l.frame(&proof[i]); b != nil && b.src == f.dst && b.dst == f.src &&
				b.number < f.number {
				return f.flags&0x10 != 0 && int32(f.ack-b.end()) >= 0, true
			}
		}
		return false, false
	case report.SentBefore:
		return slices.ContainsFunc(l.all[:f.number], func(b *looked) bool {
			return b != nil && b.src == f.src && b.dst == f.dst && b.end() != b.seq &&
				int32(b.seq-f.end()) < 0 && int32(f.seq-b.end()) < 0
		}), true
	case report.Unheeded:
		last := f.number
		for i := range proof {
			if b := l.frame(&proof[i]); b != nil && b.src == f.src {
				last = max(last, b.number)
			}
		}
		return !slices.ContainsFunc(l.all[f.number:last], func(b *looked) bool {
			return b != nil && b.src == f.dst && b.dst == f.src && b.flags&0x10 != 0 &&
				int32(b.ack-f.end()) >= 0
		}), true
	case report.PeerSilent, report.OwnSilent:
		from := 0
		if at > 0 {
			from = int(proof[at-1].Frame.Number())
		}
		src := f.dst
		if a.Fact == report.OwnSilent {
			src = f.src
		}
		return !slices.ContainsFunc(l.all[min(from+1, f.number):f.number], func(b *looked) bool {
			return b != nil && b.data > 0 && b.src == src && (b.dst == f.src || b.dst == f.dst)
		}), true
	case report.Unheard:
		return !slices.ContainsFunc(l.all[:f.number], func(b *looked) bool {
			return b != nil && b.src == f.dst && b.dst == f.src && b.flags&0x10 != 0 &&
				l.acknowledgesData(f, b)
		}), true
	case report.FollowedNone, report.FollowedBy:
		n := 0
		for _, b := range l.all[:f.number] {
			if b != nil && b.src == f.src && b.dst == f.dst && b.data > 0 &&
				int32(b.seq-f.seq) > 0 {
				n++
			}
		}
		return int64(n) == a.N, true
	case report.Outstanding:
		return a.N > 0 && (a.N <= l.outstanding(f, f.src) || a.N <= l.outstanding(f, f.dst)), true
	case report.NeverAnswered:
		return !slices.ContainsFunc(l.all, func(b *looked) bool {
			return b != nil && b.src == f.dst && b.dst == f.src
		}), true
	}
	return (&question{l, proof, at, f, a}).holds()
}

// acknowledgesData reports whether b acknowledges data that the sender of f had sent before it.
func (l lookup) acknowledgesData(f, b *looked) bool {
	return slices.ContainsFunc(l.all[:b.number], func(d *looked) bool {
		return d != nil && d.src == f.src && d.dst == f.dst && d.data > 0 && int32(b.ack-d.seq) > 0
	})
}

// outstanding is how many octets of data the server had sent, and not seen acknowledged, at most:
// if nothing of what passed in the last ten round trips of the handshake had reached it.
func (l lookup) outstanding(f *looked, server netip.AddrPort) int64 {
	client := f.src
	if client == server {
		client = f.dst
	}
	var sent, acked uint32
	var syn, trip time.Duration
	known := false
	for _, b := range l.all[:f.number] {
		switch {
		case b == nil:
		case b.src == client && b.dst == server && b.flags&0x02 != 0:
			syn = b.at
		case b.src != server || b.dst != client:
		case b.flags&0x02 != 0:
			trip = b.at - syn
		case b.data > 0:
			if !known {
				acked, sent, known = b.seq, b.seq, true
			}
			if int32(b.end()-sent) > 0 {
				sent = b.seq + uint32(b.data)
			}
		}
	}
	until := f.at
	if f.src == server {
		until -= 10*trip + 100*time.Millisecond
	}
	for _, b := range l.all[:f.number] {
		if b != nil && b.src == client && b.dst == server && b.flags&0x10 != 0 && b.at <= until &&
			int32(b.ack-acked) > 0 {
			acked = b.ack
		}
	}
	return int64(int32(sent - acked))
}
