//go:build linux

package catalog

import (
	"strings"
	"testing"
)

func TestScenariosAreNamedOnceAndDescribed(t *testing.T) {
	seen := make(map[string]bool)
	for _, s := range All() {
		if seen[s.Name] {
			t.Errorf("%s exists twice", s.Name)
		}
		seen[s.Name] = true
		if s.About == "" || s.Server == nil || s.Client == nil {
			t.Errorf("%s is not whole", s.Name)
		}
		if strings.HasPrefix(s.Name, "lookalike-") != (s.Expect.Rule == "") {
			t.Errorf("%s expects %s", s.Name, s.Expect)
		}
	}
}
