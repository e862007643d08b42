package sender

import (
	"time"

	"tcpwhy/reassembly"
)

// corks counts what became of segments that were smaller than the MSS and followed a full one of
// the same message.
type corks struct {
	held, prompt int
	// a wait that came before it was known that a cork holds; 0: none, or told
	first time.Duration
}

const (
	// corkLeast is from how many ends of messages on that were held a cork is believed, and
	// corkPercent what part of all ends they must be. The end of one message that was lost and sent
	// again by a timer, where the first copy never passed the capture point, looks alike
	// (reasoning).
	corkLeast   = 2
	corkPercent = 60
	// What a timer adds to its least value is four mean deviations of the round trip, at most
	// rttvarTrips round trips after the first sample (RFC 6298 §2.2), and rttvarLeast where
	// acknowledgments are delayed (TCP_ATO_MIN).
	rttvarTrips = 2
	rttvarLeast = 40 * time.Millisecond
)

// Corked reports whether r is the end of a message that waited for the timer which ends a cork:
// TCP_CORK or MSG_MORE let full segments go and keep the rest, until the application says so or the
// timer for probing a window fires (net/ipv4/tcp_output.c, tcp_check_probe_timer: the
// retransmission timeout). Nothing was on its way, and the peer did nothing to release it.
func (s *State) Corked(r *reassembly.Record) bool {
	if !s.last.full || r.Trait.Has(reassembly.Full) || s.prior.ack < s.stream.before ||
		Seen(s.hand.release.Ack) {
		return false
	}
	wait := s.waited(r)
	most := timerLatest(s.path.Timeout() + max(rttvarTrips*s.path.Conn.RTTMin(), rttvarLeast))
	return wait >= timerSoonest(rtoMin) && wait >= s.path.timeoutSoonest() && wait <= most
}

// NoteEnd takes note of r for what CorkRepeats tells. corked says what Corked did.
func (s *State) NoteEnd(r *reassembly.Record, corked bool) {
	switch {
	case corked:
		s.corks.held++
	case s.last.full && !r.Trait.Has(reassembly.Full) && r.Len > 0:
		s.corks.prompt++
	}
}

// CorkRepeats reports whether a cork is what holds the ends of the sender's messages: it does so
// again and again.
func (s *State) CorkRepeats() bool {
	k := &s.corks
	return k.held >= corkLeast && k.held*100 >= (k.held+k.prompt)*corkPercent
}

// KeepFirstCork keeps a wait that will have been a cork's if more follow.
func (s *State) KeepFirstCork(wait time.Duration) { s.corks.first = wait }

// TakeFirstCork gives the wait that KeepFirstCork kept last, once; 0: none.
func (s *State) TakeFirstCork() time.Duration {
	first := s.corks.first
	s.corks.first = 0
	return first
}
