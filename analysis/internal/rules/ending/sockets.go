package ending

import (
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// firstFarewell is the Close frame that came first, and its sender; nil if there was none.
func firstFarewell(w *exchange.WebSocket) (by reassembly.Dir, first *exchange.WebSocketClose) {
	for dir := range w.Sides {
		c := &w.Sides[dir].Close
		if c.At.Frame != 0 && (first == nil || c.At.Time < first.At.Time) {
			by, first = reassembly.Dir(dir), c
		}
	}
	return by, first
}

// endedBare reports whether a WebSocket ended without a Close, of which nothing is missing.
func endedBare(c *reassembly.Conn, w *exchange.WebSocket) bool {
	missing := c.Half[0].Missing + c.Half[1].Missing
	return w.Ended.At.Frame != 0 && !w.Lost && missing == 0 && lastOf(w).Frame != 0
}

// lastOf is the end of the last frame of either side; no frame if nothing was said.
func lastOf(w *exchange.WebSocket) (last capture.Mark) {
	for dir := range w.Sides {
		if m := w.Sides[dir].Latest; m.Time > last.Time {
			last = m
		}
	}
	return last
}

// socketSilence is how long nothing had been said when it ended.
func socketSilence(w *exchange.WebSocket) time.Duration { return w.Ended.At.Time - lastOf(w).Time }

// socketClaim is what claims about WebSockets have in common.
func socketClaim(w *exchange.WebSocket, name, cause string, end capture.Mark) rule.Claim {
	return rule.Claim{
		Rule: name, Cause: cause, Index: w.Opening,
		Least: report.Medium, Alone: rule.AtMost(report.Low),
		Occ: rule.Occurrence{Start: end.Time, End: end.Time},
	}
}

// endOfSocket shows what ended a WebSocket without a Close.
func endOfSocket(w *exchange.WebSocket) rule.Evidence {
	words := finWithoutClose
	switch {
	case w.Stream != 0:
		words = streamEndsBare
	case w.Ended.Reset:
		words = rstWithoutClose
	}
	return rule.Shows(w.Ended.At, rule.SideOf(w.Ended.By), words)
}
