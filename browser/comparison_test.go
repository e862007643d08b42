package browser

import (
	"strings"
	"testing"

	"tcpwhy/analysis/compare"
	"tcpwhy/analysis/report"
	"tcpwhy/output"
)

// TestComparison: the page of what changed violates no policy, whatever the network and names of
// files say, runs no script, and fits a phone and a desk.
func TestComparison(t *testing.T) {
	f, known := output.FindComparison("html")
	if !known {
		t.Fatal("there is no page of comparisons")
	}
	const fault = "nagle-delayed-ack-request-rtt10"
	for name, side := range map[string]func(string) *report.Report{
		"plain":   func(s string) *report.Report { return analysed(t, s) },
		"hostile": func(s string) *report.Report { return attacked(analysed(t, s)) },
	} {
		var b strings.Builder
		c := compare.Of(compare.Side{Name: hostile, Report: side(fault)},
			compare.Side{Name: hostile, Report: side(fault + "-fixed")}, compare.Options{})
		if err := f.Write(&b, c, output.Options{Version: "1"}); err != nil {
			t.Fatal(err)
		}
		for _, width := range []int64{390, 1240} {
			tab := open(t, b.String(), width)
			if wide := value[int64](t, tab, "document.documentElement.scrollWidth"); wide > width {
				t.Errorf("%s: %d pixels wide in a window of %d", name, wide, width)
			}
			tab.check(t, name+" has its verdict, and both bars",
				`document.querySelector("h1").textContent.startsWith("Faster") &&
				document.querySelectorAll(".whole").length === 2`)
			tab.check(t, name+" has no script", `document.scripts.length === 0`)
			tab.quiet(t)
		}
	}
}
