package transfer

import (
	"cmp"
	"slices"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// A page is messages of several connections that pass one path at the same time. While one of them
// waits for a repair, or for its window, the path carries the others: all of them together are over
// no sooner than the path has carried their octets.

// page is some messages that are settled together, each of which overlaps another.
type page struct {
	report.Interval               // of their exchanges
	first           time.Duration // their first octet: before that nothing asked for the path
	octets          int64
	exchanges       []int
	conns           map[int]bool
}

// add adds a message.
func (p *page) add(m *policedMessage) {
	p.To, p.first = max(p.To, m.To), min(p.first, m.first.Time)
	p.octets += m.octets
	p.exchanges = append(p.exchanges, m.exchange)
	p.conns[m.conn] = true
}

// pages tells the desk what all claims about the exchanges of a page may cost together, for those
// whose messages are not settled.
func (w *policedPath) pages(d rule.Desk) {
	rate := cmp.Or(w.rate(), w.echoed, w.fastest())
	if rate <= 0 && !(w.full && w.lossesMet()) {
		return
	}
	passed := w.passed()
	all := slices.Clone(w.messages[len(w.messages)-w.news:])
	slices.SortStableFunc(all,
		func(a, b policedMessage) int { return cmp.Compare(a.From, b.From) })
	for len(all) > 0 {
		p := page{Interval: all[0].Interval, first: all[0].first.Time, conns: map[int]bool{}}
		client, n := all[0].of.Pair.Client, 0
		for n < len(all) && (n == 0 || all[n].From < p.To) {
			p.add(&all[n])
			n++
		}
		all = all[n:]
		if len(p.conns) < 2 {
			continue // its own bound is that of each exchange
		}
		octets := max(p.octets, passed[w.after(p.To)]-passed[w.after(p.From-1)])
		needs := time.Duration(0)
		if rate > 0 {
			needs = time.Duration(float64(octets) / rate * 1e9)
		}
		d.Share(client, p.exchanges, rule.Page{
			Most:  max(0, p.To-p.first-needs),
			Rate:  rate,
			Queue: w.longest(),
			Full:  w.full && !w.polices(),
		})
	}
}

// passed are the octets that had come before each segment.
func (w *policedPath) passed() []int64 {
	passed := make([]int64, len(w.arrivals)+1)
	for i := range w.arrivals {
		passed[i+1] = passed[i]
		if a := &w.arrivals[i]; !a.Lost {
			passed[i+1] += int64(a.Octets)
		}
	}
	return passed
}
