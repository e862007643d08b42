package reassembly

import "time"

// move puts an entry at the end of a list: it was just used.
func (t *Table) move(i int32, list uint8) {
	if e := &t.entries[i]; e.list == list && t.tail[list] == i {
		return
	}
	t.unlink(i)
	e := &t.entries[i]
	e.list, e.next, e.prev = list, -1, t.tail[list]
	if e.prev >= 0 {
		t.entries[e.prev].next = i
	} else {
		t.head[list] = i
	}
	t.tail[list] = i
	t.count[list]++
}

// unlink takes an entry out of its list.
func (t *Table) unlink(i int32) {
	e := &t.entries[i]
	if e.list == lists {
		return
	}
	if e.prev >= 0 {
		t.entries[e.prev].next = e.next
	} else {
		t.head[e.list] = e.next
	}
	if e.next >= 0 {
		t.entries[e.next].prev = e.prev
	} else {
		t.tail[e.list] = e.prev
	}
	t.count[e.list]--
	e.list, e.next, e.prev = lists, -1, -1
}

// age hands back the connections that were silent for too long, and those that are too many, the longest silent first.
func (t *Table) age() {
	t.ageList(listEmbryo, idleEmbryo, t.limits.Embryos)
	t.ageList(listClosed, idleClosed, t.limits.Closed)
	t.ageList(listOpen, idleOpen, t.limits.Open-min(t.count[listClosed], t.limits.Open/2))
	for t.count[listFinished] > 0 {
		i := t.head[listFinished]
		if t.count[listFinished] <= t.limits.Finished && t.now-t.entries[i].last <= rememberFor {
			return
		}
		t.remove(i)
	}
}

// ageList hands back from one list. A connection that goes only to make room is counted.
func (t *Table) ageList(list uint8, idle time.Duration, most int) {
	for t.count[list] > 0 {
		i := t.head[list]
		e := &t.entries[i]
		aged := t.now-e.last > idle
		if !aged && t.count[list] <= most {
			return
		}
		if !aged && list != listClosed {
			t.evicted++
		}
		t.handBack(i)
	}
}

// handBack ends the connection of an entry, which keeps its number for a while.
func (t *Table) handBack(i int32) {
	e := &t.entries[i]
	if e.conn != nil {
		t.over = append(t.over, e.conn)
		e.conn = nil
	}
	t.move(i, listFinished)
}
