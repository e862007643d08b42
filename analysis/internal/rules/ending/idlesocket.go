package ending

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

const (
	socketCause = "websocket"
	// Timeouts are whole numbers of roundTimeout; by chance one silence in 25 is so within
	// roundWithin, on either side, and a round trip is added where the capture is not at the proxy.
	roundTimeout = 5 * time.Second
	roundWithin  = 100 * time.Millisecond
	// Silences that one timeout ends differ by alikeSilence and the round trip at most.
	alikeSilence = 200 * time.Millisecond
	maxSilences  = 4096 // wait for the end; of more nothing is said
)

// runIdleSockets refers WebSockets that the server's side ended after silence.
func runIdleSockets(p *rule.Pass) {
	for _, w := range p.Conn.WebSockets {
		silence := socketSilence(w)
		if _, first := firstFarewell(w); first != nil || !endedBare(p.Conn, w) ||
			w.Ended.By != reassembly.FromServer || silence < idleSocket {
			continue
		}
		cl := socketClaim(w, socketCause, w.Ended.At)
		cl.Rule, cl.Referred, cl.Side = idleDropRule, true, report.SideServer
		last := lastOf(w)
		side := report.SideClient
		if w.Sides[reassembly.FromServer].Latest == last {
			side = report.SideServer
		}
		cl.Occ.Start = last.Time
		cl.Occ.Proof = []rule.Evidence{rule.Shows(last, side, lastFrame), endOfSocket(w)}
		cl.Num[0], cl.Num[1] = int64(silence), int64(p.Conn.RTTMin())
		p.Report(cl)
	}
}

// silences are WebSockets that ended after silence, until those of the whole capture are known.
type silences struct{ all []silence }

// silence is one of them.
type silence struct {
	rule.Subject
	rule.Claim
	length, rtt time.Duration
}

// add takes one.
func (s *silences) add(d rule.Desk, r *rule.Referred) {
	if len(s.all) >= maxSilences {
		return
	}
	r.Occ.Exchange = d.Exchange(r.Occ.Connection, r.Index)
	s.all = append(s.all, silence{
		r.Subject, r.Claim, time.Duration(r.Num[0]), time.Duration(r.Num[1]),
	})
}

// book books all of them: surer where others of the same service ended after the same silence, or
// where that is a round number.
func (s *silences) book(d rule.Desk) {
	slices.SortStableFunc(s.all, func(a, b silence) int {
		return cmp.Or(a.Pair.Server.Compare(b.Pair.Server), cmp.Compare(a.length, b.length),
			cmp.Compare(a.Occ.Connection, b.Occ.Connection))
	})
	for i := range s.all {
		own := &s.all[i]
		n := s.alike(own)
		switch off := (own.length + roundTimeout/2) % roundTimeout; {
		case n > 1:
			own.Confidence = report.ConfidenceHigh
		case off >= roundTimeout/2-roundWithin && off <= roundTimeout/2+roundWithin+own.rtt:
			own.Confidence = report.ConfidenceMedium
		default:
			own.Confidence = report.ConfidenceLow
		}
		own.Says = []rule.Said{rule.Say(socketsSilent, int64(n), rule.Ns(own.length))}
		d.Book(own.Subject, &own.Claim)
	}
}

// alike is how many of the same service ended after as long a silence, itself included; those that
// ended at the same moment may have one other reason, and count once.
func (s *silences) alike(own *silence) (n int) {
	var server netip.AddrPort = own.Pair.Server
	var ends []time.Duration
	for i := range s.all {
		o := &s.all[i]
		apart := o.length - own.length
		if o.Pair.Server == server && max(apart, -apart) <= alikeSilence+max(o.rtt, own.rtt) {
			ends = append(ends, o.Occ.End)
		}
	}
	slices.Sort(ends)
	for i := range ends {
		if i == 0 || ends[i]-ends[i-1] > alikeSilence {
			n++
		}
	}
	return n
}
