package json

import (
	"slices"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/output/wording"
	"tcpwhy/reassembly"
)

type traceObject struct {
	Connection   int             `json:"connection"`
	Exchange     *int            `json:"exchange"`
	Tiles        []tileObject    `json:"tiles"`
	Segments     []segmentObject `json:"segments"`
	MoreTiles    int             `json:"more_tiles"`
	MoreSegments int             `json:"more_segments"`
}

func (e *encoder) trace(t *report.Trace) *traceObject {
	o := &traceObject{
		Connection: t.Conn.ID, MoreTiles: t.MoreTiles, MoreSegments: t.MoreSegments,
		Tiles:    make([]tileObject, 0, len(t.Tiles)),
		Segments: make([]segmentObject, 0, len(t.Segments)),
	}
	if t.Exchange != nil {
		o.Exchange = &t.Exchange.ID
	}
	for i := range t.Tiles {
		o.Tiles = append(o.Tiles, tile(&t.Tiles[i]))
	}
	for i := range t.Segments {
		o.Segments = append(o.Segments, segment(&t.Segments[i]))
	}
	return o
}

// trace keeps the trace until its connection and its exchange are known.
func (d *decoder) trace(o *traceObject) { d.traced = o }

// settleTrace reads the trace. Its connection and its exchange are those of the report, or bare
// ones if the report does not list them.
func (d *decoder) settleTrace() {
	o := d.traced
	if o == nil {
		return
	}
	t := &report.Trace{
		Of:        report.TraceOf{Connection: o.Connection, Exchange: noExchange},
		Conn:      &report.ConnInfo{ID: o.Connection},
		MoreTiles: o.MoreTiles, MoreSegments: o.MoreSegments,
	}
	isConn := func(c report.ConnInfo) bool { return c.ID == o.Connection }
	if i := slices.IndexFunc(d.report.Conns, isConn); i >= 0 {
		t.Conn = &d.report.Conns[i]
	}
	if o.Exchange != nil {
		t.Exchange = d.tracedExchange(o)
		t.Of.Exchange = t.Exchange.Index
	}
	for i := range o.Tiles {
		t.Tiles = append(t.Tiles, d.tile(&o.Tiles[i]))
	}
	for i := range o.Segments {
		t.Segments = append(t.Segments, d.segment(&o.Segments[i]))
	}
	d.report.Trace = t
}

// tracedExchange is the exchange that a trace is of.
func (d *decoder) tracedExchange(o *traceObject) *report.ExchangeInfo {
	is := func(x report.ExchangeInfo) bool { return x.ID == *o.Exchange }
	if i := slices.IndexFunc(d.report.Exchanges, is); i >= 0 {
		return &d.report.Exchanges[i]
	}
	return &report.ExchangeInfo{ID: *o.Exchange, Connection: o.Connection}
}

type tileObject struct {
	Label  string       `json:"label"`
	From   millis       `json:"from_ms"`
	To     millis       `json:"to_ms"`
	Waits  int          `json:"waits"`
	Before *frameObject `json:"after"`
	Cause  *frameObject `json:"released_by"`
	End    *frameObject `json:"ended_by"`
}

func tile(t *report.Tile) tileObject {
	return tileObject{
		Label: t.Label.String(), From: millis(t.From), To: millis(t.To), Waits: t.Waits,
		Before: frameIfAny(t.Before), Cause: frameIfAny(t.Cause), End: frameIfAny(t.End),
	}
}

func (d *decoder) tile(o *tileObject) report.Tile {
	return report.Tile{
		Label: named(d, "label", o.Label, report.ParseLabel),
		From:  time.Duration(o.From), To: time.Duration(o.To), Waits: o.Waits,
		Before: d.mark(o.Before), Cause: d.mark(o.Cause), End: d.mark(o.End),
	}
}

type segmentObject struct {
	Frame  frameObject  `json:"frame"`
	Time   millis       `json:"time_ms"`
	Side   string       `json:"side"`
	Flags  string       `json:"flags"`
	Seq    int64        `json:"seq"`
	Len    uint32       `json:"len"`
	Ack    *int64       `json:"ack"`
	Window uint32       `json:"window"`
	Kind   maybe        `json:"kind"`
	Traits []string     `json:"traits"`
	Cause  *frameObject `json:"released_by"`
}

// firstOctet is the number of a stream's first octet of data, as traces count: the SYN before it is
// 0. A Record counts from 0.
const firstOctet = 1

func segment(s *report.TracedSegment) segmentObject {
	o := segmentObject{
		Frame: frame(s.Frame), Time: millis(s.Time), Side: s.Dir.String(),
		Flags: wording.Flags(s.Flags), Seq: s.Seq + firstOctet, Len: s.Len, Window: s.Window,
		Kind: text(s.Kind.String()), Traits: list(wording.Traits(s.Trait)),
		Cause: frameIfAny(s.Cause),
	}
	if s.Flags&capture.ACK != 0 {
		ack := s.Ack + firstOctet
		o.Ack = &ack
	}
	return o
}

func (d *decoder) segment(o *segmentObject) report.TracedSegment {
	r := reassembly.Record{
		Frame: d.frame(o.Frame.Input, o.Frame.Frame), Time: time.Duration(o.Time),
		Dir:   named(d, "side", o.Side, reassembly.ParseDir),
		Flags: named(d, "set of flags", o.Flags, wording.ParseFlags),
		Seq:   o.Seq - firstOctet, Len: o.Len, Window: o.Window,
		Kind: named(d, "kind", string(o.Kind), reassembly.ParseKind),
	}
	if o.Ack != nil {
		r.Ack = *o.Ack - firstOctet
	}
	for _, name := range o.Traits {
		r.Trait |= named(d, "trait", name, wording.ParseTrait)
	}
	return report.TracedSegment{Record: r, Cause: d.mark(o.Cause)}
}

type frameObject struct {
	Input int    `json:"input"`
	Frame uint64 `json:"frame"`
}

func frame(f capture.FrameID) frameObject { return frameObject{f.Input(), f.Number()} }

// frameIfAny names the frame of m; null if there is none.
func frameIfAny(m capture.Mark) *frameObject {
	if m.Frame == 0 {
		return nil
	}
	o := frame(m.Frame)
	return &o
}

// mark reads what frameIfAny wrote. When that frame passed is not said.
func (d *decoder) mark(o *frameObject) capture.Mark {
	if o == nil {
		return capture.Mark{}
	}
	return capture.Mark{Frame: d.frame(o.Input, o.Frame)}
}
