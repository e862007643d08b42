package capture

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// chunkSize is how much of a stream is taken at once, in octets: what a pipe of Linux holds
// (pipe(7)).
const chunkSize = 64 << 10

// pauseAfter is how long a reader waits for a stream before it looks at what is due by time.
const pauseAfter = 50 * time.Millisecond

// errPause is how a pump says that nothing has come for a while.
var errPause = errors.New("nothing has come")

// pump takes the octets of a stream as they come, so that who writes them is kept waiting only when
// as much as there is room for waits for the reader. It is a reader that never waits long once
// pause is set: then it calls that now and then, which is false when nothing more is to be read.
type pump struct {
	full     chan chunk
	spare    sync.Pool
	stopped  chan struct{}
	stopping atomic.Bool
	pause    func(error) bool
	due      func() bool // something is to be done by time, though there is more to read
	rest     []byte      // of the chunk in hand, which has not been read
	hand     *[chunkSize]byte
	arrived  time.Time // when the latest octets that were read had come
	ended    error
}

// chunk is what came at once, or how the stream ended.
type chunk struct {
	in     *[chunkSize]byte
	octets int
	at     time.Time
	err    error
}

// newPump begins to read. The goroutine that does ends with the stream, or, once it was told to
// stop, with what it then reads.
func newPump(from io.Reader, room int) *pump {
	p := &pump{full: make(chan chunk, max(1, room/chunkSize)), stopped: make(chan struct{})}
	p.spare.New = func() any { return new([chunkSize]byte) }
	go p.take(from)
	return p
}

// take reads the stream to its end.
func (p *pump) take(from io.Reader) {
	for {
		c := chunk{in: p.spare.Get().(*[chunkSize]byte)}
		c.octets, c.err = from.Read(c.in[:])
		c.at = time.Now()
		select {
		case p.full <- c:
		case <-p.stopped:
			return
		}
		if c.err != nil {
			return
		}
	}
}

// stop ends the stream behind what has come. It may be called from any goroutine, more than once.
func (p *pump) stop() {
	if !p.stopping.Swap(true) {
		close(p.stopped)
	}
}

// Read implements io.Reader.
func (p *pump) Read(to []byte) (int, error) {
	if p.pause != nil && p.due() && !p.pause(nil) {
		return 0, io.EOF
	}
	for len(p.rest) == 0 {
		switch {
		case p.ended != nil:
			return 0, p.ended
		case !p.await() && p.pause != nil && !p.pause(errPause):
			return 0, io.EOF
		}
	}
	n := copy(to, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// await waits for a chunk, not for long. It is false if none came.
func (p *pump) await() bool {
	select {
	case c := <-p.full:
		return p.handle(c)
	default:
	}
	timer := time.NewTimer(pauseAfter)
	defer timer.Stop()
	select {
	case c := <-p.full:
		return p.handle(c)
	case <-timer.C:
		return false
	case <-p.stopped:
	}
	select { // what has come until now is read
	case c := <-p.full:
		return p.handle(c)
	default:
		p.ended = io.EOF
		return true
	}
}

// handle takes a chunk in hand.
func (p *pump) handle(c chunk) bool {
	if p.hand != nil {
		p.spare.Put(p.hand)
	}
	p.hand, p.rest, p.ended = c.in, c.in[:c.octets], c.err
	p.arrived = c.at
	return true
}
