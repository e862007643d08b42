// Package screen shows one picture on a terminal, as top does, and reads keys: on the alternate
// screen, so that nothing of it stays, and with the terminal as it was on every way out.
package screen

import "strings"

// Line is a line of the picture, no wider than the terminal and without control characters.
type Line struct {
	Text  string
	Style string // an escape sequence that begins it; "" for none
}

// Picture is what a screen shows. Its methods are called one at a time, on goroutines of the
// screen's.
type Picture interface {
	// Draw gives the lines for a terminal of so many columns and rows.
	Draw(columns, rows int) []Line
	// Key tells of a key: a letter, or up, down, left, right, home, end, pageup, pagedown, enter,
	// esc, backspace. When it is true, quit is called.
	Key(key string) (quit bool)
	// Quit is called when a person wants the program to end.
	Quit()
	// Failed is called with what a panic in the others said, after the screen was left for good.
	Failed(why any)
}

// What a terminal is told (xterm's control sequences, which all terminals of today know).
const (
	enter = "\x1b[?1049h\x1b[?25l\x1b[?7l" // alternate screen, no cursor, lines do not wrap
	leave = "\x1b[?7h\x1b[?25h\x1b[0m\x1b[?1049l"
	home  = "\x1b[H"
	wipe  = "\x1b[2J"
	toEnd = "\x1b[K" // of the line
	plain = "\x1b[0m"
)

// painted is what shows lines in the place of those before.
func painted(lines []Line, rows int, cleared bool) string {
	var b strings.Builder
	if cleared {
		b.WriteString(wipe)
	}
	b.WriteString(home)
	for i := range rows {
		var line Line
		if i < len(lines) {
			line = lines[i]
		}
		if i > 0 {
			b.WriteString("\r\n")
		}
		// The rest is erased first: behind a full line some terminals would erase its end.
		b.WriteString(toEnd + line.Style + line.Text)
		if line.Style != "" {
			b.WriteString(plain)
		}
	}
	return b.String()
}

// sequences are what terminals send for keys that are no letters, behind ESC [ or ESC O.
var sequences = map[string]string{
	"A": "up", "B": "down", "C": "right", "D": "left", "H": "home", "F": "end",
	"1~": "home", "7~": "home", "4~": "end", "8~": "end", "5~": "pageup", "6~": "pagedown",
}

// keysOf are the keys that were typed. What is no known key is left out.
func keysOf(typed []byte) (keys []string) {
	for len(typed) > 0 {
		c := typed[0]
		typed = typed[1:]
		switch {
		case c == '\r' || c == '\n':
			keys = append(keys, "enter")
		case c == 0x7f || c == '\b':
			keys = append(keys, "backspace")
		case c == 0x1b && len(typed) > 1 && (typed[0] == '[' || typed[0] == 'O'):
			n := 1 // up to its last octet (ECMA-48, 5.4)
			for n < len(typed)-1 && (typed[n] < 0x40 || typed[n] > 0x7e) {
				n++
			}
			if key := sequences[string(typed[1:n+1])]; key != "" {
				keys = append(keys, key)
			}
			typed = typed[n+1:]
		case c == 0x1b && len(typed) == 0:
			keys = append(keys, "esc")
		case c > ' ' && c < 0x7f || c == ' ':
			keys = append(keys, string(rune(c)))
		}
	}
	return keys
}
