package text

import (
	"fmt"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/output/wording"
)

// whoTook begins the sentence about a label that has most of the time: whose time that is, also
// where it is nobody's fault.
func whoTook(l report.Label) string {
	switch l {
	case report.Think, report.Think100, report.TLSServer:
		return "The server took"
	case report.ReqApp, report.ClientThink, report.TLSClient:
		return "The client took"
	case report.AppPaced:
		return "The sender's application paused for"
	case report.RoundTrip, report.TCPHandshake, report.TLSRTT:
		return "Round trips took"
	case report.DNS:
		return "Looking up names took"
	case report.Serialize:
		return "The path's rate took"
	}
	return ""
}

// whose says whose time it was, if that is one's for the most part, else what took most of it.
func (t *textReport) whose() string {
	parts := byTime(t.report.Times)
	if len(parts) == 0 {
		return ""
	}
	whole, largest := t.report.ExchangeTime, parts[0]
	who := whoTook(largest.Label)
	if who == "" || 2*largest.Time < whole {
		return fmt.Sprintf("The largest part of the time: %s, %s (%s).", largest.Label.Title(),
			wording.Duration(largest.Time), wording.Percent(largest.Time, whole))
	}
	s := fmt.Sprintf("%s %s of %s (%s)", who, wording.Duration(largest.Time),
		wording.Duration(whole), wording.Percent(largest.Time, whole))
	if largest.Label == report.Think {
		s += t.mostlyFor(largest.Time)
	}
	return s + "."
}

// mostlyFor names the endpoint on which servers worked most, if it has most of that time.
func (t *textReport) mostlyFor(thought time.Duration) string {
	var most *report.Endpoint
	for i := range t.report.Endpoints {
		e := &t.report.Endpoints[i]
		if e.Method != "" && (most == nil || e.Thought > most.Thought) {
			most = e
		}
	}
	if most == nil || 2*most.Thought < thought || most.Exchanges == 0 {
		return ""
	}
	s := ": " + t.endpointName(most, textTarget)
	if most.Exchanges > 1 {
		s += ", " + wording.Times(most.Exchanges)
		if most.Duration.N > 0 {
			s += ", median " + wording.Duration(most.Think.Median())
		}
	}
	if most.Thought < thought {
		s += ", " + wording.Duration(most.Thought) + " of it"
	}
	return s
}
