//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// accuracyFile is where the scoreboard is kept.
const accuracyFile = "docs/accuracy.md"

// checkScenarios analyses the recordings below lab/out and scores what the program says. Only a run
// over all scenarios writes docs/accuracy.md.
func checkScenarios(ctx context.Context, chosen []Scenario, all bool) error {
	program, err := buildProgram(ctx)
	if err != nil {
		return err
	}
	defer os.RemoveAll(filepath.Dir(program))
	var score board
	for _, s := range chosen {
		if _, err := os.Stat(filepath.Join(recordingDir(s.Name, "fault"), "app.json")); err != nil {
			fmt.Fprintf(os.Stderr, "lab: %s is not recorded\n", s.Name)
			continue
		}
		v, err := judge(ctx, program, s)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		score.add(v)
		fmt.Println(v.line())
	}
	text := score.text()
	fmt.Print("\n" + text)
	if !all {
		return nil
	}
	return os.WriteFile(accuracyFile, []byte(text), 0o644)
}

// buildProgram builds the program once, so that each recording costs only its analysis.
func buildProgram(ctx context.Context) (string, error) {
	dir, err := os.MkdirTemp("", "tcpwhy-lab-")
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, "tcpwhy")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		os.RemoveAll(dir)
		return "", fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return program, nil
}

// A report is what is scored of the program's JSON.
type report struct {
	Summary struct {
		ExchangeMS float64            `json:"exchange_ms"`
		TimeMS     map[string]float64 `json:"time_ms"`
	} `json:"summary"`
	Findings    []finding `json:"findings"`
	Connections []struct {
		RTT struct {
			Handshake float64 `json:"handshake"`
			Min       float64 `json:"min"`
		} `json:"rtt_ms"`
		ServerRetransmissions int             `json:"server_retransmissions"`
		Exchanges             []int           `json:"exchanges"`
		TLS                   *map[string]any `json:"tls"`
	} `json:"connections"`
}

type finding struct {
	Rule       string `json:"rule"`
	Cause      string `json:"cause"`
	Severity   string `json:"severity"`
	Confidence string `json:"confidence"`
	Count      int    `json:"count"`
	Cost       struct {
		Low      float64 `json:"low"`
		Expected float64 `json:"expected"`
		High     float64 `json:"high"`
	} `json:"cost_ms"`
}

func (f finding) name() string { return Expect{Rule: f.Rule, Cause: f.Cause}.String() }

func analyse(ctx context.Context, program, name string) (r report, err error) {
	out, err := exec.CommandContext(ctx, program, "-F", "json", name).Output()
	if err != nil {
		var failed *exec.ExitError
		if errors.As(err, &failed) {
			return r, fmt.Errorf("analyse %s: %w: %s", name, err, failed.Stderr)
		}
		return r, err
	}
	if err := json.Unmarshal(out, &r); err != nil {
		return r, fmt.Errorf("read the report on %s: %w", name, err)
	}
	return r, nil
}

// A verdict is how one scenario went.
type verdict struct {
	scenario Scenario
	saved    float64 // by the cure, at the application; valid if the scenario has one
	found    *finding
	// The machine kept the programs waiting in one of the two recordings: saved is not what the
	// cure did.
	disturbed bool
	vantages  map[string]*finding // the same finding as each vantage saw it; nil if it did not
	others    []finding           // said of the fault though not expected
	fixed     []finding           // said of the cured twin
	reports   []report
	bulks     []bulk
}

// disturbedMS is the lateness beyond which a recording says nothing about a saving, unless that is
// a hundred times as long.
const disturbedMS = 3

