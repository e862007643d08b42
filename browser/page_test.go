package browser

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"tcpwhy/analysis/report"
)

// diagnoses are scenarios of which each shows something else.
var diagnoses = []string{
	"nagle-delayed-ack-request-rtt10", "zero-window-slow-reader-rtt10", "loss-at-policer-rtt20",
	"slow-start-rtt100", "reset-linger-zero-rtt10", "pool-wait-at-proxy-rtt10",
	"h2-small-behind-large-rtt40", "server-think-slow-endpoint-rtt10",
}

// hostile is text that tries to get out of wherever it stands, and to run or load something.
const hostile = `"'><script>alert(1)</script><img src=//x.example onerror=alert(2)>--></style></title>` +
	`</svg></script><svg onload=alert(3)>{{.}}` + "\u2028\u202e`${7}`"

// attacked puts that wherever the network can put text.
func attacked(r *report.Report) *report.Report {
	r.Capture.Inputs[0].Name = hostile
	for i := range r.Stories {
		r.Stories[i].Message, r.Stories[i].Title = hostile, hostile
	}
	for i := range r.Findings {
		r.Findings[i].Host, r.Findings[i].Message = hostile, hostile
		for k := range r.Findings[i].Occurrences {
			for n := range r.Findings[i].Occurrences[k].Evidence {
				r.Findings[i].Occurrences[k].Evidence[n].Text = hostile
			}
		}
	}
	for i := range r.Exchanges {
		r.Exchanges[i].Method, r.Exchanges[i].Target, r.Exchanges[i].Host = hostile, hostile, hostile
	}
	for i := range r.Endpoints {
		r.Endpoints[i].Method, r.Endpoints[i].Template = hostile, hostile
	}
	return r
}

// quiet wants that the browser complained of nothing, and asked for nothing but the page.
func (b *tab) quiet(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.complaints {
		t.Errorf("the browser says: %s", c)
	}
	for _, url := range b.requests {
		if !strings.HasPrefix(url, "file://") || !strings.HasSuffix(url, "/report.html") {
			t.Errorf("the page asks for %s", url)
		}
	}
}

// TestPolicy: no page violates its policy or loads anything, whatever the network said; and the
// policy is in force.
func TestPolicy(t *testing.T) {
	for _, name := range diagnoses[:3] {
		open(t, page(t, attacked(analysed(t, name))), 1240).quiet(t)
	}
	b := open(t, page(t, analysed(t, diagnoses[0])), 1240)
	b.quiet(t)
	b.check(t, "writing HTML is refused", `(() => {
		try { document.body.innerHTML = "<p>"; return false } catch (e) { return e instanceof TypeError }
	})()`)
	b.check(t, "no other script runs", `(() => {
		try { const s = document.createElement("script"); s.textContent = "window.ran = 1"; document.body.append(s) } catch {}
		return !window.ran
	})()`)
}

// TestFits: no page is wider than its window, on a phone or on a desk.
func TestFits(t *testing.T) {
	for _, name := range diagnoses {
		text := page(t, analysed(t, name))
		for _, width := range []int64{360, 390, 1240} {
			b := open(t, text, width)
			if wide := value[int64](t, b, "document.documentElement.scrollWidth"); wide > width {
				t.Errorf("%s is %d pixels wide in a window of %d", name, wide, width)
			}
			b.quiet(t)
		}
	}
}

// TestZoom: the graph zooms and moves by buttons and keys, and says what is under the pointer.
func TestZoom(t *testing.T) {
	b := open(t, page(t, analysed(t, diagnoses[0])), 1240)
	const box = `document.querySelector(".graph .dir.d0 .data").getAttribute("viewBox")`
	whole := value[string](t, b, box)
	b.click(t, `.graph [data-z="in"]`)
	zoomed := value[string](t, b, box)
	if zoomed == whole {
		t.Errorf("zooming in changes nothing: %s", zoomed)
	}
	b.check(
		t,
		"few segments have numbers",
		`document.querySelectorAll(".d0 .names text").length > 0`,
	)
	b.check(t, "there are ticks", `document.querySelectorAll(".d0 .xaxis text").length > 2`)
	b.focus(t, ".graph .d0 .plot")
	b.do(t, chromedp.KeyEvent(kb.ArrowRight))
	if moved := value[string](t, b, box); moved == zoomed {
		t.Errorf("an arrow moves nothing: %s", moved)
	}
	b.do(t, chromedp.KeyEvent("0"))
	if back := value[string](t, b, box); back != whole {
		t.Errorf("0 shows %s, want %s", back, whole)
	}
	b.click(t, ".card a.button")
	if value[string](t, b, box) == whole {
		t.Error("a finding does not lead to its frames")
	}
	b.click(t, ".graph label.b1")
	b.check(t, "the other direction is shown",
		`getComputedStyle(document.querySelector(".d0")).display === "none" &&
		getComputedStyle(document.querySelector(".d1")).display !== "none"`)
	b.click(t, ".graph label.b0")
	b.click(t, ".d0 .plot")
	b.check(
		t,
		"the page says what is under the pointer",
		`document.querySelector(".tip").textContent !== ""`,
	)
	b.quiet(t)
}

