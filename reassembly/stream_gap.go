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

// unseen is what the peer of a side has acknowledged and the capture has not shown.
type unseen struct {
	// the acknowledgment that was the first ahead of the frontier; zero: none is
	at capture.Mark
	// up to where the peer had sent its own stream before it acknowledged something new last
	sent int64
}

// open reports whether there is some.
func (u *unseen) open() bool { return u != nil && u.at.Frame != 0 }

// miss notes up to where the peer had sent as it acknowledged what has not been seen.
func (d *side) miss(sent int64) {
	if d.unseen == nil {
		d.unseen = &unseen{}
	}
	d.unseen.sent = sent
}

// found says that nothing is unseen any more.
func (d *side) found() {
	if d.unseen != nil {
		d.unseen.at = capture.Mark{}
	}
}

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
		had := h.Una >= to
		if n := to - h.Frontier; n > 0 {
			from, came := h.Frontier, at
			if had {
				came = k.cameBy(dir, at)
			}
			h.Missing += n
			h.Frontier = to
			h.Max = max(h.Max, to)
			k.c.Caveats.Add(CaveatMissing)
			k.hist.gap(dir)
			k.ensureReader(at).Gap(dir, from, n, k.arrival(came, came))
		}
		k.flush(dir, at, !had)
	}
}

// cameBy is the first sign that the octets at dir's frontier, which the capture lacks, had passed:
// what followed them, or the acknowledgment of a response. When a request was sent its
// acknowledgment does not tell.
func (k *track) cameBy(dir Dir, at capture.Mark) capture.Mark {
	d := &k.side[dir]
	if dir == FromServer && d.unseen.open() {
		at = d.unseen.at
	}
	if len(d.stream.pend) > 0 && d.stream.pend[0].seen.Time < at.Time {
		at = d.stream.pend[0].seen
	}
	return at
}

// giveUpAcked gives up all that dir's peer has acknowledged. What is asked comes before what
// answers it: of the client's stream, what is acknowledged and followed by more goes first.
func (k *track) giveUpAcked(dir Dir, at capture.Mark) {
	up := &k.c.Half[FromClient]
	if pend := k.side[FromClient].stream.pend; dir == FromServer && len(pend) > 0 {
		k.giveUp(FromClient, min(up.Una, pend[len(pend)-1].hi), at)
		if up.Una <= up.Frontier {
			k.side[FromClient].found()
		}
	}
	k.giveUp(dir, k.c.Half[dir].Una, at)
	k.side[dir].found()
}

// passed gives up octets as soon as it is certain that they will not turn up: e acknowledges what
// the peer sent with their acknowledgment, or after it, so that its sender sent it after them, and
// each direction is captured in its order. Of a missing request nothing is made before more is
// asked, as only that is a frame of the client's to show.
func (k *track) passed(e *segment) {
	h, d := &k.c.Half[e.dir], &k.side[e.dir]
	if e.dir == FromClient && e.seg.Len == 0 && len(d.stream.pend) == 0 {
		return
	}
	if d.unseen.open() && e.hasAck && e.ack > d.unseen.sent && h.Una > h.Frontier &&
		e.seq > h.Frontier {
		k.giveUpAcked(e.dir, e.at)
	}
}

// asked gives up what the capture lacks of what the client asked before what answers that is read:
// e has data of the server, which had what was captured behind the hole.
func (k *track) asked(e *segment) {
	up, pend := &k.c.Half[FromClient], k.side[FromClient].stream.pend
	if e.dir != FromServer || e.seg.Len == 0 || len(pend) == 0 || up.Una <= pend[0].lo {
		return
	}
	k.giveUp(FromClient, min(up.Una, pend[len(pend)-1].hi), e.at)
	if up.Una <= up.Frontier {
		k.side[FromClient].found()
	}
}

// holes gives up octets that the capture will not show any more: those that the peer has
// acknowledged, once the slack is over, and those of a capture of one direction.
func (k *track) holes(dir Dir, at capture.Mark) {
	h, d := &k.c.Half[dir], &k.side[dir]
	if h.Una > h.Frontier {
		switch {
		case d.unseen == nil:
			d.miss(k.c.Half[dir.Peer()].Max)
			d.unseen.at = at
		case !d.unseen.open():
			d.unseen.at = at
		case at.Time-d.unseen.at.Time > unseenSlack:
			k.giveUpAcked(dir, at)
		}
		return
	}
	if d.unseen.open() { // they had only been captured late
		k.c.Crossed = max(k.c.Crossed, at.Time-d.unseen.at.Time, 1)
		if k.c.Crossed >= crossedFrom {
			k.c.Caveats.Add(CaveatCrossed)
		}
	}
	d.found()
	if len(d.stream.pend) > 0 && k.c.Half[dir.Peer()].Segments == 0 {
		first := &d.stream.pend[0]
		if h.Max-first.lo > giveUpBytes || at.Time-first.seen.Time > giveUpAfter {
			k.c.Caveats.Add(CaveatOneSided)
			k.giveUp(dir, first.lo, at)
		}
	}
}
