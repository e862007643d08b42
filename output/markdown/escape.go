package markdown

import (
	"slices"
	"strings"
	"unicode"

	"tcpwhy/output/mask"
	"tcpwhy/output/wording"
)

// spaced has plain spaces only.
func spaced(s string) string { return strings.ReplaceAll(s, wording.NoBreak, " ") }

// plain is a sentence in which nothing is markup: words that a reader of Markdown, or GitHub, would
// make something of stand in code spans, as does what stands between backticks. Text from the
// network may be part of a sentence.
func plain(s string) string {
	var w writer
	parts := strings.Split(strings.TrimSpace(mask.Visible(spaced(s))), "`")
	if len(parts)%2 == 0 { // one of them has no other
		parts = []string{strings.Join(parts, "`")}
	}
	for i, part := range parts {
		if i%2 == 0 {
			w.words(part)
		} else {
			w.code(part)
		}
	}
	return w.String()
}

// writer writes text and code spans. Spans that touch are one: their fences would be.
type writer struct {
	strings.Builder
	span string // what is in a span that may go on
}

// text writes text that is no markup.
func (w *writer) text(s string) {
	if s != "" {
		w.end()
		w.WriteString(s)
	}
}

// code writes what stands in a code span, be it empty.
func (w *writer) code(s string) { w.span += s }

// end ends the span in hand.
func (w *writer) end() {
	if w.span != "" {
		w.WriteString(code(w.span))
		w.span = ""
	}
}

// String ends the span in hand, and is all that was written.
func (w *writer) String() string {
	w.end()
	return w.Builder.String()
}

// fresh reports whether nothing has been written yet: what comes begins a line.
func (w *writer) fresh() bool { return w.Len() == 0 && w.span == "" }

// words writes text, word by word; a line does not begin with spaces. What stands in parentheses
// that a word in code opens is part of it.
func (w *writer) words(s string) {
	all := strings.Split(s, " ")
	for i := 0; i < len(all); i++ {
		word := all[i]
		if i > 0 && !w.fresh() {
			w.text(" ")
		}
		if !acted(word) && !calls(word, all[i+1:]) && !(w.fresh() && begins(word)) {
			w.text(word)
			continue
		}
		inner := strings.TrimLeft(word, "(")
		w.text(word[:len(word)-len(inner)])
		if more := closes(inner, all[i+1:]); more > 0 {
			inner = strings.Join(append([]string{inner}, all[i+1:i+1+more]...), " ")
			i += more
		}
		n := withoutMarks(inner)
		w.code(inner[:n])
		w.text(inner[n:])
	}
}

// withoutMarks is how much of a word stands before commas, semicolons and what closes parentheses
// that it does not open.
func withoutMarks(word string) int {
	n := len(word)
	for n > 0 {
		closing := strings.Count(word[:n], ")") > strings.Count(word[:n], "(")
		switch c := word[n-1]; {
		case c == ',' || c == ';' || c == ')' && closing:
		case c == ':' && closing && strings.HasSuffix(word[:n-1], ")"):
		default:
			return n
		}
		n--
	}
	return n
}

// closes is how many of the next words close the parentheses that one opens; 0 if it opens none, or
// if they stay open.
func closes(word string, next []string) int {
	const longest = 8 // words of an expression
	open := strings.Count(word, "(") - strings.Count(word, ")")
	if open <= 0 {
		return 0
	}
	for i, word := range next[:min(len(next), longest)] {
		open += strings.Count(word, "(") - strings.Count(word, ")")
		if open <= 0 {
			return i + 1
		}
	}
	return 0
}

// calls reports whether a word begins a call, further words of which would be in code.
func calls(word string, next []string) bool {
	return strings.LastIndexByte(word, '(') > 0 && word[0] != '(' &&
		slices.ContainsFunc(next[:closes(word, next)], acted)
}

// cell is plain for a cell of a table, in which a bar ends even a code span (GFM §4.10). A
// backslash before it would be taken for its own.
func cell(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(plain(s), `\|`, `\ |`), "|", `\|`)
}

// inElement is a sentence within an element of HTML, where Markdown is not read, but GitHub looks
// for mentions and the like.
func inElement(s string) string {
	html := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	all := strings.Split(mask.Visible(spaced(s)), " ")
	for i, word := range all {
		if all[i] = html.Replace(word); acted(word) {
			all[i] = "<code>" + all[i] + "</code>"
		}
	}
	return strings.Join(all, " ")
}

// code is a code span: its fence is longer than any run of backticks in it (CommonMark §6.1).
func code(s string) string {
	longest, run := 0, 0
	for _, r := range s {
		if r == '`' {
			run++
			longest = max(longest, run)
		} else {
			run = 0
		}
	}
	fence, pad := strings.Repeat("`", longest+1), ""
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		pad = " "
	}
	return fence + pad + s + pad + fence
}

// acted reports whether a word is, or could be part of, markup: emphasis, links, HTML, entities,
// mentions, references to issues and commits, formulas, emoji.
func acted(word string) bool {
	emoji := strings.Count(word, ":") > 1 && strings.ContainsFunc(word, unicode.IsLetter)
	return word != "" && strings.ContainsAny(word, "`*_[]\\~@|&$#!") || emoji || element(word) ||
		strings.Contains(word, "://") || strings.Contains(strings.ToLower(word), "www.") ||
		strings.HasPrefix(word, ":") || commit(word)
}

// element reports whether a word has what begins an element of HTML, a comment and the like.
func element(word string) bool {
	for at := strings.IndexByte(word, '<'); at >= 0 && at+1 < len(word); {
		next := word[at+1]
		if next > '9' || strings.IndexByte("/!?", next) >= 0 {
			return true
		}
		word = word[at+1:]
		at = strings.IndexByte(word, '<')
	}
	return false
}

// commit reports whether a word looks like the hash of a commit, which GitHub makes a link of.
func commit(word string) bool {
	const least = 7
	word = strings.Trim(word, ".,;:()")
	return len(word) >= least && strings.Trim(word, "0123456789abcdef") == "" &&
		strings.ContainsFunc(word, unicode.IsLetter)
}

// begins reports whether a word at the beginning of a line makes something else of it: a list, a
// heading, a rule.
func begins(word string) bool {
	digits := word[:len(word)-len(strings.TrimLeft(word, "0123456789"))]
	return word != "" && strings.Trim(word, "-+=") == "" || strings.HasPrefix(word, ">") ||
		word == digits+"." || word == digits+")"
}
