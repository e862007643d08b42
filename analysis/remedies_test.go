package analysis

import (
	"slices"
	"strings"
	"testing"

	"tcpwhy/analysis/report"
)

// TestRemedyData holds all rules to remedies that read as one clause, and that name a product once
// for each setting.
func TestRemedyData(t *testing.T) {
	for _, d := range detectors() {
		for _, c := range d.Causes {
			for _, r := range c.Remedies {
				checkRemedy(t, d.Name+"/"+c.Code, &r)
			}
		}
	}
}

func checkRemedy(t *testing.T, where string, r *report.Remedy) {
	t.Helper()
	if r.Text == "" || strings.HasSuffix(r.Text, ".") || strings.HasSuffix(r.Text, ":") {
		t.Errorf("%s: %q is no clause", where, r.Text)
	}
	for i, s := range r.Settings {
		if s.Product == report.UnknownProduct || s.Text == "" {
			t.Errorf("%s: setting %d of %q is %v %q", where, i, r.Text, s.Product, s.Text)
		}
		if slices.Index(r.Settings, s) != i {
			t.Errorf("%s: %v %q is there twice", where, s.Product, s.Text)
		}
	}
	if n := len(r.ForProducts(report.Products{}).Text); n > 560 {
		t.Errorf("%s: %d characters are too many to read: %s", where, n, r.General())
	}
}
