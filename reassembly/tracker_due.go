package reassembly

import "time"

// quietFor is how long a connection must have been silent for an exchange that is over to be handed on before the next
// segment. Most timeouts that repeat a lost tail have fired by then (RFC 6298 §5, Linux: 200 ms and a round trip). It
// also bounds how long after its end a live capture waits to tell of an exchange.
const quietFor = 500 * time.Millisecond

// noMoment says that the sink is called about the segment in hand.
const noMoment = -1

// wait is a connection whose oldest exchange is over, and when that one is to be handed on if nothing more comes.
type wait struct {
	due time.Duration
	c   *Conn
}

// Settle hands on the exchanges that are due before the given moment, in the time of the capture, because their
// connections have been silent. It changes nothing but when: a segment that comes later finds them handed on just the same.
func (t *Tracker) Settle(before time.Duration) {
	for len(t.waits) > 0 && t.waits[0].due < before {
		w := t.waits.pop()
		if k, ok := w.c.track.(*track); ok && k.awaited == w.due {
			k.awaited = 0
			k.settleBefore(before)
			k.await()
		}
	}
}

// SettleOne does the same for one connection.
func (t *Tracker) SettleOne(c *Conn, before time.Duration) { t.state(c).settleBefore(before) }

// Moment is when the exchange that the sink is being told of was due, if silence made it so; negative otherwise.
func (t *Tracker) Moment() time.Duration { return t.moment }

// settleBefore hands on the exchanges that were due before the given moment.
func (k *track) settleBefore(moment time.Duration) {
	for len(k.c.Exchanges) > 0 && k.c.Exchanges[0].Over {
		due := k.due(k.c.Exchanges[0])
		if due >= moment {
			return
		}
		k.t.moment = due
		k.judge()
		k.t.moment = noMoment
	}
}

// due is when an exchange that is over is handed on if its connection stays silent.
func (k *track) due(x *Exchange) time.Duration {
	quiet := quietFor
	if k.unconfirmed(x) {
		// The repair of a lost tail is still to come. A timer waits a second at first (RFC 6298 §2.1), three on old stacks
		// (RFC 1122 §4.2.3.1), and then twice as long each time; a quarter more is room for a late timer.
		quiet = min(rtoMax, max(rtoOld*5/4, (k.now-x.End().Time)*5/2))
	}
	return max(x.End().Time+max(2*k.roundTrip(), settleMin), k.now+quiet)
}

// await notes when the oldest exchange is due, unless it is known to be no sooner than was noted before.
func (k *track) await() {
	if len(k.c.Exchanges) == 0 || !k.c.Exchanges[0].Over {
		return
	}
	due := k.due(k.c.Exchanges[0])
	if k.awaited > 0 && k.awaited <= due {
		return
	}
	k.awaited = due
	k.t.waits.push(wait{due, k.c})
}

// waitHeap is a binary heap: the soonest due comes first, of equals that with the lower number.
type waitHeap []wait

func (w wait) before(v wait) bool { return w.due < v.due || w.due == v.due && w.c.ID < v.c.ID }

func (h *waitHeap) push(w wait) {
	q := append(*h, w)
	i := len(q) - 1
	for i > 0 && q[i].before(q[(i-1)/2]) {
		q[i], q[(i-1)/2] = q[(i-1)/2], q[i]
		i = (i - 1) / 2
	}
	*h = q
}

func (h *waitHeap) pop() wait {
	q := *h
	top := q[0]
	n := len(q) - 1
	q[0], q[n] = q[n], wait{}
	q = q[:n]
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < n; child++ {
			if q[child].before(q[least]) {
				least = child
			}
		}
		if least == i {
			break
		}
		q[i], q[least] = q[least], q[i]
		i = least
	}
	*h = q
	return top
}
