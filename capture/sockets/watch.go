package sockets

import (
	"cmp"
	"errors"
	"net/netip"
	"sync"
	"time"
)

const (
	mostAsked   = 4096    // connections that wait to be asked about
	mostEnds    = 1 << 14 // sockets that are remembered until somebody takes what is known of them
	mostEnded   = 1 << 13 // the latest sockets that ended, whether somebody asked about them or not
	mostUnnamed = 4096    // sockets whose process is looked for at a time
	perTick     = 40      // questions for each tick: 2,000 a second
	tickEvery   = 20 * time.Millisecond
	finishFor   = 500 * time.Millisecond // for the last question
)

// later is how long after the one before a connection is asked about again: its server accepts it
// after its SYN, and a capture shows that SYN up to a tenth of a second late.
var later = [...]time.Duration{50 * time.Millisecond, 400 * time.Millisecond}

// kernel is what is asked.
type kernel struct {
	// one asks for one socket; false if there is none
	one func(tuple) (told, bool, error)
	// all tells of every socket, until a moment at most
	all func(until time.Time, f func(*told)) error
	// hear waits for what is told of sockets that ended; errNothing after a while, errOverrun if
	// some was lost
	hear  func() ([]byte, error)
	local func() []netip.Addr // addresses of this machine
	// cgroup is the path of a control group by its id; ""
	cgroup func(id uint64) string
	close  func() error
}

var (
	errNothing = errors.New("nothing was told")
	errOverrun = errors.New("more was told than could be read")
)

// question asks about a connection; it is the nth time.
type question struct {
	client, server netip.AddrPort
	nth            int
	due            time.Time
}

// entry is what is known of a socket.
type entry struct {
	End
	at     tuple
	cookie uint64 // 0: not known
	cgroup uint64
	sought bool // for its process
	none   bool // there is no such socket
}

// Watch looks up the ends of connections that are this machine's. Its goroutines ask; its methods,
// which may be called from any, do not wait for them.
type Watch struct {
	kernel  kernel
	asked   chan question
	samples chan question
	wake    chan struct{} // somebody is to be named
	finish  chan chan struct{}
	search  chan chan struct{} // the last one for processes
	stop    chan struct{}
	stopped sync.Once
	running sync.WaitGroup

	mu      sync.Mutex
	ends    ring[*entry]
	ended   ring[*entry]
	unnamed map[uint32][]*entry // by inode
	tally   Tally
	here    addresses
}

// newWatch begins to ask.
func newWatch(k kernel, proc string) *Watch {
	w := &Watch{
		kernel: k, asked: make(chan question, mostAsked), samples: make(chan question, mostAsked),
		wake: make(chan struct{}, 1), finish: make(chan chan struct{}), stop: make(chan struct{}),
		search: make(chan chan struct{}),
		ends:   newRing[*entry](mostEnds), ended: newRing[*entry](mostEnded),
		unnamed: map[uint32][]*entry{}, here: addresses{of: k.local},
	}
	w.here.has(netip.Addr{}, time.Now())
	w.running.Go(w.ask)
	w.running.Go(w.hear)
	w.running.Go(func() { w.name(&processes{root: proc}) })
	return w
}

// Close ends asking. Nothing is running when it returns.
func (w *Watch) Close() (err error) {
	w.stopped.Do(func() {
		close(w.stop)
		w.running.Wait()
		err = w.kernel.close()
	})
	return err
}

// Opened has a connection looked up that has just been seen to begin. If too many wait, it is not.
func (w *Watch) Opened(client, server netip.AddrPort) {
	select {
	case w.asked <- question{client: client, server: server}:
	default:
		w.count(func(t *Tally) { t.Skipped++ })
	}
}

// Sample has the account of a connection brought up to date, if there is time for that.
func (w *Watch) Sample(client, server netip.AddrPort) {
	select {
	case w.samples <- question{client: client, server: server}:
	default:
	}
}

// Finish brings the accounts of all connections up to date that are still open, and has processes
// looked for that are not known yet. It waits for that,
// for half a second at most.
func (w *Watch) Finish() {
	done := make(chan struct{})
	timer := time.NewTimer(finishFor)
	defer timer.Stop()
	select {
	case w.finish <- done:
		select {
		case <-done:
		case <-timer.C:
		}
	case <-timer.C:
	case <-w.stop:
	}
}

