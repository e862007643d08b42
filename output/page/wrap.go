package page

import (
	"strings"
	"unicode"
)

// leastWidth is where lines that are wider than asked for do less harm than more lines.
const leastWidth = 8

// Wrap breaks text into lines of at most width cells: at spaces, in a word that is longer than a
// line anywhere.
func Wrap(text string, width int) []string {
	width = max(width, leastWidth)
	var lines []string
	line := ""
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' }) {
		for Cells(word) > width {
			if line != "" {
				lines, line = append(lines, line), ""
			}
			head := prefix(word, width)
			lines, word = append(lines, head), word[len(head):]
		}
		switch {
		case line == "":
			line = word
		case Cells(line)+1+Cells(word) <= width:
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

// Cells is how many columns of a terminal s takes.
func Cells(s string) int {
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

// Cut is as much of a line as fits so many columns, for a line that must not wrap.
func Cut(line string, columns int) string {
	used := 0
	for i, r := range line {
		if used += runeCells(r); used > columns {
			return line[:i]
		}
	}
	return line
}
