package flowcontrol

import (
	"testing"
	"time"

	"tcpwhy/capture"
	_ "tcpwhy/internal/golden" // go test ./... -update gives the flag to every package
)

// recount is a window by the letter: all that was ever said and sent.
type recount struct {
	said []level // Begin first
	sent int64
	head capture.Mark
	last Release // the latest with a word that made room
	wild bool
}

// send is what Send should say.
func (c *recount) send(n int64, at capture.Mark) (Release, bool) {
	r := Release{Since: c.head}
	if n == 0 {
		return r, !c.wild
	}
	before := c.sent
	c.sent, c.head = c.sent+n, at
	most := int64(0)
	for _, l := range c.said {
		most = max(most, l.most)
	}
	if c.wild = c.wild || most < c.sent; c.wild {
		return r, false
	}
	if c.said[len(c.said)-1].most < c.sent {
		return r, false
	}
	// the latest word before which there was too little room
	for k := len(c.said) - 1; k > 0; k-- {
		if c.said[k-1].most < c.sent {
			r.By, r.Had = c.said[k].by, c.said[k].had
			r.Full = c.said[k-1].most == before
			break
		}
	}
	if r.By.Frame != 0 && r.By == c.last.By {
		r.Since = c.last.Since
	} else if r.By.Frame != 0 {
		c.last = r
	}
	return r, true
}

// FuzzWindow has any frames, updates and settings: what let each frame pass is what a plain recount
// says, and what may still be sent, too. Beyond what is kept the word may be an earlier one.
func FuzzWindow(f *testing.F) {
	f.Add([]byte{200, 10, 1, 0, 30, 50, 90, 255, 3})
	f.Add([]byte{9, 4, 4, 4, 130, 130, 7, 7, 250, 250, 1, 1, 1, 131, 2, 2})
	f.Fuzz(func(t *testing.T, ops []byte) {
		var w Window
		w.Begin(40)
		c := recount{said: []level{{most: 40}}}
		for i, op := range ops {
			at := capture.Mark{Time: time.Duration(i + 1)}
			at.Frame++
			left := c.said[len(c.said)-1].most - c.sent
			switch {
			case op >= 128: // a frame, mostly one that fits
				n := int64(op - 128)
				if n > left && op%16 != 0 {
					n = max(left, 0)
				}
				want, wantOK := c.send(n, at)
				got, ok := w.Send(n, at)
				if ok != wantOK || ok && got != want && len(c.said) <= maxLevels {
					t.Fatalf(
						"frame %d of %d octets: %v %v, want %v %v",
						i,
						n,
						got,
						ok,
						want,
						wantOK,
					)
				}
				if ok && got.By.Time > want.By.Time {
					t.Fatalf(
						"frame %d: released at %v, later than %v",
						i,
						got.By.Time,
						want.By.Time,
					)
				}
			default:
				n := int64(op)
				if op%8 == 7 {
					n = -n / 4
				}
				if n != 0 {
					c.said = append(c.said, level{c.said[len(c.said)-1].most + n, at, int64(i)})
				}
				w.Grant(n, at, int64(i))
			}
			if got, want := w.Left(), c.said[len(c.said)-1].most-c.sent; got != want {
				t.Fatalf("step %d: %d left, want %d", i, got, want)
			}
		}
	})
}

// TestWindow: a frame that does not fit waits for the word that makes room for it.
func TestWindow(t *testing.T) {
	at := func(n int) capture.Mark { return capture.Mark{Time: time.Duration(n), Frame: 1} }
	var w Window
	w.Begin(100)
	if r, ok := w.Send(60, at(1)); !ok || r.By.Frame != 0 || r.Since.Frame != 0 {
		t.Errorf("what fits: %v %v", r, ok)
	}
	w.Grant(50, at(2), 0)
	if r, ok := w.Send(40, at(3)); !ok || r.By.Frame != 0 || r.Since != at(1) {
		t.Errorf("what would have fitted without the update: %v %v", r, ok)
	}
	if r, ok := w.Send(30, at(4)); !ok || r.By != at(2) || r.Since != at(3) {
		t.Errorf("what the update let pass: %v %v", r, ok)
	}
	if r, ok := w.Send(10, at(4)); !ok || r.By != at(2) || r.Since != at(3) || r.Full {
		t.Errorf("the second frame that the update let pass: %v %v", r, ok)
	}
	w.Grant(-50, at(5), 0)
	if w.Left() != -40 {
		t.Errorf("%d left, want -40", w.Left())
	}
	w.Grant(70, at(6), 0)
	if r, ok := w.Send(30, at(7)); !ok || r.By != at(6) {
		t.Errorf("behind what was taken away: %v %v", r, ok)
	}
	if _, ok := w.Send(1000, at(8)); ok {
		t.Error("what was never allowed")
	}
	w.Grant(5000, at(9), 0)
	if _, ok := w.Send(10, at(10)); ok {
		t.Error("a window that was exceeded is known again")
	}
}
