package sender

import (
	"slices"
	"time"
)

const (
	// paceKept is over how many pauses in a row pacing shows. One may be the wait for the next
	// flight, and paceAlone must have ended without an acknowledgment: one or two may be
	// acknowledgments that were lost before the capture point (reasoning).
	paceKept  = 6
	paceAlone = paceKept / 2
	// paceSpread is how many times as long one pause may be as another of the same pace. BBR
	// changes its rate from 1.25 to 0.75 of the path's (net/ipv4/tcp_bbr.c, bbr_pacing_gain), and
	// Linux its own from 2 to 1.2 windows a round trip after slow start (tcp_pacing_ss_ratio,
	// tcp_pacing_ca_ratio): both are 1.67, and timers are late by a little.
	paceSpread = 2
)

// startupGain is how many times the rate that it has seen a sender may pace at (net/ipv4/tcp_bbr.c,
// bbr_high_gain).
const startupGain = 2.885

// pacing follows the pauses within a flight: a sender that paces leaves the same pause between its
// segments whether or not an acknowledgment comes (BBR, fq; RFC 9002 §7.7), while one that waits
// for its window goes on with acknowledgments only.
type pacing struct {
	gaps  [paceKept]time.Duration // latest first
	alone [paceKept]bool          // no acknowledgment had come that could have ended it
	seen  bool                    // the sender has shown that it paces
}

// add takes note of a pause that full segments of one flight are apart.
func (p *pacing) add(gap time.Duration, alone bool) {
	copy(p.gaps[1:], p.gaps[:paceKept-1])
	copy(p.alone[1:], p.alone[:paceKept-1])
	p.gaps[0], p.alone[0] = gap, alone
}

// explains reports whether a further pause of the given length is one of those by which the sender
// paces: those before were about alike, and enough of them, or of some earlier ones, ended without
// an acknowledgment.
func (p *pacing) explains(gap time.Duration) bool {
	sorted := p.gaps
	slices.Sort(sorted[:])
	middle := sorted[paceKept/2]
	alone, alike := 0, 0
	for i, is := range p.alone {
		if is {
			alone++
		}
		if g := p.gaps[i]; g*paceSpread >= middle && g <= paceSpread*middle {
			alike++
		}
	}
	if sorted[0] == 0 || alike < paceKept-1 {
		return false
	}
	p.seen = p.seen || alone >= paceAlone
	return p.seen && gap <= paceSpread*middle
}
