package whatif

import "time"

// What BBR does until it has found the rate of its path (net/ipv4/tcp_bbr.c).
const (
	// startupGain is how many times the rate that it has seen a sender paces at, and how many times
	// rate and round trip its window may hold (bbr_high_gain, 2/ln 2).
	startupGain = 2.885
	// burst is how many segments of a connection are not paced (net/ipv4/tcp_output.c,
	// tcp_update_skb_after_send).
	burst = 10
	// mostPaced is how many segments of a message are looked at one by one.
	mostPaced = 1 << 14
)

// startup is a sender that paces, segment by segment. Times are round trips.
type startup struct {
	rate      float64   // segments in a round trip, the most that was seen; 0: not known
	sent      []float64 // when each segment of the message was sent
	delivered []int     // how many had been acknowledged then
	heard     int       // how many are known to be acknowledged
	due       float64   // when the next may be sent
	cwnd      int64     // segments
}

// acknowledged lets the sender know what was acknowledged by the given moment: what arrived while a
// segment was on its way is the rate that it saw (net/ipv4/tcp_rate.c).
func (s *startup) acknowledged(by float64) {
	for s.heard < len(s.sent) && s.sent[s.heard]+1 <= by {
		i := s.heard
		since := 0.0 // when the latest of those was acknowledged
		if d := s.delivered[i]; d > 0 {
			since = s.sent[d-1] + 1
		}
		s.heard++
		span := max(s.sent[i]+1-since, 1)
		s.rate = max(s.rate, float64(s.heard-s.delivered[i])/span)
		if float64(s.cwnd) < startupGain*s.rate || s.heard < burst {
			s.cwnd++
		}
	}
}

// send is when the segment is sent: when its turn has come and the windows have room. Room is the
// receive window, in segments; 0: no limit.
func (s *startup) send(room int64) float64 {
	at := s.due
	s.acknowledged(at)
	for int64(len(s.sent)-s.heard) >= s.cwnd || room > 0 && int64(len(s.sent)-s.heard) >= room {
		at = max(at, s.sent[s.heard]+1)
		s.acknowledged(at)
	}
	s.sent = append(s.sent, at)
	s.delivered = append(s.delivered, s.heard)
	return at
}

// paced is the time from the first octet leaving to the last for a sender that paces, and the rate,
// in segments a round trip, that it has seen by the time all is acknowledged. seen is the one that
// it knew before, 0 on a new connection.
func (t Transfer) paced(cwnd int64, seen float64) (took time.Duration, rate float64) {
	n := int(min(t.segments(t.Octets), mostPaced))
	s := startup{rate: seen, cwnd: cwnd}
	path := 0.0 // round trips that it needs for a segment
	if t.Rate > 0 && t.RTT > 0 {
		path = float64(t.MSS) / t.Rate / t.RTT.Seconds()
	}
	known := float64(cwnd) // a window in the round trip of the handshake, before anything is seen
	if seen > 0 {
		known, s.cwnd = seen, max(cwnd, int64(startupGain*seen))
	}
	last := 0.0
	for i := range n {
		last = s.send(t.roomAt(i))
		s.due = last + path
		if i >= burst-1 || seen > 0 {
			s.due = last + max(path, 1/(startupGain*max(s.rate, known)))
		}
	}
	s.acknowledged(last + 1)
	took = time.Duration(last * float64(t.RTT))
	if rest := t.Octets - int64(n)*t.MSS; rest > 0 && s.rate > 0 {
		took += time.Duration(float64(t.segments(rest)) / (startupGain * s.rate) * float64(t.RTT))
	}
	return took, s.rate
}