// judge analyses every capture of a scenario; one decides, the others are compared with it.
func judge(ctx context.Context, program string, s Scenario) (verdict, error) {
	v := verdict{scenario: s, vantages: make(map[string]*finding)}
	dir := recordingDir(s.Name, "fault")
	for _, vantage := range append(s.Expect.with(), s.Expect.from()) {
		r, err := analyse(ctx, program, filepath.Join(dir, vantage+".pcap"))
		if err != nil {
			return v, err
		}
		v.vantages[vantage] = found(s.Expect, r)
		if vantage != s.Expect.from() && v.vantages[vantage] == nil {
			// what is upstream of one is downstream of another
			v.vantages[vantage] = found(Expect{Rule: s.Expect.Rule}, r)
		}
		v.vantages[vantage] = whole(s.Expect, v.vantages[vantage], r)
		if vantage == s.Expect.from() {
			v.found = v.vantages[vantage]
			v.others = unexpected(s.Expect, r)
			v.reports = append(v.reports, r)
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

// observe holds the ledger against the kernel's own account.
func (v *verdict) observe(ctx context.Context, program, variant string) error {
	name := v.scenario.Name
	if _, ok := v.scenario.Client.(Beside); ok {
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

func (v *verdict) judgeFixed(ctx context.Context, program string) error {
	e, name := v.scenario.Expect, v.scenario.Name
	r, err := analyse(ctx, program, filepath.Join(recordingDir(name, "fixed"), e.from()+".pcap"))
	if err != nil {
		return err
	}
	v.fixed = unexpected(Expect{Also: e.Also}, r)
	v.reports = append(v.reports, r)
	fault, err := readRunLog(name, "fault")
	if err != nil {
		return err
	}
	fixed, err := readRunLog(name, "fixed")
	v.saved = fault.Total - fixed.Total
	v.disturbed = max(fault.LateMS, fixed.LateMS) > max(disturbedMS, .01*math.Abs(v.saved))
	return err
}

// found is the finding that was expected, or nil.
func found(e Expect, r report) *finding {
	for i, f := range r.Findings {
		if e.Rule != "" && f.Rule == e.Rule && (e.Cause == "" || f.Cause == e.Cause) {
			return &r.Findings[i]
		}
	}
	return nil
}

// whole is the finding with what other rules claim of the same cure's saving; nil if there is none.
func whole(e Expect, f *finding, r report) *finding {
	if f == nil || len(e.Shares) == 0 {
		return f
	}
	all := *f
	for _, o := range r.Findings {
		if slices.Contains(e.Shares, o.Rule) {
			all.Cost.Low += o.Cost.Low
			all.Cost.Expected += o.Cost.Expected
			all.Cost.High += o.Cost.High
		}
	}
	return &all
}

// unexpected is what was said beyond it. Findings of severity info are remarks, not accusations.
func unexpected(e Expect, r report) []finding {
	var all []finding
	expected := found(e, r)
	for i, f := range r.Findings {
		if &r.Findings[i] != expected && f.Severity != "info" && !slices.Contains(e.Also, f.Rule) {
			all = append(all, f)
		}
	}
	return all
}

// line is the verdict for the terminal.
func (v verdict) line() string {
	words := []string{fmt.Sprintf("%-42s", v.scenario.Name)}
	switch e := v.scenario.Expect; {
	case e.Rule == "":
		words = append(words, "look-alike")
	case v.found == nil:
		words = append(words, "MISSED "+e.String())
	default:
		words = append(words, v.foundLine())
	}
	for _, f := range v.others {
		words = append(
			words,
			fmt.Sprintf("WRONG %s (%d, %.0f ms)", f.name(), f.Count, f.Cost.Expected),
		)
	}
	for _, f := range v.fixed {
		words = append(
			words,
			fmt.Sprintf("WRONG when fixed %s (%d, %.0f ms)", f.name(), f.Count, f.Cost.Expected),
		)
	}
	return strings.Join(words, "  ")
}

func (v verdict) foundLine() string {
	f := v.found
	text := fmt.Sprintf(
		"found %s %d times, %.1f [%.1f, %.1f] ms",
		f.name(),
		f.Count,
		f.Cost.Expected,
		f.Cost.Low,
		f.Cost.High,
	)
	if v.scenario.Expect.Count > 0 && f.Count != v.scenario.Expect.Count {
		text += fmt.Sprintf(" COUNT want %d", v.scenario.Expect.Count)
	}
	if v.scenario.Fix != nil {
		text += fmt.Sprintf(", saved %.1f", v.saved)
		if v.disturbed {
			text += " (disturbed)"
		}
		if v.priced() && !v.inside() {
			text += " OUTSIDE"
		}
	}
	for _, vantage := range v.scenario.Expect.with() {
		switch other := v.vantages[vantage]; {
		case other == nil:
			text += fmt.Sprintf(" UNSEEN at the %s", vantage)
		case !agree(*f, *other):
			text += fmt.Sprintf(" APART %s %.1f ms", vantage, other.Cost.Expected)
		}
	}
	return text
}

// priced reports whether the saving can be held against the cost.
func (v verdict) priced() bool {
	return v.found != nil && v.scenario.Fix != nil && !v.disturbed && !v.scenario.Expect.timeless()
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
