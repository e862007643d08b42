package sockets

import (
	"errors"
	"net/netip"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// fake is a kernel that says what a test wants.
type fake struct {
	kernel
	asked atomic.Int64
	heard chan []byte
}

// newFake makes one that knows no socket.
func newFake() *fake {
	f := &fake{heard: make(chan []byte, 1<<16)}
	f.kernel = kernel{
		one:    func(tuple) (told, bool, error) { f.asked.Add(1); return told{}, false, nil },
		all:    func(time.Time, func(*told)) error { return nil },
		local:  func() []netip.Addr { return []netip.Addr{here.Addr()} },
		cgroup: func(uint64) string { return "" },
		close:  func() error { return nil },
	}
	f.hear = func() ([]byte, error) {
		select {
		case b := <-f.heard:
			if b == nil {
				return nil, errOverrun
			}
			return b, nil
		case <-time.After(5 * time.Millisecond):
			return nil, errNothing
		}
	}
	return f
}

// start begins to watch, and ends with the test.
func (f *fake) start(t *testing.T) *Watch {
	w := newWatch(f.kernel, t.TempDir())
	t.Cleanup(func() { w.Close() })
	return w
}

// wait waits until a tally is as a test wants it.
func (w *Watch) wait(t *testing.T, is func(Tally) bool) {
	t.Helper()
	for until := time.Now().Add(5 * time.Second); !is(w.Tally()); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%+v", w.Tally())
		}
	}
}

// TestFlood: of more connections than can be asked about, some are not, which is told; asking has
// a rate, and nobody waits.
func TestFlood(t *testing.T) {
	t.Parallel()
	f := newFake()
	w := f.start(t)
	begin := time.Now()
	const flood = 200_000
	for i := range flood {
		w.Opened(netip.AddrPortFrom(there.Addr(), uint16(i)), here)
		w.Sample(netip.AddrPortFrom(there.Addr(), uint16(i)), here)
	}
	took := time.Since(begin)
	if took > time.Second {
		t.Errorf("telling of %d took %v", flood, took)
	}
	w.wait(t, func(t Tally) bool { return t.Asked >= 100 })
	n, ran := f.asked.Load(), time.Since(begin)
	// each question is one or two, about the socket and who listens
	if most := 2 * perTick * (int64(ran/tickEvery) + 2); n > most {
		t.Errorf("%d questions in %v, at most %d", n, ran, most)
	}
	if got := w.Tally(); got.Skipped < flood-2*mostAsked-uint64(n) {
		t.Errorf("%+v", got)
	}
}

// TestFloodOfEnded: what ended sockets leave behind is bounded, and the latest stay.
func TestFloodOfEnded(t *testing.T) {
	t.Parallel()
	f := newFake()
	w := f.start(t)
	var last tuple
	for i := range 3 * mostEnded {
		last = tuple{here, netip.AddrPortFrom(there.Addr().Next(), uint16(1+i))}
		f.heard <- fabricated(last, 0, 7, 0, countedLen)
	}
	eventuallyHas(t, w, last)
	w.mu.Lock()
	n := len(w.ended.items)
	w.mu.Unlock()
	if n > mostEnded {
		t.Errorf("%d are kept, at most %d", n, mostEnded)
	}
	if ends := w.Take(last.remote, last.local); ends[1] == nil || !ends[1].Account.Final {
		t.Error("the last one is not known")
	}
}

// eventuallyHas waits for an ended socket.
func eventuallyHas(t *testing.T, w *Watch, at tuple) {
	t.Helper()
	for range 5000 {
		w.mu.Lock()
		e := w.ended.of(at)
		w.mu.Unlock()
		if e != nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("an ended socket is not heard of")
}

// TestOverrun: a kernel that had more to tell than was read, and one that talks nonsense, are told
// of, and hearing goes on.
func TestOverrun(t *testing.T) {
	t.Parallel()
	f := newFake()
	w := f.start(t)
	f.heard <- nil
	f.heard <- []byte{1, 2, 3}
	at := tuple{here, there}
	f.heard <- fabricated(at, 0, 7, 0, countedLen)[:60]
	f.heard <- fabricated(at, 0, 7, 0, countedLen)
	eventuallyHas(t, w, at)
	if got := w.Tally(); got.Overrun != 1 || got.Odd != 2 {
		t.Errorf("%+v", got)
	}
}

// TestRefused: a kernel that does not answer costs a connection its account and nothing else.
func TestRefused(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.one = func(tuple) (told, bool, error) { return told{}, false, errors.New("not today") }
	w := f.start(t)
	w.Opened(here, there)
	w.wait(t, func(t Tally) bool { return t.Odd == uint64(len(later)+1) && t.Missed == 1 })
	if ends := w.Take(here, there); ends[1] != nil || ends[0].Unknown != Unasked ||
		ends[0].Account != nil {
		t.Error(ends)
	}
}

// TestElsewhere: nobody is asked about connections of other machines.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	f := newFake()
	w := f.start(t)
	w.Opened(there, netip.AddrPortFrom(there.Addr().Next(), 80))
	w.Opened(here, there)
	w.wait(t, func(t Tally) bool { return t.Missed == 1 })
	if got := w.Tally(); got.Asked != 1 {
		t.Errorf("%+v", got)
	}
}

// TestAnotherSocket: a socket that ended before another one took its ports says nothing of that.
func TestAnotherSocket(t *testing.T) {
	t.Parallel()
	f := newFake()
	at := tuple{here, there}
	f.one = func(of tuple) (told, bool, error) {
		return told{
			tuple:   of,
			state:   1,
			cookie:  99,
			inode:   5,
			account: &Account{Sent: 1},
		}, of == at, nil
	}
	w := f.start(t)
	w.Opened(here, there)
	w.wait(t, func(t Tally) bool { return t.Found == 1 })
	f.heard <- fabricated(at, 0, 7, 0, countedLen) // cookie 77
	eventuallyHas(t, w, at)
	if ends := w.Take(here, there); ends[0] == nil || ends[0].Account.Sent != 1 ||
		ends[0].Account.Final {
		t.Errorf("%+v", ends[0])
	}
}

// TestClose leaves nothing behind that runs.
func TestClose(t *testing.T) {
	before := runtime.NumGoroutine()
	w := newWatch(newFake().kernel, t.TempDir())
	w.Opened(here, there)
	w.Close()
	w.Close()
	w.Finish()
	w.Opened(here, there)
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}
