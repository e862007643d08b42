package sockets

import (
	"net/netip"
	"sync"
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
		case done := <-w.search:
			p.scanned = time.Time{}
			w.nameAll(p)
			close(done)
			continue
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

// noGroup is the control group of sockets that never had one, and of those that have ended; of
// those alone that are in it, it tells nothing either.
const noGroup = "/"

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
		if of.PID == 0 && path != "" && path != noGroup {
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

// addresses are those of this machine. Any goroutine may read them.
type addresses struct {
	of   func() []netip.Addr
	mu   sync.Mutex
	all  map[netip.Addr]bool
	read time.Time
}

// knows reports whether an address is one of this machine, as far as that was last looked at.
func (a *addresses) knows(addr netip.Addr) bool {
	addr = addr.Unmap()
	a.mu.Lock()
	defer a.mu.Unlock()
	return addr.IsLoopback() || a.all[addr]
}

// has is knows, and looks at them anew for an address that is none of them, at most every two
// seconds. It is for one goroutine.
func (a *addresses) has(addr netip.Addr, now time.Time) bool {
	if a.knows(addr) || now.Sub(a.read) < scanEvery {
		return a.knows(addr)
	}
	all := map[netip.Addr]bool{}
	for _, own := range a.of() {
		all[own.Unmap().WithZone("")] = true
	}
	a.mu.Lock()
	a.all, a.read = all, now
	a.mu.Unlock()
	return a.knows(addr)
}
