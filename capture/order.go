package capture

import (
	"cmp"
	"slices"

	"tcpwhy/capture/internal/decode"
	"tcpwhy/capture/internal/frame"
)

// Records of a file may stand in another order than that of their stamps: a card with several
// queues hands over each by itself, interfaces are written by threads of their own, files are
// joined by hand. Or the clock was set back, and the order of the file is right. Which it was,
// sequence and acknowledgment numbers tell. So as soon as a file is about to give a frame that is
// followed by an earlier one, frames are held until nothing in sight is out of order, or so many
// are that the first of them must go.

// The limits on what is held of one input.
const (
	heldFrames = 512
	heldOctets = 4 << 20
)

// holding is what is held of an input.
type holding struct {
	frames  []heldFrame // in the order in which they are to go, as far as that is known
	gone    int         // how many of them are gone
	ready   int         // how many of the others are to go
	octets  int         // of data held
	spare   [][]byte
	err     error // with which the input ended while frames were gathered
	decoder *decode.Decoder
	seg     Segment // what it reads
	// the stamps of this input were right when frames last told
	trusted bool
}

// heldFrame is a frame with data of its own, and what its segment tells of the order.
type heldFrame struct {
	frame.Frame
	sign sign
}

// keep holds a copy of a frame.
func (h *holding) keep(f *frame.Frame) {
	var data []byte
	if n := len(h.spare); n > 0 {
		data, h.spare = h.spare[n-1], h.spare[:n-1]
	}
	if h.decoder == nil {
		h.decoder = decode.New(new(uint64))
	}
	h.frames = append(h.frames, heldFrame{Frame: *f})
	held := &h.frames[len(h.frames)-1]
	held.Data = append(data[:0], f.Data...)
	held.sign = signOf(h.decoder, &held.Frame, &h.seg)
	h.octets += len(held.Data)
}

// full reports whether no more is to be held.
func (h *holding) full() bool { return len(h.frames) >= heldFrames || h.octets >= heldOctets }

// pop gives the next frame that is to go. Its data is valid until the next call.
func (h *holding) pop(f *frame.Frame) {
	first := &h.frames[h.gone]
	*f = first.Frame
	h.octets -= len(first.Data)
	h.spare = append(h.spare, first.Data)
	h.gone++
	h.ready--
}

// empty reports whether nothing is held.
func (h *holding) empty() bool { return h.gone == len(h.frames) }

// tidy forgets the frames that are gone.
func (h *holding) tidy() {
	h.frames = append(h.frames[:0], h.frames[h.gone:]...)
	h.gone = 0
}

// order decides in which order the held frames go, and how many do: half of them if more are to be
// held. It gives how many were moved before later ones.
func (h *holding) order(more bool) (moved uint64) {
	if time, file := h.votes(); time != file {
		h.trusted = time > file
	}
	byNumber := func(a, b heldFrame) int { return cmp.Compare(a.Number, b.Number) }
	slices.SortStableFunc(h.frames, byNumber)
	if h.trusted {
		moved = h.late()
		slices.SortStableFunc(h.frames,
			func(a, b heldFrame) int { return cmp.Compare(a.Time, b.Time) })
	}
	h.ready = len(h.frames)
	if more {
		h.ready = max(1, len(h.frames)/2)
	}
	return moved
}

// late is how many held frames are earlier than one before them in the file.
func (h *holding) late() (n uint64) {
	latest := h.frames[0].Time
	for i := range h.frames {
		if h.frames[i].Time < latest {
			n++
		}
		latest = max(latest, h.frames[i].Time)
	}
	return n
}

// votes are how many pairs of held frames, whose stamps and places in the file disagree, show that
// the stamps are right, and how many that the file is.
func (h *holding) votes() (time, file int) {
	for i := range h.frames {
		a := &h.frames[i]
		for k := i + 1; k < len(h.frames); k++ {
			b := &h.frames[k]
			if (a.Number < b.Number) == (a.Time <= b.Time) || a.Time == b.Time {
				continue
			}
			first, second := a, b // by their stamps
			if b.Time < a.Time {
				first, second = b, a
			}
			switch first.sign.before(&second.sign) {
			case yes:
				time++
			case no:
				file++
			}
		}
	}
	return time, file
}
