package transfer

import (
	"cmp"
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

const serverPaused = "server-paused"

const (
	// togetherEnds is how far apart the first segments of a host that goes on may be, beside two
	// round trips: its programs and their connections take turns (reasoning).
	togetherEnds = 50 * time.Millisecond
	// togetherMostly is what part, in percent, of the longest of the pauses all must have in
	// common.
	togetherMostly = 90
)

// pausedTogether is the cause of a server that pauses in the middle of several responses at once.
func pausedTogether() report.Cause {
	return report.Cause{
		Code: serverPaused, Title: "server paused in several responses at once",
		Side: report.SideServer,
		Message: "In the middle of several responses nothing came for a while, and then all went " +
			"on at once: the server's program, or its whole host, stood still.",
		Remedies: []report.Remedy{{
			Side: report.SideServer,
			Text: "see what stopped it: garbage collection, a lock that all requests share, " +
				"SIGSTOP or a debugger, no processor (steal time), a paused virtual machine, hung I/O",
		}},
	}
}

// pauses takes note of the pauses of the server in the middle of a large response.
func (s *silences) pausesOf(m *rule.Conn, x *rule.Judged) {
	for _, w := range x.WaitsWith(report.AppPaced) {
		f := x.FlowOf(w.Dir)
		if w.Dir != reassembly.FromServer || f == nil || int64(w.Octets) < f.MSS || f.MSS <= 0 ||
			!w.LeftThen ||
			len(s.pauses) >= maxSilences || !ledger.Seen(w.Before) || !ledger.Seen(w.End) {
			continue
		}
		side := rule.SideOf(w.Dir)
		s.pauses = append(s.pauses, silence{
			Interval: report.Interval{From: w.From, To: w.To},
			dir:      w.Dir,
			of:       m.Of(x),
			conn:     m.Id,
			exchange: x.Info.ID,
			proof: []rule.Evidence{
				rule.Shows(w.Before, side, lastSign),
				rule.Shows(w.End, side, firstSign, rule.Ns(w.End.Time-w.Before.Time)),
			},
			rtt: x.Flow.RTT,
		})
	}
}

// tellTogether tells of the pauses that several connections made at the same time, each of them but
// once: what happens again and again is how the program works.
func (s *silences) tellTogether(d rule.Desk) {
	slices.SortStableFunc(s.pauses, func(a, b silence) int {
		return cmp.Or(cmp.Compare(a.To, b.To), cmp.Compare(a.exchange, b.exchange))
	})
	often := map[int]int{}
	for i := range s.pauses {
		often[s.pauses[i].conn]++
	}
	all := slices.DeleteFunc(s.pauses, func(p silence) bool { return often[p.conn] > 1 })
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].To-all[0].To <= togetherEnds+2*all[0].rtt {
			n++
		}
		if common, mostly := inCommon(all[:n]); mostly && s.outage(pointers(all[:n]), common) {
			bookTogether(d, all[:n])
		}
		all = all[n:]
	}
}

// pointers are those to all.
func pointers(all []silence) []*silence {
	out := make([]*silence, len(all))
	for i := range all {
		out[i] = &all[i]
	}
	return out
}

// inCommon is the time that all have in common, and whether that is most of the longest.
func inCommon(all []silence) (common report.Interval, mostly bool) {
	common, longest := all[0].Interval, time.Duration(0)
	for i := range all {
		common.From, common.To = max(common.From, all[i].From), min(common.To, all[i].To)
		longest = max(longest, all[i].To-all[i].From)
	}
	return common, (common.To-common.From)*100 >= longest*togetherMostly
}

// bookTogether books the pauses of all.
func bookTogether(d rule.Desk, all []silence) {
	for i := range all {
		s := &all[i]
		length := s.To - s.From
		d.Book(s.of, &rule.Claim{
			Rule:       outageRule,
			Cause:      serverPaused,
			Confidence: report.ConfidenceMedium,
			Says:       []rule.Said{rule.Say(pausedIn, int64(len(all)))},
			Occ: rule.Occurrence{
				Connection: s.conn,
				Exchange:   s.exchange,
				Start:      s.From,
				End:        s.To,
				Cost: report.Cost{
					Low: max(0, length-2*s.rtt), Expected: length, High: length,
				},
				Proof: s.proof,
			},
		})
		d.Lose(s.From, length)
	}
}
