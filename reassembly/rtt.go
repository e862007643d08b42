package reassembly

import "time"

// Round trips between the capture point and one host, and the retransmission timer of a sender
// (RFC 6298 with Linux's constants). All in constant memory.

const (
	// rtoMin is Linux's TCP_RTO_MIN. RFC 6298 §2.4 says 1 s; FreeBSD and Windows use less than a
	// second, too.
	rtoMin = 200 * time.Millisecond
	// rtoMax is Linux's TCP_RTO_MAX.
	rtoMax = 120 * time.Second
	// rtoFirst is the timer before the first sample (RFC 6298 §2.1).
	rtoFirst = time.Second
	// rtoOld is the same by RFC 1122 §4.2.3.1; lwIP still has it.
	rtoOld = 3 * time.Second
	// unknownRTT stands for a round trip that was never measured where reordering is to be told
	// from retransmission; Wireshark uses the same 3 ms.
	unknownRTT = 3 * time.Millisecond
)

// estimator keeps what the samples of one host amount to, beside its RTT.
type estimator struct {
	median time.Duration // of undelayed samples, by stochastic approximation
	prompt int           // undelayed samples
	spread time.Duration // mean distance of undelayed samples from median
	srtt   time.Duration // from the capture point to the host and back (RFC 6298 §2)
	rttvar time.Duration
	tsVal  uint32 // a TSval that passed towards the host and has not come back
	tsMax  uint32 // highest TSval that passed towards the host
	tsAt   time.Duration
	tsWait bool
	tsSeen bool
}

// sample takes one round trip. undelayed says that the host had no reason to wait before it
// answered; only such samples tell the jitter, as others include delayed acknowledgments.
func (e *estimator) sample(r *RTT, d time.Duration, undelayed bool) {
	if d < 0 {
		return
	}
	if r.Samples == 0 || d < r.Min {
		r.Min = d
	}
	r.Samples++
	r.Firm = true
	if e.srtt == 0 && e.rttvar == 0 {
		e.srtt, e.rttvar = d, d/2
	} else {
		e.rttvar += (abs(e.srtt-d) - e.rttvar) / 4
		e.srtt += (d - e.srtt) / 8
	}
	if undelayed {
		e.undelayed(d)
	}
	e.vary(r)
}

// firmJitter is how many samples tell the jitter for sure. A few may all have been late for reasons
// of their own, as the answer to a SYN is that had to wait for ARP.
const firmJitter = 8

// vary draws up the jitter from what is known.
func (e *estimator) vary(r *RTT) {
	if e.prompt == 0 {
		return
	}
	r.Jitter, r.Unsure = max(0, e.median-r.Min), e.prompt < firmJitter
	if r.Unsure {
		r.Jitter = min(r.Jitter, r.Min/2)
	}
}

// undelayed moves the median towards the sample by an eighth of the spread, so that half of the
// samples end up on either side.
func (e *estimator) undelayed(d time.Duration) {
	if e.median == 0 {
		e.median = d
	}
	e.prompt++
	away := d - e.median
	e.spread += (abs(away) - e.spread) / 8
	step := max(e.spread/8, time.Microsecond)
	e.median += max(-step, min(step, away))
}

// passed notes a TSval on its way to the host. Only the first segment with a value measures (Veal
// et al. 2005).
func (e *estimator) passed(val uint32, at time.Duration) {
	if e.tsSeen && int32(val-e.tsMax) <= 0 {
		return
	}
	e.tsMax, e.tsSeen = val, true
	if !e.tsWait || at-e.tsAt > rtoMax {
		e.tsVal, e.tsAt, e.tsWait = val, at, true
	}
}

// echoed is the round trip that an echoed TSval shows. A later value answers the wait without
// measuring anything.
func (e *estimator) echoed(ecr uint32, at time.Duration) (time.Duration, bool) {
	if !e.tsWait || int32(ecr-e.tsVal) < 0 {
		return 0, false
	}
	e.tsWait = false
	return at - e.tsAt, ecr == e.tsVal
}

// far is the round trip between the capture point and the sender of dir: the age of what that
// sender knew when its segment passed.
func (k *track) far(dir Dir) time.Duration { return k.c.Half[dir].RTT.Min }

// roundTrip is the least round trip between both hosts as far as it is known; 0 if nothing is.
func (k *track) roundTrip() time.Duration { return k.c.RTTMin() }

// srtt is the smoothed round trip as the sender of dir measures it: its own leg, and the peer's
// with all its delays.
func (k *track) srtt(dir Dir) time.Duration {
	return k.far(dir) + k.side[dir.Peer()].rtt.srtt
}

// rto is the retransmission timer of the sender of dir (RFC 6298 §2.3), without backoff.
func (k *track) rto(dir Dir) time.Duration {
	peer := &k.side[dir.Peer()].rtt
	if peer.srtt == 0 && peer.rttvar == 0 {
		return rtoFirst
	}
	return min(rtoMax, k.srtt(dir)+max(rtoMin, 4*peer.rttvar))
}

func abs(d time.Duration) time.Duration {
	if d < 0 {
		return -d
	}
	return d
}
