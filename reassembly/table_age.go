package reassembly

import "time"

// move puts an entry at the end of a list.
func (t *Table) move(i int32, list uint8) {
	t.unlink(i)
	e := t.at(i)
	e.list, e.next, e.prev, e.moved = list, -1, t.tail[list], t.now
	if e.prev >= 0 {
		t.at(e.prev).next = i
	} else {
		t.head[list] = i
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

// ageEvery is how often idle entries are looked for. It costs little, but not nothing, for each segment.
const ageEvery = 50 * time.Millisecond

// age hands back the connections that were silent for too long, and those that are too many, the longest silent first.
func (t *Table) age() {
	full := t.count[listEmbryo] > t.limits.Embryos || t.count[listFinished] > t.limits.Finished ||
		t.count[listClosed] > t.limits.Closed || t.count[listOpen] > t.limits.Open
	if t.now < t.due && !full {
		return
	}
	t.due = t.now + ageEvery
	t.ageList(listEmbryo, idleEmbryo, t.limits.Embryos)
	t.ageList(listClosed, idleClosed, t.limits.Closed)
	t.ageList(listOpen, idleOpen, t.limits.Open)
	t.ageList(listFinished, rememberFor, t.limits.Finished)
}

// ageList takes entries from the head of a list. All behind the head were put there later. One that was used since
// goes back to the end; of those that are too many only some get this second chance, so that the work stays bounded.
func (t *Table) ageList(list uint8, idle time.Duration, most int) {
	for chances := 8; t.count[list] > 0; {
		i := t.head[list]
		e := t.at(i)
		crowded := t.count[list] > most
		if t.now-e.moved <= idle && !crowded {
			return
		}
		aged := t.now-e.last > idle
		switch {
		case !aged && (!crowded || chances > 0 && e.last > e.moved):
			chances--
			t.move(i, list)
		case list == listFinished:
			t.remove(i)
		default:
			if !aged && list != listClosed {
				t.evicted++
			}
			t.handBack(i)
			if t.now-e.last > rememberFor {
				t.remove(i)
			}
		}
	}
}

// handBack ends the connection of an entry, which keeps its number for a while.
func (t *Table) handBack(i int32) {
	e := t.at(i)
	if e.conn != nil {
		t.over = append(t.over, e.conn)
		e.conn = nil
	}
	t.move(i, listFinished)
}
