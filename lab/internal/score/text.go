//go:build linux

package score

import (
	_ "embed"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"tcpwhy/lab/internal/program"
	"tcpwhy/lab/internal/world"
)

// preface is what precedes the figures.
//
//go:embed preface.md
var preface string

// text is the scoreboard in Markdown.
func (b *board) text() string {
	var t strings.Builder
	t.WriteString(preface)
	fmt.Fprintf(&t, "- %s, %s\n", world.Kernel(), strings.Join(versions(), ", "))
	fmt.Fprintf(&t, "- %d scenarios, %d of them with a cured twin, %d look-alikes\n\n",
		b.scenarios, b.pairs, b.lookalikes)
	b.writeFigures(&t)
	b.writeKinds(&t)
	fmt.Fprintf(&t, "| rule | precision | recall | wrong counts |\n|---|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(b.rules)) {
		r := b.rules[name]
		fmt.Fprintf(&t, "| %s | %s | %s | %d |\n", name, share(r.right, r.right+r.false),
			share(r.right, r.right+r.missed), r.countErrors)
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
		fmt.Fprintf(t, "| findings of confidence %s that are right (goal: %d %%) | %s |\n",
			level.name, level.goal, share(b.sure[i].right, b.sure[i].all))
	}
	fmt.Fprintf(t, "| error of the expected cost, median | %.1f ms, %.0f %% |\n",
		quantile(b.errors, .5), 100*quantile(b.shares, .5))
	fmt.Fprintf(t, "| error of the expected cost, 90th percentile | %.1f ms, %.0f %% |\n",
		quantile(b.errors, .9), 100*quantile(b.shares, .9))
	fmt.Fprintf(t, "| savings within [low, high] | %s |\n", share(b.inside, len(b.errors)))
	fmt.Fprintf(t, "| exchange time labelled unknown | %.1f %% |\n",
		100*b.unknown/math.Max(b.exchanges, 1))
	fmt.Fprintf(t, "| other vantages agree within 5 %% + 1 ms | %s |\n", share(b.agree, b.compared))
	fmt.Fprintf(t, "| cost between vantages, 90th percentile | %.1f ms apart |\n",
		quantile(b.apart, .9))
	b.writeAgreement(t)
}

// writeAgreement is how often the ledger and the kernel say the same.
func (b *board) writeAgreement(t *strings.Builder) {
	busy, rwnd, retrans := 0, 0, 0
	for i := range b.bulks {
		busy += one(b.bulks[i].busyAgrees())
		rwnd += one(b.bulks[i].rwndAgrees())
		retrans += one(b.bulks[i].retransAgree())
	}
	row := func(what string, agree int) {
		fmt.Fprintf(t, "| large responses: %s as TCP_INFO has it | %s |\n",
			what, share(agree, len(b.bulks)))
	}
	row("time busy", busy)
	row("time held by the receive window", rwnd)
	row("segments sent again", retrans)
	fmt.Fprintln(t)
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
	t.WriteString("\nLarge responses: the ledger of the server's capture / TCP_INFO of the " +
		"server's socket, which is sampled every 4 ms. Times\n" +
		"agree within 10 % of the time busy, a round trip and two ticks of the kernel; pauses of " +
		"the application may be either.\n\n" +
		"| recording | busy, ms | held by the receive window, ms | sent again | " +
		"held by the send buffer (TCP_INFO alone), ms | apart |\n|---|---|---|---|---|---|\n")
	for i := range b.bulks {
		fmt.Fprintln(t, b.bulks[i].row())
	}
}

// versions names the programs of the lab as they are on this machine.
func versions() []string {
	return []string{
		program.Version("nginx", "-v"),
		program.Version("apache2", "-v"),
		"Node " + program.Version("node", "--version"),
		program.Version("python3", "--version"),
		program.Version("haproxy", "-v"),
		curlVersion(),
		program.Version("go", "version"),
	}
}

func curlVersion() string {
	name, _, _ := strings.Cut(program.Version("curl", "--version"), " (")
	return name
}

// quantile of values, which may be none.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(math.Round(q*float64(len(sorted)-1)))]
}

// share is a part in percent, and counted. What is not all of it is never said to be 100 %.
func share(part, all int) string {
	if all == 0 {
		return "-"
	}
	if part < all && 10*part >= 9*all {
		return fmt.Sprintf("%.1f %% (%d of %d)", float64(1000*part/all)/10, part, all)
	}
	return fmt.Sprintf("%.0f %% (%d of %d)", 100*float64(part)/float64(all), part, all)
}
