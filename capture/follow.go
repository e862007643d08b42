package capture

import (
	"io"
	"iter"
	"time"
)

// Listener is a Source that goes on until it is told to stop, or who is listened to ends. Next
// returns ErrTick now and then.
type Listener interface {
	Source
	// Stop ends the capture: Next hands out what was captured until now, and then returns io.EOF.
	// It may be called from any goroutine, more than once.
	Stop()
	// Settled is the moment before which every frame has been handed out, as far as can be known:
	// time since the first frame.
	Settled() time.Duration
	// Account is a copy of Stats for a reader on another goroutine.
	Account() *Stats
}

// streamLag is how much later than at once a frame may come that was captured elsewhere, as long as
// the way from there works: what libpcap has it hands over after a second at the latest (tcpdump's
// timeout of reading), and if the segment that carries it is lost, another second passes, and two
// if it is lost again (RFC 6298, 2.1 and 5.5).
const streamLag = 4 * time.Second

// FollowConfig says which stream to follow.
type FollowConfig struct {
	Name   string    // what reports and errors call it
	From   io.Reader // a capture as somebody writes it
	Filter *Filter   // nil: everything
	Count  uint64    // frames after which to end; 0: no end
	Room   int       // octets that may wait while this program is busy; 0: DefaultRing
	// as in Config
	Start func(first time.Time) time.Time
}

// Follow reads a capture as it is written, by another program or on another machine: what is due by
// time goes on when nothing comes. It waits for the header. Who writes is kept waiting, but never
// left out: frames that are dropped are dropped there.
//
// A goroutine of its own reads the stream. Once the source is closed, it ends as soon as that gives
// something more, or its end.
func Follow(c FollowConfig) (*Followed, error) {
	room := c.Room
	if room <= 0 {
		room = DefaultRing
	}
	f := &Followed{pump: newPump(c.From, room), limit: c.Count, ticked: time.Now()}
	f.pump.due = func() bool { return time.Since(f.ticked) >= tickEvery }
	s, err := openInputs(Config{
		Recordings: []Recording{Stream(c.Name, f.pump)}, Start: c.Start,
	})
	if err != nil {
		f.pump.stop()
		return nil, err
	}
	s.sorter = newSorter(&s.stats, c.Filter)
	f.source = s
	f.next, f.end = iter.Pull(f.frames)
	return f, nil
}

// Followed is a Source that follows a stream. All methods but Stop are for one goroutine.
//
// What reads the stream is a coroutine: it is left where the stream has no more, however deep in a
// record or a decompressor that is, and gone on with when somebody asks for the next segment.
type Followed struct {
	*source
	pump   *pump
	limit  uint64
	next   func() (error, bool)
	end    func()
	seg    Segment       // what the coroutine reads
	idle   bool          // nothing has come since the last frame
	told   time.Duration // the latest that Settled said by the clock here
	late   uint64
	ticked time.Time // when ErrTick was last returned
}

// frames reads the stream: it gives nil with each segment, errPause when nothing comes, and at last
// the error with which the stream ended.
func (f *Followed) frames(yield func(error) bool) {
	f.pump.pause = func(why error) bool {
		if why == nil {
			why = ErrTick
		}
		return yield(why)
	}
	for f.limit == 0 || f.stats.Frames < f.limit {
		_, outcome, err := f.nextFrame(&f.seg)
		if err != nil {
			yield(err)
			return
		}
		if outcome.IsHandedOut() && !yield(nil) {
			return
		}
	}
	f.source.finish()
	f.stats.Inputs[0].Complete = true
	yield(io.EOF)
}

// Next implements Source. Beside segments and io.EOF it returns ErrTick.
func (f *Followed) Next(seg *Segment) error {
	for {
		err, more := f.next()
		switch {
		case !more:
			return io.EOF
		case err == nil:
			f.idle = false
			*seg = f.seg
			if seg.Time < f.told {
				f.late++
			}
			return nil
		case err == io.EOF:
			f.conclude()
			return io.EOF
		}
		f.idle = err == errPause
		if time.Since(f.ticked) >= tickEvery {
			f.ticked = time.Now()
			return ErrTick
		}
	}
}

// conclude notes how the stream ended: one that was left may be left anywhere.
func (f *Followed) conclude() {
	if in := &f.stats.Inputs[0]; f.pump.stopping.Load() {
		in.Complete, in.Error = true, ""
	}
}

// Stop implements Listener.
func (f *Followed) Stop() { f.pump.stop() }

// Settled implements Listener. Who stamps the frames has a clock of its own: how far it has gone on
// in silence is known by the clock here.
func (f *Followed) Settled() time.Duration {
	if !f.begun || len(f.queue) == 0 {
		return 0
	}
	until := time.Duration(f.queue[0].key - f.start)
	if f.idle {
		if later := until + time.Since(f.pump.arrived) - streamLag; later > until {
			until, f.told = later, max(f.told, later)
		}
	}
	return max(0, until)
}

// Late is how many segments came so late that what they were to be compared with had been settled
// already: the way from where they were captured had stopped for longer than seconds.
func (f *Followed) Late() uint64 { return f.late }

// Close implements Source.
func (f *Followed) Close() error {
	f.pump.stop()
	f.end()
	return f.source.Close()
}
