//go:build linux

package main

import (
	"math/rand"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Link says how the two ends are joined.
type Link struct {
	Delay [2]time.Duration // one way: to the server, to the client
	Rate  [2]int64         // bits per second; 0 is no limit
	Queue [2]int           // octets that may wait for the rate; 0 is 256 KiB
	// who has next to nothing waiting does not wait behind others (RFC 8290 §4.2: new flows come
	// first)
	Fair  bool
	Drops []drop  // lost deterministically
	Loss  float64 // share lost at random, from Seed
	// every nth data segment to the client is late by ReorderBy; 0 is none
	Reorder   int
	ReorderBy time.Duration
	// each frame is late by up to so much at random, from Seed; the order stays
	Jitter    time.Duration
	Duplicate int // every nth data segment to the client arrives twice; 0 is none
	Seed      int64
	Offload   bool // large segments and unfinished checksums at both ends, as with a network card
	Box       Box  // what stands in the middle
}

// symmetric is a link with half of the round-trip time each way.
func symmetric(rtt time.Duration) Link { return Link{Delay: [2]time.Duration{rtt / 2, rtt / 2}} }

const (
	toServer = 0
	toClient = 1
)

// A wire carries frames between two TAP devices as its Link says.
type wire struct {
	link    Link
	ends    [2]*tap // frames of direction d are read from ends[d] and written to ends[1-d]
	queues  [2]queue
	losses  losses
	random  *rand.Rand
	boxed   boxState
	numbers [2]int // data segments by direction
	middle  []frame
	late    time.Duration // the most that a frame was delivered after it was due
	snap    int
	ending  atomic.Bool
	done    chan struct{}
}

// queue is the frames of one direction under way, by due time.
type queue struct {
	waiting []passing
	free    int64             // when the last bit of the last frame leaves the bottleneck
	last    int64             // when the last frame is due, if the delay varies
	flows   map[uint32]*int64 // the same of each connection, if the link is fair
}

type passing struct {
	due  int64
	data []byte
}

func startWire(link Link, client, server *tap, snap int) *wire {
	w := &wire{
		link:  link,
		ends:  [2]*tap{client, server},
		snap:  snap,
		boxed: newBoxState(),
		done:  make(chan struct{}),
	}
	w.losses = losses{rules: link.Drops, seen: make(map[lossKey]int)}
	w.random = rand.New(rand.NewSource(link.Seed))
	go w.run()
	return w
}

func (w *wire) close() {
	w.ending.Store(true)
	<-w.done
}

// run is one thread for both directions; it wakes when a frame comes or is due.
func (w *wire) run() {
	defer close(w.done)
	runtime.LockOSThread() // the timer slack and the priority are the thread's, which ends here
	unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	schedule(0, unix.SCHED_FIFO, linkPriority)
	buf := make([]byte, 1<<17)
	fds := []unix.PollFd{
		{Fd: int32(w.ends[0].fd), Events: unix.POLLIN},
		{Fd: int32(w.ends[1].fd), Events: unix.POLLIN},
	}
	for !w.ending.Load() {
		for d := range w.ends {
			w.take(d, buf)
		}
		timeout := unix.NsecToTimespec(max(0, w.deliver()-spinning))
		unix.Ppoll(fds, &timeout, nil)
	}
}

// spinning is how long before a frame is due the thread stops sleeping: a virtual processor may
// need 150 us to wake, which would be added to every delay.
const spinning = int64(250 * time.Microsecond)

// take reads all frames that entered in direction d.
func (w *wire) take(d int, buf []byte) {
	for {
		data, ok := w.ends[d].read(buf)
		if !ok {
			return
		}
		w.enter(d, append([]byte(nil), data...), time.Now().UnixNano())
	}
}

func (w *wire) enter(d int, data []byte, now int64) {
	ether := w.ends[d].ethernet(data)
	if w.losses.lose(ether, d == toServer) ||
		(w.link.Loss > 0 && w.random.Float64() < w.link.Loss) ||
		!w.box(d, ether, now) {
		return
	}
	q := &w.queues[d]
	due := max(now, w.boxed.closed[d])
	if rate := w.link.Rate[d]; rate > 0 {
		start, took := max(due, q.free), int64(len(ether))*8e9/rate
		if own := q.flow(w.link.Fair, ether, d == toServer); own != nil {
			// next to nothing of its own is before it
			if full := fullFrame * 8e9 / rate; *own <= due+2*full {
				// once the frame that is being sent has left
				start = max(*own, due+(start-due)%full)
				q.free += took
				*own = start + took
				w.pass(d, data, *own)
				return
			}
			*own = start + took
		}
		if (start-now)*rate/8e9 > w.link.queue(d) {
			return // the queue is full
		}
		q.free = start + took
		due = q.free
	}
	w.pass(d, data, due)
}

// fullFrame is the octets of a full Ethernet frame.
const fullFrame = 1514

// flow is when the last frame of the frame's connection leaves the bottleneck; nil if that makes no
// difference.
func (q *queue) flow(fair bool, ether []byte, toServer bool) *int64 {
	h, ok := parseTCP(ether, toServer)
	if !fair || !ok {
		return nil
	}
	if q.flows == nil {
		q.flows = map[uint32]*int64{}
	}
	if q.flows[h.flow] == nil {
		q.flows[h.flow] = new(int64)
	}
	return q.flows[h.flow]
}

// pass puts the frame on its way from the time it leaves the bottleneck, with reordering and
// duplication.
func (w *wire) pass(d int, data []byte, left int64) {
	ether := w.ends[d].ethernet(data)
	if isTCP(ether) {
		kept := append([]byte(nil), ether[:min(len(ether), w.snap)]...)
		w.middle = append(
			w.middle,
			frame{at: left + int64(w.link.Delay[d]/2), data: kept, wire: len(ether)},
		)
	}
	due := left + int64(w.link.Delay[d])
	if w.link.Jitter > 0 {
		due += w.random.Int63n(int64(w.link.Jitter))
		due = max(due, w.queues[d].last)
		w.queues[d].last = due
	}
	if h, ok := parseTCP(ether, d == toServer); ok && h.length > 0 && d == toClient {
		w.numbers[d]++
		if n := w.link.Duplicate; n > 0 && w.numbers[d]%n == 0 {
			w.queues[d].add(due, data)
		}
		if n := w.link.Reorder; n > 0 && w.numbers[d]%n == 0 {
			due += int64(w.link.ReorderBy)
		}
	}
	w.queues[d].add(due, data)
}

// add keeps the order of due times, and of arrival among equals.
func (q *queue) add(due int64, data []byte) {
	i := len(q.waiting)
	for i > 0 && q.waiting[i-1].due > due {
		i--
	}
	q.waiting = append(q.waiting, passing{})
	copy(q.waiting[i+1:], q.waiting[i:])
	q.waiting[i] = passing{due, data}
}

// deliver hands over what is due, and returns the nanoseconds until the next is: at most 20 ms, to
// notice the end.
func (w *wire) deliver() int64 {
	wait := int64(20 * time.Millisecond)
	for d := range w.queues {
		q := &w.queues[d]
		for len(q.waiting) > 0 {
			left := q.waiting[0].due - time.Now().UnixNano()
			if left > 0 {
				wait = min(wait, left)
				break
			}
			w.late = max(w.late, time.Duration(-left))
			w.ends[1-d].write(q.waiting[0].data)
			q.waiting = q.waiting[1:]
		}
	}
	return wait
}
