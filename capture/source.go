// Package capture turns capture files, standard input or an interface into TCP segments.
//
// It knows file formats, link layers, tunnels, IP and TCP headers, and counts every frame once by
// what became of it. It does not know what a connection is.
//
// A frame comes from internal/pcapio (files, with internal/xz) or internal/ring (interfaces), is
// decoded by internal/decode, chosen by internal/filter, and left out if internal/copies knows it.
// This package opens, merges the inputs by time, asks one after the other, and keeps the account.
package capture

import (
	"errors"
	"io"
	"maps"
	"math"
	"slices"
	"time"

	"tcpwhy/capture/internal/frame"
)

// Source gives segments in the order in which they are to be analysed.
type Source interface {
	// Next fills seg with the next segment. io.EOF ends the capture; damage is not an error but is
	// told in Stats, after what could be read has been handed out.
	Next(seg *Segment) error
	// Stats is what became of the frames so far. It is complete after Next returned io.EOF.
	Stats() *Stats
	Close() error
}

// source reads capture files, merges their frames by time and decodes them.
type source struct {
	stats      Stats
	sorter     *sorter
	queue      mergeQueue
	bufferSize int    // of each input
	spare      []byte // the buffer of an input that has ended
	begun      bool
	from       func(first time.Time) time.Time // see Config.Start
	start      int64                           // ns since the Unix epoch, valid if begun
	clocks     []clock                         // of each of stats.Interfaces
	secrets    int                             // octets of decryption secrets kept
	hosts      hostClocks
	ended      bool
	read       amount
}

// amount is how much of what is stored has been read.
type amount struct {
	octets, of int64
	unknown    bool // of is that of some inputs only
}

// expect adds what a recording holds.
func (a *amount) expect(r Recording) {
	if size := r.Size(); size >= 0 {
		a.of += size
	} else {
		a.unknown = true
	}
}

// Progress is how many octets of all inputs have been read, as they are stored, and how many there are;
// 0 if that is not known.
func (s *source) Progress() (octets, of int64) {
	if s.read.unknown {
		return s.read.octets, 0
	}
	return s.read.octets, s.read.of
}

// clock is what is known of the clock that stamps the frames of an interface.
type clock struct {
	latest int64  // ns since the Unix epoch: the latest time of its frames
	tick   uint32 // ns
}

// Stats implements Source.
func (s *source) Stats() *Stats { return &s.stats }

// Account is a copy of Stats for a reader on another goroutine.
func (s *source) Account() *Stats {
	st := s.stats
	st.Inputs = slices.Clone(st.Inputs)
	st.Interfaces = slices.Clone(st.Interfaces)
	st.UnknownLinks = maps.Clone(st.UnknownLinks)
	st.Tunnels = maps.Clone(st.Tunnels)
	return &st
}

// Next implements Source.
func (s *source) Next(seg *Segment) error {
	for {
		_, outcome, err := s.nextFrame(seg)
		if err != nil || outcome.IsHandedOut() {
			return err
		}
	}
}

// nextFrame reads the next frame, whatever becomes of it: seg is what it holds, as after Next,
// where it is handed out or was seen before. The frame is valid until the next call.
func (s *source) nextFrame(seg *Segment) (*frame.Frame, Outcome, error) {
	in, err := s.due()
	if err != nil {
		s.finish()
		return nil, 0, err
	}
	outcome, f := OutcomeMalformed, &in.frame
	s.count(f)
	if !f.Bad {
		seg.Mark = s.mark(f)
		outcome = s.sorter.sort(f, seg)
	}
	s.stats.Count[outcome]++
	if outcome == OutcomeSegment && !s.sorter.isCopy {
		s.hosts.note(seg, s.sorter.decoder.Ends(), f.Time)
	}
	if outcome.IsHandedOut() {
		s.order(seg, in.key)
	}
	return f, outcome, nil
}

// order fills in what concerns the time of a segment beside its Mark: key is the latest time of its
// input so far.
func (s *source) order(seg *Segment, key int64) {
	seg.Latest = time.Duration(key - s.start)
	seg.Tick = s.clocks[seg.Iface].tick
}

// finish lets the sorter settle what it still holds, once.
func (s *source) finish() {
	if !s.ended {
		s.ended = true
		s.sorter.finish()
	}
}

