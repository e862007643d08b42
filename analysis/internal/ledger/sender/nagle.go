package sender

import (
	"slices"
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// maxAppDelays is how many direct observations of an application's second write are kept per
// direction.
const maxAppDelays = 64

// Nagle is what a sender has shown of Nagle's algorithm (RFC 896): what happened each time a small
// segment followed a small one in the same message.
type Nagle struct {
	small smallSegment
	tails nagleTails

	prompt          int // left before the ACK could be known: the algorithm was off then
	promptAfterHeld int
	held            int           // left as soon as the ACK was known
	late            int           // left clearly later: the application itself wrote late
	least           time.Duration // shortest hold: the application took no longer than that
	ended           heldAcks      // the ACKs that ended holds
	recovered       int           // of those, prompt ones behind one that a timer made late
	// how long the application took between the writes, where that can be seen
	waits []time.Duration
}

// smallSegment is the last segment that was smaller than the effective MSS: what Nagle's algorithm
// waits for (in Minshall's form).
type smallSegment struct {
	capture.Mark
	end      int64 // offset after it
	size     uint32
	valid    bool         // there was one
	answered bool         // the peer sent data since: what followed may have been caused by that
	acked    bool         // the sender knows of an ACK that covers it
	pure     bool         // that ACK carried no data
	ack      capture.Mark // that ACK
	octets   int64        // that it acknowledged
	headers  bool         // it ends where the header section ends
	probe    bool         // a timer may have sent it, whatever Nagle's algorithm says
}

// acknowledge takes note of a, which the sender has heard of and which acknowledges so many octets,
// and reports whether it is the first to cover the segment.
func (k *smallSegment) acknowledge(a *reassembly.Record, octets int64) bool {
	if !k.valid || k.acked || a.Ack < k.end {
		return false
	}
	k.acked, k.pure, k.ack, k.octets = true, a.PureAck(), a.Mark(), octets
	return true
}

// sent takes note of new data whose end is small. headers tells that a header section ends with it,
// probe that a timer may have sent it.
func (n *Nagle) sent(r *reassembly.Record, headers, probe bool) {
	n.small = smallSegment{
		Mark:    r.Mark(),
		end:     r.Seq + int64(r.Len),
		size:    r.Len,
		valid:   true,
		headers: headers,
		probe:   probe,
	}
}

// NagleTally is what a connection showed of Nagle's algorithm in one direction: how many small
// segments were held, left at once, or left late.
type NagleTally struct {
	Held, Prompt, Late int
	// Waited are holds that ended with an ACK which a timer could have delayed, Delayed those of
	// them of which one did, and Surely those of which that rests on no estimate.
	Waited, Delayed, Surely int
	Recovered               int           // of Waited, prompt ones behind one that was late
	Least                   time.Duration // shortest hold; 0 if there was none
}

// lateParts: a receiver that delays its acknowledgments delays those of lone small segments, but
// for the first few of a connection: one of so many parts of them at least (reasoning; Linux
// acknowledges up to 16 segments at once first, net/ipv4/tcp_input.c, tcp_incr_quickack).
const lateParts = 4

// NoTimer reports whether no ACK that ended a hold was late by more than the path explains.
func (t *NagleTally) NoTimer() bool { return t.Waited > 0 && t.Delayed == 0 }

// ByTimer reports whether it is for a timer that the holds took as long as they did.
func (t *NagleTally) ByTimer() bool { return t.Delayed > 0 && t.Delayed*lateParts >= t.Waited }

// Apart reports whether the late ACKs explain no hold that a prompt one ended: a receiver that
// delays acknowledgments begins with prompt ones, and has gone back to them.
func (t *NagleTally) Apart() bool { return t.Recovered > 0 && t.Recovered >= t.Delayed }

// Add adds another connection's evidence.
func (t *NagleTally) Add(o NagleTally) {
	t.Held, t.Prompt = t.Held+o.Held, t.Prompt+o.Prompt
	t.Late, t.Waited = t.Late+o.Late, t.Waited+o.Waited
	t.Delayed, t.Surely = t.Delayed+o.Delayed, t.Surely+o.Surely
	t.Recovered += o.Recovered
	if o.Held > 0 && (t.Least == 0 || o.Least < t.Least) {
		t.Least = o.Least
	}
}

// Tally is the evidence so far.
func (n *Nagle) Tally() NagleTally {
	delayed, surely := n.ended.delayed()
	return NagleTally{n.held, n.prompt, n.late, len(n.ended.took), delayed, surely,
		n.recovered, n.least}
}

// HoldsTails reports whether Nagle's algorithm as RFC 896 has it is what holds ends of messages, by
// all that the sender has shown.
func (n *Nagle) HoldsTails() bool { return n.tails.classic() }

// Tails is how many small ends of messages behind full segments were held, and perhaps were.
func (n *Nagle) Tails() int { return n.tails.held + n.tails.sizes }

const (
	// heldOften is how many holds outweigh one segment that left at once, before the option
	// changed, and heldPercent what part of all that could be held must have been, as an
	// application that happens to write when an ACK comes does so now and then. heldTwice is no
	// accident any more. All of these rest on reasoning.
	heldOften   = 3
	heldPercent = 60
	heldTwice   = 2
)

// Contradicted reports whether what was seen says that the algorithm is off, or that the
// application decides when it sends: small segments left with one unacknowledged, or most left
// late.
func (n *Nagle) Contradicted() bool {
	return n.promptAfterHeld > 0 || n.prompt > 1 || n.prompt == 1 && n.held < heldOften ||
		n.held*100 < (n.held+n.late)*heldPercent
}

// Repeated reports whether there are holds enough to be no accident.
func (n *Nagle) Repeated() bool { return n.held >= heldTwice }

// Once reports whether there was a single hold, and nothing that speaks for it or against it.
func (n *Nagle) Once() bool { return n.held == 1 && n.prompt == 0 && n.late == 0 }

// shorter are those of waits that were shorter than limit.
func shorter(waits []time.Duration, limit time.Duration) (out []time.Duration) {
	for _, w := range waits {
		if w < limit {
			out = append(out, w)
		}
	}
	return out
}

// A few observations, fewer than spreadKnown, say little of the spread: it is taken to be one of
// spreadParts at least (reasoning).
const (
	spreadKnown = 4
	spreadParts = 10
)

// AppDelay estimates how long the application itself took before a write that was held for as long
// as given. known tells that it was observed where the write came after the ACK; else it is at most
// most. What took it longer than the hold now and then was not so here.
func (n *Nagle) AppDelay(hold time.Duration) (typical, spread, most time.Duration, known bool) {
	waits := shorter(n.waits, hold)
	if len(waits) == 0 {
		return 0, 0, n.least, false
	}
	slices.Sort(waits)
	typical = waits[len(waits)/2]
	for i, v := range waits {
		waits[i] = max(v-typical, typical-v)
	}
	slices.Sort(waits)
	spread = waits[len(waits)/2]
	if len(waits) < spreadKnown {
		spread = max(spread, typical/spreadParts)
	}
	return typical, spread, 0, true
}
