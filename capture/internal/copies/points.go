package copies

// This file keeps the view of one connection at one point: an interface, or one of two hops that it
// shows. Where several show the same connection, each frame's first sighting would be at the
// interface that it enters by: one direction here, the other there. The canonical view of a
// connection is the first that shows both directions.

// patience is how long the canonical view of a direction may show nothing while others do, in ns.
// After that the traffic has moved (a bond, a route), and the others count again.
const patience = 250e6

// maxPoints is how many points are told apart; the rest are taken for one.
const maxPoints = 1<<8 - 1

// heirSearch is how many of the latest interfaces are looked at for one that a new interface
// continues.
const heirSearch = 64

// mirrorPoints is for how many points it is remembered which ones see the same connections.
const mirrorPoints = 16

// pointTable numbers the points of the capture: an interface, or one of those behind an interface,
// and there the hop at which a connection was seen first, or another.
type pointTable struct {
	continues func(iface, earlier uint32) bool
	last      place
	lastID    uint8
	ids       map[place]uint8
	mirrors   [mirrorPoints][mirrorPoints]uint8 // connections seen whole at both
}

// place is where a point is: an interface of the capture, a device behind it, and whether it is
// another hop than that at which the connection was seen first.
type place struct {
	device uint32
	iface  uint32
	away   bool
}

// of is the number of a point.
func (t *pointTable) of(iface uint32, device uint32, away bool) uint8 {
	key := place{device, iface, away}
	if key == t.last && t.ids != nil {
		return t.lastID
	}
	if t.ids == nil {
		t.ids = make(map[place]uint8)
	}
	id, known := t.ids[key]
	if !known {
		id, known = t.inherit(key)
	}
	if !known && len(t.ids) < maxPoints {
		id = uint8(len(t.ids))
		t.ids[key] = id
	} else if !known {
		id = maxPoints
	}
	t.last, t.lastID = key, id
	return id
}

// inherit gives a new interface the point of one that it continues: the same interface in an
// earlier file of a ring, which has ended. Were it taken for another tap, then a frame and its copy
// on either side of the cut would prove that both files show everything, and what only the later
// one can show would be dropped.
func (t *pointTable) inherit(key place) (id uint8, ok bool) {
	if t.continues == nil {
		return 0, false
	}
	for i := max(0, int(key.iface)-heirSearch); i < int(key.iface); i++ {
		old := place{key.device, uint32(i), key.away}
		if id, ok = t.ids[old]; ok && t.continues(key.iface, old.iface) {
			delete(t.ids, old)
			t.ids[key] = id
			return id, true
		}
	}
	return 0, false
}

// view is how one point shows a connection. Bits 1 and 2 are the directions.
type view struct {
	point   uint8
	used    bool
	carries uint8 // directions seen here
	matched uint8 // directions in which segments were seen here and elsewhere
}

const bothDirections = 3

// view is the connection's view at a point, or nil if it has too many.
func (f *flowState) view(point uint8) (v *view, isNew bool) {
	for i := range f.views {
		v = &f.views[i]
		if !v.used {
			*v = view{point: point, used: true}
			return v, true
		}
		if v.point == point {
			return v, false
		}
	}
	return nil, false
}

// canonical is the view that was the first to show both directions, or nil. It stays so when
// another one comes to show both: the round trips that were measured at one point are not those at
// another.
func (f *flowState) canonical() *view {
	if f.canon > 0 && f.views[f.canon-1].carries == bothDirections {
		return &f.views[f.canon-1]
	}
	for i := range f.views {
		if f.views[i].carries == bothDirections {
			f.canon = uint8(i + 1)
			return &f.views[i]
		}
	}
	return nil
}

// linked reports whether two points are known to show the same segments of the connection.
func (f *flowState) linked(dir, a, b uint8) bool {
	va, _ := f.view(a)
	vb, _ := f.view(b)
	return va != nil && vb != nil && va.matched&vb.matched&(1<<dir) != 0
}

// redundant reports whether a frame is to be dropped because the canonical view shows this
// direction too.
func (t *Table) redundant(f *flowState, dir, point uint8, now int64) bool {
	v, isNew := f.view(point)
	if v == nil {
		return false
	}
	v.carries |= 1 << dir
	if isNew {
		t.points.presume(f, v)
	}
	canon := f.canonical()
	if canon == nil {
		return false
	}
	if canon == v {
		f.waiting[dir] = 0
		return false
	}
	if canon.matched&v.matched&(1<<dir) == 0 {
		return false
	}
	if f.waiting[dir] == 0 {
		f.waiting[dir] = now
	}
	if now-f.waiting[dir] <= patience {
		return true
	}
	f.waiting[dir] = 0
	canon.carries &^= 1 << dir
	canon.matched &^= 1 << dir
	t.points.doubt(canon.point)
	return false
}

// match notes that two points show the same segments in a direction.
func (t *Table) match(f *flowState, dir, a, b uint8) {
	va, _ := f.view(a)
	vb, _ := f.view(b)
	if va == nil || vb == nil || va.matched&vb.matched&(1<<dir) != 0 {
		return
	}
	va.matched |= 1 << dir
	vb.matched |= 1 << dir
	if va.matched&vb.matched == bothDirections && a < mirrorPoints && b < mirrorPoints {
		t.points.mirrors[a][b] = min(t.points.mirrors[a][b]+1, 1<<8-2)
		t.points.mirrors[b][a] = t.points.mirrors[a][b]
	}
}

// presume takes a new view for a mirror of the connection's first view if earlier connections have
// shown that the two points are mirrors. Otherwise the answer to the very first segment would be
// handed out as seen at the wrong point, and with it the first measurement of the round trip.
func (t *pointTable) presume(f *flowState, v *view) {
	const proven = 2
	first := &f.views[0]
	if v == first || first.point >= mirrorPoints || v.point >= mirrorPoints {
		return
	}
	if t.mirrors[first.point][v.point] < proven {
		return
	}
	first.carries, first.matched = bothDirections, bothDirections
	v.matched = bothDirections
}

// doubt forgets that a point mirrors any other.
func (t *pointTable) doubt(point uint8) {
	if point >= mirrorPoints {
		return
	}
	for i := range t.mirrors {
		t.mirrors[i][point] = 0
		t.mirrors[point][i] = 0
	}
}
