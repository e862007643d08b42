//go:build linux

package score

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"tcpwhy/lab/internal/scenario"
)

// buildProgram builds the program once, so that each recording costs only its analysis.
func buildProgram(ctx context.Context) (string, error) {
	dir, err := os.MkdirTemp("", "tcpwhy-lab-")
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, "tcpwhy")
	out, err := exec.CommandContext(ctx, "go", "build", "-o", program, ".").CombinedOutput()
	if err != nil {
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

// A finding is one accusation, or remark, of a report.
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

func (f finding) name() string { return scenario.Expect{Rule: f.Rule, Cause: f.Cause}.String() }

// analyse is what the program says of a capture; flags are further ones.
func analyse(ctx context.Context, program, name string, flags ...string) (r report, err error) {
	out, err := exec.CommandContext(ctx, program, append(flags, "-F", "json", name)...).Output()
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

// keyLog gives the program the secrets of a recording in dir, where the scenario says so.
func keyLog(e scenario.Expect, dir string) []string {
	if !e.Keyed {
		return nil
	}
	return []string{"--keylog", filepath.Join(dir, "keys.txt")}
}

// found is the finding that was expected, or nil.
func found(e scenario.Expect, r report) *finding {
	for i, f := range r.Findings {
		if e.Rule != "" && f.Rule == e.Rule && (e.Cause == "" || f.Cause == e.Cause) {
			return &r.Findings[i]
		}
	}
	return nil
}

// accused is a report without remarks that have a cost: of what could be done, not of what is wrong.
func accused(r report) report {
	r.Findings = slices.DeleteFunc(slices.Clone(r.Findings), func(f finding) bool {
		return f.Severity == "info" && f.Cost.Expected > 0
	})
	return r
}

// whole is the finding with what other rules claim of the same cure's saving; nil if there is none.
func whole(e scenario.Expect, f *finding, r report) *finding {
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
func unexpected(e scenario.Expect, r report) []finding {
	var all []finding
	expected := found(e, r)
	for i, f := range r.Findings {
		known := slices.Contains(e.Also, f.Rule) || slices.Contains(e.Also, f.name())
		if &r.Findings[i] != expected && f.Severity != "info" && !known {
			all = append(all, f)
		}
	}
	return all
}
