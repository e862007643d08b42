package sender

import (
	"slices"
	"time"
)

// IDRun is packets that one host sent on one connection, whose IP identifications follow each other
// with none missing between them.
type IDRun struct {
	First, Last uint16        // identifications
	From, To    time.Duration // when the first and the last passed
}

// IDGap is identifications that are missing on one connection of a host, between two packets of
// which one has First and the other Last.
type IDGap struct {
	IDRun
	Stride int16 // from one packet of the connection to the next; never 0
}

// has reports whether an identification is one of those that are missing.
func (g *IDGap) has(id uint16) bool {
	whole, part := int(int16(g.Last-g.First)), int(int16(id-g.First))
	if whole < 0 {
		whole, part = -whole, -part
	}
	return part > 0 && part < whole && part%int(g.Stride) == 0
}

// Compare tells whether a run of another connection of the same host has only identifications that
// are missing, in just that time, or has any other then, so that the two have no counter in common.
// Neither: it says nothing.
//
// Of one counter that both have, a run ends where the other connection takes a number: none goes on
// past an end of the gap.
func (g *IDGap) Compare(r IDRun) (fills, contradicts bool) {
	if r.To <= g.From || r.From >= g.To {
		return false, false
	}
	fills = r.From > g.From && r.To < g.To && g.has(r.First) && g.has(r.Last)
	return fills, !fills
}

// maxIDRuns is how many runs of one direction are kept until they are taken; beyond it the latest.
const maxIDRuns = 32

// idRuns are the runs of one direction that have not been taken: those that have ended, and the one
// that goes on, if any.
type idRuns struct {
	ended []IDRun
	now   IDRun
	going bool
}

// add takes note of a packet, or of several that came as one with the first of first, the last of
// last. follows says that none is missing before them.
func (a *idRuns) add(first, last uint16, at time.Duration, follows bool) {
	if !a.going || !follows {
		a.end()
		a.now, a.going = IDRun{First: first, From: at}, true
	}
	a.now.Last, a.now.To = last, at
}

// end ends the run that goes on.
func (a *idRuns) end() {
	if !a.going {
		return
	}
	if len(a.ended) == maxIDRuns {
		a.ended = slices.Delete(a.ended, 0, maxIDRuns/2)
	}
	a.ended, a.going = append(a.ended, a.now), false
}

// take are the runs that have ended since it was last asked.
func (a *idRuns) take() []IDRun {
	if len(a.ended) == 0 {
		return nil
	}
	out := slices.Clone(a.ended)
	a.ended = a.ended[:0]
	return out
}
