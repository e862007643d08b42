package analysis

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestKeysAreWritten: docs/scale-out.md says of each comparison by what key it can be cut, and of
// which rules it is.
func TestKeysAreWritten(t *testing.T) {
	doc, err := os.ReadFile("../docs/scale-out.md")
	if err != nil {
		t.Fatal(err)
	}
	row := map[string]string{} // the rules, by the type of the comparison
	for line := range strings.Lines(string(doc)) {
		if cells := strings.Split(line, " | "); len(cells) == 5 && strings.HasPrefix(line, "| `") {
			row[strings.Trim(cells[0], "| `")] = ", " + cells[1] + ","
		}
	}
	met := map[string]bool{}
	for _, d := range detectors() {
		if d.Across == nil {
			continue
		}
		kind := strings.TrimPrefix(fmt.Sprintf("%T", d.Across.Start()), "*")
		met[kind] = true
		if !strings.Contains(row[kind], ", "+d.Name+",") {
			t.Errorf("%s of %s has no row with that rule: %q", kind, d.Name, row[kind])
		}
	}
	for kind := range row {
		if !met[kind] {
			t.Errorf("%s has a row, and is no comparison", kind)
		}
	}
}
