package rule

import (
	"fmt"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// Millis writes a duration in milliseconds for a sentence.
func Millis(d time.Duration) string {
	if d >= 10*time.Millisecond {
		return fmt.Sprintf("%.0f ms", float64(d)/1e6)
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
	return fmt.Sprintf("%d %s", n, noun)
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
