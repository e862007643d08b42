package main

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"tcpwhy/analysis"
	"tcpwhy/analysis/report"
	"tcpwhy/output"
)

// page is the HTML report of captures, drawn as the program does, and its report.
func page(t *testing.T, inputs []string, workers int) (string, *report.Report) {
	t.Helper()
	format, _ := output.Find("html")
	run := func(more ...analysis.Option) *report.Report {
		src := openInputs(t, inputs)
		defer src.Close()
		r, err := analysis.Run(t.Context(), src,
			append(more, analysis.WithWorkers(workers), analysis.WithPieces())...)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := run(analysis.WithGraphs(format.Graphs(run())...))
	var b strings.Builder
	if err := format.Write(&b, r, output.Options{}); err != nil {
		t.Fatal(err)
	}
	return b.String(), r
}

// TestGraphs draws the page of scenarios: the number of workers changes nothing of it; every graph
// that was asked for is there, with all segments of its connection, frames of proofs, and the whole
// of its time in order; and what exchanges spent their time on covers them from end to end.
func TestGraphs(t *testing.T) {
	t.Parallel()
	for _, dir := range sampleDirs(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			inputs := captures(t, dir)
			one, r := page(t, inputs, 1)
			if three, _ := page(t, inputs, 3); three != one {
				t.Error("the number of workers changes the page")
			}
			conns := map[int]*report.ConnInfo{}
			for i := range r.Conns {
				conns[r.Conns[i].ID] = &r.Conns[i]
			}
			for i := range r.Graphs {
				checkGraph(t, &r.Graphs[i], conns[r.Graphs[i].Of.Connection])
			}
			for i := range r.Exchanges {
				x := &r.Exchanges[i]
				checkPieces(t, x.Pieces, x.Start, x.Start+x.Duration)
			}
		})
	}
}

// checkGraph checks one graph.
func checkGraph(t *testing.T, g *report.Graph, c *report.ConnInfo) {
	t.Helper()
	if c == nil {
		t.Errorf("connection %d has a graph and is not listed", g.Of.Connection)
		return
	}
	segments := g.LeftOut
	for i := range g.Strokes {
		segments += g.Strokes[i].Segments
	}
	if want := int(c.Segments[0] + c.Segments[1]); segments < want {
		t.Errorf("connection %d: %d segments, want %d", c.ID, segments, want)
	}
	checkPieces(t, g.Pieces, c.Start, c.Start+c.Duration)
}

// checkPieces checks that pieces follow each other from one moment to another.
func checkPieces(t *testing.T, pieces []report.Piece, from, to time.Duration) {
	t.Helper()
	if len(pieces) == 0 {
		return
	}
	at := from
	for _, p := range pieces {
		if p.From != at || p.To <= p.From {
			t.Errorf("a piece goes from %v to %v, the one before ended at %v", p.From, p.To, at)
		}
		at = p.To
	}
	if at != to {
		t.Errorf("the pieces end at %v, want %v", at, to)
	}
}

// TestGraphsCostNothing: who asks for no picture gets the report of before.
func TestGraphsCostNothing(t *testing.T) {
	inputs := captures(t, "testdata/pcaps/nagle-delayed-ack-request-rtt10")
	plain := analyseFiles(t, inputs, 1)
	_, drawn := page(t, inputs, 1)
	if len(plain.Graphs) > 0 {
		t.Error("there are graphs that nobody asked for")
	}
	drawn.Graphs = nil
	for i := range drawn.Exchanges {
		drawn.Exchanges[i].Pieces, plain.Exchanges[i].Pieces = nil, nil
	}
	if !reflect.DeepEqual(drawn.Findings, plain.Findings) ||
		!reflect.DeepEqual(drawn.Exchanges, plain.Exchanges) {
		t.Error("pictures change what is found")
	}
}
