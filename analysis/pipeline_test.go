package analysis

import (
	"testing"
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly/tcptext"
)

// TestMomentsComeWithTheSegment: where a clock steps back, when something became known is told by
// the segment: it is the same if what had the later time is filtered away.
func TestMomentsComeWithTheSegment(t *testing.T) {
	const text = "client 10.9.0.1:50000 isn 7\n100 > S 0:0(0)\n" +
		"client 10.0.0.1:40000 isn 1\n1 > S 0:0(0)\n1.1 < S. 0:0(0) ack 1\n"
	for _, filtered := range []bool{false, true} {
		segs, err := tcptext.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		opts := &options{workers: 1}
		p := newPipeline(opts, opts.rules())
		for i := range segs {
			segs[i].Frame, segs[i].Latest = capture.NewFrameID(0, uint64(i+1)), 100*time.Second
			if i > 0 || !filtered {
				p.take(&segs[i])
			}
		}
		for _, it := range p.fill[0].items {
			if it.now != 100*time.Second {
				t.Errorf("filtered %v: segment %d at %v", filtered, it.seg.Frame.Number(), it.now)
			}
		}
		p.finish()
	}
}
