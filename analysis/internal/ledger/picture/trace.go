package picture

import (
	"slices"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// MaxTraced is how many tiles, and how many segments, a trace holds.
const MaxTraced = 1000

// ShortWait is below which length waits of one label that follow each other become one tile.
const ShortWait = time.Millisecond

// Span is what has a beginning and an end in time.
type Span interface {
	// Span is from when until when it lasts; report.EndOfTime while it has no end yet.
	Span() (from, until time.Duration)
}

// Trace collects a report.Trace while the worker that owns the connection draws up its ledger. Only
// the connection that is to be traced has one.
type Trace struct {
	out  report.Trace
	span Span // of the exchange; nil before it began, and for a connection
	// causes are what released segments that are still to be taken, by frame.
	causes map[capture.FrameID]capture.Mark
}

// New is the trace of what of names, on its connection.
func New(of report.TraceOf) *Trace {
	return &Trace{out: report.Trace{Of: of}, causes: map[capture.FrameID]capture.Mark{}}
}

// OfConnection reports whether the connection as a whole is traced, and not one of its exchanges.
func (t *Trace) OfConnection() bool { return t.out.Of.Exchange < 0 }

// Begin takes note of the exchange of the given index on the connection, and reports whether it is
// the one that is traced.
func (t *Trace) Begin(index int, x Span) bool {
	if t.out.Of.Exchange != index {
		return false
	}
	t.span = x
	return true
}

// Add appends a tile, or makes the last one longer. Tiles come in order.
func (t *Trace) Add(tile report.Tile) {
	if tile.To <= tile.From {
		return
	}
	tile.Waits = 1
	if tile.End.Frame != 0 && tile.Cause.Frame != 0 && len(t.causes) < MaxTraced {
		t.causes[tile.End.Frame] = tile.Cause
	}
	if n := len(t.out.Tiles); n > 0 && t.out.MoreTiles == 0 {
		if last := &t.out.Tiles[n-1]; joins(last, &tile) {
			last.To, last.Cause, last.End = tile.To, tile.Cause, tile.End
			last.Waits++
			return
		}
	}
	if len(t.out.Tiles) >= MaxTraced {
		t.out.MoreTiles++
		return
	}
	t.out.Tiles = append(t.out.Tiles, tile)
}

// joins reports whether a tile is shown as one with the last: both were ended by the same segment,
// or are short.
func joins(last, tile *report.Tile) bool {
	short := tile.To-tile.From < ShortWait &&
		(last.To-last.From)/time.Duration(last.Waits) < ShortWait
	return last.Label == tile.Label && last.To == tile.From && (short || last.End == tile.End)
}

// Change changes the tiles so far.
func (t *Trace) Change(tiles func([]report.Tile) []report.Tile) { t.out.Tiles = tiles(t.out.Tiles) }

// Show takes what the report says of the exchange.
func (t *Trace) Show(x *report.ExchangeInfo) { t.out.Exchange = x }

// Records takes the segments that are about to be released.
func (t *Trace) Records(records []reassembly.Record) {
	for i := range records {
		r := &records[i]
		switch {
		case !t.wants(r):
		case len(t.out.Segments) >= MaxTraced:
			t.out.MoreSegments++
		default:
			traced := report.TracedSegment{Record: *r, Cause: t.causes[r.Frame]}
			t.out.Segments = append(t.out.Segments, traced)
		}
		delete(t.causes, r.Frame)
	}
}

// wants reports whether r may belong to what is traced. The first exchange reaches back to the
// handshake that it may have waited for, which passes before it begins.
func (t *Trace) wants(r *reassembly.Record) bool {
	if t.span == nil {
		return t.out.Of.Exchange <= 0
	}
	from, until := t.span.Span()
	return r.Time >= from && r.Time <= until
}

// Done is the trace; nil if its exchange never began.
func (t *Trace) Done() *report.Trace {
	if !t.OfConnection() && t.span == nil {
		return nil
	}
	if t.span != nil {
		t.out.Segments = slices.DeleteFunc(t.out.Segments,
			func(s report.TracedSegment) bool { return !t.wants(&s.Record) })
	}
	return &t.out
}
