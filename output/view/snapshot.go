package view

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

// Snapshot is what a View knew at a moment. It does not change, and may be looked at from any
// goroutine.
type Snapshot struct {
	Name          string
	Elapsed       time.Duration // since the capture began
	Window        time.Duration // up to that, of which rates, times and losses are
	Frames, Drops uint64
	Exchanges     int           // all
	Lost          time.Duration // likewise
	Services      []Service     // by address
}

// Service is one service of a Snapshot.
type Service struct {
	Server   netip.AddrPort
	Host     string // as the network said it
	Took     report.Durations
	Time     time.Duration // of exchanges, and what was lost between them
	Lost     time.Duration
	Losses   []Loss  // what cost most first
	Statuses []Tally // the most frequent first
	Ends     []Tally // likewise
	All      int     // exchanges since the capture began
	AllLost  time.Duration
	Latest   *report.Finding // with its latest occurrence; nil: none
}

// Snapshot is what is known now.
func (v *View) Snapshot(st *capture.Stats) *Snapshot {
	window := v.second%slotSeconds + (slots-1)*slotSeconds
	s := &Snapshot{
		Name:    v.name,
		Elapsed: time.Duration(v.second) * time.Second,
		Window:  time.Duration(max(1, min(window, v.second))) * time.Second,
		Frames:  st.Frames, Drops: st.KernelDrops(), Exchanges: v.exchanges, Lost: v.lost,
		Services: make([]Service, 0, len(v.services)),
	}
	for _, from := range v.services {
		s.Services = append(s.Services, from.snapshot())
	}
	slices.SortFunc(s.Services, func(a, b Service) int { return a.Server.Compare(b.Server) })
	return s
}

// snapshot is what is known of the service.
func (s *service) snapshot() Service {
	out := Service{
		Server: s.server, Host: s.host, All: s.exchanges, AllLost: s.lost, Latest: s.latest,
	}
	for i := range s.recent {
		from := &s.recent[i]
		out.Took.Merge(&from.took)
		for k := range from.losses {
			out.Losses = addLoss(out.Losses, &from.losses[k])
		}
		for _, t := range from.statuses {
			out.Statuses = addTally(out.Statuses, t.Name, t.Count)
		}
		for _, t := range from.ends {
			out.Ends = addTally(out.Ends, t.Name, t.Count)
		}
	}
	out.Time = out.Took.Sum
	for i := range mostLost(out.Losses) {
		out.Lost += out.Losses[i].Cost
		out.Time += out.Losses[i].Outside
	}
	for _, list := range [][]Tally{out.Statuses, out.Ends} {
		slices.SortFunc(list, func(a, b Tally) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Name, b.Name))
		})
	}
	return out
}

// rate is how many exchanges of the service there were a second.
func (s *Service) rate(window time.Duration) float64 {
	return float64(s.Took.N) / window.Seconds()
}

// failed is how many exchanges did not end as they should.
func (s *Service) failed() (n int) {
	for _, end := range s.Ends {
		if end.Name != exchange.Complete.String() && end.Name != exchange.Upgraded.String() &&
			end.Name != exchange.Incomplete.String() {
			n += end.Count
		}
	}
	return n
}

// share is how much of the time of a service was lost: 0 to 1. A loss may be told after its
// exchange.
func (s *Service) share() float64 {
	if s.Time <= 0 {
		return 0
	}
	return min(1, s.Lost.Seconds()/s.Time.Seconds())
}
