package markdown

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"

	_ "tcpwhy/internal/golden"
)

// rendered is what a reader makes of a text, HTML in it taken as such.
func rendered(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	md := goldmark.New(goldmark.WithExtensions(extension.GFM),
		goldmark.WithRendererOptions(html.WithUnsafe()))
	if err := md.Convert([]byte(s), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// checkPlain: of a sentence, text and code spans are all that a reader sees.
func checkPlain(t *testing.T, s string) {
	t.Helper()
	if strings.TrimSpace(plain(s)) == "" {
		return // no sentence
	}
	for name, md := range map[string]string{
		"sentence": plain(s),
		"bold":     "**" + plain(s) + "**",
		"item":     "- " + plain(s),
		"cell":     "| a | b |\n|---|---|\n| " + cell(s) + " | c |",
	} {
		is := rendered(t, md)
		left := strings.NewReplacer("<p>", "", "</p>", "", "<code>", "", "</code>", "",
			"<strong>", "", "</strong>", "", "<ul>", "", "</ul>", "", "<li>", "", "</li>", "",
			"<table>", "", "</table>", "", "<thead>", "", "</thead>", "", "<tbody>", "",
			"</tbody>", "", "<tr>", "", "</tr>", "", "<th>", "", "</th>", "", "<td>", "",
			"</td>", "").Replace(is)
		if strings.Contains(left, "<") {
			t.Errorf("%s of %q: %q is %q", name, s, md, is)
		}
		if name == "cell" && strings.Count(is, "<td>") != 2 {
			t.Errorf("%q in a cell: %q is %q", s, md, is)
		}
	}
}

// TestExpressions: what opens parentheses and is code is so to where they are closed, and no
// further.
func TestExpressions(t *testing.T) {
	for s, want := range map[string]string{
		"Python sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1); nginx": "Python `sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)`; nginx",
		"(a_b c d": "(`a_b` c d", "a_b) c": "`a_b`) c", "f(a_b, g(c)) d_e": "`f(a_b, g(c))` `d_e`", "(see a_b): c": "(see `a_b`): c",
		"(f(a_b, c), d)": "(`f(a_b, c)`, d)", "f(a_b c": "`f(a_b` c", "s.f(:A, :B, 1) c": "`s.f(:A, :B, 1)` c", "f(a, b) c": "f(a, b) c", "(a_b=1 on c): d": "(`a_b=1` on c): d",
		// a number at the beginning is no item of a list, unless nothing follows its point
		"1.09 s of it": "1.09 s of it", "1. x": "`1.` x", "2) x": "`2`) x", "3 x": "3 x",
	} {
		if got := plain(s); got != want {
			t.Errorf("%q is %q, want %q", s, got, want)
		}
	}
}

// TestPlain tries sentences that a network may have a part in.
func TestPlain(t *testing.T) {
	for _, s := range []string{
		"`AB` /<b>a/{n}", "``<b>.pcap: 1 exchange", "a`b``<b>:`", "`a`<b>`c`", "``", "`", "` `",
		"`a``<b>``c`", "GET /`<b>`", "*a*`*`", "[a](`b`)", "![a]`(b)`", "<b>`a`", "`a`,`<i>`;<i>",
		"`|`|`|", "1. <b>", "-`<b>`", `\` + "`<b>`", "www.a.example`b`", "`a`https://b.example",
	} {
		checkPlain(t, s)
	}
	parts := strings.Split(
		"`,``,<b>,</b>,a, ,|,*,_,[,](x),!,\\,&lt;,~~,1.,-,#,:,;,https://x.example",
		",",
	)
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		var b strings.Builder
		for range 1 + random.IntN(8) {
			b.WriteString(parts[random.IntN(len(parts))])
		}
		checkPlain(t, b.String())
	}
}

func FuzzPlain(f *testing.F) {
	f.Add("`AB` /<b>a/{n}")
	f.Fuzz(checkPlain)
}
