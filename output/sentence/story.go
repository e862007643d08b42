package sentence

import (
	"tcpwhy/analysis/report"
	"tcpwhy/output/finding"
	"tcpwhy/output/mask"
	"tcpwhy/output/wording"
	"time"
)

// Extent says how often, how sure and within which bounds, and whether that is no news.
func (t *Teller) Extent(s *report.Story) string { return t.extent(s) + t.known(s) }

// known says why a story is no news; of one that is in part, of how much.
func (t *Teller) known(s *report.Story) string {
	if k := t.Report.KnownStory(s); k != nil {
		return "; known until " + mask.Visible(k.Until) + ": " + mask.Visible(k.Reason)
	}
	known := 0
	for _, i := range s.Findings {
		if i < len(t.Report.Findings) && t.Report.Findings[i].Known != nil {
			known++
		}
	}
	if known == 0 {
		return ""
	}
	return "; known in part: " + wording.Count(known, "finding", "findings") + " of " +
		wording.Grouped(len(s.Findings))
}

func (t *Teller) extent(s *report.Story) string {
	text := Occurred(s) + ", " + wording.Confidence(s.Confidence)
	switch {
	case s.Cost.Expected == 0 && s.Cost.High > time.Millisecond:
		return text + "; a fix saves up to " + wording.Duration(s.Cost.High)
	case s.Cost.Expected == 0:
		return text + ", no time lost"
	}
	c := ByClock(s)
	if apart := c.Expected - s.Wall; 5*apart > c.Expected && apart > time.Millisecond {
		text += "; " + wording.Duration(s.Wall) + " of it with no other request under way"
	}
	if spread := c.High - c.Low; spread > c.Expected/10 && spread > time.Millisecond {
		text += "; a fix saves between " + wording.Duration(c.Low) + " and " +
			wording.Duration(c.High)
	}
	if 5*s.Shared > s.Cost.Expected && s.Shared > time.Millisecond {
		text += "; that is by the clock: added up, exchanges side by side lost " +
			wording.Duration(s.Cost.Expected)
	}
	return text
}

// ByClock is what a finding cost where a moment counts once that exchanges side by side on a
// connection lost: its bounds are in proportion.
func ByClock(s *report.Story) report.Cost {
	if s.Shared <= 0 || s.Cost.Expected <= 0 {
		return s.Cost
	}
	part := float64(s.Cost.Expected-s.Shared) / float64(s.Cost.Expected)
	once := s.Cost.Expected - s.Shared
	return report.Cost{
		Low:      min(once, time.Duration(part*float64(s.Cost.Low))),
		Expected: once,
		High:     max(once, time.Duration(part*float64(s.Cost.High))),
	}
}

// Share is what part of the time of exchanges a finding cost; "" if it is little, "-" if most of it
// is not time of exchanges.
func (t *Teller) Share(s *report.Story) string {
	whole, part := t.Report.ByClock().Time, s.Within
	switch {
	case s.Within == 0 && s.Cost.Expected > 0:
		return "-"
	case s.Shared > 0:
		part = ByClock(s).Expected
	case 2*s.Within < s.Cost.Expected:
		return "-"
	}
	return wording.Percent(min(part, whole), whole)
}

// Occurred says how often it was, and in how many exchanges.
func Occurred(s *report.Story) string {
	text := wording.Times(s.Count)
	if s.Affected > 1 || s.Affected > 0 && s.Count > 1 {
		text += " in " + wording.Count(s.Affected, "exchange", "exchanges")
	}
	return text
}

// Spread say how services share a story.
func Spread(s report.Spread) string {
	switch s {
	case report.Everywhere:
		return "; all services have about the same of it, so the cause is a common one"
	case report.Concentrated:
		return "; a tenth of the services has most of it"
	}
	return ""
}

// When says when a fault began and ended, and at what intervals it came; "" where nothing is
// regular.
func (t *Teller) When(w report.When) string {
	var s string
	switch {
	case w.Began > 0 && w.Ended > 0:
		s = "began " + t.Moment(w.Began, " into the capture") +
			" and ended at " + t.Moment(w.Ended, "")
	case w.Began > 0:
		s = "began " + t.Moment(w.Began, " into the capture") + " and did not end"
	case w.Ended > 0:
		s = "ended " + t.Moment(w.Ended, " into the capture")
	}
	if w.Every == 0 {
		return s
	}
	if s != "" {
		s += "; "
	}
	return s + "came every " + wording.Duration(twoDigits(w.Every))
}

// twoDigits is d rounded to two significant digits: intervals differ by more than the third.
func twoDigits(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for unit*100 <= d {
		unit *= 10
	}
	return d.Round(unit)
}

// Moment is a time of the capture, with what follows it, and of the day if that is known.
func (t *Teller) Moment(at time.Duration, behind string) string {
	s := wording.Duration(at) + behind
	if start := t.Report.Capture.Start; !start.IsZero() {
		s += " (" + start.Add(at).UTC().Format("15:04:05") + wording.NoBreak + "UTC)"
	}
	return s
}

// maxOthers are the further clients that are named with a story.
const maxOthers = 3

// Between says between whom it was: both by name where there is one service, else how many. "" if
// that is not known.
func (t *Teller) Between(s *report.Story) string {
	if s.Services > 1 {
		return "at " + wording.Count(s.Services, "service", "services") + ", from " +
			wording.Count(s.Clients, "client", "clients") + Spread(s.Spread)
	}
	f := finding.Worst(t.Report, s)
	if f == nil {
		return ""
	}
	line := wording.Client(f.Client) + " -> " + wording.Server(f.Server)
	if f.Host != "" && f.Host != f.Server.String() && f.Host != f.Server.Addr().String() {
		line += " (" + mask.Shorten(mask.Host(f.Host), targetRoom) + ")"
	}
	return line
}

// AlsoFrom are the other clients of a story of one service, a line for each of the first.
func (t *Teller) AlsoFrom(s *report.Story) (others []string) {
	f := finding.Worst(t.Report, s)
	if s.Services > 1 || f == nil {
		return nil
	}
	for i := range s.WorstClients {
		c := &s.WorstClients[i]
		if c.Client == f.Client {
			continue
		}
		if len(others) == maxOthers {
			break
		}
		other := wording.Client(c.Client) + ", " + wording.Times(c.Count)
		if c.Cost > 0 {
			other += ", " + wording.Duration(c.Cost)
		}
		others = append(others, other)
	}
	if more := s.Clients - 1 - len(others); more > 0 {
		others = append(others, wording.Count(more, "more client", "more clients"))
	}
	return others
}

// ShareName names a service or a client.
func ShareName(p *report.Share) string {
	if p.Client.IsValid() {
		return wording.Client(p.Client)
	}
	name := wording.Server(p.Server)
	if p.Host != "" && p.Host != p.Server.String() && p.Host != p.Server.Addr().String() {
		name += " (" + mask.Host(p.Host) + ")"
	}
	return name
}
