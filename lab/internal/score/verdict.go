//go:build linux

package score

import (
	"context"
	"math"
	"path/filepath"
	"strings"

	"tcpwhy/lab/internal/own"
	"tcpwhy/lab/internal/recording"
	"tcpwhy/lab/internal/scenario"
)

// A verdict is how one scenario went.
type verdict struct {
	scenario scenario.Scenario
	saved    float64 // by the cure, at the application; valid if the scenario has one
	found    *finding
	// The machine kept the programs waiting in one of the two recordings: saved is not what the
	// cure did.
	disturbed bool
	// One of the two has more requests that the application had answered, so that the difference of
	// the sums is no saving.
	unlike   bool
	vantages map[string]*finding // the same finding as each vantage saw it; nil if it did not
	others   []finding           // said of the fault though not expected
	fixed    []finding           // said of the cured twin
	reports  []report
	bulks    []bulk
}

// disturbedMS is the lateness beyond which a recording says nothing about a saving, unless that is
// a hundred times as long.
const disturbedMS = 3

// judge analyses every capture of a scenario; one decides, the others are compared with it.
func judge(ctx context.Context, program string, s scenario.Scenario) (verdict, error) {
	v := verdict{scenario: s, vantages: make(map[string]*finding)}
	for _, vantage := range append(s.Expect.Compared(), s.Expect.Deciding()) {
		if err := v.look(ctx, program, vantage); err != nil {
			return v, err
		}
	}
	if err := v.observe(ctx, program, "fault"); err != nil || s.Fix == nil {
		return v, err
	}
	if err := v.observe(ctx, program, "fixed"); err != nil {
		return v, err
	}
	return v, v.judgeFixed(ctx, program)
}

// look is what one vantage shows of the fault.
func (v *verdict) look(ctx context.Context, program, vantage string) error {
	e := v.scenario.Expect
	dir := recording.Dir(v.scenario.Name, "fault")
	r, err := analyse(ctx, program, filepath.Join(dir, vantage+".pcap"), keyLog(e, dir)...)
	if err != nil {
		return err
	}
	f := found(e, r)
	if vantage != e.Deciding() && f == nil {
		// what is upstream of one is downstream of another
		f = found(scenario.Expect{Rule: e.Rule}, accused(r))
	}
	v.vantages[vantage] = whole(e, f, r)
	if vantage == e.Deciding() {
		v.found = v.vantages[vantage]
		v.others = unexpected(e, r)
		v.reports = append(v.reports, r)
	}
	return nil
}

// observe holds the ledger against the kernel's own account.
func (v *verdict) observe(ctx context.Context, program, variant string) error {
	name := v.scenario.Name
	if _, ok := v.scenario.Client.(own.Beside); ok {
		// what small responses wait for their acknowledgments behind the large one is no part of
		// the server's ledger
		return nil
	}
	title := strings.TrimSuffix(name+", "+variant, ", fault")
	b, err := observeBulk(ctx, program, title, name, variant)
	if b != nil {
		v.bulks = append(v.bulks, *b)
	}
	return err
}

// judgeFixed looks for accusations in the cured twin, and for what the cure saved.
func (v *verdict) judgeFixed(ctx context.Context, program string) error {
	e, name := v.scenario.Expect, v.scenario.Name
	dir := recording.Dir(name, "fixed")
	r, err := analyse(ctx, program, filepath.Join(dir, e.Deciding()+".pcap"), keyLog(e, dir)...)
	if err != nil {
		return err
	}
	v.fixed = unexpected(scenario.Expect{Also: e.Also}, r)
	v.reports = append(v.reports, r)
	fault, err := recording.ReadLog(name, "fault")
	if err != nil {
		return err
	}
	fixed, err := recording.ReadLog(name, "fixed")
	v.saved = fault.Total - fixed.Total
	v.unlike = len(fault.Requests) != len(fixed.Requests)
	v.disturbed = max(fault.LateMS, fixed.LateMS) > max(disturbedMS, .01*math.Abs(v.saved))
	return err
}

// priced reports whether the saving can be held against the cost.
func (v verdict) priced() bool {
	return v.found != nil && v.scenario.Fix != nil && !v.disturbed && !v.unlike &&
		!v.scenario.Expect.Untimed()
}

// inside reports whether the saving lies within [low, high]. The application's own pace varies by
// some hundred microseconds a request, which no capture shows.
func (v verdict) inside() bool {
	slack := 2 + .02*math.Abs(v.saved)
	return v.saved >= v.found.Cost.Low-slack && v.saved <= v.found.Cost.High+slack
}

// agree reports whether two vantages put the same cost on the same fault: within 5 % and 1 ms.
func agree(a, b finding) bool {
	return math.Abs(a.Cost.Expected-b.Cost.Expected) <= 1+.05*a.Cost.Expected
}
