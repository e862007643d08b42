// Package junit writes a report as the results of tests, which every CI server shows: a test for
// each rule that ran, which fails where it found something grave.
package junit

import (
	"encoding/xml"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/output/finding"
	"tcpwhy/output/mask"
	"tcpwhy/output/sentence"
	"tcpwhy/output/wording"
)

// Options choose what fails, and what is shown.
type Options struct {
	Version   string
	ShowQuery bool            // print query values, which are otherwise masked
	FailOn    report.Severity // what is at least as grave fails
}

// The elements, as the Ant task made them and everybody reads them.
type suites struct {
	XMLName  xml.Name `xml:"testsuites"`
	Name     string   `xml:"name,attr"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Skipped  int      `xml:"skipped,attr"`
	Suite    suite    `xml:"testsuite"`
}

type suite struct {
	Name     string     `xml:"name,attr"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Errors   int        `xml:"errors,attr"`
	Skipped  int        `xml:"skipped,attr"`
	Time     string     `xml:"time,attr"`
	Stamp    string     `xml:"timestamp,attr,omitempty"`
	Values   []property `xml:"properties>property"`
	Cases    []test     `xml:"testcase"`
	Out      *lines     `xml:"system-out"`
}

type property struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type test struct {
	Class    string    `xml:"classname,attr"`
	Name     string    `xml:"name,attr"`
	Time     string    `xml:"time,attr"`
	Failures []failure `xml:"failure"`
	Skipped  *skipped  `xml:"skipped"`
	Out      *lines    `xml:"system-out"`
}

type failure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",cdata"`
}

// lines are text that has several.
type lines struct {
	Text string `xml:",cdata"`
}

type skipped struct {
	Message string `xml:"message,attr"`
}

// maxProof are the frames of a proof that are shown.
const maxProof = 8

// Write writes the report.
func Write(w io.Writer, r *report.Report, opts Options) error {
	t := teller{
		&sentence.Teller{Report: r, ShowQuery: opts.ShowQuery}, opts, map[string][]*report.Story{},
	}
	s := suite{
		Name: t.text(sentence.InputNames(r.Capture.Inputs)), Time: seconds(r.Capture.Lasted()),
		Values: []property{
			{"tcpwhy", t.text(opts.Version)}, {"exchanges", strconv.Itoa(r.ExchangeCount)},
			{"connections", strconv.Itoa(r.Connections)},
			{"exchange_ms", string(wording.AppendMillis(nil, r.ExchangeTime))},
			{"lost_ms", string(wording.AppendMillis(nil, r.Lost))},
		},
		Out: &lines{t.verdict()},
	}
	if !r.Capture.Start.IsZero() {
		s.Stamp = r.Capture.Began().Format("2006-01-02T15:04:05")
	}
	s.Cases = t.tests()
	for i := range s.Cases {
		s.Failures += min(len(s.Cases[i].Failures), 1)
		if s.Cases[i].Skipped != nil {
			s.Skipped++
		}
	}
	s.Tests = len(s.Cases)
	all := suites{
		Name: "tcpwhy", Tests: s.Tests, Failures: s.Failures, Skipped: s.Skipped, Suite: s,
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(&all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// teller says what is in the report.
type teller struct {
	*sentence.Teller
	opts    Options
	stories map[string][]*report.Story // by rule
}

// text is fit to be shown; spaces that do not break do that on a terminal alone.
func (t *teller) text(s string) string {
	return mask.Visible(strings.ReplaceAll(s, wording.NoBreak, " "))
}

// tests are those of all rules: of those that ran, and of others that a report has stories of.
func (t *teller) tests() []test {
	r := t.Report
	rules := slices.Clone(r.Checked)
	for i := range r.Stories {
		s := &r.Stories[i]
		t.stories[s.Rule] = append(t.stories[s.Rule], s)
		if !slices.Contains(rules, s.Rule) {
			rules = append(rules, s.Rule)
		}
	}
	tests := make([]test, 0, len(rules))
	for _, rule := range rules {
		tests = append(tests, t.test(rule))
	}
	return tests
}

// test is that of one rule.
func (t *teller) test(rule string) test {
	c := test{Class: "tcpwhy", Name: rule}
	var out []string
	var cost time.Duration
	for _, s := range t.stories[rule] {
		cost += s.Cost.Expected - s.Shared
		news := t.Report.KnownStory(s) == nil
		if s.Severity >= t.opts.FailOn && s.Severity > report.Info && news {
			c.Failures = append(c.Failures, failure{
				t.text(sentence.Graded(s)), s.Severity.String(), t.story(s),
			})
		} else {
			out = append(out, t.story(s))
		}
	}
	c.Time = seconds(cost)
	for _, caveat := range t.Report.Caveats {
		if slices.Contains(caveat.Weakens, rule) {
			out = append(out, "Weakened: "+t.text(caveat.Message))
		}
	}
	if slices.Contains(t.Report.Blind, rule) && len(t.stories[rule]) == 0 {
		c.Skipped = &skipped{"could not look: nothing that was said can be read"}
	}
	if len(out) > 0 {
		c.Out = &lines{strings.Join(out, "\n\n")}
	}
	return c
}

// verdict is what the report says first.
func (t *teller) verdict() string {
	all := []string{t.text(t.Subject())}
	for _, l := range t.Verdict() {
		all = append(all, t.text(l.Text))
	}
	return strings.Join(all, "\n")
}

// story is one in full.
func (t *teller) story(s *report.Story) string {
	var b strings.Builder
	line := func(parts ...string) {
		if text := strings.Join(parts, ""); text != "" {
			b.WriteString("\n" + t.text(text))
		}
	}
	b.WriteString(t.text(sentence.Graded(s)))
	if s.Cost.Expected > 0 {
		line("Lost: ", wording.Duration(s.Cost.Expected-s.Shared))
	}
	line(t.Extent(s))
	line(t.Between(s))
	line(s.Message)
	if f := finding.Worst(t.Report, s); f != nil && len(f.Occurrences) > 0 {
		o := &f.Occurrences[0]
		line("Proof: ", t.Place(o))
		for i := range o.Evidence[:min(maxProof, len(o.Evidence))] {
			e := &o.Evidence[i]
			line("  ", t.FrameName(e.Frame, sentence.SeveralFiles(o.Evidence)), " ",
				wording.Offset(e.Time-o.Evidence[0].Time), " ", sentence.Sender(e.Side), "  ",
				wording.Evidence(e))
		}
		line("Show: ", finding.Filter(t.Report, o))
	}
	for _, m := range s.Remedies {
		line("Fix, ", m.Side.String(), ": ", m.Text)
	}
	return b.String()
}

// seconds is a duration as JUnit has it.
func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) }
