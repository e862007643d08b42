package cli

import (
	"fmt"
	"strings"
	"unicode"
)

// visible is a message that a terminal may be shown, on one line: file names and what was typed may
// hold anything.
func visible(message string) string {
	var b strings.Builder
	for i, r := range message {
		switch {
		case r == '\n':
			b.WriteString("; ")
		case r == unicode.ReplacementChar && !strings.HasPrefix(message[i:], string(r)):
			fmt.Fprintf(&b, `\x%02x`, message[i])
		case !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
