package judge

import (
	"fmt"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// heard is what this machine's kernel says of a finding's connections.
type heard struct {
	agree, deny uint64 // connections
	what        rule.Counter
	n           int64 // what it counted on those on which it agrees
	// the first on which it does not: what it would have counted, and what it did
	claimed, denied int64
}

// add takes in what was heard of other connections.
func (h *heard) add(o *heard) {
	if h.agree+h.deny == 0 {
		h.what = o.what
	}
	if h.deny == 0 {
		h.claimed, h.denied = o.claimed, o.denied
	}
	h.agree, h.deny, h.n = h.agree+o.agree, h.deny+o.deny, h.n+o.n
}

// grade is how sure a finding is that was so sure by its frames alone. The kernel saw what the
// capture point did not: where it always agrees, nothing of that is open any more; where it does
// not, something is. Frames that prove it themselves need nobody who agrees.
func (h *heard) grade(sure report.Confidence) report.Confidence {
	switch {
	case h.deny > 0:
		return min(sure, report.ConfidenceMedium)
	case h.agree > 0 && sure == report.ConfidenceMedium:
		return report.ConfidenceHigh
	}
	return sure
}

// sentence tells that the kernel agrees; "" if it does not always, or said nothing.
func (h *heard) sentence() string {
	if h.agree == 0 || h.deny > 0 {
		return ""
	}
	return fmt.Sprintf("This machine's kernel says so, too, of %s: it counted %s.",
		rule.Count(h.agree, "connection"), figure(h.what, h.n))
}

// figure is what a kernel counted.
func figure(what rule.Counter, n int64) string {
	switch what {
	case rule.HeldByWindow:
		return rule.Millis(time.Duration(n)) + " in which the receive window left nothing to send"
	case rule.HeldByBuffer:
		return rule.Millis(time.Duration(n)) +
			" in which the send buffer was full, and all in it sent"
	}
	return rule.Count(uint64(n), "segment") + " sent again"
}

// amount is a figure without what it is of.
func amount(what rule.Counter, n int64) string {
	if what == rule.Resent {
		return rule.Count(uint64(n), "segment")
	}
	return rule.Millis(time.Duration(n))
}
