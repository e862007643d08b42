package main

import (
	"slices"
	"time"
)

// flight is what a server sends at once: as many segments as its window allows.
type flight struct {
	v     *visit
	sent  []time.Duration // when each segment left
	seq   []uint32        // where each begins, and where the last one ends
	lost  int             // which of them is lost behind the capture; -1: none
	whole int             // 1: it ends the exchange of which a segment is lost
}

// download plans octets of the server, flight after flight, each once the one before is
// acknowledged. Exchanges are complete when the octets before an offset have passed.
func (v *visit) download(octets []byte, over []int) {
	at := 0
	for at < len(octets) {
		f := flight{v: v, lost: -1}
		for len(f.sent) < v.window && at < len(octets) {
			n := min(len(octets)-at, segment)
			flags := byte(flagACK)
			if at+n == len(octets) {
				flags |= flagPSH
			}
			f.sent, f.seq = append(f.sent, v.now), append(f.seq, v.seq[1])
			p := v.put(false, flags, octets[at:at+n:at+n])
			for len(over) > 0 && over[0] <= at+n {
				p.completes++
				over = over[1:]
			}
			if f.lost < 0 && v.g.random.IntN(webLossOne) == 0 {
				f.lost = len(f.sent) - 1
			}
			if f.lost >= 0 && p.completes > 0 {
				f.whole = 1
			}
			at += n
			v.now += gap
		}
		f.seq = append(f.seq, v.seq[1])
		f.acknowledge()
	}
}

// acknowledge plans the acknowledgments of a flight, and the repair of what was lost.
func (f *flight) acknowledge() {
	v := f.v
	trip := v.jitter()
	if f.lost < 0 {
		for i := range f.sent {
			if i%2 == 1 || i == len(f.sent)-1 {
				f.ack(f.sent[i]+trip, f.sent[i], f.seq[i+1], 0)
			}
		}
		v.window = min(2*v.window, lastWindow)
		return
	}
	if f.lost > 0 {
		i := f.lost - 1
		f.ack(f.sent[i]+trip, f.sent[i], f.seq[i+1], 0)
	}
	repair := time.Duration(0)
	for i := f.lost + 1; i < len(f.sent); i++ {
		f.ack(f.sent[i]+trip, f.sent[max(0, f.lost-1)], f.seq[f.lost], f.seq[i+1])
		if i == f.lost+dupAcks {
			repair = f.sent[i] + trip + 10*time.Microsecond
		}
	}
	if repair == 0 {
		repair = f.sent[len(f.sent)-1] + v.rtt + leastRTO
	}
	f.repair(repair)
	v.window = max(2, v.window/2)
}

// ack plans an acknowledgment of the client's, with what it has behind a hole.
func (f *flight) ack(at, heard time.Duration, to, high uint32) {
	v := f.v
	p := planned{at: at, fromClient: true, flags: flagACK, seq: v.seq[0]}
	p.said = v.says(true, at, heard)
	p.said.ack = to
	if high != 0 {
		p.sack = [2]uint32{f.seq[f.lost+1], high}
	}
	v.plan = append(v.plan, p)
	v.now = max(v.now, at)
}

// repair plans the copy of what was lost, and the acknowledgment of all.
func (f *flight) repair(at time.Duration) {
	v := f.v
	i := slices.IndexFunc(v.plan, func(p planned) bool {
		return !p.fromClient && p.seq == f.seq[f.lost] && len(p.payload) > 0
	})
	p := v.plan[i]
	// what was sent again is not complete until it is acknowledged
	p.at, p.again, p.completes = at, true, -f.whole
	p.said = v.says(false, at, at)
	v.plan = append(v.plan, p)
	slices.SortStableFunc(v.plan, func(a, b planned) int { return int(a.at - b.at) })
	f.ack(at+v.jitter(), at, f.seq[len(f.sent)], 0)
	last := len(v.plan) - 1
	v.plan[last].completes = f.whole
	if v.plan[last-1].at > v.plan[last].at {
		v.plan[last].at = v.plan[last-1].at
		v.now = v.plan[last].at
	}
}
