package pcapio

import "io"

// The sizes of read buffers.
const (
	feedSize  = 1 << 20  // one input; larger ones do not read faster
	feedLeast = 64 << 10 // each of many inputs
	feedTotal = 16 << 20 // all inputs together, as long as each has feedLeast
)

// BufferSize is how large the buffer of each of so many files is to be, in octets.
func BufferSize(files int) int { return min(max(feedTotal/files, feedLeast), feedSize) }

// feed is a window on a stream: what is asked for is shown in place, so a frame is not copied once
// it is read. It never waits for more than what was asked for, so a live pipe is followed frame by
// frame.
type feed struct {
	from io.Reader
	buf  []byte
	rest []byte // the part of buf that was read and not yet consumed
	base uint64 // octets consumed
	err  error  // what ended the stream; told only after everything before it was consumed
}

func newFeed(from io.Reader, buf []byte) *feed { return &feed{from: from, buf: buf} }

// peek shows the next n octets without consuming them. They are valid until the next call. If the
// stream ends before, what is left is shown and the error says why: io.EOF for a stream that just
// ended. It is short so that the compiler puts it where it is called, twice for each frame.
func (f *feed) peek(n int) (shown []byte, err error) {
	if n > len(f.rest) {
		n, err = f.fill(n)
	}
	return f.rest[:n], err
}

// consume passes over n octets that peek has shown.
func (f *feed) consume(n int) {
	f.rest = f.rest[n:]
	f.base += uint64(n)
}

// advance reads so many octets in advance if the stream has them.
func (f *feed) advance(n int) {
	if len(f.rest) < n && f.err == nil {
		_, _ = f.fill(n) // how the stream ends is told by peek
	}
}

// fill reads until n octets are there, and gives how many of them are.
func (f *feed) fill(n int) (int, error) {
	f.rest = f.buf[:copy(f.buf, f.rest)]
	for len(f.rest) < n {
		if f.err == nil && len(f.rest) == len(f.buf) {
			f.grow(n)
		}
		f.read()
		if f.err != nil && len(f.rest) < n {
			return len(f.rest), f.err
		}
	}
	return n, nil
}

// grow doubles a full buffer, up to n. So at most twice of what was really read is ever allocated,
// whatever length a file claims.
func (f *feed) grow(n int) {
	larger := make([]byte, min(n, 2*len(f.buf)))
	f.rest = larger[:copy(larger, f.rest)]
	f.buf = larger
}

// idleReads is how often in a row a reader may give nothing without an error.
const idleReads = 100

// read reads once, behind what is there, which stands at the start of the buffer.
func (f *feed) read() {
	for range idleReads {
		if f.err != nil {
			return
		}
		n, err := f.from.Read(f.buf[len(f.rest):])
		f.rest = f.buf[:len(f.rest)+n]
		f.err = err
		if n > 0 {
			return
		}
	}
	if f.err == nil {
		f.err = io.ErrNoProgress
	}
}

// skip passes over n octets without keeping them, and gives how many there were.
func (f *feed) skip(n uint64) (passed uint64, err error) {
	defer func() { f.base += passed }()
	left := n
	for {
		here := min(left, uint64(len(f.rest)))
		f.rest = f.rest[here:]
		left -= here
		if left == 0 {
			return n, nil
		}
		if f.err != nil {
			return n - left, f.err
		}
		f.rest = f.buf[:0]
		f.read()
	}
}
