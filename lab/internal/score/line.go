//go:build linux

package score

import (
	"fmt"
	"strings"
)

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
		words = append(words,
			fmt.Sprintf("WRONG %s (%d, %.0f ms)", f.name(), f.Count, f.Cost.Expected))
	}
	for _, f := range v.fixed {
		words = append(words,
			fmt.Sprintf("WRONG when fixed %s (%d, %.0f ms)", f.name(), f.Count, f.Cost.Expected))
	}
	return strings.Join(words, "  ")
}

func (v verdict) foundLine() string {
	f := v.found
	text := fmt.Sprintf("found %s %d times, %.1f [%.1f, %.1f] ms",
		f.name(), f.Count, f.Cost.Expected, f.Cost.Low, f.Cost.High)
	if v.scenario.Expect.Count > 0 && f.Count != v.scenario.Expect.Count {
		text += fmt.Sprintf(" COUNT want %d", v.scenario.Expect.Count)
	}
	if v.scenario.Fix != nil {
		text += fmt.Sprintf(", saved %.1f", v.saved)
		if v.disturbed {
			text += " (disturbed)"
		}
		if v.unlike {
			text += " (not as many requests)"
		}
		if v.priced() && !v.inside() {
			text += " OUTSIDE"
		}
	}
	for _, vantage := range v.scenario.Expect.Compared() {
		switch other := v.vantages[vantage]; {
		case other == nil:
			text += fmt.Sprintf(" UNSEEN at the %s", vantage)
		case !agree(*f, *other):
			text += fmt.Sprintf(" APART %s %.1f ms", vantage, other.Cost.Expected)
		}
	}
	return text
}
