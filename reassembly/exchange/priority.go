package exchange

import "slices"

// Priority is how a client asks for a response to be sent beside others (RFC 9218 §4). Its zero
// value is what is meant where nothing is said.
type Priority struct {
	// Later is the urgency less the default one, 3: -3 is the most urgent, 4 the least.
	Later int8
	// Incremental says that the client makes use of it part by part, so that several of the same
	// urgency may share the connection.
	Incremental bool
}

// defaultUrgency is that of requests that name none (RFC 9218 §4.1).
const defaultUrgency = 3

// UrgencyOf is the priority with an urgency from 0 to 7.
func (p Priority) UrgencyOf(urgency int) Priority {
	p.Later = int8(urgency - defaultUrgency)
	return p
}

// Urgency is from 0, the most urgent, to 7.
func (p Priority) Urgency() int { return int(p.Later) + defaultUrgency }

// Ahead reports whether a response of priority p goes before one of priority o, and was asked for
// earlier or not: the more urgent goes first, and of the same urgency, whole, what was asked for
// first (RFC 9218 §10).
func (p Priority) Ahead(o Priority, earlier bool) bool {
	if p.Later != o.Later {
		return p.Later < o.Later
	}
	return earlier && !p.Incremental
}

// Wish is what a client said of the priority of one exchange.
type Wish struct {
	// what it said with the request or before, and what it said last (PRIORITY_UPDATE, RFC 9218 §7)
	First, Last Priority
	Said        bool // it did say something: else it is the default
}

// Ahead reports whether the response goes before that of o, by what was said at any time.
func (w Wish) Ahead(o Wish, earlier bool) bool {
	return w.First.Ahead(o.First, earlier) || w.Last.Ahead(o.Last, earlier)
}

// Wishes are what a client said of the priorities of its exchanges on a connection, those that
// began last.
type Wishes struct {
	all  []wishOf // in the order of the exchanges
	from int      // of exchanges before this one nothing is kept
	any  bool
}

// wishOf is that for an exchange.
type wishOf struct {
	Wish
	index   int
	unknown bool // the capture lacks it
}

// maxWishes is how many are kept.
const maxWishes = 512

// Begin notes what the client said of an exchange with its request: none began later. Where the
// capture lacks that, known is false.
func (w *Wishes) Begin(index int, wish Wish, known bool) {
	w.any = w.any || wish.Said
	if known && !wish.Said {
		return
	}
	if len(w.all) >= maxWishes {
		w.all = slices.Delete(w.all, 0, maxWishes/2)
		w.from = w.all[0].index
	}
	w.all = append(w.all, wishOf{wish, index, !known})
}

// Update notes what the client said of an exchange that had begun.
func (w *Wishes) Update(index int, p Priority) {
	w.any = true
	i, found := w.find(index)
	if !found {
		if index < w.from || len(w.all) >= maxWishes {
			return
		}
		w.all = slices.Insert(w.all, i, wishOf{index: index})
	}
	w.all[i].Last, w.all[i].Said = p, true
}

// find is where that of an exchange is, or would be.
func (w *Wishes) find(index int) (int, bool) {
	return slices.BinarySearchFunc(w.all, index, func(o wishOf, i int) int { return o.index - i })
}

// Of is what the client said of an exchange; false if that is not known.
func (w *Wishes) Of(index int) (Wish, bool) {
	if index < w.from {
		return Wish{}, false
	}
	if i, found := w.find(index); found {
		return w.all[i].Wish, !w.all[i].unknown
	}
	return Wish{}, true
}

// Any reports whether the client said anything of priorities: if not, no order is what it asked
// for, as it may not know of them.
func (w *Wishes) Any() bool { return w.any }
