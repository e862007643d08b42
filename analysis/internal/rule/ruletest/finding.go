package ruletest

import (
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// Finding is what a desk has of a finding: what was booked, and what rules made of it.
type Finding struct {
	Unlisted    bool
	Claims      []rule.Claim
	N           int // occurrences; more than claims if only samples were booked
	Cost        report.Cost
	Certainty   report.Confidence
	Longest     time.Duration   // round trip of the exchanges that are affected
	Least, Most report.Severity // limits of its severity
	Said        []rule.Said     // what is to be said of all of it
}

var _ rule.Found = (*Finding)(nil)

// add adds an occurrence.
func (f *Finding) add(s rule.Subject, c *rule.Claim) {
	f.Claims = append(f.Claims, *c)
	f.N += 1 + c.Also
	f.Cost = f.Cost.Add(c.Occ.Cost)
	f.Certainty = max(f.Certainty, c.Confidence)
	f.Longest = max(f.Longest, s.Rtt)
}

// Count is how many occurrences there are.
func (f *Finding) Count() int { return f.N }

// Confidence is how sure it is.
func (f *Finding) Confidence() report.Confidence { return f.Certainty }

// Rtt is the longest round trip.
func (f *Finding) Rtt() time.Duration { return f.Longest }

// Doubt takes a level of confidence.
func (f *Finding) Doubt() {
	if f.Certainty > report.ConfidenceLow {
		f.Certainty--
	}
}

// Sure sets the confidence.
func (f *Finding) Sure(c report.Confidence) { f.Certainty = c }

// Limit narrows the limits of severity.
func (f *Finding) Limit(least, most report.Severity) {
	f.Least, f.Most = max(f.Least, least), min(f.Most, most)
}

// Grade sets the limits of severity.
func (f *Finding) Grade(least, most report.Severity) { f.Least, f.Most = least, most }

// Low sets the least that it costs.
func (f *Finding) Low(d time.Duration) { f.Cost.Low = d }

// Further keeps what is to be said of all of it.
func (f *Finding) Further(all ...rule.Said) { f.Said = all }

// Unlist takes the finding out of the report.
func (f *Finding) Unlist() { f.Unlisted = true }
