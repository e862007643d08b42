package report

import (
	"net/netip"
	"time"
)

// Story is all findings of one rule, cause and side: one cure ends them, whoever was affected.
type Story struct {
	Rule, Cause string
	Side        Side
	Title       string // of the worst finding, as the message and what follows it
	Severity    Severity
	Confidence  Confidence // the highest
	Message     string
	Count       int // occurrences
	Cost        Cost
	Shared      time.Duration // see Finding
	Wall        time.Duration // what of the expected cost clients waited for with nothing else under way
	Within      time.Duration // the part of the expected cost that lies within exchanges
	Broken      bool          // data was lost or in danger
	Counted     bool          // its cost is part of Report.Lost
	Affected    int           // exchanges
	When        When          // what is regular about when it was
	// how many there are; of each the worst, and how they share it
	Services, Clients int
	WorstServices     []Share
	WorstClients      []Share
	Spread            Spread
	Remedies          []Remedy
	References        []string
	Findings          []int // places in Report.Findings, the worst first; capped
}

// Share is what one service or one client has of a story.
type Share struct {
	Server    netip.AddrPort // of a service
	Host      string         // likewise, if all agree
	Client    netip.Addr     // of a client
	Count     int
	Others    int // clients of the service, or services of the client, that are affected
	Cost      time.Duration
	Affected  int // exchanges
	Exchanges int // all of the service, or between the client and the services affected
}

// Spread is how a story is shared out between services.
type Spread uint8

const (
	OneService   Spread = iota
	Uneven              // neither of the following
	Everywhere          // each service has about the same: one common cause
	Concentrated        // few services have most of it
)

var spreadNames = [...]string{"one-service", "uneven", "everywhere", "concentrated"}

// String is the name in reports.
func (s Spread) String() string { return spreadNames[s] }

// ParseSpread is the spread of that name in reports; false if there is none.
func ParseSpread(name string) (Spread, bool) {
	for i, n := range spreadNames {
		if n == name {
			return Spread(i), true
		}
	}
	return 0, false
}

// Broke reports whether a story is about more than time: data, or what is severe without a cost.
func (s *Story) Broke() bool {
	return s.Severity == Critical || s.Severity == High && (s.Broken || s.Cost.Expected == 0)
}
