package analysis

import (
	"time"

	"tcpwhy/analysis/report"
)

// Detector is one rule: what it is called, what it means, and how it looks at the traffic. Adding a
// rule is one file with one variable of this type, its line in All, and its scenarios.
type Detector struct {
	Name  string // as in reports and flags
	Title string // for people, no full stop
	// four parts: what happens, how it is recognised, how cost is counted, when it is wrong
	Doc        string
	Causes     []report.Cause
	References []string

	// called for each settled exchange, by the worker that owns the connection
	exchange func(*pass)
	certain  func(*pass)      // called for each exchange when its labels are certain
	closed   func(*pass)      // called when the connection is over
	cross    func() crossRule // makes the rule's state for one run, if it compares connections
}

// All lists every rule, in the order of reports.
func All() []*Detector {
	return []*Detector{
		nagleDelayedAck,
		nagle,
		delayedAck,
		cork,
		missedReuse,
		slowStart,
		slowStartAfterIdle,
		pathMTU,
		retransmissionTimeout,
		packetLoss,
		receiveWindow,
		zeroWindow,
		smallSegments,
		serverThink,
		bandwidth,
		resetAfterData,
		keepaliveRace,
		truncatedResponse,
		halfClose,
		connectCost,
		synRetransmission,
		connectionRefused,
		portExhaustion,
		parallelConnections,
		poolWait,
		serialRequests,
		pipelining,
		headerMisuse,
		slowClose,
		expectContinue,
		idleDrop,
		captureQuality,
	}
}

// Find is the rule of that name, nil if there is none.
func Find(name string) *Detector {
	for _, d := range All() {
		if d.Name == name {
			return d
		}
	}
	return nil
}

// cause is the detector's cause with that code; it must exist.
func (d *Detector) cause(code string) *report.Cause {
	for i := range d.Causes {
		if d.Causes[i].Code == code {
			return &d.Causes[i]
		}
	}
	return nil
}

// crossRule is a rule that compares connections. The judge calls it for each event, in the order of
// time, after it has taken the event in itself, and once at the end.
type crossRule interface {
	event(j *judge, m *member, e *event)
	finish(j *judge)
}

// quietRule is a crossRule that waits for something: it is also told how far time has gone, so that
// silence does not hold up what it knows. That must change nothing but when: its event begins with
// the same for the moment of the event.
type quietRule interface {
	quiet(j *judge, now time.Duration)
}
