package exchange

import (
	"slices"
	"sort"

	"tcpwhy/capture"
)

// Freed is a frame of DATA that its sender could not have sent before its peer let it send more
// (RFC 9113 §5.2): the first of its stream that this let go.
type Freed struct {
	At    int64        // where its head stands in the stream of the connection
	Size  int64        // its octets, as flow control counts them
	By    capture.Mark // what made room for it: a WINDOW_UPDATE, or SETTINGS
	Since capture.Mark // the head of the last frame that passed without By; no frame: none
	Had   int64        // octets of the connection's stream that the peer had acknowledged then
	Owner int          // Index of the exchange
	Of    CreditOf
	Full  bool // the frame before it left no room at all: its sender had more to send
}

// CreditOf is whose credit was too small for a frame.
type CreditOf uint8

// What may be too small for a frame.
const (
	OfStream     CreditOf = iota // the stream's window
	OfConnection                 // the window of all streams together
	OfSettings                   // the stream's window as long as the peer's SETTINGS were not known
)

// FreedFrames are those of one direction, in order.
type FreedFrames struct{ list []Freed }

// maxFreed caps what is kept of one direction; of more the oldest half goes.
const maxFreed = 2 << 10

// Add notes a frame, which stands behind those before.
func (f *FreedFrames) Add(x Freed) {
	if len(f.list) >= maxFreed {
		f.list = slices.Delete(f.list, 0, maxFreed/2)
	}
	f.list = append(f.list, x)
}

// Within are the frames whose heads stand in r. They are valid until the next Add.
func (f *FreedFrames) Within(r Range) []Freed {
	from := f.from(r.From)
	to := from
	for to < len(f.list) && f.list[to].At < r.To {
		to++
	}
	return f.list[from:to]
}

// from is the place of the first frame at the offset or later.
func (f *FreedFrames) from(offset int64) int {
	return sort.Search(len(f.list), func(i int) bool { return f.list[i].At >= offset })
}

// Forget forgets frames before the given offset.
func (f *FreedFrames) Forget(before int64) {
	if n := f.from(before); n > len(f.list)/2 {
		f.list = slices.Delete(f.list, 0, n)
	}
}
