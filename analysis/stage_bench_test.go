package analysis

import (
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"tcpwhy/analysis/internal/judge"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/tcptext"
)

// shortTalk is one connection with one exchange, as segments between the same two ports.
func shortTalk(b testing.TB) []capture.Segment {
	k := newTalk(40000).open(0, 5).exchange(0.02, 5, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").bye(0.05, 5)
	return k.segments(b)
}

// segments are the lines, parsed.
func (k *talk) segments(t testing.TB) []capture.Segment {
	t.Helper()
	segs, err := tcptext.Parse(strings.Join(k.lines, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return segs
}

// endlessTalks is a source of that connection again and again, each between other addresses, a
// little later. It ends after so many segments.
type endlessTalks struct {
	talk  []capture.Segment
	n     int
	most  int
	stats capture.Stats
}

func (s *endlessTalks) Next(seg *capture.Segment) error {
	if s.n == s.most {
		return io.EOF
	}
	round := s.n / len(s.talk)
	*seg = s.talk[s.n%len(s.talk)]
	client := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(round >> 8), byte(round), 1}), uint16(1024+round>>16))
	if s.n++; seg.Dst.Port() == s.talk[0].Dst.Port() {
		seg.Src = client
	} else {
		seg.Dst = client
	}
	seg.Time += time.Duration(round) * 60 * time.Millisecond
	seg.Frame = capture.NewFrameID(0, uint64(s.n))
	return nil
}
func (s *endlessTalks) Stats() *capture.Stats { return &s.stats }
func (s *endlessTalks) Close() error          { return nil }

// BenchmarkRun is everything between decoding and printing; an operation is a packet.
func BenchmarkRun(b *testing.B) {
	b.ReportAllocs()
	if _, err := Run(b.Context(), &endlessTalks{talk: shortTalk(b), most: b.N}, WithWorkers(1),
		WithLimits(Limits{Listed: 1000})); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkWorker is what a worker does: track, read HTTP, draw up the ledger, run the rules. An
// operation is a packet.
func BenchmarkWorker(b *testing.B) {
	src := &endlessTalks{talk: shortTalk(b), most: -1}
	feed := newStage(src)
	b.ReportAllocs()
	for b.Loop() {
		feed.step(b)
		if len(feed.worker.events.Events) > epochItems {
			feed.worker.events.Empty()
		}
	}
}

// BenchmarkJudge is what the judge does with the events of some connections, as a cost for each of
// their packets.
func BenchmarkJudge(b *testing.B) {
	const packets = 100_000
	feed := newStage(&endlessTalks{talk: shortTalk(b), most: -1})
	for range packets {
		feed.step(b)
	}
	events := feed.worker.events
	events.Sort()
	opts := &options{limits: Limits{Listed: 1000}}
	b.ReportAllocs()
	for b.Loop() {
		judge.New(opts.judged(), detectors(), opts.rules()).Read(events, len(events.Events))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/packets, "ns/packet")
}

// stage is a table and one worker.
type stage struct {
	src    capture.Source
	table  *reassembly.Table
	worker *worker
	seg    capture.Segment
}

func newStage(src capture.Source) *stage {
	opts := &options{}
	return &stage{
		src:    src,
		table:  reassembly.NewTable(opts.limits.table()),
		worker: newWorker(opts.rules(), opts.limits.tracker()),
	}
}

func (s *stage) step(b *testing.B) {
	if err := s.src.Next(&s.seg); err != nil {
		b.Fatal(err)
	}
	c, dir, _ := s.table.Assign(&s.seg, s.seg.Time)
	for old, _, _ := s.table.Over(); old != nil; old, _, _ = s.table.Over() {
		s.worker.do(&item{op: opClose, conn: old, now: s.seg.Time})
	}
	if c != nil {
		s.worker.do(&item{op: opAdd, dir: dir, conn: c, now: s.seg.Time, seg: s.seg})
	}
}
