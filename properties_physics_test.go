package main

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/reassembly/exchange"
)

const (
	// carriedOctets is how much of a path's octets must come at a rate for that to be what it
	// carried: no jitter of single segments makes it higher, and a burst does.
	carriedOctets = 4000
	// enoughOctets is how much makes a message a transfer.
	enoughOctets = 64000
)

// way is one direction between two hosts.
type way struct{ from, to netip.Addr }

// passing is octets of data that passed the capture point.
type passing struct {
	at     time.Duration
	octets int
}

// passed are the segments with data of a capture by way, in order of time.
func (tr trace) passed() map[way][]passing {
	all := map[way][]passing{}
	for i := range tr.packets {
		if h, ok := tr.packets[i].headers(tr.link); ok && h.data > 0 {
			w := way{h.src().Addr(), h.dst().Addr()}
			all[w] = append(all[w], passing{time.Duration(tr.packets[i].at), h.data})
		}
	}
	for _, list := range all {
		slices.SortStableFunc(list, func(a, b passing) int { return int(a.at - b.at) })
	}
	return all
}

// fastest is the highest rate, in octets a second, at which carriedOctets ever passed; 0: so many
// never did. What the path carries is more than that only if nobody ever asked it for more.
func fastest(list []passing) (rate float64) {
	from, sum := 0, 0 // of those behind from
	for to := 1; to < len(list); to++ {
		sum += list[to].octets
		for from+1 < to && sum-list[from+1].octets >= carriedOctets {
			from++
			sum -= list[from].octets
		}
		if sum >= carriedOctets {
			rate = max(rate, float64(sum)/max(list[to].at-list[from].at, 1).Seconds())
		}
	}
	return rate
}

// TestPhysics: all claims about an exchange cost no more together than it took, nor than its path
// leaves of that, however fast it was seen to carry octets.
func TestPhysics(t *testing.T) {
	t.Parallel()
	corpus(t, func(t *testing.T, tr trace, _ uint64) {
		r := analyseData(t, tr.pcap(t, true))
		conns := map[int]*report.ConnInfo{}
		for i := range r.Conns {
			conns[r.Conns[i].ID] = &r.Conns[i]
		}
		ways := tr.passed()
		checkClaimed(t, r, func(x *report.ExchangeInfo) time.Duration {
			c := conns[x.Connection]
			if c == nil {
				return 0
			}
			client, server := c.Client.Addr(), c.Server.Addr()
			return max(needs(ways[way{client, server}], x.Request),
				needs(ways[way{server, client}], x.Response))
		})
	})
}

// checkClaimed holds what all findings together claim of each exchange against what is left of it,
// less what its path needs. Fewer octets need less of it, but save no more than it took, either.
func checkClaimed(t tester, r *report.Report, needs func(*report.ExchangeInfo) time.Duration) {
	t.Helper()
	claims := claimed(r, func(f *report.Finding) bool { return f.Cause != "compressible" })
	all := claimed(r, func(*report.Finding) bool { return true })
	for i := range r.Exchanges {
		x := &r.Exchanges[i]
		if all[x.ID] > x.Duration {
			t.Errorf("exchange %d: %v claimed of %v", x.ID, all[x.ID], x.Duration)
		}
		if need, cost := needs(x), claims[x.ID]; cost > max(0, x.Duration-need) {
			t.Errorf("exchange %d: %v claimed of %v, of which the path needs %v", x.ID, cost,
				x.Duration, need)
		}
	}
}

// TestRanges: what a fix saves lies between the least and the most that it may save, and high
// confidence says so within a factor of three, but for lost data, which is no matter of time.
func TestRanges(t *testing.T) {
	t.Parallel()
	corpus(t, func(t *testing.T, tr trace, _ uint64) {
		r := analyseData(t, tr.pcap(t, true))
		for i := range r.Findings {
			f := &r.Findings[i]
			c := f.Cost
			if c.Low < 0 || c.Low > c.Expected || c.Expected > c.High {
				t.Errorf("%s/%s costs %v of [%v, %v]", f.Rule, f.Cause, c.Expected, c.Low, c.High)
			}
			if f.Confidence == report.ConfidenceHigh && !f.Broken && c.High >= time.Millisecond &&
				c.High > 3*c.Low {
				t.Errorf("%s/%s: high confidence, and a range of [%v, %v]", f.Rule, f.Cause,
					c.Low, c.High)
			}
		}
	})
}

// TestByTheClock: what a finding cost by the clock on the wall is no more than the time in which
// one of its occurrences, or an exchange of its client, went on.
func TestByTheClock(t *testing.T) {
	t.Parallel()
	corpus(
		t,
		func(t *testing.T, tr trace, _ uint64) { checkByTheClock(t, analyseData(t, tr.pcap(t, true))) },
	)
}

// checkByTheClock is that for the findings of which all occurrences are listed.
func checkByTheClock(t tester, r *report.Report) {
	t.Helper()
	client, exchanges := map[int]netip.Addr{}, map[netip.Addr][]report.Interval{}
	for i := range r.Conns {
		client[r.Conns[i].ID] = r.Conns[i].Client.Addr()
	}
	for i := range r.Exchanges {
		x := &r.Exchanges[i]
		of := client[x.Connection]
		exchanges[of] = append(exchanges[of],
			report.Interval{From: x.Start, To: x.Start + x.Duration})
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		spans := slices.Clone(exchanges[f.Client])
		for _, o := range f.Occurrences {
			spans = append(spans,
				report.Interval{From: o.Start, To: max(o.End, o.Start+o.Cost.Expected)})
		}
		var went time.Duration
		for _, s := range report.Union(spans) {
			went += s.To - s.From
		}
		if len(f.Occurrences) == f.Count && len(r.Exchanges) == r.ExchangeCount && f.Wall > went {
			t.Errorf("%s/%s: %v by the clock, in %v", f.Rule, f.Cause, f.Wall, went)
		}
	}
}

// claimed is what all findings that count together claim of each exchange. What went on behind it,
// as a failure that is repeated, counts up to its end.
func claimed(r *report.Report, counts func(*report.Finding) bool) map[int]time.Duration {
	exchanges, all := map[int]*report.ExchangeInfo{}, map[int]time.Duration{}
	for i := range r.Exchanges {
		exchanges[r.Exchanges[i].ID] = &r.Exchanges[i]
	}
	for i := range r.Findings {
		if !counts(&r.Findings[i]) {
			continue
		}
		for _, o := range r.Findings[i].Occurrences {
			x := exchanges[o.Exchange]
			if x == nil {
				continue
			}
			cost, end := o.Cost.Expected, x.Start+x.Duration
			switch {
			case o.End > end:
				cost = min(cost, max(0, end-max(o.Start, x.Start)))
			case x.Outcome != exchange.Complete:
				cost = min(cost, x.Duration)
			}
			all[x.ID] += cost
		}
	}
	return all
}

// needs is how long a path needs for a message at the most that it was seen to carry; 0 for what is
// no transfer.
func needs(list []passing, m *report.MessageInfo) time.Duration {
	if m == nil || m.HeaderBytes+m.BodyBytes < enoughOctets {
		return 0
	}
	rate := fastest(list)
	if rate == 0 {
		return 0
	}
	return time.Duration(float64(m.HeaderBytes+m.BodyBytes) / rate * 1e9)
}
