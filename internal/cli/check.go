package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"tcpwhy/analysis"
	"tcpwhy/analysis/report"
	"tcpwhy/output"
)

// usageError is a mistake on the command line, and what may help.
type usageError struct{ message, hint string }

func (e *usageError) Error() string { return e.message }

// check refuses option values that mean nothing.
func (o *options) check() error {
	if err := oneOf("format", o.format, output.Names()...); err != nil {
		return err
	}
	if err := o.checkColor(); err != nil {
		return err
	}
	if err := o.checkRules(); err != nil {
		return err
	}
	if _, err := severity("min-severity", o.minSeverity); err != nil {
		return err
	}
	if o.failOn != "" {
		if _, err := severity("fail-on", o.failOn); err != nil {
			return err
		}
	}
	if o.lists.occurrences < 0 || o.workers < 0 || o.lists.listed < 0 {
		return &usageError{"--max-occurrences, --max-listed and --workers must not be negative", ""}
	}
	if o.listens() && (o.from.text != "" || o.to.text != "") {
		return &usageError{"--from and --to are for capture files", "see --duration"}
	}
	if err := o.checkTrace(); err != nil {
		return err
	}
	if o.parts.File != "" && (o.from.text != "" || o.to.text != "") {
		return &usageError{"--partial is of whole captures, not of a part by --from or --to", ""}
	}
	if err := o.checkPartial(); err != nil {
		return err
	}
	if err := o.checkCopies(); err != nil {
		return err
	}
	if err := o.spans.Check(); err != nil {
		return err
	}
	if err := o.readKnown(); err != nil {
		return err
	}
	if o.listens() {
		return o.checkLive()
	}
	if len(o.inputs) == 0 {
		return &usageError{
			"no input",
			"name capture files, or - for standard input; tcpwhy --help shows examples",
		}
	}
	return nil
}

// checkRules checks that there are the rules of --only and --skip.
func (o *options) checkRules() error {
	for _, names := range [][]string{o.only, o.skip} {
		for _, name := range names {
			if err := checkRule(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// readKnown reads the baseline, and checks that there are the rules and causes of its entries: one
// that is typed wrongly would let nothing pass, and nobody would know why.
func (o *options) readKnown() error {
	var path *fs.PathError
	if err := o.known.Read(); errors.As(err, &path) {
		return err
	} else if err != nil {
		return &usageError{err.Error(), "tcpwhy --write-baseline FILE makes a baseline"}
	}
	return o.known.Rules(func(entry, rule, cause string) error {
		err := checkRule(rule)
		if err == nil {
			err = checkCause(rule, cause)
		}
		var usage *usageError
		if errors.As(err, &usage) {
			return &usageError{entry + ": " + usage.message, usage.hint}
		}
		return err
	})
}

// checkExplain checks the argument of --explain.
func (o *options) checkExplain() error {
	if err := o.checkColor(); err != nil {
		return err
	}
	return checkRule(o.explain)
}

// colorChoices are what --color may be.
func colorChoices() []string { return []string{"auto", "always", "never"} }

// checkColor checks --color.
func (o *options) checkColor() error { return oneOf("color", o.color, colorChoices()...) }

// oneOf checks the value of a flag that names one of a few things.
func oneOf(flag, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return &usageError{
		fmt.Sprintf("--%s %q: not one of %s", flag, value,
			strings.Join(allowed, ", ")), suggestion(value, allowed),
	}
}

// severity is the level that a flag names.
func severity(flag, value string) (report.Severity, error) {
	if s, known := report.ParseSeverity(value); known {
		return s, nil
	}
	return report.Info, oneOf(flag, value, severities()...)
}

// severities are the names of all severities, the gravest first.
func severities() []string {
	var names []string
	for s := report.Info; s <= report.Critical; s++ {
		names = append(names, s.String())
	}
	slices.Reverse(names)
	return names
}

// checkRule checks that there is a rule of that name.
func checkRule(name string) error {
	var names []string
	for _, r := range analysis.Rules() {
		names = append(names, r.Name)
	}
	if slices.Contains(names, name) {
		return nil
	}
	hint := "tcpwhy --list-rules lists them"
	if s := suggestion(name, names); s != "" {
		hint = s + " " + hint
	}
	return &usageError{fmt.Sprintf("no rule is named %q", name), hint}
}

// checkCause checks that a rule has a cause of that name.
func checkCause(rule, cause string) error {
	var codes []string
	for _, r := range analysis.Rules() {
		for _, c := range r.Causes {
			if r.Name == rule {
				codes = append(codes, c.Code)
			}
		}
	}
	if cause == "" || slices.Contains(codes, cause) {
		return nil
	}
	return &usageError{
		fmt.Sprintf("%s has no cause %q", rule, cause), suggestion(cause, codes),
	}
}

// suggestion asks whether the nearest of names was meant; "" if none is near.
func suggestion(name string, names []string) string {
	if near := nearest(name, names); near != "" {
		return "did you mean " + near + "?"
	}
	return ""
}

// nearest is the one of names that a person who typed name most likely meant: it differs in at most
// a third of its letters, or begins or ends like it, or has its letters in that order, as markdown
// has those of md; "" if there is none.
func nearest(name string, names []string) string {
	best, least := "", len(name)/3+2
	for _, candidate := range names {
		d := distance(name, candidate)
		if len(name) >= 2 &&
			(strings.HasPrefix(candidate, name) || strings.HasSuffix(candidate, name)) {
			d = min(d, 1)
		}
		if d < least {
			best, least = candidate, d
		}
	}
	if i := slices.IndexFunc(names, func(of string) bool { return shortens(name, of) }); best == "" &&
		i >= 0 {
		return names[i]
	}
	return best
}

// shortens reports whether name begins as another one does, and has some of its letters in their
// order.
func shortens(name, of string) bool {
	if len(name) < 2 || of == "" || name[0] != of[0] {
		return false
	}
	for i := range len(of) {
		if name != "" && name[0] == of[i] {
			name = name[1:]
		}
	}
	return name == ""
}

// distance is how many letters must be changed, added or removed to make b of a (Levenshtein). Only
// the first letters of a count: names are short.
func distance(a, b string) int {
	a = a[:min(len(a), 40)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
