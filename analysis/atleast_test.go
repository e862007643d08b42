package analysis

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

// TestAtLeast: what a rule finds by comparing connections alone it finds where there are as many as
// it says. The fewest that any scenario shows are told with -v.
func TestAtLeast(t *testing.T) {
	least := map[string]int{}
	for _, d := range detectors() {
		if d.Across != nil && d.Across.AtLeast > 1 && d.Exchange == nil && d.Closed == nil {
			least[d.Name] = d.Across.AtLeast
		}
	}
	if len(least) < 4 {
		t.Fatalf("only %d rules say so: %v", len(least), least)
	}
	fewest := map[string]int{}
	for _, name := range scenariosWith(t, least) {
		files, err := filepath.Glob(filepath.Join(name, "capture*"))
		if err != nil {
			t.Fatal(err)
		}
		src, err := capture.Open(capture.Config{Inputs: files})
		if err != nil {
			t.Fatal(err)
		}
		r, err := Run(t.Context(), src, WithLimits(Limits{Listed: NoLimit}))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		between := map[report.Pair]int{}
		for i := range r.Conns {
			c := &r.Conns[i]
			between[report.Pair{Client: c.Client.Addr(), Server: c.Server}]++
		}
		for i := range r.Findings {
			f := &r.Findings[i]
			want, says := least[f.Rule]
			n := between[report.Pair{Client: f.Client, Server: f.Server}]
			if says && n < want {
				t.Errorf("%s: %s between %d connections; it says that it takes %d", name, f.Rule, n,
					want)
			}
			if says && (fewest[f.Rule] == 0 || n < fewest[f.Rule]) {
				fewest[f.Rule] = n
			}
		}
	}
	for rule := range least {
		if fewest[rule] == 0 {
			t.Errorf("no scenario shows %s", rule)
		}
	}
	t.Logf("fewest: %v", fewest)
}

// scenariosWith are the folders of scenarios whose truth names one of the rules.
func scenariosWith(t *testing.T, rules map[string]int) []string {
	t.Helper()
	truths, err := filepath.Glob("../testdata/pcaps/*/scenario.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, name := range truths {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for rule := range rules {
			if strings.Contains(string(text), "want "+rule) {
				out = append(out, filepath.Dir(name))
				break
			}
		}
	}
	return out
}
