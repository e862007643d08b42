package sentence

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/output/wording"
	"tcpwhy/reassembly/exchange"
)

// howFailed says how exchanges ended that came to nothing, or not to their end.
var howFailed = [exchange.OutcomeCount]string{
	exchange.Truncated:   "cut off before the end of the response",
	exchange.ResetByPeer: "reset in the middle",
	exchange.NoResponse:  "without a response",
	exchange.Aborted:     "given up by the client",
	exchange.Refused:     "refused",
	exchange.Filtered:    "never connected",
	exchange.GivenUp:     "given up before the answer came",
	exchange.TLSFailed:   "failed in the TLS handshake",
}

// FailuresAsked are those of the report without the attempts of hosts that only look what is there,
// the most frequent first.
func (t *Teller) FailuresAsked() (all []report.Failures, count int) {
	scanned := t.Report.Scanned
	for i := range t.Report.Failures {
		f := t.Report.Failures[i]
		if f.Outcome == exchange.Filtered || f.Outcome == exchange.Refused {
			off := min(scanned, f.Count)
			f.Count, scanned = f.Count-off, scanned-off
		}
		if f.Count > 0 {
			all, count = append(all, f), count+f.Count
		}
	}
	slices.SortStableFunc(all,
		func(a, b report.Failures) int { return cmp.Compare(b.Count, a.Count) })
	return all, count
}

// Failed says how many exchanges failed, how they ended, and how long somebody waited for
// that; "" if none did.
func (t *Teller) Failed() string {
	all, count := t.FailuresAsked()
	if count == 0 {
		return ""
	}
	asked := t.Asked()
	whole := asked - min(t.Report.Scanned, asked)
	var parts []string
	for i := range all {
		parts = append(parts, failedSo(&all[i], count))
	}
	s := "Failed: " + wording.Grouped(count) + " of " +
		wording.Count(whole, "exchange", "exchanges")
	const many = 20
	if whole >= many {
		share := wording.Percent(time.Duration(count), time.Duration(whole))
		s += " (" + strings.ReplaceAll(share, " ", wording.NoBreak) + ")"
	}
	return s + ": " + strings.Join(parts, "; ") + "."
}

// failedSo is one kind of failures in words.
func failedSo(f *report.Failures, all int) string {
	s := howFailed[f.Outcome]
	if f.Count < all {
		s = wording.Grouped(f.Count) + " " + s
	}
	s += after(&f.Waits)
	switch {
	case f.Repeated >= f.Count && f.Count == 1:
		s += ", and asked again"
	case f.Repeated >= f.Count:
		s += ", all asked again"
	case f.Repeated > 0:
		s += ", " + wording.Grouped(f.Repeated) + " of them asked again"
	}
	return s
}

// after says how long somebody waited; "" where that was too short to be waited for.
func after(d *report.Durations) string {
	const noticed, alike = 100 * time.Millisecond, 10 // percent
	switch {
	case d.Most < noticed:
		return ""
	case (d.Most-d.Least)*100 <= d.Most*alike:
		return " after " + wording.Duration(d.Median())
	}
	return " after " + wording.Duration(d.Least) + " to " + wording.Duration(d.Most)
}

// Unfinished says that exchanges have no end in the capture; "" where none was waited for
// long.
func (t *Teller) Unfinished() string {
	const long = time.Second // what interrupts a person
	f := &t.Report.Unfinished
	if f.Count == 0 || f.Waits.Most < long {
		return ""
	}
	return fmt.Sprintf("No end in the capture: %s, the longest %s old.",
		wording.Count(f.Count, "exchange", "exchanges"), wording.Duration(f.Waits.Most))
}

// Status codes that say that the server could not, or would not yet: RFC 9110 §15.5.9, RFC 6585 §4.
const (
	requestTimeout  = 408
	tooManyRequests = 429
	firstError      = 400
	firstServer     = 500
)

// Statuses says how many responses were errors, and whether a server's are among them; ""
// where few were.
func (t *Teller) Statuses() (s string, grave bool) {
	all, errors, server := 0, 0, 0
	var codes []report.StatusCount
	for _, c := range t.Report.Statuses {
		all += c.Count
		if c.Status < firstError {
			continue
		}
		errors += c.Count
		codes = append(codes, c)
		if c.Status >= firstServer || c.Status == tooManyRequests || c.Status == requestTimeout {
			server += c.Count
		}
	}
	const often = 10 // of a hundred: a few 404 are nobody's business
	if errors == 0 || server == 0 && errors*100 < all*often {
		return "", false
	}
	slices.SortStableFunc(codes,
		func(a, b report.StatusCount) int { return cmp.Compare(b.Count, a.Count) })
	const named = 4
	var parts []string
	for i, c := range codes {
		if i == named {
			parts = append(parts, wording.Count(len(codes)-i, "more status", "more statuses"))
			break
		}
		parts = append(
			parts,
			fmt.Sprintf(
				"%s%s×%s%d",
				wording.Grouped(c.Count),
				wording.NoBreak,
				wording.NoBreak,
				c.Status,
			),
		)
	}
	return fmt.Sprintf("Errors: %s of %s (%s).", wording.Grouped(errors),
		wording.Count(all, "response", "responses"), strings.Join(parts, ", ")), server > 0
}

// namedEnds is how many kinds of ends of streams a sentence names.
const namedEnds = 4

// Resets says how streams of HTTP/2 were ended before their responses were whole; "" if none
// was.
func (t *Teller) Resets() string {
	all := t.Report.Tally.Streams.Resets
	if len(all) == 0 {
		return ""
	}
	count := 0
	for _, r := range all {
		count += r.Count
	}
	parts := ends(all, func(r report.StreamEnd) string {
		return times(r.Count) + r.Code.String() + " by the " + r.By.String()
	})
	return "Streams of HTTP/2 that were reset: " + wording.Grouped(count) + " (" + parts + ")."
}

// Calls says how many calls of gRPC failed; "" if none did.
func (t *Teller) Calls() string {
	s := &t.Report.Tally.Streams
	if len(s.Failed) == 0 {
		return ""
	}
	count := 0
	for _, f := range s.Failed {
		count += f.Count
	}
	parts := ends(s.Failed, func(f report.CallEnd) string {
		return times(f.Count) + exchange.RPCStatusName(f.Status)
	})
	return "gRPC: " + wording.Grouped(count) + " of " + wording.Count(s.Calls, "call", "calls") +
		" failed (" + parts + ")."
}

// times is how often something was, in front of its name.
func times(n int) string {
	return wording.Grouped(n) + wording.NoBreak + "×" + wording.NoBreak
}

// ends names the first of all in words.
func ends[T any](all []T, name func(T) string) string {
	var parts []string
	for i, e := range all {
		if i == namedEnds {
			parts = append(parts, wording.Count(len(all)-i, "other kind", "other kinds"))
			break
		}
		parts = append(parts, name(e))
	}
	return strings.Join(parts, ", ")
}
