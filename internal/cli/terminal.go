package cli

import (
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"tcpwhy/output/page"
)

// isTerminal reports whether a person looks at what is written to w, or types what is read from it.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// wantsColor decides --color. NO_COLOR (no-color.org) says no unless --color always says yes.
func wantsColor(choice string, w io.Writer) bool {
	switch choice {
	case "always":
		return true
	case "never":
		return false
	}
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isTerminal(w)
}

// asciiOnly reports whether w is a terminal whose locale names a character set other than UTF-8.
// Files and pipes always get UTF-8: what they hold must not depend on who wrote it.
func asciiOnly(w io.Writer) bool {
	if !isTerminal(w) {
		return false
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := os.Getenv(name); locale != "" {
			locale = strings.ToUpper(locale)
			return !strings.Contains(locale, "UTF-8") && !strings.Contains(locale, "UTF8")
		}
	}
	return false
}

// columns is the width of a report: that of the terminal, within what figures in columns need and
// what an eye follows; 80 where there is none.
func columns(w io.Writer) int {
	const usual, least, most = 80, page.MinWidth, 120
	if !isTerminal(w) {
		return usual
	}
	width, _, err := term.GetSize(int(w.(*os.File).Fd()))
	if err != nil || width <= 0 {
		return usual
	}
	return min(max(width, least), most)
}
