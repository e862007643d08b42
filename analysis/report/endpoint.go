package report

import (
	"net/netip"
	"slices"
	"time"

	"tcpwhy/reassembly/exchange"
)

// StatusClasses is one more than the highest class of status codes; there is none of class 0.
const StatusClasses = 6

// Endpoint is what is asked for in the same way: by a method, the template of a path, and a host.
// Turns and attempts, which show none of it, have an endpoint for each host.
type Endpoint struct {
	Method   string         // "" for turns and attempts, and where nobody knows what was asked for
	Template string         // of the path: numbers, identifiers and dates in it are one; likewise
	Host     string         // Host or SNI; "" if there is none
	Server   netip.AddrPort // where Host is "", so that services stay apart; always if Behind
	// Behind proxies it was asked, on behalf of their clients: its time lies within that of the
	// endpoints which those asked.
	Behind bool
	// Exchanges are all of them, Failed those that got no whole response. Streams last as long as
	// somebody wants to listen: what is below does not have them.
	Exchanges, Failed, Streams int
	// by the first digit; calls of gRPC by the status that means the same (exchange.OnStream.Meant)
	Statuses [StatusClasses]int
	Octets   int64         // of the responses, with their heads
	Time     time.Duration // that clients waited
	Thought  time.Duration // the server's own part of it: label think,
	Waited   time.Duration // without what it waited for servers behind it
	Duration Durations     // Time of whole responses, one by one
	Think    Durations     // Thought of those
	// tiles Time exactly, in the order of Labels; what labels turned out to be wrong when exchanges
	// had been counted is not changed in it, as it is in Report.Times
	Times []LabelTime
}

// Other reports whether e is what is left of endpoints of which there were too many.
func (e *Endpoint) Other() bool {
	return e.Method == "" && e.Template == "" && e.Host == "" && !e.Server.IsValid()
}

// Clone shares nothing with e.
func (e *Endpoint) Clone() Endpoint {
	c := *e
	c.Duration, c.Think = e.Duration.Clone(), e.Think.Clone()
	c.Times = slices.Clone(e.Times)
	return c
}

// Failures are exchanges that ended in the same way: without a response, or not with all of it.
type Failures struct {
	Outcome exchange.Outcome
	// Repeated are those that were asked again, as far as that shows.
	Count, Repeated int
	Waits           Durations // how long they lasted
}

// Add counts one that lasted that long.
func (f *Failures) Add(took time.Duration) {
	f.Count++
	f.Waits.Add(took)
}

// Clone shares nothing with f.
func (f *Failures) Clone() Failures {
	c := *f
	c.Waits = f.Waits.Clone()
	return c
}

// StreamEnds are how streams of HTTP/2 ended that one side did not let come to their end, and what
// calls on them came to.
type StreamEnds struct {
	Resets []StreamEnd // the most frequent first
	Calls  int         // of gRPC, whose status was seen
	Failed []CallEnd   // of those, by status: the most frequent first
}

// StreamEnd is how often a side ended streams with a code (RST_STREAM).
type StreamEnd struct {
	Code  exchange.ErrorCode
	By    exchange.Dir
	Count int
}

// CallEnd is how often calls ended with a status of gRPC.
type CallEnd struct{ Status, Count int }

// StatusCount is how often a status was given.
type StatusCount struct{ Status, Count int }

// Step is what happened in one of equally long parts of the capture, by the moment at which
// exchanges ended.
type Step struct {
	Exchanges, Failed, Errors int           // Errors: status 5xx or 429
	Time, Lost                time.Duration // of the exchanges, streams aside
	Duration                  Durations     // Time, one by one
}

// Merge adds what happened in the next step, or in the same of another part of the traffic.
func (s *Step) Merge(o *Step) {
	s.Exchanges, s.Failed, s.Errors = s.Exchanges+o.Exchanges, s.Failed+o.Failed, s.Errors+o.Errors
	s.Time, s.Lost = s.Time+o.Time, s.Lost+o.Lost
	s.Duration.Merge(&o.Duration)
}

// Clone shares nothing with s.
func (s *Step) Clone() Step {
	c := *s
	c.Duration = s.Duration.Clone()
	return c
}

// Steps are parts of a capture from its first frame on, all as long as Each; the last may be cut.
type Steps struct {
	Each  time.Duration
	Steps []Step
}

// Proxied is what proxies asked other servers for, on behalf of their clients: time that lies
// within that of the exchanges which those began.
type Proxied struct {
	Exchanges int
	Time      time.Duration // that they lasted
	// Waited is how much of the time that servers took before they answered users passed while they
	// waited for servers behind them.
	Waited  time.Duration
	Own     time.Duration // what those servers took besides
	Servers []Behind      // the one that was waited for the longest first; capped
}

// Behind is a server behind proxies.
type Behind struct {
	Server    netip.AddrPort
	Exchanges int
	Waited    time.Duration // that proxies waited for it before they answered
	Own       time.Duration // of that, without what it waited for others
}
