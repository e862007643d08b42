package sockets

import (
	"net/netip"
	"time"
)

// hotEvery is how long after one search for processes the next one begins, at the earliest.
const hotEvery = 20 * time.Millisecond

// name finds out whose the sockets are that wait for it.
func (w *Watch) name(p *processes) {
	tick := time.NewTicker(scanEvery)
	defer tick.Stop()
	for {
		select {
		case <-w.stop:
			return
		case <-w.wake:
		case <-tick.C: // what the search before did not find
		}
		w.nameAll(p)
		time.Sleep(hotEvery)
	}
}

// nameAll names those that can be named now. After a search through all processes the others are
// given up: they are gone, or of processes that this user may not look at.
func (w *Watch) nameAll(p *processes) {
	w.mu.Lock()
	wanted := make(map[uint32]struct{}, len(w.unnamed))
	for inode := range w.unnamed {
		wanted[inode] = struct{}{}
	}
	w.mu.Unlock()
	if len(wanted) == 0 {
		return
	}
	before := p.scanned
	p.find(wanted, time.Now(), func(inode uint32, pid int) {
		w.named(inode, p.describe(pid, time.Now()))
	})
	if p.scanned == before || p.next != 0 {
		return // not all were asked
	}
	for inode := range wanted {
		w.named(inode, Process{})
	}
}

// named takes in whose a socket is. Of a process that is not known, its control group may be.
func (w *Watch) named(inode uint32, of Process) {
	path := ""
	if of.PID == 0 {
		path = w.kernel.cgroup(w.cgroupOf(inode))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.unnamed[inode] {
		uid, owned, listens := e.UID, e.Owned, e.Listens
		e.Process = of
		if of.PID == 0 && path != "" {
			e.Process.named(path)
		}
		e.UID, e.Owned, e.Listens = uid, owned, listens
	}
	delete(w.unnamed, inode)
}

// cgroupOf is the control group of a socket that waits for its name; 0: not known.
func (w *Watch) cgroupOf(inode uint32) (id uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.unnamed[inode] {
		id = e.cgroup
	}
	return id
}

// addresses are those of this machine. They are for one goroutine.
type addresses struct {
	of   func() []netip.Addr
	all  map[netip.Addr]bool
	read time.Time
}

// has reports whether an address is one of this machine. They are looked at anew at most every two
// seconds.
func (a *addresses) has(addr netip.Addr, now time.Time) bool {
	addr = addr.Unmap()
	if addr.IsLoopback() || a.all[addr] {
		return true
	}
	if now.Sub(a.read) < scanEvery {
		return false
	}
	a.all, a.read = map[netip.Addr]bool{}, now
	for _, own := range a.of() {
		a.all[own.Unmap().WithZone("")] = true
	}
	return a.all[addr]
}
