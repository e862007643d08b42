package reassembly

import (
	"math"
	"time"
)

// never is after every moment.
const never = time.Duration(math.MaxInt64)

// move puts an entry at the end of a list.
func (t *Table) move(i int32, list uint8) { t.moveAt(i, list, t.now) }

// moveAt does the same as of a moment since which no entry was put into any list.
func (t *Table) moveAt(i int32, list uint8, at time.Duration) {
	t.unlink(i)
	e := t.at(i)
	e.list, e.next, e.prev, e.moved = list, -1, t.tail[list], at
	if e.prev >= 0 {
		t.at(e.prev).next = i
	} else {
		t.head[list] = i
		t.due = min(t.due, t.dueOf(list))
	}
	t.tail[list] = i
	t.count[list]++
}

// unlink takes an entry out of its list.
func (t *Table) unlink(i int32) {
	e := t.at(i)
	if e.list == lists {
		return
	}
	if e.prev >= 0 {
		t.at(e.prev).next = e.next
	} else {
		t.head[e.list] = e.next
	}
	if e.next >= 0 {
		t.at(e.next).prev = e.prev
	} else {
		t.tail[e.list] = e.prev
	}
	t.count[e.list]--
	e.list, e.next, e.prev = lists, -1, -1
}

// idleOf is how long an entry may stay in a list.
func idleOf(list uint8) time.Duration {
	switch list {
	case listEmbryo:
		return idleEmbryo
	case listOpen:
		return idleOpen
	case listClosed:
		return idleClosed
	case listDone:
		return idleDone
	}
	return rememberFor
}

// dueOf is when the first entry of a list has stayed there long enough.
func (t *Table) dueOf(list uint8) time.Duration {
	if list == listFree || t.head[list] < 0 {
		return never
	}
	return t.at(t.head[list]).moved + idleOf(list)
}

// advance takes the capture on to a moment, gap by gap.
func (t *Table) advance(now time.Duration) {
	for len(t.gaps) > 0 && t.gaps[0].to <= now {
		g := t.gaps[0]
		t.gaps = t.gaps[1:]
		t.reach(g.from)
		t.resumed = true
		t.reach(g.to)
		t.resumed = false
	}
	t.reach(now)
}

// reach takes the capture on to a moment.
func (t *Table) reach(now time.Duration) {
	t.now = max(t.now, now)
	t.age()
}

// age gives up the entries that were silent for too long, in the order of the moments when that
// became so. Nothing here depends on when segments of others come: what is over, and since when, is
// the same if Settle looked before.
func (t *Table) age() {
	for t.now > t.due {
		soonest := uint8(listEmbryo)
		for list := uint8(listOpen); list <= listFinished; list++ {
			if t.dueOf(list) < t.dueOf(soonest) {
				soonest = list
			}
		}
		if t.due = t.dueOf(soonest); t.now > t.due {
			t.expire(t.head[soonest], t.due)
		}
	}
}

// expire looks at an entry that has stayed in its list long enough. If it was used since, it goes
// back to the end. So does an open connection if the capture has nothing of any other either: that
// is no sign that it was idle, but that the capture was interrupted, or the clock set.
func (t *Table) expire(i int32, at time.Duration) {
	e := t.at(i)
	switch {
	case e.list == listFinished:
		t.remove(i)
	case t.resumed && e.list == listOpen:
		t.move(i, listOpen)
	case e.last > e.moved:
		t.moveAt(i, e.list, at)
	default:
		t.handBack(i, at)
		if at-e.last > rememberFor {
			t.remove(i)
		}
	}
}

// Settle hands back the connections that are closed, and have been silent for long enough before
// the given moment, as Assign would do at the next segment, with the same moments. The caller takes
// them from Over.
func (t *Table) Settle(before time.Duration) {
	for _, list := range []uint8{listClosed, listDone} {
		for i := t.head[list]; i >= 0 && t.at(i).moved+idleOf(list) < before; i = t.at(i).next {
			if e := t.at(i); e.conn != nil {
				t.over = append(t.over, ended{e.conn, e.moved + idleOf(list), false})
				e.conn = nil // the entry itself is left to age, which keeps all lists in order
			}
		}
	}
}

// makeRoom gives up entries of lists that are too long, the longest silent first.
func (t *Table) makeRoom() {
	t.shorten(listEmbryo, t.limits.Embryos)
	t.shorten(listClosed, t.limits.Closed)
	t.shorten(listDone, t.limits.Closed)
	t.shorten(listOpen, t.limits.Open)
	t.shorten(listFinished, t.limits.Finished)
}

// shorten takes entries from the head of a list, behind which all were put later. Of those that
// were used since, only some go back to the end, so that the work stays bounded.
func (t *Table) shorten(list uint8, most int) {
	for chances := 8; t.count[list] > most; {
		i := t.head[list]
		e := t.at(i)
		switch {
		case list == listFinished:
			t.remove(i)
		case chances > 0 && e.last > e.moved:
			chances--
			t.move(i, list)
		default:
			if list != listClosed && list != listDone {
				t.evicted++
			}
			t.handBack(i, t.now)
		}
	}
}

// handBack ends the connection of an entry, which keeps its number for a while.
func (t *Table) handBack(i int32, at time.Duration) {
	e := t.at(i)
	if e.conn != nil {
		t.over = append(t.over, ended{e.conn, at, false})
		e.conn = nil
	}
	t.moveAt(i, listFinished, at)
}
