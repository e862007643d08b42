package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tcpwhy/analysis"
	"tcpwhy/analysis/report"
)

// truth is what a scenario's author knows of it, from how it was made and not from what the program
// said.
type truth struct {
	findings    []wantFinding
	absent      []ruleCause
	noOther     bool
	exchanges   int // -1: not stated
	connections int
	proxied     int
	legs        []wantLegs
	caveats     []string
	labels      []wantLabel
	texts       []wantText
}

// wantText is what the report must say, or must not, wherever its lines break.
type wantText struct {
	text string
	not  bool
	head bool // in its first lines
}

// check looks for it in a report.
func (w wantText) check(t *testing.T, asText string) {
	t.Helper()
	if w.head {
		lines := strings.SplitAfterN(asText, "\n", firstLines+1)
		asText = strings.Join(lines[:min(len(lines), firstLines)], "")
	}
	if said := strings.Contains(strings.Join(strings.Fields(asText), " "), w.text); said == w.not {
		t.Errorf("the report says %q: %t, in its first lines: %t", w.text, said, w.head)
	}
}

// firstLines are as many as somebody reads who reads nothing else.
const firstLines = 10

// parseText reads what follows a want that is about the report's words; false if it is not.
func parseText(words []string) (w wantText, ok bool) {
	if w.not = words[0] == "no"; w.not {
		words = words[1:]
	}
	if len(words) < 2 || words[0] != "text" && words[0] != "first" {
		return w, false
	}
	w.head, w.text = words[0] == "first", strings.Join(words[1:], " ")
	return w, true
}

// ruleCause names a rule, or one cause of it.
type ruleCause struct{ rule, cause string }

func (rc ruleCause) matches(f *report.Finding) bool {
	return f.Rule == rc.rule && (rc.cause == "" || f.Cause == rc.cause)
}

func (rc ruleCause) String() string { return strings.TrimSuffix(rc.rule+"/"+rc.cause, "/") }

// wantFinding is one finding that must be reported. A nil field was not stated.
type wantFinding struct {
	ruleCause
	count       *countRange
	cost        *timeRange
	clock       *timeRange // its cost by the clock
	frames      []uint64
	side        string
	confidence  *report.Confidence // at least
	severity    string
	minSeverity *report.Severity
}

type wantLabel struct {
	label report.Label
	time  timeRange
}

type countRange struct{ low, high int }

type timeRange struct{ low, high time.Duration }

func (r timeRange) holds(d time.Duration) bool { return r.low <= d && d <= r.high }

// parseTruth reads a scenario.txt: a sentence, a description, an origin, and truth. Whatever it
// does not understand is an error: a line that is skipped would check nothing.
func parseTruth(text string) (*truth, error) {
	head, body, found := strings.Cut("\n"+text, "\ntruth:")
	if !found {
		return nil, fmt.Errorf("no line begins with truth:")
	}
	if first, _, _ := strings.Cut(strings.TrimSpace(head), "\n"); !strings.HasSuffix(first, ".") {
		return nil, fmt.Errorf("the first line is not a sentence: %q", first)
	}
	if !strings.Contains(head, "\norigin:") {
		return nil, fmt.Errorf("no line begins with origin:")
	}
	t := &truth{exchanges: -1, connections: -1, proxied: -1}
	wants := 0
	for _, line := range strings.Split(body, "\n") {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if words[0] != "want" || len(words) < 2 {
			return nil, fmt.Errorf("not understood: %q", line)
		}
		if err := t.want(words[1:]); err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		wants++
	}
	if wants == 0 {
		return nil, fmt.Errorf("the truth says nothing")
	}
	return t, nil
}

func (t *truth) want(words []string) error {
	if w, ok := parseText(words); ok {
		t.texts = append(t.texts, w)
		return nil
	}
	switch {
	case words[0] == "no":
		return t.wantNo(words[1:])
	case words[0] == "caveat" && len(words) == 2:
		t.caveats = append(t.caveats, words[1])
		return nil
	case words[0] == "upstream":
		legs, err := parseLegs(words[1:])
		t.legs = append(t.legs, legs)
		return err
	case words[0] == "label":
		return t.wantLabels(words[1:])
	case strings.HasPrefix(words[0], "exchanges=") || strings.HasPrefix(words[0], "connections="):
		return t.wantTotals(words)
	}
	return t.wantFinding(words)
}

func (t *truth) wantNo(words []string) error {
	if len(words) != 1 {
		return fmt.Errorf("want no takes one rule")
	}
	if words[0] == "other" {
		t.noOther = true
		return nil
	}
	rc, err := parseRule(words[0])
	t.absent = append(t.absent, rc)
	return err
}

