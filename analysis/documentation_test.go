package analysis

import (
	"strings"
	"testing"
)

// TestEveryRuleIsDocumented looks for the four parts of a rule's documentation, in their order.
func TestEveryRuleIsDocumented(t *testing.T) {
	want := []string{"What happens", "How it is recognised", "How cost is counted", "When it is wrong"}
	for _, d := range Rules() {
		var titles []string
		for _, part := range d.Parts() {
			titles = append(titles, part.Title)
		}
		if got := strings.Join(titles, ", "); got != strings.Join(want, ", ") {
			t.Errorf("the parts of %s are %s", d.Name, got)
		}
		if d.Title == "" || len(d.Causes) == 0 {
			t.Errorf("%s lacks a title or causes", d.Name)
		}
	}
}