// TestFilters: the waterfall shows the exchanges of one finding, those that match, and sorts them.
func TestFilters(t *testing.T) {
	b := open(t, page(t, analysed(t, "server-think-slow-endpoint-rtt10")), 1240)
	const shown = `[...document.querySelectorAll(".row")].filter(r => r.offsetParent).length`
	all := value[int](t, b, shown)
	b.click(t, ".only")
	of := value[int](t, b, shown)
	if of == 0 || of >= all {
		t.Errorf("%d of %d exchanges are of the finding", of, all)
	}
	b.check(t, "the count is told", `document.querySelector(".count").textContent.includes(" of ")`)
	b.click(t, ".only")
	b.focus(t, ".find")
	b.do(t, chromedp.KeyEvent("health"))
	if found := value[int](t, b, shown); found != 10 {
		t.Errorf("%d exchanges have health in their path, want 10", found)
	}
	b.do(t, chromedp.Evaluate(`(() => {
		const f = document.querySelector(".find"); f.value = ""; f.dispatchEvent(new Event("input"));
		const s = document.querySelector(".sort"); s.value = "duration"; s.dispatchEvent(new Event("change"));
	})()`, nil))
	b.check(t, "the slowest comes first", `(() => {
		const d = [...document.querySelectorAll(".row")].map(r => Number(r.dataset.duration));
		return d.every((v, i) => i === 0 || d[i - 1] >= v);
	})()`)
	b.quiet(t)
}

// TestScales: bars stand at their time or all at the left edge.
func TestScales(t *testing.T) {
	b := open(t, page(t, analysed(t, "server-think-slow-endpoint-rtt10")), 1240)
	const left = `[...document.querySelectorAll(".row .barbox svg")].filter(s => parseFloat(s.getAttribute("x")) === 0).length`
	if n := value[int](t, b, left); n != 1 {
		t.Errorf("%d bars begin at the left edge, want 1", n)
	}
	for _, scale := range []string{"aligned", "clock"} {
		b.do(t, chromedp.Evaluate(`(() => {
			const s = document.querySelector(".scale"); s.value = "`+scale+`"; s.dispatchEvent(new Event("change"));
		})()`, nil))
		if n := value[int](t, b, left); (n == 25) != (scale == "aligned") {
			t.Errorf("%s: %d bars begin at the left edge", scale, n)
		}
	}
	b.check(t, "the axis has marks", `document.querySelectorAll(".head .xaxis text").length > 2`)
	b.quiet(t)
}

// TestWithoutScript: axes, marks and details are there, and one direction of a graph; what only the
// script does is not offered.
func TestWithoutScript(t *testing.T) {
	b := open(
		t,
		page(t, analysed(t, diagnoses[0])),
		1240,
		emulation.SetScriptExecutionDisabled(true),
	)
	b.check(t, "ticks", `document.querySelectorAll(".d0 .xaxis text").length > 2`)
	b.check(t, "proof frames", `document.querySelectorAll(".d0 .zxy .disc").length === 3`)
	b.check(
		t,
		"one direction",
		`[...document.querySelectorAll(".dir")].filter(d => d.offsetParent).length === 1`,
	)
	b.check(
		t,
		"no controls that do nothing",
		`[...document.querySelectorAll("button, select, input[type=search]")].every(e => !e.offsetParent)`,
	)
	b.check(t, "words on the bars", `document.querySelectorAll(".ledger text").length > 0`)
	b.quiet(t)
}

