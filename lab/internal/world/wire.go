//go:build linux

package world

import (
	"math/rand"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"tcpwhy/lab/internal/packet"
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
	began   int64  // when the first frame came
	middle  []packet.Frame
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
	police  policer
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
	w.random = rand.New(rand.NewSource(link.Seed))
	w.losses = losses{rules: link.Drops, seen: make(map[lossKey]int), random: w.random}
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
	lost, late := w.losses.fate(ether, d == toServer)
	if lost || w.out(d, now) ||
		(w.link.Loss > 0 && w.random.Float64() < w.link.Loss) || !w.box(d, ether, now) {
		return
	}
	due := max(now, w.boxed.closed[d])
	switch bucket := w.link.Bucket[d]; {
	case bucket > 0:
		if !w.queues[d].police.admit(len(ether), due, w.link.Rate[d], bucket) {
			return
		}
	case w.link.Rate[d] > 0:
		left, ok := w.bottleneck(d, ether, now, due)
		if !ok {
			return // the queue is full
		}
		due = left
	}
	w.pass(d, data, due, late)
}

// out reports whether there is an outage.
func (w *wire) out(d int, now int64) bool {
	if w.began == 0 {
		w.began = now
	}
	since := time.Duration(now - w.began)
	return slices.ContainsFunc(w.link.Outages, func(o Outage) bool { return o.has(d, since) })
}

// bottleneck is when a frame that may be sent from due on has left, if the queue takes it.
func (w *wire) bottleneck(d int, ether []byte, now, due int64) (left int64, ok bool) {
	q, rate := &w.queues[d], w.link.Rate[d]
	start, took := max(due, q.free), int64(len(ether))*8e9/rate
	if own := q.flow(w.link.Fair, ether, d == toServer); own != nil {
		// next to nothing of its own is before it
		if full := fullFrame * 8e9 / rate; *own <= due+2*full {
			// once the frame that is being sent has left
			start = max(*own, due+(start-due)%full)
			q.free += took
			*own = start + took
			return *own, true
		}
		*own = start + took
	}
	if (start-now)*rate/8e9 > w.link.queue(d) {
		return 0, false
	}
	q.free = start + took
	return q.free, true
}

// fullFrame is the octets of a full Ethernet frame.
const fullFrame = 1514

// flow is when the last frame of the frame's connection leaves the bottleneck; nil if that makes no
// difference.
func (q *queue) flow(fair bool, ether []byte, toServer bool) *int64 {
	h, ok := packet.ParseTCP(ether, toServer)
	if !fair || !ok {
		return nil
	}
	if q.flows == nil {
		q.flows = map[uint32]*int64{}
	}
	if q.flows[h.Flow] == nil {
		q.flows[h.Flow] = new(int64)
	}
	return q.flows[h.Flow]
}

// pass puts the frame on its way from the time it leaves the bottleneck, with what makes it late,
// and duplication.
func (w *wire) pass(d int, data []byte, left int64, late time.Duration) {
	ether := w.ends[d].ethernet(data)
	half := int64(w.link.Delay[d] / 2)
	if packet.IsTCP(ether) {
		w.note(left+half, ether)
	}
	if w.link.Router > 0 {
		w.route(d, ether, left+half)
		left += int64(w.link.Router)
	}
	due := left + int64(w.link.Delay[d])
	if w.link.Jitter > 0 {
		due += w.random.Int63n(int64(w.link.Jitter))
		due = max(due, w.queues[d].last)
		w.queues[d].last = due
	}
	if h, ok := packet.ParseTCP(ether, d == toServer); ok && h.Length > 0 {
		w.numbers[d]++
		if n := w.link.Duplicate; n > 0 && d == toClient && w.numbers[d]%n == 0 {
			w.queues[d].add(due, data)
		}
		if n := w.link.Reorder[d]; n > 0 && w.numbers[d]%n == 0 {
			late += w.link.ReorderBy
		}
	}
	w.queues[d].add(due+int64(late), data)
}

// route is the way through a router, whose other side is captured too.
func (w *wire) route(d int, ether []byte, arrived int64) {
	host := [2]Station{serverStation(), ClientStation()}[d]
	packet.Hop(ether, routerSides()[1-d], host.MAC)
	if packet.IsTCP(ether) {
		w.note(arrived+int64(w.link.Router), ether)
	}
}

// note captures a frame in the middle of the link.
func (w *wire) note(at int64, ether []byte) {
	kept := append([]byte(nil), ether[:min(len(ether), w.snap)]...)
	w.middle = append(w.middle, packet.Frame{At: at, Data: kept, Wire: len(ether)})
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
