package decode

import (
	"tcpwhy/capture/internal/frame"
	"tcpwhy/capture/segment"
)

// bench is a decoder with a clock, for feeding it frames one by one, and with an account of what it
// said of the segments.
type bench struct {
	*Decoder
	now       int64
	count     uint64
	frame     frame.Frame
	seg       segment.Segment
	lost      uint64
	offloaded uint64
	tunnels   map[string]uint64
}

func newBench() *bench {
	b := &bench{now: 1e18, tunnels: map[string]uint64{}}
	b.Decoder = New(&b.lost)
	return b
}

// feed decodes a frame that was captured whole, 10 ms after the last, which is too late for a copy.
func (b *bench) feed(link frame.LinkType, data []byte) Outcome {
	b.now += 10e6
	return b.show(frame.Frame{Link: link, Data: data, OrigLen: uint32(len(data))})
}

// show decodes a frame at the bench's time.
func (b *bench) show(f frame.Frame) Outcome {
	b.count++
	f.Number, f.Time = b.count, b.now
	b.frame = f
	b.seg.Mark = segment.Mark{Frame: segment.NewFrameID(0, b.count)}
	got := b.Decode(&b.frame, &b.seg)
	if got == Segment {
		seen := b.Inspect()
		seen.Tunnels.Count(b.tunnels)
		if seen.Offloaded {
			b.offloaded++
		}
	}
	return got
}
