package browser

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"tcpwhy/analysis"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/output"
)

// browsers are the names of programs that will do.
var browsers = []string{
	"chromium-headless-shell", "chrome-headless-shell", "chromium", "chromium-browser",
	"google-chrome",
}

// patience is how long one test may wait for the browser.
const patience = 30 * time.Second

// program is the browser's path. Without one the tests fail: skipped, they would say nothing.
func program(t *testing.T) string {
	t.Helper()
	for _, name := range browsers {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatalf("no browser: install one of %s", strings.Join(browsers, ", "))
	return ""
}

// tab is one page in a browser of its own, and what it complained of.
type tab struct {
	context.Context
	mu         sync.Mutex
	complaints []string
	requests   []string
}

// open shows a page. before prepares the tab.
func open(t *testing.T, page string, width int64, before ...chromedp.Action) *tab {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a browser")
	}
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
	flags := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program(t)), chromedp.NoSandbox, chromedp.DisableGPU)
	ctx, stop := context.WithTimeout(t.Context(), patience)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewExecAllocator(ctx, flags...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	b := &tab{Context: ctx}
	chromedp.ListenTarget(ctx, b.listen)
	actions := []chromedp.Action{
		network.Enable(), log.Enable(), audits.Enable(), runtime.Enable(),
		emulation.SetDeviceMetricsOverride(width, 900, 1, width < 600),
	}
	actions = append(actions, before...)
	b.do(t, append(actions, chromedp.Navigate("file://"+file))...)
	return b
}

// listen keeps what the browser complains of, and what it asks for.
func (b *tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		b.complaints = append(b.complaints, e.Entry.Text)
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, e.ExceptionDetails.Error())
	case *runtime.EventConsoleAPICalled:
		b.complaints = append(b.complaints, "console: "+string(e.Type))
	case *audits.EventIssueAdded:
		b.complaints = append(b.complaints, "issue: "+string(e.Issue.Code))
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	}
}

// do carries out actions.
func (b *tab) do(t *testing.T, actions ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(b, actions...); err != nil {
		t.Fatal(err)
	}
}

// value is what an expression is in the page.
func value[T any](t *testing.T, b *tab, expression string) (v T) {
	t.Helper()
	b.do(t, chromedp.Evaluate(expression, &v))
	return v
}

// check wants an expression to be true in the page.
func (b *tab) check(t *testing.T, what, expression string) {
	t.Helper()
	if !value[bool](t, b, expression) {
		t.Errorf("not so: %s", what)
	}
}

// analysed is the report of a scenario, with all that pictures need.
func analysed(t *testing.T, scenario string) *report.Report {
	t.Helper()
	files, err := filepath.Glob("../testdata/pcaps/" + scenario + "/capture*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenario %s", scenario)
	}
	run := func(more ...analysis.Option) *report.Report {
		src, err := capture.Open(capture.Config{Inputs: files})
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		r, err := analysis.Run(t.Context(), src, append(more, analysis.WithPieces())...)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	return run(analysis.WithGraphs(html(t).Graphs(run())...))
}

// html is the format.
func html(t *testing.T) output.Format {
	t.Helper()
	f, known := output.Find("html")
	if !known {
		t.Fatal("there is no format html")
	}
	return f
}

// page is the page of a report.
func page(t *testing.T, r *report.Report) string {
	t.Helper()
	var b strings.Builder
	if err := html(t).Write(&b, r, output.Options{Version: "1"}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// click clicks into the middle of the first element that a selector finds, as a hand would.
func (b *tab) click(t *testing.T, selector string) {
	t.Helper()
	at := value[[2]float64](t, b, `(() => {
		const e = document.querySelector(`+strconv.Quote(selector)+`);
		e.scrollIntoView({ block: "center", behavior: "instant" });
		const r = e.getBoundingClientRect();
		return [r.left + r.width / 2, r.top + r.height / 2];
	})()`)
	b.do(t, chromedp.MouseClickXY(at[0], at[1]))
}

// focus is where the next keys go.
func (b *tab) focus(t *testing.T, selector string) {
	t.Helper()
	b.do(t, chromedp.Evaluate(`document.querySelector(`+strconv.Quote(selector)+`).focus()`, nil))
}