// Take is what is known of the client's end and of the server's end of a connection; nil for an end
// that is not this machine's. It is then forgotten here.
func (w *Watch) Take(client, server netip.AddrPort) (ends [2]*End) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, at := range [2]tuple{{client, server}, {server, client}} {
		e, gone := w.ends.take(at), w.ended.take(at)
		switch {
		case e == nil && gone == nil:
			if !w.here.knows(at.local.Addr()) {
				continue
			}
			e = &entry{End: End{Unknown: Unasked}}
		case e == nil:
			e = gone
		case gone != nil && e.isSame(gone.cookie):
			e.Account = gone.Account
		}
		end := e.End
		if e.PID == 0 {
			end.Unknown = cmp.Or(end.Unknown, e.unknown(gone != nil))
		}
		ends[i] = &end
	}
	return ends
}

// unknown is why it is not known whose a socket is, of which the kernel may have told that it
// ended.
func (e *entry) unknown(ended bool) Reason {
	switch {
	case e.sought:
		return Hidden
	case e.none && !ended:
		return Missing
	}
	return Ended
}

// Tally is how asking went so far.
func (w *Watch) Tally() Tally {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tally
}

// Of is whose the socket is at one end of a connection that is still remembered; false if that is
// not known.
func (w *Watch) Of(local, remote netip.AddrPort) (Process, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	e := w.ends.of(tuple{local, remote})
	if e == nil || e.none {
		return Process{}, false
	}
	return e.Process, true
}

func (w *Watch) count(f func(*Tally)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f(&w.tally)
}

// isSame reports whether a socket may be the one with that cookie.
func (e *entry) isSame(cookie uint64) bool { return e.cookie == 0 || e.cookie == cookie }

// ask works off questions, so many at each tick.
func (w *Watch) ask() {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	var again [len(later)][]question // by how often they were asked, in the order of when they are due
	for left := perTick; ; {
		asked, samples := w.asked, w.samples
		if left <= 0 {
			asked, samples = nil, nil
		}
		select {
		case <-w.stop:
			return
		case done := <-w.finish:
			w.refresh()
			select {
			case w.search <- done:
			case <-w.stop:
			}
		case q := <-asked:
			left--
			w.one(&q, &again)
		case q := <-samples:
			left--
			w.sample(&q)
		case now := <-tick.C:
			left = perTick
			for i := range again {
				for left > 0 && len(again[i]) > 0 && !again[i][0].due.After(now) {
					q := again[i][0]
					again[i] = again[i][1:]
					left--
					w.one(&q, &again)
				}
			}
		}
	}
}

// one asks about both ends of a connection that have an address of this machine; again later, if
// one of them is not there yet.
func (w *Watch) one(q *question, again *[len(later)][]question) {
	last := q.nth == len(later)
	whole, local := true, false
	for _, at := range [2]tuple{{q.client, q.server}, {q.server, q.client}} {
		if w.here.has(at.local.Addr(), time.Now()) {
			local = true
			whole = w.end(at, last) && whole
		}
	}
	if q.nth == 0 && local {
		w.count(func(t *Tally) { t.Asked++ })
	}
	switch {
	case !local:
	case whole:
		w.count(func(t *Tally) { t.Found++ })
	case last:
		w.count(func(t *Tally) { t.Missed++ })
	case len(again[q.nth]) >= mostAsked:
		w.count(func(t *Tally) { t.Skipped++ })
	default:
		next := *q
		next.due, next.nth = time.Now().Add(later[q.nth]), q.nth+1
		again[q.nth] = append(again[q.nth], next)
	}
}

// end asks about one end, and reports whether it is known now. Of a socket that is not there the
// last time, or that nobody holds, who listens there is as good.
func (w *Watch) end(at tuple, last bool) bool {
	t, found, err := w.kernel.one(at)
	w.mu.Lock()
	known := w.ended.of(at) != nil
	w.mu.Unlock()
	listener := told{}
	if err == nil && t.inode == 0 && (last || known) {
		listener, _, err = w.kernel.one(
			tuple{at.local, netip.AddrPortFrom(at.remote.Addr(), 0)})
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.tally.Odd++
		return false
	}
	switch {
	case t.state == stateListen:
		listener = t
	case found:
		w.add(at, &t)
		known = known || t.inode != 0 || last // else nobody has accepted it yet
	}
	if listener.state == stateListen && (known || last) {
		w.listens(at, &listener)
		return true
	}
	if !known && last {
		w.ends.put(at, &entry{at: at, none: true})
	}
	return known
}

