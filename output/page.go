package output

import (
	"bufio"
	"io"
	"strings"
	"unicode"

	"tcpwhy/output/mask"
)

// style is how a terminal shows a piece of text. The escape sequences are the only ones that output
// ever writes.
type style string

const (
	plain  style = ""
	strong style = "\x1b[1m"
	faint  style = "\x1b[2m"
	red    style = "\x1b[1;31m"
	yellow style = "\x1b[1;33m"
	cyan   style = "\x1b[36m"
	green  style = "\x1b[32m"

	reset = "\x1b[0m"
)

// page writes lines that never exceed its width.
type page struct {
	w     *bufio.Writer
	width int
	color bool
	ascii bool
}

func newPage(w io.Writer, opts TextOptions) *page {
	width := opts.Width
	if width < minWidth {
		width = defaultWidth
	}
	return &page{w: bufio.NewWriter(w), width: width, color: opts.Color, ascii: opts.ASCII}
}

// blank writes an empty line.
func (p *page) blank() { p.w.WriteByte('\n') }

// heading begins a section.
func (p *page) heading(title string) {
	p.blank()
	p.para("", strings.ToUpper(title), strong)
}

// para writes text behind a label; what does not fit goes to the next lines, which begin where text
// began.
func (p *page) para(label, text string, s style) {
	rest := strings.Repeat(" ", cells(label))
	for _, line := range wrap(p.fit(text), p.width-cells(label)) {
		p.put(label, plain)
		p.put(line, s)
		p.blank()
		label = rest
	}
}

// row writes text and, at the right edge, a figure. A text that leaves no room for it is wrapped
// before it.
func (p *page) row(label string, labelStyle style, text, figure string, s style) {
	indent := cells(label)
	room := p.width - indent - cells(figure) - 2
	lines := wrap(p.fit(text), room)
	if len(lines) == 0 {
		lines = []string{""}
	}
	p.put(label, labelStyle)
	p.put(lines[0], s)
	if figure != "" {
		p.put(strings.Repeat(" ", p.width-indent-cells(lines[0])-cells(figure))+figure, s)
	}
	p.blank()
	for _, line := range lines[1:] {
		p.put(strings.Repeat(" ", indent)+line, s)
		p.blank()
	}
}

// put writes s in its style. It must have passed fit.
func (p *page) put(s string, as style) {
	s = strings.ReplaceAll(s, nbsp, " ")
	if !p.color || as == plain {
		p.w.WriteString(s)
		return
	}
	p.w.WriteString(string(as))
	p.w.WriteString(s)
	p.w.WriteString(reset)
}

// fit makes s printable, in ASCII if that is all the terminal shows.
func (p *page) fit(s string) string {
	pieces := strings.Split(s, nbsp)
	for i := range pieces {
		pieces[i] = mask.Visible(pieces[i])
	}
	s = strings.Join(pieces, nbsp)
	if !p.ascii {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r < 0x80 || string(r) == nbsp:
			return r
		case r == '█' || r == '▌':
			return '#'
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
	}, s)
}

// wrap breaks text into lines of at most width cells: at spaces, in a word that is longer than a
// line anywhere.
func wrap(text string, width int) []string {
	width = max(width, 8)
	var lines []string
	line := ""
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' }) {
		for cells(word) > width {
			if line != "" {
				lines, line = append(lines, line), ""
			}
			head := prefix(word, width)
			lines, word = append(lines, head), word[len(head):]
		}
		switch {
		case line == "":
			line = word
		case cells(line)+1+cells(word) <= width:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// prefix is the longest beginning of word that is at most width cells wide and ends well: after a
// comma or a slash if there is one in its second half.
func prefix(word string, width int) string {
	end, used := 0, 0
	for i, r := range word {
		if used += runeCells(r); used > width {
			break
		}
		end = i + len(string(r))
	}
	if at := strings.LastIndexAny(word[:end], ",/&"); at > end/2 {
		return word[:at+1]
	}
	return word[:end]
}

// cells is how many columns of a terminal s takes.
func cells(s string) int {
	n := 0
	for _, r := range s {
		n += runeCells(r)
	}
	return n
}

// runeCells errs on the wide side: a line that is too short is no harm.
func runeCells(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case r >= 0x1100 && r <= 0x115f, r >= 0x2e80 && r <= 0xa4cf, r >= 0xac00 && r <= 0xd7a3,
		r >= 0xf900 && r <= 0xfaff, r >= 0xfe30 && r <= 0xfe6f, r >= 0xff00 && r <= 0xff60,
		r >= 0xffe0 && r <= 0xffe6, r >= 0x1f000:
		return 2
	}
	return 1
}
