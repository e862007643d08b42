// Package flowcontrol follows a window of HTTP/2 (RFC 9113 §5.2): what a receiver has allowed its
// peer to send, and which of its words made room for a frame. It takes what passes in the order of
// the capture, and knows nothing of when who heard of what.
package flowcontrol

import (
	"math"
	"slices"

	"tcpwhy/capture"
)

// First is what a window allows before anything is said of it (RFC 9113 §6.9.2).
const First = 65535

// Window is one window, of a stream or of a connection. The zero value allows nothing.
type Window struct {
	sent   int64   // octets of all frames so far
	most   int64   // that was ever allowed, also before a reduction that came too late
	levels []level // the first is what was allowed before the others
	head   capture.Mark
	freed  Release // the latest with something that made room
	wild   bool    // more was sent than had ever been allowed: the capture lacks something
	told   bool    // the receiver has let more come since the first frame
}

// level is what the receiver allowed in all, from a mark on until the next level.
type level struct {
	most int64
	by   capture.Mark
	had  int64 // of the connection's stream, octets: what it had acknowledged then; 0: not known
}

// maxLevels caps what is kept of what a receiver said beyond what has been sent: of more, two that
// allowed the least become one, which counts as said with the earlier.
const maxLevels = 16

// Release is how a window let a frame pass.
type Release struct {
	By    capture.Mark // what made room for it; no frame if there always was
	Had   int64        // what its receiver had acknowledged then; 0: not known
	Since capture.Mark // the last frame that passed without By; no frame if none did
	Full  bool         // that one is the frame before it, and left no room at all
}

// Begin makes w a window of the given size.
func (w *Window) Begin(size int64) {
	*w = Window{most: size, levels: append(w.levels[:0], level{most: size})}
}

// Grant changes what is allowed by n octets, at the given mark: an update, or a new initial size,
// which may take away, too (RFC 9113 §6.9.2). The receiver had acknowledged so much of the
// connection's stream then; 0: not known.
func (w *Window) Grant(n int64, by capture.Mark, had int64) {
	if len(w.levels) == 0 {
		w.levels = append(w.levels, level{})
	}
	last := w.levels[len(w.levels)-1].most
	if n == 0 {
		return
	}
	w.told = w.told || n > 0 && w.sent > 0
	w.levels = append(w.levels, level{last + n, by, had})
	w.most = max(w.most, last+n)
	if len(w.levels) > maxLevels {
		w.join()
	}
}

// join makes one of two levels, of which both together allowed the least: so those that are kept
// stay about as far apart, however finely the receiver allows more.
func (w *Window) join() {
	at, least := 1, int64(math.MaxInt64)
	for i := 1; i+1 < len(w.levels); i++ {
		if both := w.levels[i+1].most - w.levels[i-1].most; both < least {
			at, least = i, both
		}
	}
	w.levels[at].most = w.levels[at+1].most
	w.levels = slices.Delete(w.levels, at+1, at+2)
}

// Left is how many octets may be sent now; less than 0 if the size was reduced behind what had been
// sent.
func (w *Window) Left() int64 {
	if len(w.levels) == 0 {
		return -w.sent
	}
	return w.levels[len(w.levels)-1].most - w.sent
}

// Shut is whether nothing may be sent now, with the head of the last frame, how many octets have
// been sent, and whether the receiver has let more come since the first of them. False also if that
// is not known.
func (w *Window) Shut() (last capture.Mark, sent int64, told, shut bool) {
	return w.head, w.sent, w.told, !w.wild && w.sent > 0 && w.Left() <= 0
}

// Send notes a frame of n octets, whose head passed at the given mark. False if it is not known
// what let it pass.
func (w *Window) Send(n int64, at capture.Mark) (Release, bool) {
	r := Release{Since: w.head}
	if n == 0 {
		return r, !w.wild // an empty frame needs no room
	}
	before := w.sent
	w.sent += n
	w.head = at
	k := len(w.levels) - 1
	if w.wild || k < 0 {
		return r, false
	}
	known := w.levels[k].most >= w.sent
	if w.most < w.sent {
		w.wild = true
		return r, false
	}
	for k > 0 && w.levels[k-1].most >= w.sent {
		k--
	}
	if k > 0 {
		r.By, r.Had = w.levels[k].by, w.levels[k].had
		r.Full = w.levels[k-1].most == before
		if r.By == w.freed.By {
			r.Since = w.freed.Since // what By let pass before, of another stream, took no time
		} else {
			w.freed = r
		}
	}
	w.forget()
	return r, known
}

// forget drops what cannot be the reason for any frame to come: what was allowed before a level
// that has been used up.
func (w *Window) forget() {
	for i := len(w.levels) - 1; i > 0; i-- {
		if w.levels[i].most <= w.sent {
			w.levels = append(w.levels[:0], w.levels[i:]...)
			return
		}
	}
}
