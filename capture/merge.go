package capture

import (
	"math"
	"time"

	"tcpwhy/capture/internal/frame"
	"tcpwhy/capture/internal/pcapio"
)

// unread is the key of an input of whose frames nothing is known: it is read before any other frame
// is given.
const unread = math.MinInt64

// input is one file of the capture, or standard input.
type input struct {
	from    Recording
	account account
	file    *pcapio.File // nil until the input is started, and when it is closed
	frame   frame.Frame  // valid if ready
	ready   bool
	key     int64 // by which it is merged: the latest time of its frames so far
	held    holding
	first   int64 // the time of its first frame
	// ns that its frames are moved by while they are before that; 0: they are not
	shift int64
	// by how many ns its clock was set since its first frame, and the time of its latest frame
	// without that
	set, last int64
	hosts     *hostClocks
	octets    *int64 // that were read, of all inputs
}

// start opens the input and reads its header.
func (in *input) start(buffer []byte) error {
	file, err := pcapio.Open(storedAs(in.from, in.octets), buffer, &in.account)
	if err != nil {
		return err
	}
	in.file = file
	told := in.account.of()
	told.Format, told.Compression = file.Format, file.Compression
	return nil
}

// load reads the input's next frame. A clock that steps back must not make the frames before it
// wait for those after, nor change the order of the file, so the key never decreases.
func (in *input) load() error {
	if err := in.next(); err != nil {
		return err
	}
	in.key = max(in.key, in.frame.Time)
	in.ready = true
	return nil
}

// next reads the frame that is to go next: where records are not in the order of time, perhaps not
// the next of the file. Steps of the file's clock are taken out of its time.
func (in *input) next() error {
	if err := in.read(); err != nil {
		return err
	}
	in.hosts.past = pastClock{in.frame.Time, in.set, in.frame.Iface}
	in.frame.Time -= in.set
	in.last = in.frame.Time
	return nil
}

// read is next with times as they stand in the file.
func (in *input) read() error {
	h := &in.held
	if h.ready == 0 && h.empty() {
		if h.err != nil {
			return h.err
		}
		err := in.file.Next(&in.frame)
		if err == nil && in.last == 0 {
			in.set = in.hosts.inherited(in.account.stats, &in.frame)
		}
		if err != nil || !in.file.Disordered() && !in.jumps(in.frame.Time) {
			return err
		}
		h.tidy()
		h.keep(&in.frame)
	}
	if h.ready == 0 {
		in.gather()
	}
	if f := &h.frames[h.gone]; in.jumps(f.Time) {
		in.straighten(f.Number)
	}
	h.pop(&in.frame)
	return nil
}

// jumps reports whether the time between the latest frame and one of the given time, as the file
// has it, is such that its clock may have been set.
func (in *input) jumps(at int64) bool {
	gap := at - in.set - in.last
	return in.last != 0 && (gap >= int64(leastForward) || gap <= -int64(leastBack))
}

// straighten notes by how much the file's clock was set before the next frame, of the given number,
// if it was.
func (in *input) straighten(number uint64) {
	h := &in.held
	for h.err == nil && len(h.frames)-h.gone < framesAhead && !h.full() && in.file.AtHand() {
		if h.err = in.file.Next(&in.frame); h.err == nil {
			h.keep(&in.frame)
		}
	}
	ahead := h.frames[h.gone:]
	if step, ok := in.hosts.step(ahead, in.set, ahead[0].Time-in.set-in.last); ok {
		in.set += step
		in.account.stats.addSet(time.Duration(step), NewFrameID(in.account.input, number))
	}
}

// gather holds frames until none in sight is out of order, and decides in which order they go.
func (in *input) gather() {
	h := &in.held
	h.tidy()
	for h.err == nil && in.file.Disordered() && !h.full() {
		if h.err = in.file.Next(&in.frame); h.err == nil {
			h.keep(&in.frame)
		}
	}
	in.account.stats.Reordered += h.order(h.err == nil && in.file.Disordered())
	if !h.trusted {
		in.file.Restart(in.frame.Time)
	}
}

// close releases what the input holds open.
func (in *input) close() error {
	file := in.file
	in.file = nil
	if file == nil {
		return nil
	}
	return file.Close()
}

// mergeQueue holds the inputs that have not ended as a heap: the first is that whose frame is due.
type mergeQueue []*input

// before orders inputs by time, and those of one time as the user named them.
func (a *input) before(b *input) bool {
	if a.key != b.key {
		return a.key < b.key
	}
	return a.account.input < b.account.input
}

// arrange makes a heap of inputs in any order.
func (q mergeQueue) arrange() {
	for at := len(q)/2 - 1; at >= 0; at-- {
		q.sink(at)
	}
}

// sink restores the heap after the key of one input grew.
func (q mergeQueue) sink(at int) {
	for {
		least := at
		for child := 2*at + 1; child <= 2*at+2 && child < len(q); child++ {
			if q[child].before(q[least]) {
				least = child
			}
		}
		if least == at {
			return
		}
		q[at], q[least] = q[least], q[at]
		at = least
	}
}

// removeFirst takes the first input off.
func (q *mergeQueue) removeFirst() {
	inputs := *q
	last := len(inputs) - 1
	inputs[0] = inputs[last]
	inputs[last] = nil
	*q = inputs[:last]
	q.sink(0)
}
