package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tcpwhy/analysis/compare"
	"tcpwhy/analysis/report"
	"tcpwhy/output/json"
)

// leastCompared is how many exchanges a pair of recordings needs to be one of those in which
// something must show: below it there is no interval.
const leastCompared = 4

// hardlyFaster are the pairs with as many exchanges on both sides in which no difference of
// durations can show, and why. Their finding is gone all the same.
var hardlyFaster = map[string]string{
	"bandwidth-compressible-rtt30":     "four endpoints, none asked four times",
	"grpc-chatty-rtt40":                "time is lost between calls, which take as long as before",
	"grpc-deadline-rtt40":              "calls had no response before, and have one now",
	"grpc-deadline-sometimes-rtt100":   "3 of 16 exchanges are affected",
	"grpc-request-too-large-rtt40":     "calls are refused as fast as they succeed",
	"grpc-unavailable-rtt20":           "calls fail as fast as they succeed",
	"h2-goaway-churn-rtt40":            "3 of 12 exchanges are affected",
	"h2-headers-large-rtt40":           "3 of 6 exchanges are affected",
	"h2-losses-of-many-streams-rtt80":  "two endpoints, each asked twice",
	"h2-losses-beside-a-window-rtt80":  "of ten requests the first are as they were",
	"h2-receive-window-rtt80":          "three endpoints, each asked three times at most",
	"h2-reset-deadline-rtt20":          "requests had no response before, and have one now",
	"h2-reset-deadline-short-rtt10":    "likewise",
	"reset-linger-zero-rtt10":          "three of four exchanges had to connect anew, the first is as it was",
	"reuse-server-max-requests-rtt10":  "3 of 12 exchanges are affected",
	"tls-not-resumed-rtt40":            "of four exchanges the first is as it was",
	"websocket-close-codes-rtt20":      "there are no exchanges but the upgrades, and other ones",
	"websocket-idle-nginx-short-rtt20": "what is ended is idle",
}

// pairs are the scenarios of a fault that have a twin in which it is cured, with that.
func pairs(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, dir := range scenarioDirs(t) {
		twin := strings.Replace(dir, "-fixed", "", 1)
		if _, err := os.Stat(twin + "/scenario.txt"); err == nil && twin != dir {
			all[twin] = dir
		}
	}
	if len(all) < 30 {
		t.Fatalf("there are only %d pairs", len(all))
	}
	return all
}

// TestComparePairs: with the fault cured, nothing is slower, the finding is gone, and exchanges are
// faster wherever numbers can show it.
func TestComparePairs(t *testing.T) {
	t.Parallel()
	unused := map[string]bool{}
	for name := range hardlyFaster {
		unused[name] = true
	}
	for fault, cured := range pairs(t) {
		name := filepath.Base(fault)
		before := analyseFiles(t, captures(t, fault), 1)
		after := analyseFiles(t, captures(t, cured), 1)
		if min(before.ExchangeCount, after.ExchangeCount) < leastCompared {
			continue
		}
		c := compared(before, after)
		if c.Regressed() {
			t.Errorf("%s: the cured one is called worse: %+v", name, c.Findings)
		}
		wantGone(t, fault, cured, c)
		faster := slices.ContainsFunc(c.Endpoints, func(e compare.Endpoint) bool {
			return e.Verdict == compare.Faster || e.Average == compare.Faster
		})
		if _, hard := hardlyFaster[name]; faster == hard {
			t.Errorf("%s: called faster: %v, with %+v", name, faster, c.Shift)
		}
		delete(unused, name)
	}
	for name := range unused {
		t.Errorf("%s is no pair with enough exchanges", name)
	}
}

// wantGone checks that what the truth of the fault wants, and that of the cured one does not, is
// gone; where a handful of occurrences may be left out by chance, that it is not seen again.
func wantGone(t *testing.T, fault, cured string, c *compare.Comparison) {
	t.Helper()
	had, has := truthOf(t, fault), truthOf(t, cured)
	for _, w := range had.findings {
		same := func(o wantFinding) bool { return o.rule == w.rule && o.cause == w.cause }
		if slices.ContainsFunc(has.findings, same) {
			continue
		}
		for _, f := range c.Findings {
			if f.Rule != w.rule || w.cause != "" && f.Cause != w.cause {
				continue
			}
			rare := float64(c.After.ExchangeCount)*f.Before.Rate() < 3
			if f.Change != compare.Gone && !(rare && f.Change == compare.NotSeen && f.Why != "") {
				t.Errorf("%s: %s/%s is %s: %+v", filepath.Base(fault), f.Rule, f.Cause, f.Change, f)
			}
		}
	}
}

// TestCompareSelf: nothing differs from itself, and a capture not from its own JSON.
func TestCompareSelf(t *testing.T) {
	t.Parallel()
	for _, dir := range sampleDirs(t) {
		r := analyseFiles(t, captures(t, dir), 1)
		checkEndpointTimes(t, dir, r)
		for _, other := range []*report.Report{r, readBack(t, r)} {
			c := compared(r, other)
			if c.Regressed() {
				t.Errorf("%s is worse than itself", dir)
			}
			for _, e := range c.Endpoints {
				if e.Verdict == compare.Faster || e.Verdict == compare.Slower ||
					e.Tail > compare.Alike || e.Average > compare.Alike ||
					e.Failing != compare.Alike || e.Erring != compare.Alike {
					t.Errorf("%s differs from itself: %+v", dir, e)
				}
			}
			for _, f := range c.Findings {
				if f.Change != compare.Still {
					t.Errorf("%s: %s is %s", dir, f.Rule, f.Change)
				}
			}
			for _, s := range c.Times {
				if s.Before != s.After {
					t.Errorf("%s: %s took %v and %v", dir, s.Label, s.Before, s.After)
				}
			}
		}
	}
}

// checkEndpointTimes: where the time of each endpoint went adds up to all of it.
func checkEndpointTimes(t *testing.T, dir string, r *report.Report) {
	t.Helper()
	for _, e := range r.Endpoints {
		sum := e.Time
		for _, part := range e.Times {
			sum -= part.Time
		}
		if sum != 0 {
			t.Errorf("%s: %s %s: labels leave %v of %v", dir, e.Method, e.Template, sum, e.Time)
		}
	}
}

func compared(before, after *report.Report) *compare.Comparison {
	return compare.Of(compare.Side{Report: before}, compare.Side{Report: after}, compare.Options{})
}

// readBack is a report as JSON has it.
func readBack(t *testing.T, r *report.Report) *report.Report {
	t.Helper()
	var b bytes.Buffer
	if err := json.Write(&b, r, json.Options{Version: "1.2.3"}); err != nil {
		t.Fatal(err)
	}
	back, _, err := json.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	return back
}

// truthOf is what a scenario wants.
func truthOf(t *testing.T, dir string) *truth {
	t.Helper()
	text, err := os.ReadFile(dir + "/scenario.txt")
	if err != nil {
		t.Fatal(err)
	}
	want, err := parseTruth(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return want
}
