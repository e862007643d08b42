package analysis

import (
	"net/netip"
	"slices"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// maxTraced is how many tiles, and how many segments, a trace holds.
const maxTraced = 1000

// tracer collects a Trace while the worker that owns the connection draws up its ledger. All of its
// methods do nothing on nil, which is what every other connection has.
type tracer struct {
	out report.Trace
	job *job // of the exchange; nil before it began
	// causes are what released segments that are still to be taken, by frame.
	causes map[capture.FrameID]capture.Mark
}

// newTracer is the tracer of connection id; nil if it is not the wanted one.
func newTracer(of *report.TraceOf, id int) *tracer {
	if of == nil || of.Connection != id {
		return nil
	}
	return &tracer{out: report.Trace{Of: *of}, causes: map[capture.FrameID]capture.Mark{}}
}

// open takes note of an exchange that begins.
func (t *tracer) open(j *job) {
	if t != nil && t.out.Of.Exchange == j.index {
		t.job, j.traced = j, true
	}
}

// connection takes a tile of the connection's ledger.
func (t *tracer) connection(w *walker, from, to time.Duration, l report.Label) {
	if t != nil && t.out.Of.Exchange < 0 {
		t.add(w, from, to, l)
	}
}

// exchange takes a tile of the ledger of j; what lies within the wait for the response before has
// that label.
func (t *tracer) exchange(w *walker, j *job, from, to time.Duration, l report.Label) {
	if t == nil || t.job != j {
		return
	}
	behind := j.waitsBehind()
	start, end := max(from, behind.From), min(to, behind.To)
	if end <= start {
		t.add(w, from, to, l)
		return
	}
	t.add(w, from, start, l)
	t.add(w, start, end, report.PipelineHOL)
	t.add(w, end, to, l)
}

// add appends a tile, or makes the last one longer.
func (t *tracer) add(w *walker, from, to time.Duration, l report.Label) {
	if to <= from {
		return
	}
	tile := report.Tile{Label: l, From: from, To: to, Before: w.last, Cause: w.cause, Waits: 1}
	if w.ending != nil {
		tile.End = w.ending.Mark()
		if mark0(w.cause) && len(t.causes) < maxTraced {
			t.causes[tile.End.Frame] = w.cause
		}
	}
	if n := len(t.out.Tiles); n > 0 && t.out.MoreTiles == 0 {
		last := &t.out.Tiles[n-1]
		short := to-from < minSlice && (last.To-last.From)/time.Duration(last.Waits) < minSlice
		if last.Label == l && last.To == from && (short || last.End == tile.End) {
			last.To, last.Cause, last.End = to, tile.Cause, tile.End
			last.Waits++
			return
		}
	}
	if len(t.out.Tiles) >= maxTraced {
		t.out.MoreTiles++
		return
	}
	t.out.Tiles = append(t.out.Tiles, tile)
}

// relabel gives the time of a Nagle hold that was none to the application.
func (t *tracer) relabel(h *hold) {
	if t == nil {
		return
	}
	for i := range t.out.Tiles {
		tile := &t.out.Tiles[i]
		if tile.From >= h.from && tile.To <= h.to &&
			(tile.Label == report.NagleRTT || tile.Label == report.NagleDelack) {
			tile.Label = pause(h.dir)
		}
	}
}

// records takes the segments that are about to be released.
func (t *tracer) records(records []reassembly.Record) {
	if t == nil {
		return
	}
	for i := range records {
		r := &records[i]
		switch {
		case !t.wants(r):
		case len(t.out.Segments) >= maxTraced:
			t.out.MoreSegments++
		default:
			t.out.Segments = append(
				t.out.Segments,
				report.TracedSegment{Record: *r, Cause: t.causes[r.Frame]},
			)
		}
		delete(t.causes, r.Frame)
	}
}

// wants reports whether r may belong to what is traced. The first exchange reaches back to the
// handshake that it may have waited for, which passes before it begins.
func (t *tracer) wants(r *reassembly.Record) bool {
	j := t.job
	if j == nil {
		return t.out.Of.Exchange <= 0
	}
	return r.Time >= j.from && (!j.over || r.Time <= j.until)
}

// done is the trace; nil if there is none, or its exchange never began.
func (t *tracer) done() *report.Trace {
	if t == nil || t.out.Of.Exchange >= 0 && t.job == nil {
		return nil
	}
	if t.job != nil {
		t.out.Segments = slices.DeleteFunc(
			t.out.Segments,
			func(s report.TracedSegment) bool { return !t.wants(&s.Record) },
		)
	}
	return &t.out
}

// Locate looks for the exchange with that ExchangeInfo.ID; nil if there is none. The report is that
// of Run.
func Locate(src capture.Source, opts Options, id int) (*report.Report, *report.TraceOf, error) {
	var of *report.TraceOf
	opts.MaxListed, opts.MaxOccurrences = 1, 1
	report, err := RunLive(
		src,
		opts,
		Hooks{Exchange: func(_ netip.AddrPort, x *report.ExchangeInfo) {
			if x.ID == id {
				of = &report.TraceOf{Connection: x.Connection, Exchange: x.Index}
			}
		}},
	)
	return report, of, err
}
