package reassembly

import "time"

// quietFor is how long a connection must have been silent for an exchange that is over to be handed
// on before the next segment. Most timeouts that repeat a lost tail have fired by then (RFC 6298
// §5, Linux: 200 ms and a round trip). It also bounds how long after its end a live capture waits
// to tell of an exchange.
const quietFor = 500 * time.Millisecond

// noMoment says that the sink is called about the segment in hand.
const noMoment = -1

// Settle hands on the exchanges that are due before the given moment, in the time of the capture,
// because their connections have been silent. It changes nothing but when: a segment that comes
// later finds them handed on just the same.
func (t *Tracker) Settle(before time.Duration) {
	for len(t.waits) > 0 && t.waits[0].awaited < before {
		k := t.waits[0]
		t.waits.remove(k)
		t.settled = k.c
		k.settleBefore(before)
		k.await()
	}
	t.settled = nil
}

// Settling is the connection of which Settle is handing on exchanges; nil outside of it.
func (t *Tracker) Settling() *Conn { return t.settled }

// SettleOne does the same for one connection.
func (t *Tracker) SettleOne(c *Conn, before time.Duration) { t.state(c).settleBefore(before) }

// Moment is when the exchange that the sink is being told of was due, if silence made it so;
// negative otherwise.
func (t *Tracker) Moment() time.Duration { return t.moment }

// settleBefore hands on the exchanges that were due before the given moment.
func (k *track) settleBefore(moment time.Duration) {
	for {
		i, due := k.firstDue()
		if i < 0 || due >= moment {
			return
		}
		k.t.moment = due
		k.handOn(i)
		k.t.moment = noMoment
	}
}

// firstDue is which of the exchanges that are over is handed on first if the connection stays
// silent, and when; -1 if none is over.
func (k *track) firstDue() (first int, due time.Duration) {
	first = -1
	waits := false // one without a stream: those after it come after it
	for i := range k.over {
		x := &k.over[i]
		if x.Stream == 0 && waits {
			continue
		}
		waits = waits || x.Stream == 0
		if at := k.due(x); first < 0 || at < due {
			first, due = i, at
		}
	}
	return first, due
}

// due is when an exchange that is over is handed on if its connection stays silent.
func (k *track) due(x *overExchange) time.Duration {
	quiet := quietFor
	if k.unconfirmed(x) {
		// The repair of a lost tail is still to come. A timer waits a second at first (RFC 6298
		// §2.1), three on old stacks (RFC 1122 §4.2.3.1), and then twice as long each time; a
		// quarter more is room for a late timer.
		quiet = min(rtoMax, max(rtoOld*5/4, (k.now-x.end)*5/2))
	}
	return max(x.end+max(2*k.roundTrip(), settleMin), k.now+quiet)
}

// await notes when the first exchange is due, unless it is known to be no sooner than was noted
// before.
func (k *track) await() {
	if first, due := k.firstDue(); first >= 0 && (k.slot == 0 || due < k.awaited) {
		k.awaited = due
		k.t.waits.place(k)
	}
}

// waitHeap is a binary heap of the connections that have exchanges to hand on: that of which it is
// due the soonest comes first, of equals the one with the lower number. Each knows its slot, so
// that one that is due sooner than before moves, and one that is over goes: nothing holds what was
// known of it.
type waitHeap []*track

func (k *track) before(o *track) bool {
	return k.awaited < o.awaited || k.awaited == o.awaited && k.c.ID < o.c.ID
}

// place puts a connection where it belongs, whose due moment is new, or sooner than it was.
func (h *waitHeap) place(k *track) {
	if k.slot == 0 {
		*h = append(*h, k)
		k.slot = len(*h)
	}
	h.up(k.slot - 1)
}

// remove takes out a connection that is in it.
func (h *waitHeap) remove(k *track) {
	q, i, n := *h, k.slot-1, len(*h)-1
	h.swap(i, n)
	q[n], *h = nil, q[:n]
	k.slot = 0
	if i < n {
		h.up(i)
		h.down(i)
	}
}

func (h *waitHeap) up(i int) {
	for q := *h; i > 0 && q[i].before(q[(i-1)/2]); i = (i - 1) / 2 {
		h.swap(i, (i-1)/2)
	}
}

func (h *waitHeap) down(i int) {
	for q := *h; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(q); child++ {
			if q[child].before(q[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		h.swap(i, least)
		i = least
	}
}

func (h *waitHeap) swap(i, j int) {
	q := *h
	q[i], q[j] = q[j], q[i]
	q[i].slot, q[j].slot = i+1, j+1
}
