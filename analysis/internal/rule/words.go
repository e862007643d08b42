package rule

import (
	"fmt"
	"strconv"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// Millis writes a duration in milliseconds for a sentence.
func Millis(d time.Duration) string {
	if d >= 10*time.Millisecond {
		return grouped(uint64(float64(d)/1e6+0.5)) + " ms"
	}
	return fmt.Sprintf("%.2f ms", float64(d)/1e6)
}

// Count writes a number with its noun; the plural adds an s unless given.
func Count(n uint64, noun string, plural ...string) string {
	if n != 1 {
		if len(plural) > 0 {
			noun = plural[0]
		} else {
			noun += "s"
		}
	}
	return grouped(n) + " " + noun
}

// grouped is n with a comma between groups of three digits.
func grouped(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// SideOf is the side that sends in that direction.
func SideOf(dir reassembly.Dir) report.Side {
	if dir == reassembly.FromServer {
		return report.SideServer
	}
	return report.SideClient
}

// Seconds writes a duration for a sentence.
func Seconds(d time.Duration) string {
	if d < time.Second {
		return Millis(d)
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
