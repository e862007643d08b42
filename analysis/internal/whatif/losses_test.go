package whatif

import (
	"slices"
	"testing"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/report"
)

const lossTrip = 50 * time.Millisecond

// busyOf is a busy period of so many octets, on a path with that rate (0: not known), that took so
// long for windows, repairs, and the path.
func busyOf(octets int64, rate float64, window, repairs, path time.Duration) ledger.Busy {
	return ledger.Busy{
		Until: ledger.Progress{
			Octets: octets, Window: window, Path: path, Repairs: repairs, After: window,
		},
		Flow: ledger.Flow{
			Bytes: octets, MSS: 1000, Initial: 10_000, RTT: lossTrip, Rate: rate,
			MostInFlight: 60_000,
		},
	}
}

// TestLossDelayOf: what losses cost an exchange that shares its connection.
func TestLossDelayOf(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		name  string
		busy  []ledger.Busy
		times map[report.Label]time.Duration
		want  report.Cost
		part  float64
	}{
		{
			name:  "nothing lost",
			times: map[report.Label]time.Duration{report.H2Mux: 100 * ms}, part: 1,
		},
		{ // 150 segments need 10, 20, 40, 80: three round trips
			name:  "half a second more than it needs, in which all of it waited for others",
			busy:  []ledger.Busy{busyOf(150_000, 0, 600*ms, 50*ms, 0)},
			times: map[report.Label]time.Duration{report.H2Mux: 700 * ms},
			want:  report.Cost{Low: 250 * ms, Expected: 500 * ms, High: 650 * ms}, part: 1,
		},
		{
			name:  "no more than it waited",
			busy:  []ledger.Busy{busyOf(150_000, 0, 600*ms, 50*ms, 0)},
			times: map[report.Label]time.Duration{report.H2HOL: 50 * ms, report.H2Mux: 100 * ms},
			want:  report.Cost{Low: 150 * ms, Expected: 150 * ms, High: 150 * ms}, part: 1,
		},
		{ // a megabyte a second: three round trips for 10, 20 and 40 kB, and 80 ms for the rest
			name:  "the path was busy meanwhile",
			busy:  []ledger.Busy{busyOf(150_000, 1e6, 0, 100*ms, 140*ms)},
			times: map[report.Label]time.Duration{report.FastRetx: 100 * ms},
			want:  report.Cost{Expected: 10 * ms, High: 100 * ms}, part: 0.1,
		},
	} {
		j := ledger.Account{Losses: tt.busy}
		for l, d := range tt.times {
			j.Times[l] = d
		}
		got := LossDelayOf(&j)
		if got.Cost != tt.want || got.Part < tt.part-0.01 || got.Part > tt.part+0.01 {
			t.Errorf("%s: %v, part %.2f, want %v, %.2f", tt.name, got.Cost, got.Part, tt.want,
				tt.part)
		}
	}
}

// TestLossesByTheClock: exchanges that are late by the same have the same clock.
func TestLossesByTheClock(t *testing.T) {
	const ms = time.Millisecond
	whole := busyOf(150_000, 0, 600*ms, 50*ms, 0)
	whole.Waited = []report.Interval{{From: 100 * ms, To: 300 * ms}, {From: 500 * ms, To: 950 * ms}}
	half := whole
	half.From = ledger.Progress{Octets: 150_000, Window: 350 * ms, Repairs: 50 * ms, After: 350 * ms}
	for _, tt := range []struct {
		name string
		busy ledger.Busy
		want []report.Interval
	}{
		{"all of it", whole, []report.Interval{
			{From: 150 * ms, To: 300 * ms}, {From: 500 * ms, To: 800 * ms},
		}},
		{"the second half", half, []report.Interval{{From: 550 * ms, To: 800 * ms}}},
	} {
		j := ledger.Exchange{Account: ledger.Account{Losses: []ledger.Busy{tt.busy}}}
		j.Times[report.H2Mux] = 600 * ms
		if tt.busy.From.Octets == 0 {
			j.Times[report.FastRetx] = 50 * ms
			j.Waits = []ledger.Wait{{Label: report.FastRetx, From: 300 * ms, To: 350 * ms}}
		}
		d := LossDelayOf(&j.Account)
		if got := d.OfWindow(); !slices.Equal(got, tt.want) {
			t.Errorf("%s: the window cost %v, want %v", tt.name, got, tt.want)
		}
		for i := range j.Waits {
			want := []report.Interval{{From: 100 * ms, To: 150 * ms}}
			if got := d.OfRepair(&j, &j.Waits[i]); !slices.Equal(got, want) {
				t.Errorf("%s: the repair cost %v, want %v", tt.name, got, want)
			}
		}
	}
}