// Close implements Source.
func (s *source) Close() error {
	var errs []error
	for _, in := range s.queue {
		errs = append(errs, in.close())
	}
	s.queue = nil
	return errors.Join(errs...)
}

// due gives the input whose frame is due; io.EOF is its only error. The frame is valid until the
// next call.
func (s *source) due() (*input, error) {
	for len(s.queue) > 0 {
		in := s.queue[0]
		if in.ready {
			in.ready = false
			return in, nil
		}
		if err := s.load(in); err != nil {
			s.end(in, err)
			continue
		}
		if len(s.queue) > 1 {
			s.queue.sink(0)
		}
	}
	return nil, io.EOF
}

// load reads the next frame of an input, and starts it before if need be.
func (s *source) load(in *input) error {
	if in.file == nil {
		if err := in.start(s.takeBuffer()); err != nil {
			return err
		}
	}
	err := in.load()
	if err == nil {
		s.goOn(in)
	}
	return err
}

// asOneClock is how much earlier than the first frame of an input another one may be stamped by
// clocks that nobody set back: those of interfaces differ by much less.
const asOneClock = time.Second

// goOn moves the time of a frame whose interface was set back to before its input began: that is no
// moment of the capture. Times go on where the input has come to, until the clock is right again.
func (s *source) goOn(in *input) {
	f := &in.frame
	if in.first == 0 {
		in.first = f.Time
	}
	seen := int(f.Iface) < len(s.clocks) && s.clocks[f.Iface].latest >= in.first
	if !seen || f.Time >= in.first-int64(asOneClock) {
		in.shift = 0
		return
	}
	if in.shift == 0 {
		in.shift = in.key - f.Time
		s.stats.Backsteps++
		s.stats.MaxBack = max(s.stats.MaxBack, time.Duration(in.shift))
	}
	f.Time += in.shift
	in.key = max(in.key, f.Time)
}

// end notes how the first input of the queue ended and releases it.
func (s *source) end(in *input, err error) {
	told := in.account.of()
	if in.file != nil {
		s.spare = in.file.Buffer()
	}
	told.Complete = err == io.EOF
	if !told.Complete {
		told.Error = err.Error()
	}
	// What could be read was read: an error of closing what was only read tells nothing more.
	_ = in.close()
	s.queue.removeFirst()
}

// count enters a frame into the account, whatever becomes of it.
func (s *source) count(f *frame.Frame) {
	s.stats.Frames++
	s.stats.Bytes += uint64(f.OrigLen)
	s.stats.Inputs[f.Input].count(f)
}

// count enters a frame into the account of its input.
func (in *Input) count(f *frame.Frame) {
	if in.Frames == 0 {
		in.First, in.Latest = f.Time, f.Time
	}
	in.Frames++
	in.Octets += uint64(f.OrigLen)
	in.Latest = max(in.Latest, f.Time)
}

// begin settles from when on times count: first is that of the first frame.
func (s *source) begin(first int64) {
	s.begun, s.start = true, first
	if s.from != nil {
		s.start = min(first, s.from(time.Unix(0, first).UTC()).UnixNano())
	}
	s.stats.Start = time.Unix(0, s.start).UTC()
}

// mark gives a frame its name and its time, and notes where a clock stepped back.
func (s *source) mark(f *frame.Frame) Mark {
	if !s.begun {
		s.begin(f.Time)
	}
	for i := len(s.clocks); i < len(s.stats.Interfaces); i++ {
		tick := min(s.stats.Interfaces[i].Resolution, math.MaxUint32)
		s.clocks = append(s.clocks, clock{latest: math.MinInt64, tick: uint32(tick)})
	}
	if c := &s.clocks[f.Iface]; f.Time < c.latest {
		s.stats.Backsteps++
		s.stats.MaxBack = max(s.stats.MaxBack, time.Duration(c.latest-f.Time))
	} else {
		c.latest = f.Time
	}
	since := time.Duration(f.Time - s.start)
	if since-s.stats.End > GapFrom {
		s.stats.Gaps = append(s.stats.Gaps, Gap{s.stats.End, since})
	}
	s.stats.End = max(s.stats.End, since)
	return Mark{Time: since, Frame: NewFrameID(int(f.Input), f.Number)}
}
