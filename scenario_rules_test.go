package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tcpwhy/analysis"
	"tcpwhy/analysis/report"
)

// neverShown are the causes that no scenario shows, with the reason.
func neverShown() map[ruleCause]string {
	const lacks = "capture-quality"
	return map[ruleCause]string{
		{"port-exhaustion", "time-wait-load"}: "takes thousands of connections: TestPortLoad of " +
			"analysis writes them",
		{lacks, "missing-octets"}:   "is told by octets, as capture-gap",
		{lacks, "reordering-cap"}:   "takes thousands of holes in a connection at once",
		{lacks, "buffer-cap"}:       "takes a MiB of data behind a hole",
		{lacks, "history-cap"}:      "takes thousands of segments in an exchange",
		{lacks, "http-outstanding"}: "takes a thousand requests before the first response",

		{lacks, "parts-not-compared"}: "takes parts that were analysed apart: TestPartsOfOneHost",
	}
}

// scenarioTruths are the truths of all scenarios, by folder. That they hold is what TestScenarios
// checks.
func scenarioTruths(t *testing.T) map[string]*truth {
	t.Helper()
	all := map[string]*truth{}
	for _, dir := range scenarioDirs(t) {
		text, err := os.ReadFile(dir + "/scenario.txt")
		if err != nil {
			t.Fatal(err)
		}
		want, err := parseTruth(string(text))
		if err != nil {
			t.Fatalf("%s/scenario.txt: %v", dir, err)
		}
		all[dir] = want
	}
	return all
}

// TestEveryCauseIsShown: of each cause of each rule there is a scenario that wants it.
func TestEveryCauseIsShown(t *testing.T) {
	truths, exempt := scenarioTruths(t), neverShown()
	for _, d := range analysis.Rules() {
		for _, c := range d.Causes {
			rc := ruleCause{d.Name, c.Code}
			reason, exempted := exempt[rc]
			delete(exempt, rc)
			switch shown := isShown(t, truths, &d, c.Code); {
			case !shown && !exempted:
				t.Errorf("no scenario wants %v", rc)
			case shown && exempted:
				t.Errorf("a scenario shows %v, so that it is no exception: %s", rc, reason)
			}
		}
	}
	for rc := range exempt {
		t.Errorf("%v is an exception, and no cause of a rule", rc)
	}
}

// isShown reports whether a scenario wants the cause of a rule.
func isShown(t *testing.T, truths map[string]*truth, d *report.Rule, cause string) bool {
	t.Helper()
	for dir, want := range truths {
		if cause != "" && slices.Contains(want.caveats, cause) && !weighs(d) {
			return true
		}
		for i := range want.findings {
			w := &want.findings[i]
			if w.rule != d.Name || w.cause != cause {
				continue
			}
			// RULE alone stands for every cause of it
			if cause != "" || len(d.Causes) == 1 || isFound(t, dir, w.ruleCause) {
				return true
			}
		}
	}
	return false
}

// weighs reports whether a rule looks at traffic. The one that does not tells what the capture
// lacks: its causes are codes of caveats.
func weighs(d *report.Rule) bool {
	return d.Name != "capture-quality"
}

// isFound reports whether the report of a scenario has just that cause.
func isFound(t *testing.T, dir string, rc ruleCause) bool {
	t.Helper()
	r := analyseFiles(t, captures(t, dir), 1)
	return slices.ContainsFunc(r.Findings, func(f report.Finding) bool {
		return f.Rule == rc.rule && f.Cause == rc.cause
	})
}

// TestEveryRuleIsImitated: of each rule there is a scenario that looks like what it tells of, and
// says that it is not: a folder lookalike-* whose truth has "want no RULE", or a cause of it.
func TestEveryRuleIsImitated(t *testing.T) {
	imitated := map[string]bool{}
	for dir, want := range scenarioTruths(t) {
		for _, rc := range want.absent {
			if strings.HasPrefix(filepath.Base(dir), "lookalike-") {
				imitated[rc.rule] = true
			}
		}
	}
	for _, d := range analysis.Rules() {
		if !imitated[d.Name] {
			t.Errorf("no look-alike wants no %s", d.Name)
		}
	}
}
