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
	from       io.Reader
	buf        []byte
	start, end int   // what was read and not yet consumed is buf[start:end]
	err        error // what ended the stream; told only after everything before it was consumed
}

func newFeed(from io.Reader, buf []byte) *feed { return &feed{from: from, buf: buf} }

// peek shows the next n octets without consuming them. They are valid until the next call. If the
// stream ends before, what is left is shown and the error says why: io.EOF for a stream that just
// ended.
func (f *feed) peek(n int) ([]byte, error) {
	if f.end-f.start >= n {
		return f.buf[f.start : f.start+n], nil
	}
	return f.fill(n)
}

// consume passes over n octets that peek has shown.
func (f *feed) consume(n int) { f.start += n }

// fill reads until n octets are there.
func (f *feed) fill(n int) ([]byte, error) {
	if f.start > 0 {
		f.end = copy(f.buf, f.buf[f.start:f.end])
		f.start = 0
	}
	for f.end < n {
		if f.err == nil && f.end == len(f.buf) {
			f.grow(n)
		}
		f.read(f.buf[f.end:])
		if f.err != nil && f.end < n {
			return f.buf[:f.end], f.err
		}
	}
	return f.buf[:n], nil
}

// grow doubles a full buffer, up to n. So at most twice of what was really read is ever allocated,
// whatever length a file claims.
func (f *feed) grow(n int) {
	larger := make([]byte, min(n, 2*len(f.buf)))
	copy(larger, f.buf[:f.end])
	f.buf = larger
}

// idleReads is how often in a row a reader may give nothing without an error.
const idleReads = 100

// read reads once, into the free part of the buffer.
func (f *feed) read(free []byte) {
	for range idleReads {
		if f.err != nil {
			return
		}
		n, err := f.from.Read(free)
		f.end += n
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
func (f *feed) skip(n uint64) (uint64, error) {
	left := n
	for {
		here := min(left, uint64(f.end-f.start))
		f.start += int(here)
		left -= here
		if left == 0 {
			return n, nil
		}
		if f.err != nil {
			return n - left, f.err
		}
		f.start, f.end = 0, 0
		f.read(f.buf)
	}
}