func (t *truth) wantTotals(words []string) error {
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		n, err := strconv.Atoi(value)
		switch {
		case err != nil:
			return err
		case name == "exchanges":
			t.exchanges = n
		case name == "connections":
			t.connections = n
		case name == "proxied":
			t.proxied = n
		default:
			return fmt.Errorf("unknown word %q", word)
		}
	}
	return nil
}

func (t *truth) wantLabels(words []string) error {
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		r, err := parseTimes(value)
		if err != nil {
			return err
		}
		found := false
		for _, l := range report.Labels() {
			if l.String() == name {
				t.labels = append(t.labels, wantLabel{l, r})
				found = true
			}
		}
		if !found {
			return fmt.Errorf("no label is named %q", name)
		}
	}
	if len(words) == 0 {
		return fmt.Errorf("no label")
	}
	return nil
}

func (t *truth) wantFinding(words []string) error {
	rc, err := parseRule(words[0])
	if err != nil {
		return err
	}
	w := wantFinding{ruleCause: rc}
	for _, word := range words[1:] {
		if err := w.option(word); err != nil {
			return err
		}
	}
	t.findings = append(t.findings, w)
	return nil
}

var optionPattern = regexp.MustCompile(`^([a-z]+)(=|>=)(.+)$`)

func (w *wantFinding) option(word string) error {
	m := optionPattern.FindStringSubmatch(word)
	if m == nil {
		return fmt.Errorf("unknown word %q", word)
	}
	value := m[3]
	var err error
	switch m[1] + m[2] {
	case "count=":
		w.count, err = parseCounts(value)
	case "cost=":
		var r timeRange
		r, err = parseTimes(value)
		w.cost = &r
	case "clock=":
		var r timeRange
		r, err = parseTimes(value)
		w.clock = &r
	case "frames=":
		w.frames, err = parseFrames(value)
	case "side=":
		w.side = value
		if !slices.Contains([]string{"client", "server", "proxy", "network", "unknown"}, value) {
			err = fmt.Errorf("unknown side %q", value)
		}
	case "confidence>=":
		w.confidence, err = parseConfidence(value)
	case "severity=":
		w.severity = value
		_, err = parseSeverity(value)
	case "severity>=":
		var s report.Severity
		s, err = parseSeverity(value)
		w.minSeverity = &s
	default:
		err = fmt.Errorf("unknown word %q", word)
	}
	return err
}

func parseSeverity(name string) (report.Severity, error) {
	for s := report.Info; s <= report.Critical; s++ {
		if s.String() == name {
			return s, nil
		}
	}
	return 0, fmt.Errorf("unknown severity %q", name)
}

func parseRule(word string) (ruleCause, error) {
	rule, cause, hasCause := strings.Cut(word, "/")
	rules := analysis.Rules()
	at := slices.IndexFunc(rules, func(r report.Rule) bool { return r.Name == rule })
	if at < 0 {
		return ruleCause{}, fmt.Errorf("no rule is named %q", rule)
	}
	if hasCause && rules[at].Cause(cause) != nil {
		return ruleCause{rule, cause}, nil
	}
	if hasCause {
		return ruleCause{}, fmt.Errorf("rule %s has no cause %q", rule, cause)
	}
	return ruleCause{rule, ""}, nil
}

func parseCounts(value string) (*countRange, error) {
	low, high, found := strings.Cut(value, "..")
	if !found {
		high = low
	}
	a, err := strconv.Atoi(low)
	if err != nil {
		return nil, err
	}
	b, err := strconv.Atoi(high)
	if err != nil || b < a {
		return nil, fmt.Errorf("not a range: %q", value)
	}
	return &countRange{a, b}, nil
}

// parseTimes reads 350ms±5ms or 300ms..400ms. A time without a tolerance is an error: nothing
// measured is exact.
func parseTimes(value string) (timeRange, error) {
	first, second, around := strings.Cut(value, "±")
	if !around {
		var between bool
		if first, second, between = strings.Cut(value, ".."); !between {
			return timeRange{}, fmt.Errorf("no tolerance: %q", value)
		}
	}
	a, err := time.ParseDuration(first)
	if err != nil {
		return timeRange{}, err
	}
	b, err := time.ParseDuration(second)
	if err != nil {
		return timeRange{}, err
	}
	if around {
		a, b = a-b, a+b
	}
	if b < a {
		return timeRange{}, fmt.Errorf("not a range: %q", value)
	}
	return timeRange{a, b}, nil
}

func parseFrames(value string) ([]uint64, error) {
	var frames []uint64
	for _, word := range strings.Split(value, ",") {
		n, err := strconv.ParseUint(word, 10, 48)
		if err != nil {
			return nil, err
		}
		frames = append(frames, n)
	}
	return frames, nil
}

func parseConfidence(value string) (*report.Confidence, error) {
	for c := report.ConfidenceLow; c <= report.Proven; c++ {
		if c.String() == value {
			return &c, nil
		}
	}
	return nil, fmt.Errorf("no confidence is named %q", value)
}
