// Package page writes lines of text for a terminal, or for a file that one may show: none is wider
// than asked for, and none holds a character that a terminal acts on.
package page

import (
	"bufio"
	"io"
	"strings"
	"unicode"

	"tcpwhy/output/mask"
	"tcpwhy/output/wording"
)

// Style is how a terminal shows a piece of text. The escape sequences are the only ones that output
// ever writes.
type Style string

// The styles, and what ends one.
const (
	Plain  Style = ""
	Strong Style = "\x1b[1m"
	Faint  Style = "\x1b[2m"
	Red    Style = "\x1b[1;31m"
	Yellow Style = "\x1b[1;33m"
	Cyan   Style = "\x1b[36m"
	Green  Style = "\x1b[32m"

	Reset = "\x1b[0m"
)

// Columns of a page: the usual number, and the least, below which figures in columns do not fit.
const (
	DefaultWidth = 80
	MinWidth     = 60
)

// Options choose how the lines of a page look.
type Options struct {
	Color bool // with terminal colours
	ASCII bool // without any character beyond ASCII, for terminals that cannot show one
	Width int  // columns; 0: 80
}

// Page writes lines that never exceed its width.
type Page struct {
	Width int
	w     *bufio.Writer
	color bool
	ascii bool
}

// New begins a page of w.
func New(w io.Writer, opts Options) *Page {
	width := opts.Width
	if width < MinWidth {
		width = DefaultWidth
	}
	return &Page{w: bufio.NewWriter(w), Width: width, color: opts.Color, ascii: opts.ASCII}
}

// Flush writes what is still held back; it returns the first error of writing.
func (p *Page) Flush() error { return p.w.Flush() }

// Blank writes an empty line.
func (p *Page) Blank() { p.w.WriteByte('\n') }

// Heading begins a section.
func (p *Page) Heading(title string) {
	p.Blank()
	p.Para("", strings.ToUpper(title), Strong)
}

// Para writes text behind a label; what does not fit goes to the next lines, which begin where text
// began.
func (p *Page) Para(label, text string, s Style) {
	rest := strings.Repeat(" ", Cells(label))
	for _, line := range Wrap(p.Fit(text), p.Width-Cells(label)) {
		p.Put(label, Plain)
		p.Put(line, s)
		p.Blank()
		label = rest
	}
}

// Row writes text and, at the right edge, a figure. A text that leaves no room for it is wrapped
// before it.
func (p *Page) Row(label string, labelStyle Style, text, figure string, s Style) {
	indent := Cells(label)
	room := p.Width - indent - Cells(figure) - 2
	lines := Wrap(p.Fit(text), room)
	if len(lines) == 0 {
		lines = []string{""}
	}
	p.Put(label, labelStyle)
	p.Put(lines[0], s)
	if figure != "" {
		p.Put(strings.Repeat(" ", p.Width-indent-Cells(lines[0])-Cells(figure))+figure, s)
	}
	p.Blank()
	for _, line := range lines[1:] {
		p.Put(strings.Repeat(" ", indent)+line, s)
		p.Blank()
	}
}

// Put writes s in its style. It must have passed Fit.
func (p *Page) Put(s string, as Style) {
	s = strings.ReplaceAll(s, wording.NoBreak, " ")
	if !p.color || as == Plain {
		p.w.WriteString(s)
		return
	}
	p.w.WriteString(string(as))
	p.w.WriteString(s)
	p.w.WriteString(Reset)
}

// Fit makes s printable, in ASCII if that is all the terminal shows.
func (p *Page) Fit(s string) string {
	pieces := strings.Split(s, wording.NoBreak)
	for i := range pieces {
		pieces[i] = mask.Visible(pieces[i])
	}
	s = strings.Join(pieces, wording.NoBreak)
	if !p.ascii {
		return s
	}
	return ASCII(s)
}

// ASCII is s with other characters for those that are not ASCII.
func ASCII(s string) string { return strings.Map(inASCII, s) }

// inASCII is the character of ASCII that stands for r.
func inASCII(r rune) rune {
	switch {
	case r < 0x80 || string(r) == wording.NoBreak:
		return r
	case r == '█' || r == '▌':
		return '#'
	case r >= '▁' && r <= '▇':
		return rune("._-:=+*"[r-'▁'])
	case r == '…':
		return '~'
	case r == 'µ':
		return 'u'
	case r == '×':
		return 'x'
	case unicode.Is(unicode.Pd, r) || r == '−' || r == '·':
		return '-'
	}
	return '?'
}
