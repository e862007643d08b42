package ledger

import (
	"slices"

	"tcpwhy/reassembly/exchange"
)

// What flow control of HTTP/2 (RFC 9113 §5.2) lets a sender have in flight, whatever else holds it
// back: its peer lets it send more as what it has sent arrives.

// Allowed is how much flow control lets a sender have in flight from a place of a message on.
type Allowed struct {
	From int64 // octets of the message before that place
	Most int64 // octets of the connection; 0: no limit
	// Step is how many octets each word of the peer let go, the fewest on average: it spoke up when
	// it had received as many.
	Step int64
}

const (
	// maxAllowed caps how many places are told apart in one message, for each kind of window.
	maxAllowed = 32
	// allowedParts: what differs by less than one of so many parts is the same: a receiver speaks
	// up for each so many octets, and frames end where they end.
	allowedParts = 8
	// freeTimes: a receiver speaks up before all is used that it had allowed; behind so many times
	// of that without a word nothing was kept back.
	freeTimes = 2
	// maxWords caps of how many streams the latest word is kept; of more the oldest goes.
	maxWords = 64
)

// allowedIn is that of the octets of r, which one side sent: of what let its frames go, how far
// each was from what its peer had received when it said so. nil where that kept back no frame.
func allowedIn(freed *exchange.FreedFrames, r exchange.Range) []Allowed {
	var streams, all words
	for _, f := range freed.Within(r) {
		w := word{owner: f.Owner, at: f.At - r.From, had: f.Had - r.From}
		switch {
		case f.Had <= 0 || w.had > w.at:
			// not known, or seen from so far that what was sent then had not passed
		case f.Of == exchange.OfConnection:
			w.owner = exchange.NoExchange
			all.add(w)
		default:
			streams.add(w)
		}
	}
	octets := r.To - r.From
	return lesser(streams.close(octets), all.close(octets))
}

// word is a receiver's word that its peer may send more, and the first frame that it let go.
type word struct {
	owner int   // Index of the exchange; exchange.NoExchange: of the connection
	at    int64 // octets of the message before the frame
	had   int64 // how many the receiver had then
}

// words are those about streams, or about the connection, and what they allowed.
type words struct {
	latest []word  // one of each owner
	bin    Allowed // the most within as many octets, and all steps; nothing may be in it
	count  int64   // of those steps
	list   []Allowed
}

// add takes the next word: with it ends what the one before had let go.
func (b *words) add(w word) {
	for i := range b.latest {
		before := &b.latest[i]
		switch {
		case before.owner != w.owner:
		case before.had == w.had:
			return // the same, or at the same time
		default:
			b.note(before.at, w.at-max(before.had, 0), w.at-before.at)
			*before = w
			return
		}
	}
	if len(b.latest) == 0 && w.had > 0 {
		b.note(0, w.at, 0) // what was allowed at first
	}
	if len(b.latest) >= maxWords {
		b.latest = slices.Delete(b.latest, 0, 1)
	}
	b.latest = append(b.latest, w)
}

// note takes what was allowed from a place on, by a word that let go so many octets. Of what was allowed within as many octets as that
// is, the most counts: where a loss had kept back what arrived, the receiver let its peer send all
// of that at once.
func (b *words) note(at, most, step int64) {
	if b.bin.Most <= 0 || at >= b.bin.From+b.bin.Most {
		b.next()
		b.bin, b.count = Allowed{From: at}, 0
	}
	b.bin.Most = max(b.bin.Most, most)
	b.bin.Step += step
	b.count++
}

// next ends the octets in hand.
func (b *words) next() {
	n := len(b.list)
	if b.bin.Most <= 0 {
		return
	}
	b.bin.Step /= b.count
	if n > 0 {
		last := &b.list[n-1]
		differ := max(b.bin.Most, last.Most) - min(b.bin.Most, last.Most)
		if n >= maxAllowed || differ*allowedParts < last.Most {
			last.Most = max(last.Most, b.bin.Most)
			last.Step = lesserOf(last.Step, b.bin.Step)
			return
		}
	}
	b.list = append(b.list, b.bin)
}

// close gives what they allowed in a message of so many octets. Long behind the latest word nothing
// was kept back.
func (b *words) close(octets int64) []Allowed {
	b.next()
	var latest int64
	for _, w := range b.latest {
		latest = max(latest, w.at)
	}
	if n := len(b.list); n > 0 && octets-latest > freeTimes*b.list[n-1].Most {
		b.list = append(b.list, Allowed{From: latest + b.list[n-1].Most})
	}
	return b.list
}

// lesser is what both allow.
func lesser(a, b []Allowed) (out []Allowed) {
	var of [2]Allowed
	for len(a)+len(b) > 0 {
		next, i := &a, 0
		if len(a) == 0 || len(b) > 0 && b[0].From < a[0].From {
			next, i = &b, 1
		}
		of[i], *next = (*next)[0], (*next)[1:]
		both := of[0]
		if lesserOf(of[0].Most, of[1].Most) != both.Most {
			both = of[1]
		}
		both.From = of[i].From
		if n := len(out); n == 0 || out[n-1].Most != both.Most {
			out = append(out, both)
		}
	}
	return out
}

// lesserOf is the lesser of two, of which 0 is none.
func lesserOf(a, b int64) int64 {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}
