package ending

import (
	"net/netip"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// A reply that leaves connection tracking with the address that its sender has behind the
// translation reaches the client as a segment of a connection that it does not have. Its kernel
// answers with a RST, which goes to that address and ends the real connection there. Next to the
// client both are seen: the connection, and one whose octets continue the same sequence numbers on
// the same port of the client, under another address of the server.

const untranslatedCause = "untranslated"

// What the claims about resets tell their comparison, by place among its numbers.
const (
	resetRole     = iota // whether it is a stray reply, or a connection that one may have ended
	resetPort            // of the client
	resetServerAt        // the raw sequence number that the server had come to
	resetClientAt        // the same of the client
	resetIdle            // how long the connection had been idle; 0: an idle timer is no question
)

// The roles of resets.
const (
	roleNone   = iota
	roleStray  // a reply to a client that knew nothing of its connection
	roleVictim // a connection whose numbers are known, which the server's kernel had forgotten
)

const (
	// strayWithin is how long after a stray reply the connection that it belongs to ends, at most:
	// its RST has to reach the server, and what the client sends next as well. Where that is
	// nothing more, its keep-alives tell the client after two hours; nobody looks so long.
	strayWithin = 2 * time.Minute
	// strayKnown is how long after the end of a connection a stray reply before it is known: both
	// are over five seconds after their last segment.
	strayKnown = 6 * time.Second
	// sameNumbers is how far the numbers of a stray reply may be from where the connection had
	// come to: what was on its way meanwhile, the windows in use (Linux's tcp_rmem ends at 6 MiB
	// by default). That two agree by chance is one in 70,000.
	sameNumbers = 1 << 23
	// maxStrays is how many stray replies are remembered; beyond it the oldest are forgotten.
	maxStrays = 4096
)

// runStray reports a connection of which the client's kernel knew nothing: it has no beginning, and
// the client answered what came by nothing but RSTs without ACK.
func runStray(p *rule.Pass) {
	c := p.Conn
	up, down := &c.Half[reassembly.FromClient], &c.Half[reassembly.FromServer]
	if !c.MidStream || len(c.SYNs) > 0 || !up.RstSeen || up.RstActive || up.Bytes > 0 ||
		down.Bytes == 0 {
		return
	}
	reply, answer := (*reassembly.Record)(nil), ledger.RecordOf(c, up.Rst)
	for r := range ledger.Segments(c, 0, report.EndOfTime) {
		switch {
		case r.Dir == reassembly.FromClient && r.Flags&capture.RST == 0:
			return // it takes part in it
		case reply == nil && r.Dir == reassembly.FromServer && r.Len > 0:
			reply = r
		}
	}
	if reply == nil || answer == nil || reply.Flags&capture.ACK == 0 {
		return
	}
	cl := rule.Claim{
		Rule:     resetAfterDataRule,
		Cause:    untranslatedCause,
		Index:    -1,
		Referred: true,
		Occ: rule.Occurrence{
			Start: reply.Time,
			End:   up.Rst.Time,
			Proof: []rule.Evidence{
				rule.Shows(reply.Mark(), report.SideNetwork, strayReply).With(c.Server.String()),
				rule.Shows(answer.Mark(), report.SideNetwork, strayAnswered),
			},
		},
	}
	cl.Num[resetRole], cl.Num[resetPort] = roleStray, int64(c.Client.Port())
	if numbered(&cl, c, reply.Seq, reply.Ack) {
		p.Report(cl)
	}
}

// numbered gives the claim the raw sequence numbers of offsets of both sides; false if they are not
// known.
func numbered(cl *rule.Claim, c *reassembly.Conn, server, client int64) bool {
	s, ok := c.Number(reassembly.FromServer, server)
	t, too := c.Number(reassembly.FromClient, client)
	cl.Num[resetServerAt], cl.Num[resetClientAt] = int64(s), int64(t)
	return ok && too
}

// stray is such a reply, as the comparison keeps it.
type stray struct {
	key   strayKey
	at    time.Duration
	addr  netip.AddrPort // under which it came
	claim rule.Claim
}

// strayKey is what a stray reply and the connection that it belongs to have in common.
type strayKey struct {
	client netip.Addr
	port   uint16
}

// strays are the latest stray replies, in order.
type strays struct {
	all   map[strayKey][]*stray
	order rule.Agenda[*stray]
}

func keyOf(c *rule.Referred) strayKey {
	return strayKey{c.Pair.Client, uint16(c.Num[resetPort])}
}

// add remembers a stray reply.
func (s *strays) add(c rule.Referred) {
	w := &stray{keyOf(&c), c.Occ.Start, c.Pair.Server, c.Claim}
	if s.all == nil {
		s.all = map[strayKey][]*stray{}
	}
	s.all[w.key] = append(s.all[w.key], w)
	s.order.Add(c.At+strayWithin+strayKnown, w)
	if s.order.Len() > maxStrays {
		if oldest, ok := s.order.Next(); ok {
			s.drop(oldest)
		}
	}
}

// advance forgets what no connection can belong to any more.
func (s *strays) advance(now time.Duration) {
	for w, ok := s.order.Due(now); ok; w, ok = s.order.Due(now) {
		s.drop(w)
	}
}

// drop forgets a stray reply.
func (s *strays) drop(w *stray) {
	left := s.all[w.key][:0]
	for _, o := range s.all[w.key] {
		if o != w {
			left = append(left, o)
		}
	}
	if s.all[w.key] = left; len(left) == 0 {
		delete(s.all, w.key)
	}
}

// of is the stray reply that belongs to a connection which ended by a reset; nil if there is none.
func (s *strays) of(c *rule.Referred) *stray {
	if c.Num[resetRole] != roleVictim {
		return nil
	}
	for _, w := range s.all[keyOf(c)] {
		near := func(place int) bool {
			apart := int64(int32(uint32(w.claim.Num[place]) - uint32(c.Num[place])))
			return max(apart, -apart) <= sameNumbers
		}
		if w.addr.Addr() != c.Pair.Server.Addr() && w.at >= c.Occ.Start && w.at <= c.Occ.End &&
			c.Occ.End-w.at <= strayWithin && near(resetServerAt) && near(resetClientAt) {
			return w
		}
	}
	return nil
}

// blame makes the claim about a connection one about the translation that failed.
func (w *stray) blame(c *rule.Claim) {
	c.Cause, c.Confidence = untranslatedCause, report.Proven
	c.Says = append(c.Says, rule.Say(sameOctets).With(w.addr.String()))
	c.Occ.Elsewhere = true
	c.Occ.Proof = append(c.Occ.Proof, w.claim.Occ.Proof...)
	sortByTime(c.Occ.Proof)
}
