package reassembly

import (
	"time"

	"tcpwhy/capture"
)

// When octets are missing for good.

const (
	// giveUpBytes and giveUpAfter bound the wait for octets that nothing acknowledges because the
	// capture shows only one direction: no sender leaves a hole open for longer without sending it
	// again, unless it has stopped altogether.
	giveUpBytes = 64 << 10
	giveUpAfter = time.Second
	// unseenSlack is how long octets that the peer has acknowledged may still turn up: several
	// capture queues do not keep the order among each other, and are drained within milliseconds.
	unseenSlack = 10 * time.Millisecond
	// crossedFrom is by how much one direction must be late for its times to be called so: queues
	// that are drained by turns are late by less.
	crossedFrom = time.Millisecond
)

// giveUp counts the octets from the frontier to off as missing from the capture and delivers what
// follows.
func (k *track) giveUp(dir Dir, off int64, at capture.Mark) {
	h, s := &k.c.Half[dir], &k.side[dir].stream
	if s.hasFin {
		off = min(off, s.fin)
	}
	for h.Frontier < off && !s.over {
		to := off
		if len(s.pend) > 0 {
			to = min(to, s.pend[0].lo)
		}
		if n := to - h.Frontier; n > 0 {
			from := h.Frontier
			h.Missing += n
			h.Frontier = to
			h.Max = max(h.Max, to)
			k.c.Caveats.Add(CaveatMissing)
			k.hist.gap(dir)
			k.ensureReader(at).Gap(dir, from, n, k.arrival(at, at))
		}
		k.flush(dir, at)
	}
}

// holes gives up octets that the capture will not show any more: those that the peer has
// acknowledged, once the slack is over, and those of a capture of one direction.
func (k *track) holes(dir Dir, at capture.Mark) {
	h, d := &k.c.Half[dir], &k.side[dir]
	if h.Una > h.Frontier {
		switch {
		case d.unseenAt < 0:
			d.unseenAt = at.Time
		case at.Time-d.unseenAt > unseenSlack:
			k.giveUp(dir, h.Una, at)
			d.unseenAt = -1
		}
		return
	}
	if d.unseenAt >= 0 { // they had only been captured late
		k.c.Crossed = max(k.c.Crossed, at.Time-d.unseenAt, 1)
		if k.c.Crossed >= crossedFrom {
			k.c.Caveats.Add(CaveatCrossed)
		}
	}
	d.unseenAt = -1
	if len(d.stream.pend) > 0 && k.c.Half[dir.Peer()].Segments == 0 {
		first := &d.stream.pend[0]
		if h.Max-first.lo > giveUpBytes || at.Time-first.seen.Time > giveUpAfter {
			k.c.Caveats.Add(CaveatOneSided)
			k.giveUp(dir, first.lo, at)
		}
	}
}
