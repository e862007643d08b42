package main

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"tcpwhy/analysis"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/output/json"
)

// ticking is a capture.Source of segments in memory that pauses now and then, as a live one does,
// and says up to when nothing else will come: never later than the segments that follow.
type ticking struct {
	segs    []capture.Segment
	least   []time.Duration // of the time of each segment and all after it
	stats   *capture.Stats
	random  *rand.Rand // nil: it never pauses
	at      int
	settled time.Duration
	after   []time.Duration // pauses after the last segment
}

// newTicking reads a whole capture.
func newTicking(t *testing.T, name string) *ticking {
	t.Helper()
	src, err := capture.Open(capture.Config{Inputs: []string{name}})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	s := &ticking{stats: src.Stats()}
	for {
		var seg capture.Segment
		if err = src.Next(&seg); err != nil {
			break
		}
		seg.Payload = bytes.Clone(seg.Payload)
		s.segs = append(s.segs, seg)
	}
	if err != io.EOF {
		t.Fatal(err)
	}
	s.least = make([]time.Duration, len(s.segs))
	for i := len(s.segs) - 1; i >= 0; i-- {
		s.least[i] = s.segs[i].Time
		if i+1 < len(s.segs) {
			s.least[i] = min(s.least[i], s.least[i+1])
		}
	}
	return s
}

// again is the same source from its beginning.
func (s *ticking) again(random *rand.Rand) *ticking {
	stats := *s.stats
	c := &ticking{segs: s.segs, least: s.least, stats: &stats, random: random}
	if random != nil {
		c.after = []time.Duration{300 * time.Millisecond, time.Second, 6 * time.Second, 80 * time.Second, 10 * time.Minute}
	}
	return c
}

func (s *ticking) Next(seg *capture.Segment) error {
	if s.at == len(s.segs) {
		if len(s.after) == 0 {
			return io.EOF
		}
		if s.at > 0 {
			s.settled = max(s.settled, s.segs[s.at-1].Time+s.after[0])
		}
		s.after = s.after[1:]
		return capture.ErrTick
	}
	if gap := s.least[s.at] - s.settled; s.random != nil && gap > 0 && s.random.IntN(2) == 0 {
		s.settled += time.Duration(s.random.Int64N(int64(gap)) + 1)
		return capture.ErrTick
	}
	*seg = s.segs[s.at]
	s.at++
	return nil
}

func (s *ticking) Stats() *capture.Stats   { return s.stats }
func (s *ticking) Account() *capture.Stats { copied := *s.stats; return &copied }
func (s *ticking) Settled() time.Duration  { return s.settled }
func (s *ticking) Close() error            { return nil }

// TestPausesChangeNothing analyses every scenario with pauses at other moments, and with silence at
// its end: what is told meanwhile is told sooner, and the report is the same to the last octet.
func TestPausesChangeNothing(t *testing.T) {
	t.Parallel()
	for _, dir := range sampleDirs(t) {
		name := captures(t, dir)[0]
		src := newTicking(t, name)
		want := printed(t, src.again(nil))
		for seed := range uint64(3) {
			if got := printed(t, src.again(rand.New(rand.NewPCG(seed, 1)))); !bytes.Equal(got, want) {
				t.Errorf("%s, seed %d: the report differs at line %d", name, seed, firstDifference(got, want))
			}
		}
	}
}

// printed is the JSON report of a live source.
func printed(t *testing.T, src capture.Source) []byte {
	t.Helper()
	r, err := analysis.Run(t.Context(), src, analysis.WithWorkers(2),
		analysis.OnFinding(func(*report.Finding) {}),
		analysis.OnProgress(func(soFar func() *report.Report) { soFar() }))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := json.Write(&out, r, json.Options{}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// firstDifference is the first line, from 1, in which two texts differ.
func firstDifference(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return 1 + bytes.Count(a[:i], []byte("\n"))
		}
	}
	return 1 + bytes.Count(a[:min(len(a), len(b))], []byte("\n"))
}
