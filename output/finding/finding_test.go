package finding

import (
	"testing"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/output/internal/sample"
)

const ms = time.Millisecond

func TestIDs(t *testing.T) {
	a, b := sample.Report().Findings[0], sample.Report().Findings[0]
	b.Cause = "response"
	alone := IDs([]report.Finding{b})
	after := IDs([]report.Finding{a, b})
	if alone[0] != after[1] {
		t.Errorf("a finding's name depends on its neighbours: %s and %s", alone[0], after[1])
	}
	if twice := IDs([]report.Finding{a, a}); twice[0] == twice[1] || after[0] == after[1] {
		t.Errorf("two findings have one name: %v %v", twice, after)
	}
}

func TestFilter(t *testing.T) {
	evidence := func(at time.Duration, frames ...capture.FrameID) *report.Occurrence {
		o := &report.Occurrence{Connection: 3}
		for _, f := range frames {
			o.Evidence = append(o.Evidence, report.Evidence{Mark: capture.Mark{Time: at, Frame: f}})
		}
		return o
	}
	of := func(inputs int, filtered uint64) *report.Report {
		s := &capture.Stats{Inputs: make([]capture.Input, inputs)}
		s.Count[capture.OutcomeFiltered] = filtered
		return &report.Report{
			Capture: s,
			Conns:   []report.ConnInfo{{ID: 1}, {ID: 3, Start: ms, Duration: ms}},
		}
	}
	in := capture.NewFrameID
	tests := []struct {
		name   string
		report *report.Report
		occ    *report.Occurrence
		want   string
	}{
		{
			"one file",
			of(1, 0),
			evidence(ms, in(0, 14), in(0, 15), in(0, 14)),
			"tcp.stream eq 3 && frame.number in {14,15}",
		},
		{
			"two files",
			of(2, 0),
			evidence(ms, in(1, 9), in(0, 15), in(1, 12)),
			"frame.number in {9,12}",
		},
		{"streams counted differently", of(1, 1), evidence(ms, in(0, 14)), "frame.number in {14}"},
		{"from before the connection", of(1, 0), evidence(0, in(0, 14)), "frame.number in {14}"},
		{"from after it", of(1, 0), evidence(3*ms, in(0, 14)), "frame.number in {14}"},
		{"no evidence", of(1, 0), evidence(ms), ""},
		{"no frame", of(1, 0), evidence(ms, in(0, 0)), ""},
	}
	for _, tt := range tests {
		if got := Filter(tt.report, tt.occ); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