// listens takes in who listens at the end of a connection of which the socket does not show it.
func (w *Watch) listens(at tuple, t *told) {
	e := w.ends.of(at)
	if e == nil {
		e = &entry{at: at, cgroup: t.cgroup}
		w.ends.put(at, e)
	}
	if e.PID == 0 {
		e.Listens = true
		w.callFor(e, t)
	}
}

// add takes in a socket.
func (w *Watch) add(at tuple, t *told) {
	e := w.ends.of(at)
	if e == nil || t.cookie != 0 && !e.isSame(t.cookie) {
		e = &entry{at: at}
		w.ends.put(at, e)
	}
	e.none = false
	e.cookie, e.cgroup = cmp.Or(t.cookie, e.cookie), cmp.Or(t.cgroup, e.cgroup)
	e.update(t.account)
	if t.inode != 0 && e.PID == 0 {
		w.callFor(e, t)
	}
}

// callFor has it found out whose a socket is.
func (w *Watch) callFor(e *entry, t *told) {
	e.UID, e.Owned, e.sought = t.uid, true, true
	if len(w.unnamed) < mostUnnamed || w.unnamed[t.inode] != nil {
		w.unnamed[t.inode] = append(w.unnamed[t.inode], e)
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// sample asks again about ends that are known.
func (w *Watch) sample(q *question) {
	for _, at := range [2]tuple{{q.client, q.server}, {q.server, q.client}} {
		w.mu.Lock()
		known := w.ends.of(at)
		w.mu.Unlock()
		if known == nil || known.none {
			continue
		}
		if t, found, err := w.kernel.one(at); err == nil && found && t.state != stateListen {
			w.mu.Lock()
			w.update(&t)
			w.mu.Unlock()
		}
	}
}

// update takes in the account of a socket that is known.
func (w *Watch) update(t *told) {
	if e := w.ends.of(t.tuple); e != nil && e.cookie == t.cookie {
		e.update(t.account)
	}
}

// update takes in what the kernel counted, but for nothing, and nothing after the last.
func (e *entry) update(a *Account) {
	if a != nil && (e.Account == nil || !e.Account.Final) {
		e.Account = a
	}
}

// refresh asks for all sockets, and takes in those that are known.
func (w *Watch) refresh() {
	err := w.kernel.all(time.Now().Add(finishFor), func(t *told) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.update(t)
	})
	if err != nil {
		w.count(func(t *Tally) { t.Odd++ })
	}
}

// hear takes in what the kernel tells of sockets that ended.
func (w *Watch) hear() {
	for {
		select {
		case <-w.stop:
			return
		default:
		}
		b, err := w.kernel.hear()
		switch {
		case err == nil:
			if err := ended(b, w.over); err != nil {
				w.count(func(t *Tally) { t.Odd++ })
			}
		case errors.Is(err, errOverrun):
			w.count(func(t *Tally) { t.Overrun++ })
		case errors.Is(err, errNothing):
		default:
			w.count(func(t *Tally) { t.Odd++ })
			time.Sleep(tickEvery) // whatever it is, it is not asked for without a pause
		}
	}
}

// over takes in a socket that ended. By then nobody holds it; kernels before 6.16 say that it is
// root's. One that was reset by its own process has forgotten its peer and its counters
// (tcp_disconnect of net/ipv4/tcp.c), and one that listened never had any.
func (w *Watch) over(t *told) {
	if t.remote.Port() == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if e := w.ends.of(t.tuple); e != nil && e.isSame(t.cookie) {
		e.Account = t.account
		return
	}
	e := &entry{at: t.tuple, cookie: t.cookie}
	e.Account, e.UID, e.Owned = t.account, t.uid, t.uid != 0
	w.ended.put(t.tuple, e)
}
