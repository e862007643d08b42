package main

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tcpwhy/analysis/report"
	"tcpwhy/internal/golden"
)

// compareGoldens compares a scenario's reports with those of the last time: the text of each, and
// the JSON of those that have a report.json, which together show all of the schema
// (TestGoldensShowTheSchema).
func compareGoldens(t *testing.T, dir, asText, asJSON string) {
	t.Helper()
	golden.File(t, dir+"/report.txt", []byte(cutRuleLists(asText)))
	if _, err := os.Stat(dir + "/report.json"); err == nil {
		golden.File(t, dir+"/report.json", []byte(cutRuleLists(asJSON)))
	}
}

// ruleLists are the places where reports list rules, or count them, for what the rules are and not
// for what the capture shows: those that were checked, and those that a flaw of the capture
// weakens. A new rule would change them in every report. testdata/rule-lists.txt has them in full.
var ruleLists = map[*regexp.Regexp]string{
	regexp.MustCompile(`(\nCHECKED AND QUIET\n) [^A-Z]*\n\n`):          "$1  …\n\n",
	regexp.MustCompile(`(Nothing found: )\d+( rules looked)`):          "$1…$2",
	regexp.MustCompile(`(This\s+weakens)\s[^.]*\.`):                    "$1 ….",
	regexp.MustCompile(`("(?:checked|weakens)": \[)\s*"[^]]*"\s*(\])`): `$1"…"$2`,
}

// cutRuleLists is a report, text or JSON, with … instead of lists of rules.
func cutRuleLists(report string) string {
	for list, short := range ruleLists {
		report = list.ReplaceAllString(report, short)
	}
	return report
}

// TestRuleLists compares the lists that goldens leave out with those of the last time. Which rules
// are checked, and which of them a flaw of the capture weakens, is the same for every capture.
func TestRuleLists(t *testing.T) {
	t.Parallel()
	lists := map[string]string{}
	add := func(dir, name string, rules []string) {
		list := strings.Join(rules, "\n  ")
		if have, ok := lists[name]; ok && have != list {
			t.Errorf("%s: %s is %v, elsewhere %s", dir, name, rules, have)
		}
		lists[name] = list
	}
	for _, dir := range scenarioDirs(t) {
		r := analyseFiles(t, captures(t, dir), 1)
		add(dir, "checked", r.Checked)
		for _, c := range r.Caveats {
			if len(c.Weakens) > 0 {
				add(dir, "weakened by "+c.Code, c.Weakens)
			}
		}
	}
	var all strings.Builder
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		fmt.Fprintf(&all, "%s\n  %s\n", name, lists[name])
	}
	golden.File(t, "testdata/rule-lists.txt", []byte(all.String()))
}

// checkQuiet looks in the text for the rules that found nothing.
func checkQuiet(t *testing.T, r *report.Report, asText string) {
	t.Helper()
	var quiet []string
	for _, rule := range r.Checked {
		found := func(f report.Finding) bool { return f.Rule == rule }
		if !slices.ContainsFunc(r.Findings, found) && !slices.Contains(r.Blind, rule) {
			quiet = append(quiet, rule)
		}
	}
	want := "CHECKED AND QUIET " + strings.Join(quiet, ", ")
	if len(r.Blind) > 0 {
		want += " Could not look, as nothing that was said can be read: " +
			strings.Join(r.Blind, ", ") + "."
	}
	want += " THE CAPTURE "
	words := strings.Join(strings.Fields(asText), " ")
	if r.Connections > 0 && !strings.Contains(words, want) {
		t.Errorf("the text does not list as quiet: %v", quiet)
	}
}
