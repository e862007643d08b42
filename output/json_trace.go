package output

import (
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

type jsonTrace struct {
	Connection   int           `json:"connection"`
	Exchange     *int          `json:"exchange"`
	Tiles        []jsonTile    `json:"tiles"`
	Segments     []jsonSegment `json:"segments"`
	MoreTiles    int           `json:"more_tiles"`
	MoreSegments int           `json:"more_segments"`
}

type jsonTile struct {
	Label  string        `json:"label"`
	From   millis        `json:"from_ms"`
	To     millis        `json:"to_ms"`
	Waits  int           `json:"waits"`
	Before *jsonFrameRef `json:"after"`
	Cause  *jsonFrameRef `json:"released_by"`
	End    *jsonFrameRef `json:"ended_by"`
}

type jsonSegment struct {
	Frame  jsonFrameRef  `json:"frame"`
	Time   millis        `json:"time_ms"`
	Side   string        `json:"side"`
	Flags  string        `json:"flags"`
	Seq    int64         `json:"seq"`
	Len    uint32        `json:"len"`
	Ack    *int64        `json:"ack"`
	Window uint32        `json:"window"`
	Kind   *string       `json:"kind"`
	Traits []string      `json:"traits"`
	Cause  *jsonFrameRef `json:"released_by"`
}

type jsonFrameRef struct {
	Input int    `json:"input"`
	Frame uint64 `json:"frame"`
}

// frameRef names the frame of m; nil if there is none.
func frameRef(m capture.Mark) *jsonFrameRef {
	if m.Frame == 0 {
		return nil
	}
	return &jsonFrameRef{m.Frame.Input(), m.Frame.Number()}
}

// trace is what JSON shows of a trace.
func (b *builder) trace(t *report.Trace) jsonTrace {
	j := jsonTrace{Connection: t.Conn.ID, MoreTiles: t.MoreTiles, MoreSegments: t.MoreSegments,
		Tiles: make([]jsonTile, 0, len(t.Tiles)), Segments: make([]jsonSegment, 0, len(t.Segments))}
	if t.Exchange != nil {
		j.Exchange = &t.Exchange.ID
	}
	for i := range t.Tiles {
		k := &t.Tiles[i]
		j.Tiles = append(
			j.Tiles,
			jsonTile{
				Label:  k.Label.String(),
				From:   millis(k.From),
				To:     millis(k.To),
				Waits:  k.Waits,
				Before: frameRef(k.Before),
				Cause:  frameRef(k.Cause),
				End:    frameRef(k.End),
			},
		)
	}
	for i := range t.Segments {
		j.Segments = append(j.Segments, segment(&t.Segments[i]))
	}
	return j
}

// segment is what JSON shows of a segment.
func segment(s *report.TracedSegment) jsonSegment {
	j := jsonSegment{
		Frame:  *frameRef(s.Mark()),
		Time:   millis(s.Time),
		Side:   s.Dir.String(),
		Flags:  flagText(s.Flags),
		Seq:    s.Seq + 1,
		Len:    s.Len,
		Window: s.Window,
		Kind:   text(s.Kind.String()),
		Traits: list(traitNames(&s.Record)),
		Cause:  frameRef(s.Cause),
	}
	if s.Flags&capture.ACK != 0 {
		ack := s.Ack + 1
		j.Ack = &ack
	}
	return j
}
