package picture

import (
	"testing"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// download is a segment of a download: nine of data, then one that acknowledges them.
func download(i int) reassembly.Record {
	r := reassembly.Record{
		Time: time.Duration(i) * 100 * time.Microsecond, Frame: capture.NewFrameID(0, uint64(i+1)),
		Dir: reassembly.FromServer, Flags: capture.ACK, Window: 65535, Len: 1000,
		Seq: int64(i-i/10) * 1000,
	}
	if i%10 == 9 {
		r.Dir, r.Len, r.Seq, r.Ack = reassembly.FromClient, 0, 0, int64(i-i/10)*1000
	}
	return r
}

// TestGraphIsBounded: however long a connection is, its graph is not, and shows all octets, and
// what proves something.
func TestGraphIsBounded(t *testing.T) {
	const n, most = 200_000, 500
	proof := capture.NewFrameID(0, 70_001)
	g := NewGraph(report.GraphOf{Most: most, Keep: []capture.FrameID{proof}})
	for i := range n {
		r := download(i)
		if i == 90_000 {
			r.Kind = reassembly.FastRetransmission
		}
		g.Records([]reassembly.Record{r})
		g.Tile(r.Time, r.Time+100*time.Microsecond, report.Label(i%3))
	}
	out := g.Done()
	if len(out.Strokes) > most || len(out.Pieces) > maxGraphPieces || len(out.Trips) > maxTrips {
		t.Errorf(
			"%d strokes, %d pieces, %d trips",
			len(out.Strokes),
			len(out.Pieces),
			len(out.Trips),
		)
	}
	var octets int64
	kept, again, segments := false, false, out.LeftOut
	for i := range out.Strokes {
		s := &out.Strokes[i]
		octets += int64(s.Len)
		segments += s.Segments
		kept = kept || s.Frame == proof
		again = again || s.Kind == reassembly.FastRetransmission
		if i > 0 && s.Time < out.Strokes[i-1].Time {
			t.Fatalf("stroke %d comes before the one before", i)
		}
	}
	if !kept || !again || !out.Coarsely {
		t.Errorf(
			"the proof is there: %v, the retransmission: %v, coarse: %v",
			kept,
			again,
			out.Coarsely,
		)
	}
	if want := int64(n-n/10) * 1000; octets != want || segments != n {
		t.Errorf("%d octets of %d, %d segments of %d", octets, want, segments, n)
	}
	for i, p := range out.Pieces {
		if i > 0 && p.From != out.Pieces[i-1].To {
			t.Fatalf("piece %d does not follow", i)
		}
	}
}

// TestGraphOfFew: what there is room for stays as it is.
func TestGraphOfFew(t *testing.T) {
	g := NewGraph(report.GraphOf{Most: 100})
	for i := range 100 {
		g.Records([]reassembly.Record{download(i)})
	}
	if out := g.Done(); len(out.Strokes) != 100 || out.Coarsely || out.LeftOut != 0 ||
		len(out.Trips) != 10 {
		t.Errorf("%d strokes, coarse: %v, %d left out, %d trips", len(out.Strokes), out.Coarsely,
			out.LeftOut, len(out.Trips))
	}
}

// TestGraphWithoutEnd: of more that is worth a look than there is room for, the beginning is shown,
// and the rest counted.
func TestGraphWithoutEnd(t *testing.T) {
	g := NewGraph(report.GraphOf{Most: 100})
	for i := range 1000 {
		r := download(i)
		r.Kind = reassembly.TimeoutRetransmission
		g.Records([]reassembly.Record{r})
	}
	if out := g.Done(); len(out.Strokes) != 100 || out.LeftOut != 900 {
		t.Errorf("%d strokes, %d left out", len(out.Strokes), out.LeftOut)
	}
}
