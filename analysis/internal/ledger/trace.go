package ledger

import (
	"slices"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// MaxTraced is how many tiles, and how many segments, a trace holds.
const MaxTraced = 1000

// tracer collects a Trace while the worker that owns the connection draws up its ledger. All of its
// methods do nothing on nil, which is what every other connection has.
type tracer struct {
	Out report.Trace
	job *Exchange // of the exchange; nil before it began
	// causes are what released segments that are still to be taken, by frame.
	causes map[capture.FrameID]capture.Mark
}

// NewTracer is the tracer of connection id; nil if it is not the wanted one.
func NewTracer(of *report.TraceOf, id int) *tracer {
	if of == nil || of.Connection != id {
		return nil
	}
	return &tracer{Out: report.Trace{Of: *of}, causes: map[capture.FrameID]capture.Mark{}}
}

// open takes note of an exchange that begins.
func (t *tracer) open(j *Exchange) {
	if t != nil && t.Out.Of.Exchange == j.Index {
		t.job, j.Traced = j, true
	}
}

// connection takes a tile of the connection's ledger.
func (t *tracer) connection(w *walker, from, to time.Duration, l report.Label, y *why) {
	if t != nil && t.Out.Of.Exchange < 0 {
		t.add(w, from, to, l, y)
	}
}

// exchange takes a tile of the ledger of j; what lies within the wait for the response before has
// that label.
func (t *tracer) exchange(
	w *walker,
	j *Exchange,
	from, to time.Duration,
	l report.Label,
	y *why,
) {
	if t == nil || t.job != j {
		return
	}
	behind := j.waitsBehind()
	start, end := max(from, behind.From), min(to, behind.To)
	if end <= start {
		t.add(w, from, to, l, y)
		return
	}
	t.add(w, from, start, l, y)
	t.add(w, start, end, report.PipelineHOL, y)
	t.add(w, end, to, l, y)
}

// add appends a tile, or makes the last one longer.
func (t *tracer) add(w *walker, from, to time.Duration, l report.Label, y *why) {
	if to <= from {
		return
	}
	tile := report.Tile{Label: l, From: from, To: to, Before: w.last, Cause: y.cause, Waits: 1}
	if y.ended != nil {
		tile.End = y.ended.Mark()
		if Seen(y.cause) && len(t.causes) < MaxTraced {
			t.causes[tile.End.Frame] = y.cause
		}
	}
	if n := len(t.Out.Tiles); n > 0 && t.Out.MoreTiles == 0 {
		last := &t.Out.Tiles[n-1]
		short := to-from < minSlice && (last.To-last.From)/time.Duration(last.Waits) < minSlice
		if last.Label == l && last.To == from && (short || last.End == tile.End) {
			last.To, last.Cause, last.End = to, tile.Cause, tile.End
			last.Waits++
			return
		}
	}
	if len(t.Out.Tiles) >= MaxTraced {
		t.Out.MoreTiles++
		return
	}
	t.Out.Tiles = append(t.Out.Tiles, tile)
}

// Records takes the segments that are about to be released.
func (t *tracer) Records(records []reassembly.Record) {
	if t == nil {
		return
	}
	for i := range records {
		r := &records[i]
		switch {
		case !t.wants(r):
		case len(t.Out.Segments) >= MaxTraced:
			t.Out.MoreSegments++
		default:
			t.Out.Segments = append(
				t.Out.Segments,
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
		return t.Out.Of.Exchange <= 0
	}
	return r.Time >= j.From && (!j.over || r.Time <= j.Until)
}

// Done is the trace; nil if there is none, or its exchange never began.
func (t *tracer) Done() *report.Trace {
	if t == nil || t.Out.Of.Exchange >= 0 && t.job == nil {
		return nil
	}
	if t.job != nil {
		t.Out.Segments = slices.DeleteFunc(
			t.Out.Segments,
			func(s report.TracedSegment) bool { return !t.wants(&s.Record) },
		)
	}
	return &t.Out
}
