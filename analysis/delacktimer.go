package analysis

import (
	"net/netip"
	"slices"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

const (
	keptDelacks = 64 // delays kept of each host
)

// timers are the delayed-acknowledgment timers of hosts, learned over the capture. They differ by
// system and by setting; what matters is that a host's own delays agree.
type timers struct{ hosts pairTable[[]time.Duration] }

// alone is the entry of a host in a table of pairs.
func alone(host netip.Addr) report.Pair { return report.Pair{Client: host} }

// learn takes in what a connection that is over showed.
func (t *timers) learn(c *overConn, now time.Duration) {
	hosts := [2]netip.Addr{c.pair.Client, c.pair.Server.Addr()}
	for d, host := range hosts {
		if len(c.delacks[d]) == 0 {
			continue
		}
		if kept := t.hosts.of(alone(host), now); kept != nil {
			*kept = append(*kept, c.delacks[d]...)
			*kept = (*kept)[:min(len(*kept), keptDelacks)]
		}
	}
}

// judge gives certainty to holds that few connections prove where the acknowledgment that ended
// them was as late as the host's timer makes others, and takes it where it was not.
func (t *timers) judge(j *judge) {
	for key, g := range j.groups {
		if key.rule != nagleDelayedAck.Name || g.confidence != report.ConfidenceMedium ||
			len(g.lateness) == 0 {
			continue
		}
		receiver := key.pair.Server.Addr()
		if key.cause == nagleDelayedAck.Causes[reassembly.FromServer].Code {
			receiver = key.pair.Client
		}
		delays := t.hosts.has(alone(receiver))
		if delays == nil {
			continue
		}
		timer, known := delackTimer(*delays)
		switch near := slices.ContainsFunc(g.lateness, func(d time.Duration) bool { return nearTimer(d, timer) }); {
		case known && near:
			g.confidence = report.ConfidenceHigh
		case known:
			g.confidence = report.ConfidenceLow
		}
	}
}

// unheard is what the claims of a finding say of timers that fired before an acknowledgment came.
type unheard struct {
	count  int              // of such claims
	others int              // claims that rest on more than that
	most   [2]time.Duration // the longest wait, by sender
}

// add takes in claim c.
func (u *unheard) add(c *claim) {
	if c.unheard == [2]time.Duration{} {
		u.others += 1 + c.also
		return
	}
	u.count++
	for d, wait := range c.unheard {
		u.most[d] = max(u.most[d], wait)
	}
}

// doubt makes timeouts mere possibilities where all may have been impatience: the receiver's host
// has acknowledged as late as that what did arrive. Nothing tells then whether a segment or only
// its acknowledgment was missing.
func (t *timers) doubt(j *judge) {
	for key, g := range j.groups {
		if key.rule != retransmissionTimeout.Name || g.unheard.count == 0 || g.unheard.others > 0 {
			continue
		}
		// who acknowledges what the client and the server send
		hosts := [2]netip.Addr{key.pair.Server.Addr(), key.pair.Client}
		late := true
		for d, wait := range g.unheard.most {
			if wait == 0 {
				continue
			}
			delays := t.hosts.has(alone(hosts[d]))
			late = late && delays != nil && len(*delays) > 0 && wait <= latest(*delays)+g.rtt
		}
		if late {
			g.confidence, g.most, g.cost.Low = report.ConfidenceLow, min(g.most, report.Low), 0
			g.further = "The host that was to acknowledge it delays acknowledgments as long as the timer waited: it may have had the segment, and then the " +
				"repetition was needless and cost nothing."
		}
	}
}

// latest is how late a host's acknowledgments may be, by some of its delays. Those of a timer
// agree; where a clock ticks for all connections (4.4BSD, lwIP) they are anything up to its period,
// and that is more than the longest of few.
func latest(delays []time.Duration) time.Duration {
	most := slices.Max(delays)
	if _, fixed := delackTimer(delays); fixed {
		return most
	}
	return most + most/time.Duration(len(delays))
}

// delackTimer is what the delays say of a host's timer: the middle one, if two thirds are within a
// third of it; false if they say nothing. Four are needed: one of them may belong to the hold that
// is to be judged.
func delackTimer(delays []time.Duration) (time.Duration, bool) {
	if len(delays) < 4 {
		return 0, false
	}
	sorted := slices.Clone(delays)
	slices.Sort(sorted)
	middle := sorted[len(sorted)/2]
	near := 0
	for _, d := range sorted {
		if nearTimer(d, middle) {
			near++
		}
	}
	return middle, near*3 >= len(sorted)*2
}

// nearTimer reports whether a delay may be that of a timer: timers are late by a tick or two, never
// much early.
func nearTimer(d, timer time.Duration) bool { return d*4 >= timer*3 && d*3 <= timer*4 }
