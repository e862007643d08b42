package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tcpwhy/analysis"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/output/notes"
)

// annotated writes an annotated copy of a capture, and gives its name.
func annotated(t *testing.T, inputs []string, r *report.Report) string {
	t.Helper()
	var b bytes.Buffer
	err := capture.Copy(&b, capture.CopyConfig{
		Config: capture.Config{Inputs: inputs}, Notes: notes.Of(r, notes.Options{Version: "1"}),
	})
	name := filepath.Join(t.TempDir(), "annotated.pcapng")
	if err == nil {
		err = os.WriteFile(name, b.Bytes(), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// foundIn is what a report found, a line for each occurrence: what, how often, at what cost, and
// where; several inputs of which one was made have other frame numbers, which are left out then.
func foundIn(r *report.Report, frames bool) (all []string) {
	for i := range r.Findings {
		f := &r.Findings[i]
		for k := range f.Occurrences {
			o := &f.Occurrences[k]
			line := fmt.Sprintf("%s/%s %s %d %v %s %v-%v", f.Rule, f.Cause, f.Severity, f.Count, f.Cost,
				f.Confidence, o.Start, o.End)
			for _, e := range o.Evidence {
				line += fmt.Sprintf(" %s %v", e.Role, e.Time)
				if frames {
					line += fmt.Sprint(" ", e.Frame)
				}
			}
			all = append(all, line)
		}
	}
	return all
}

// TestAnnotated analyses annotated captures again: they give the same findings, and each frame of
// each proof has its comment.
func TestAnnotated(t *testing.T) {
	t.Parallel()
	for _, dir := range sampleDirs(t) {
		inputs := captures(t, dir)
		before := analyseFiles(t, inputs, 1)
		name := annotated(t, inputs, before)
		after := analyseAgain(t, name, beside(t, inputs[0])...)
		single := len(inputs) == 1
		want, got := foundIn(before, single), foundIn(after, single)
		if !slices.Equal(want, got) {
			t.Errorf("%s: found\n%s\nbefore\n%s", dir, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if before.Capture.Frames != after.Capture.Frames || before.Lost != after.Lost {
			t.Errorf("%s: %d frames, %v lost, before %d, %v", dir, after.Capture.Frames, after.Lost,
				before.Capture.Frames, before.Lost)
		}
	}
}

// analyseAgain analyses a file with what lies beside another.
func analyseAgain(t *testing.T, name string, with ...analysis.Option) *report.Report {
	t.Helper()
	src, err := capture.Open(capture.Config{Inputs: []string{name}})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	r, err := analysis.Run(t.Context(), src, append(with, analysis.WithWorkers(1))...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// findTshark is where tshark is; without it the test is skipped.
func findTshark(t *testing.T) string {
	t.Helper()
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is not installed")
	}
	return tshark
}

// TestAnnotatedShown has tshark show the comments of an annotated capture: those of all proofs, and
// no others.
func TestAnnotatedShown(t *testing.T) {
	t.Parallel()
	tshark := findTshark(t)
	inputs := []string{shownRun}
	r := analyseFiles(t, inputs, 1)
	var want []string
	for id, texts := range notes.Of(r, notes.Options{}).Frames {
		want = append(want, fmt.Sprintf("%d\t%s", id.Number(), strings.Join(texts, ",")))
	}
	out, err := exec.Command(tshark, "-r", annotated(t, inputs, r), "-Y", `frame.comment contains "tcpwhy"`,
		"-T", "fields", "-e", "frame.number", "-e", "frame.comment").Output()
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) || len(got) != 30 {
		t.Errorf("tshark shows\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
