package ledger

import (
	"slices"
	"testing"
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// TestSegments: both ends are included, also where several segments passed at the same moment.
func TestSegments(t *testing.T) {
	c := &reassembly.Conn{}
	for i, at := range []time.Duration{0, 10, 10, 20, 20, 30} {
		c.Records = append(c.Records,
			reassembly.Record{Time: at, Frame: capture.NewFrameID(0, uint64(i+1))})
	}
	for _, tt := range []struct {
		from, to time.Duration
		want     []uint64 // frames
	}{
		{0, 30, []uint64{1, 2, 3, 4, 5, 6}},
		{10, 20, []uint64{2, 3, 4, 5}},
		{11, 19, nil},
		{31, 40, nil},
		{30, 10, nil},
	} {
		var forth, back []uint64
		for r := range Segments(c, tt.from, tt.to) {
			forth = append(forth, r.Frame.Number())
		}
		for r := range SegmentsBack(c, tt.from, tt.to) {
			back = append([]uint64{r.Frame.Number()}, back...)
		}
		if !slices.Equal(forth, tt.want) || !slices.Equal(back, tt.want) {
			t.Errorf("from %v to %v: %v, back %v, want %v", tt.from, tt.to, forth, back, tt.want)
		}
	}
	for i := range c.Records {
		r := &c.Records[i]
		if RecordOf(c, r.Mark()) != r {
			t.Errorf("another record is that of frame %d", i+1)
		}
	}
	if RecordOf(c, capture.Mark{Time: 10, Frame: c.Records[0].Frame}) != nil {
		t.Error("there is a record of a frame that passed at another time")
	}
}