// TestPrint: printing leaves no control, and keeps the pictures.
func TestPrint(t *testing.T) {
	b := open(
		t,
		page(t, analysed(t, diagnoses[0])),
		800,
		emulation.SetEmulatedMedia().WithMedia("print").WithFeatures(
			[]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}),
	)
	b.check(
		t,
		"paper is white",
		`getComputedStyle(document.documentElement).getPropertyValue("--page").trim() === "#ffffff"`,
	)
	b.check(
		t,
		"no control",
		`[...document.querySelectorAll("button, select, input[type=search], .controls")].every(e => !e.offsetParent)`,
	)
	b.check(t, "the graph", `document.querySelector(".d0 .plot").clientHeight > 100`)
	b.quiet(t)
}

// TestThemes: by day and by night text stands out from what is behind it (WCAG 2.2, 1.4.3), and the
// button changes one into the other.
func TestThemes(t *testing.T) {
	for _, theme := range []string{"light", "dark"} {
		for _, name := range diagnoses[:4] {
			b := open(
				t,
				page(t, analysed(t, name)),
				1240,
				emulation.SetEmulatedMedia().WithFeatures(
					[]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}),
			)
			for _, faint := range value[[]string](t, b, contrast) {
				t.Errorf("%s, %s: %s", name, theme, faint)
			}
			before := value[string](
				t,
				b,
				`getComputedStyle(document.documentElement).backgroundColor`,
			)
			b.click(t, ".theme")
			b.check(t, "the button changes the theme",
				`getComputedStyle(document.documentElement).backgroundColor !== "`+before+`"`)
		}
	}
}

// contrast are the texts that stand out too little: colour on the nearest background, in SVG on
// that of the page, which is also the colour of the halo of text on bars.
const contrast = `(() => {
	const parse = c => (c.match(/[\d.]+/g) || []).map(Number);
	const light = c => {
		const [r, g, b] = c.slice(0, 3).map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const behind = e => {
		for (; e; e = e.parentElement) {
			const c = parse(getComputedStyle(e).backgroundColor);
			if (c.length === 3 || c[3] > 0) return c;
		}
		return [255, 255, 255];
	};
	const out = [];
	for (const e of document.querySelectorAll("body *")) {
		if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) || !e.getClientRects().length) continue;
		const s = getComputedStyle(e), svg = e instanceof SVGElement;
		if (["SCRIPT", "STYLE", "title", "OPTION"].includes(e.tagName)) continue;
		let under = svg ? behind(document.body) : behind(e);
		if (e.classList.contains("number")) under = parse(getComputedStyle(e.parentElement.querySelector(".disc")).fill);
		const a = light(parse(svg ? s.fill : s.color)), b = light(under);
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (ratio < 4.5) out.push(e.tagName + "." + e.getAttribute("class") + " " + e.textContent.slice(0, 20) + ": " + ratio.toFixed(2));
	}
	return [...new Set(out)].slice(0, 10);
})()`

// TestKeyboard: everything that can be used can be reached by the keyboard and shows that it has
// been, and every picture and control has a name.
func TestKeyboard(t *testing.T) {
	b := open(t, page(t, analysed(t, diagnoses[0])), 1240)
	reached := map[string]bool{}
	for range 80 {
		b.do(t, chromedp.KeyEvent(kb.Tab))
		reached[value[string](t, b, `(() => {
			const e = document.activeElement, s = getComputedStyle(e);
			const seen = s.outlineStyle !== "none" || e.classList.contains("pick");
			return (e.getAttribute("class") || e.tagName).split(" ").find(c => c !== "js") + (seen ? "" : ", not to be seen");
		})()`)] = true
	}
	for _, want := range []string{"skip", "theme", "copy", "button", "only", "find", "sort", "SUMMARY", "pick", "plot"} {
		if !reached[want] {
			t.Errorf("%s is not reached: %v", want, reached)
		}
	}
	b.check(
		t,
		"every control has a name",
		`[...document.querySelectorAll("button, select, input, a, [role=img]")].every(e =>
		e.textContent.trim() || e.getAttribute("aria-label") || e.closest("label") || document.querySelector("label[for=" + e.id + "]"))`,
	)
	b.check(t, "headings are in order", `(() => {
		const h = [...document.querySelectorAll("h1, h2, h3")].map(e => Number(e.tagName[1]));
		return h[0] === 1 && h.every((v, i) => i === 0 || v <= h[i - 1] + 1);
	})()`)
	b.check(
		t,
		"one main part, and a language",
		`document.querySelectorAll("main").length === 1 && document.documentElement.lang === "en"`,
	)
}
