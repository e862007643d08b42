//go:build linux

package main

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
)

// A board adds up verdicts.
type board struct {
	rules              map[string]*ruleScore
	errors             []float64 // of the expected cost, ms, where a cure's saving is known
	shares             []float64 // the same, of the saving (of 2 ms if it is less)
	inside             int       // savings within [low, high]
	unknown, exchanges float64   // ms
	apart              []float64 // difference of cost between client's and server's capture, ms
	agree, compared    int
	lookalikes, silent int
	wrong              []string
	scenarios, pairs   int
	bulks              []bulk
	sure               [2]sureness // of findings proven, and of those high
}

// sureness scores the findings of one level of confidence.
type sureness struct{ right, all int }

// levels are the names of board.sure.
var levels = [2]string{"proven", "high"}

func (b *board) addSureness(f finding, right bool) {
	for i, level := range levels {
		if f.Confidence == level {
			b.sure[i].all++
			if right {
				b.sure[i].right++
			}
		}
	}
}

// ruleScore counts recordings for one rule/cause.
type ruleScore struct{ right, missed, false, countErrors int }

func (b *board) rule(name string) *ruleScore {
	if b.rules == nil {
		b.rules = make(map[string]*ruleScore)
	}
	if b.rules[name] == nil {
		b.rules[name] = &ruleScore{}
	}
	return b.rules[name]
}

func (b *board) add(v verdict) {
	b.scenarios++
	e := v.scenario.Expect
	if v.scenario.Fix != nil {
		b.pairs++
	}
	if e.Rule == "" {
		b.lookalikes++
		if len(v.others) == 0 {
			b.silent++
		}
	}
	b.addExpected(v)
	for _, f := range slices.Concat(v.others, v.fixed) {
		b.rule(f.name()).false++
		b.addSureness(f, false)
	}
	b.bulks = append(b.bulks, v.bulks...)
	if wrongLine.MatchString(v.line()) {
		b.wrong = append(b.wrong, v.line())
	}
	for _, r := range v.reports {
		b.unknown += r.Summary.TimeMS["unknown"]
		b.exchanges += r.Summary.ExchangeMS
	}
}

// addExpected scores the finding that the scenario is about.
func (b *board) addExpected(v verdict) {
	e := v.scenario.Expect
	if e.Rule == "" {
		return
	}
	row := b.rule(e.String())
	if v.found == nil {
		row.missed++
		return
	}
	row.right++
	b.addSureness(*v.found, true)
	if e.Count > 0 && v.found.Count != e.Count {
		row.countErrors++
	}
	if v.priced() {
		b.addCost(v)
	}
	b.addVantages(v)
}

func (b *board) addCost(v verdict) {
	miss := math.Abs(v.found.Cost.Expected - v.saved)
	b.errors = append(b.errors, miss)
	b.shares = append(b.shares, miss/math.Max(math.Abs(v.saved), 2))
	if v.inside() {
		b.inside++
	}
}

func (b *board) addVantages(v verdict) {
	for _, other := range v.scenario.Expect.with() {
		b.compared++
		f := v.vantages[other]
		if f == nil {
			continue
		}
		b.apart = append(b.apart, math.Abs(f.Cost.Expected-v.found.Cost.Expected))
		if agree(*v.found, *f) {
			b.agree++
		}
	}
}

// wrongLine finds verdicts that are not wholly right.
var wrongLine = regexp.MustCompile("WRONG|MISSED|COUNT|UNSEEN|APART|OUTSIDE")

// quantile of values, which may be none.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(math.Round(q*float64(len(sorted)-1)))]
}

func share(part, all int) string {
	if all == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f %% (%d of %d)", 100*float64(part)/float64(all), part, all)
}

const preface = `# How right the reports are

Written by ` + "`go run ./lab check`" + ` from recordings of the lab: real kernels, real programs, each fault with and
without its cure. The saving is the client's: sum over requests, fault minus fixed. A finding of severity info is a
remark: it is scored where it was wanted, and accuses nobody elsewhere. Losses of data and rules that claim no time are
not held against a saving. A saving counts as within [low, high] if it is there within 2 ms + 2 %, the pace of the
applications themselves. How the lab works: lab.md.

The rules were developed beside these recordings, so the figures are in-sample. Names that begin with jitter are over a path
whose delay varies by up to 20 ms a round trip: less is certain there, seen from the side that does not send.

Beyond them, reports were judged by eye, with the time that a fixed twin saved where there was one: gVisor's netstack (also set
up like other systems: delayed ACKs of 10, 40 and 200 ms, no SACK, no timestamps) and lwIP, at both ends and either, 2,776
captures; and some 210 of other programs, from Tomcat to aria2. What was wrong there is mended, or stands under "Known limits" of
model.md.

`

