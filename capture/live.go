package capture

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"tcpwhy/capture/internal/frame"
	"tcpwhy/capture/internal/pcapio"
	"tcpwhy/capture/internal/ring"
)

// tickEvery is how often a live source gives its caller a chance to settle, draw up and write, busy
// or not.
const tickEvery = 100 * time.Millisecond

// ErrTick is what the Next of a live source returns now and then instead of a segment: nothing is
// wrong, and the caller may do what is due by time.
var ErrTick = errors.New("nothing captured for now")

// LiveConfig says what to listen to.
type LiveConfig struct {
	// names of interfaces, patterns as of path.Match, or AnyInterface alone; one at least
	Interfaces []string
	Filter     *Filter // nil: everything
	// the text of Filter, from which the kernel's own filter is made narrower
	Condition string
	SnapLen   int // octets kept of a frame; 0: all of it
	// octets that the kernel may fill while this program is busy; 0: DefaultRing
	Ring  int
	Block int // octets that the kernel hands over at once; 0: DefaultBlock
	// take what can be no part of a TCP connection too, only to count and save it
	AllFrames   bool
	Promiscuous bool   // take frames for other hosts too; not with AnyInterface
	Count       uint64 // frames after which to end; 0: no end
	// as in Config
	Start func(first time.Time) time.Time
}

// name is what reports and errors call it.
func (c *LiveConfig) name() string { return strings.Join(c.Interfaces, ",") }

// OpenLive begins to listen. Frames from now on are kept until Next hands them out.
func OpenLive(c LiveConfig) (*Live, error) {
	t, err := ring.Open(ring.Config{
		Interfaces: c.Interfaces, Condition: c.Condition, SnapLen: c.SnapLen, Ring: c.Ring,
		Block: c.Block, AllFrames: c.AllFrames, Promiscuous: c.Promiscuous,
	})
	if err != nil {
		return nil, fmt.Errorf("capture from %s: %w", c.name(), err)
	}
	l, err := newLive(c, t)
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return l, nil
}

// Live is a Source that listens to an interface. All methods but Stop are for one goroutine.
type Live struct {
	source
	tap      ring.Tap
	frame    frame.Frame
	count    uint64
	save     *pcapio.Series
	ticked   time.Time // when ErrTick was last returned
	idle     bool      // since the last frame the tap had nothing
	lastTime int64     // ns since the Unix epoch: of the latest frame
	latest   int64     // the same: the latest time of a frame
	told     account
	snapLen  uint32
	clock    *ring.Clock
	note     string // what the file is to say of the frame in hand
	stopping atomic.Bool
}

// newLive makes the source of a tap.
func newLive(c LiveConfig, t ring.Tap) (*Live, error) {
	l := &Live{tap: t, count: c.Count, ticked: time.Now(), clock: ring.NewClock(ring.SystemClock)}
	l.from = c.Start
	l.stats.Inputs = []Input{{Name: c.name(), Format: "live", Complete: true}}
	l.told, l.snapLen = account{stats: &l.stats}, uint32(c.SnapLen)
	if err := l.describe(); err != nil {
		return nil, err
	}
	l.sorter = newSorter(&l.stats, c.Filter)
	l.frame.Link = t.Link()
	return l, nil
}

// describe enters the interfaces that have come into the account, and into the file.
func (l *Live) describe() error {
	for _, name := range l.tap.Interfaces()[len(l.stats.Interfaces):] {
		_, err := l.told.AddInterface(pcapio.Interface{
			Name: name, Link: l.tap.Link(), Resolution: 1, SnapLen: l.snapLen,
		})
		if err == nil && l.save != nil {
			err = l.save.Describe(name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// SaveTo makes the source write every frame that it reads. It is to be called before the first
// Next.
func (l *Live) SaveTo(s *Saver) error {
	l.save = s.files
	return l.save.Begin(l.tap.Interfaces(), uint16(l.tap.Link()), l.snapLen)
}

// Stop ends the capture: Next hands out what was captured until now, and then returns io.EOF. It
// may be called from any goroutine, more than once.
func (l *Live) Stop() {
	if !l.stopping.Swap(true) {
		l.tap.Stop()
	}
}

// Next implements Source. Beside segments and io.EOF it returns ErrTick. Other errors are those of
// saving.
func (l *Live) Next(seg *Segment) error {
	for {
		err := l.read()
		if err == ring.ErrPause || err == ring.ErrLook {
			l.idle = l.idle || err == ring.ErrPause
			if l.isTickDue() {
				return l.tick()
			}
			continue
		}
		if err != nil {
			return l.conclude(err)
		}
		outcome := l.take(seg)
		if l.save != nil {
			if err := l.save.Write(&l.frame, l.note); err != nil {
				l.finish()
				return err
			}
		}
		if outcome.IsHandedOut() {
			return nil
		}
	}
}

// read gets the next frame.
func (l *Live) read() error {
	if l.count > 0 && l.stats.Frames >= l.count {
		return io.EOF
	}
	return l.tap.Next(&l.frame)
}

// take numbers, counts and decodes the frame.
func (l *Live) take(seg *Segment) Outcome {
	l.note = ""
	if step := l.clock.Straighten(&l.frame, l.lastTime, l.idle); step != 0 {
		l.stats.addSet(step, NewFrameID(0, l.stats.Frames+1))
		l.note = fmt.Sprintf(setNote, int64(step))
	}
	l.idle = false
	l.lastTime, l.latest = l.frame.Time, max(l.latest, l.frame.Time)
	l.frame.Number = l.stats.Frames + 1
	l.source.count(&l.frame)
	seg.Mark = l.mark(&l.frame)
	outcome := l.sorter.sort(&l.frame, seg)
	l.stats.Count[outcome]++
	if outcome.IsHandedOut() {
		l.order(seg, l.latest)
	}
	return outcome
}

// isTickDue looks at the clock. Steps of the system's clock do not matter to it.
func (l *Live) isTickDue() bool {
	return time.Since(l.ticked) >= tickEvery
}

// tick does what is to be done now and then.
func (l *Live) tick() error {
	l.ticked = time.Now()
	l.clock.Look()
	l.stats.Inputs[0].KernelDrops = l.tap.Drops()
	if err := l.describe(); err != nil {
		return err
	}
	if l.save != nil {
		if err := l.save.Flush(); err != nil {
			return err
		}
	}
	return ErrTick
}

// conclude ends the capture. That an interface is gone is no error but a remark, as with a file
// that was cut.
func (l *Live) conclude(err error) error {
	l.finish()
	in := &l.stats.Inputs[0]
	in.KernelDrops = l.tap.Drops()
	if err != io.EOF {
		in.Complete, in.Error = false, err.Error()
	}
	if l.save != nil {
		if err := l.save.WriteDrops(l.lastTime, in.KernelDrops); err != nil {
			return err
		}
	}
	return io.EOF
}

// Settled is the moment before which every frame has been handed out, as far as can be known: time
// since the first frame. It never is later than the frames that follow.
func (l *Live) Settled() time.Duration {
	if !l.begun {
		return 0
	}
	until := l.lastTime - int64(ring.Disorder)
	if l.idle {
		until = max(until, l.clock.Now()-int64(l.tap.Lag()))
	}
	return max(0, time.Duration(until-l.start))
}

// Close implements Source.
func (l *Live) Close() error {
	err := l.tap.Close()
	if l.save != nil {
		err = errors.Join(err, l.save.Close())
	}
	return err
}