// text is the scoreboard in Markdown.
func (b *board) text() string {
	var t strings.Builder
	t.WriteString(preface)
	fmt.Fprintf(&t, "- %s, %s\n", kernel(), strings.Join(versions(), ", "))
	fmt.Fprintf(
		&t,
		"- %d scenarios, %d of them with a cured twin, %d look-alikes\n\n",
		b.scenarios,
		b.pairs,
		b.lookalikes,
	)
	b.writeFigures(&t)
	fmt.Fprintf(&t, "| rule | precision | recall | wrong counts |\n|---|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(b.rules)) {
		r := b.rules[name]
		fmt.Fprintf(
			&t,
			"| %s | %s | %s | %d |\n",
			name,
			share(r.right, r.right+r.false),
			share(r.right, r.right+r.missed),
			r.countErrors,
		)
	}
	b.writeKernel(&t)
	if len(b.wrong) > 0 {
		fmt.Fprintf(&t, "\nWhat is wrong:\n\n")
		for _, line := range b.wrong {
			fmt.Fprintf(&t, "- %s\n", strings.Join(strings.Fields(line), " "))
		}
	}
	return t.String()
}

// writeFigures is what one wants to know first.
func (b *board) writeFigures(t *strings.Builder) {
	fmt.Fprintf(t, "| figure | value |\n|---|---|\n")
	fmt.Fprintf(t, "| look-alikes without a finding | %s |\n", share(b.silent, b.lookalikes))
	for i, level := range levels {
		fmt.Fprintf(
			t,
			"| findings of confidence %s that are right | %s |\n",
			level,
			share(b.sure[i].right, b.sure[i].all),
		)
	}
	fmt.Fprintf(
		t,
		"| error of the expected cost, median | %.1f ms, %.0f %% |\n",
		quantile(b.errors, .5),
		100*quantile(b.shares, .5),
	)
	fmt.Fprintf(
		t,
		"| error of the expected cost, 90th percentile | %.1f ms, %.0f %% |\n",
		quantile(b.errors, .9),
		100*quantile(b.shares, .9),
	)
	fmt.Fprintf(t, "| savings within [low, high] | %s |\n", share(b.inside, len(b.errors)))
	fmt.Fprintf(
		t,
		"| exchange time labelled unknown | %.1f %% |\n",
		100*b.unknown/math.Max(b.exchanges, 1),
	)
	fmt.Fprintf(t, "| other vantages agree within 5 %% + 1 ms | %s |\n", share(b.agree, b.compared))
	fmt.Fprintf(
		t,
		"| cost between vantages, 90th percentile | %.1f ms apart |\n",
		quantile(b.apart, .9),
	)
	busy, rwnd, retrans := 0, 0, 0
	for i := range b.bulks {
		busy += one(b.bulks[i].busyAgrees())
		rwnd += one(b.bulks[i].rwndAgrees())
		retrans += one(b.bulks[i].retransAgree())
	}
	fmt.Fprintf(
		t,
		"| large responses: time busy as TCP_INFO has it | %s |\n",
		share(busy, len(b.bulks)),
	)
	fmt.Fprintf(
		t,
		"| large responses: time held by the receive window as TCP_INFO has it | %s |\n",
		share(rwnd, len(b.bulks)),
	)
	fmt.Fprintf(
		t,
		"| large responses: segments sent again as TCP_INFO has it | %s |\n\n",
		share(retrans, len(b.bulks)),
	)
}

func one(is bool) int {
	if is {
		return 1
	}
	return 0
}

// writeKernel is the ledger beside the kernel's own account, for every large response.
func (b *board) writeKernel(t *strings.Builder) {
	if len(b.bulks) == 0 {
		return
	}
	t.WriteString(
		"\nLarge responses: the ledger of the server's capture / TCP_INFO of the server's socket, which is sampled every 4 ms. Times\n" +
			"agree within 10 % of the time busy, a round trip and two ticks of the kernel; pauses of the application may be either.\n\n" +
			"| recording | busy, ms | held by the receive window, ms | sent again | held by the send buffer (TCP_INFO alone), ms | apart |\n|---|---|---|---|---|---|\n",
	)
	for i := range b.bulks {
		fmt.Fprintln(t, b.bulks[i].row())
	}
}

// versions names the programs of the lab as they are on this machine.
func versions() []string {
	return []string{
		version("nginx", "-v"),
		version("apache2", "-v"),
		"Node " + version("node", "--version"),
		version(
			"python3",
			"--version",
		),
		version("haproxy", "-v"),
		curlVersion(),
		version("go", "version"),
	}
}

func curlVersion() string {
	name, _, _ := strings.Cut(version("curl", "--version"), " (")
	return name
}
