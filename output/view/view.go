// Package view shows a live capture while it goes on: what each service loses right now, to what,
// and on whose side. What is shown is drawn from snapshots, so that nobody who looks at one holds
// up the capture.
package view

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/output/mask"
	"tcpwhy/output/wording"
)

const (
	maxServices = 1000 // services remembered; those that say least give way
	maxListed   = 8    // services that lines tell of; statuses and ends of a service
	slots       = 6    // that "now" means, each so many seconds
	slotSeconds = 10
)

// View gathers what a live capture shows, by service. Moments are since the capture began. It is
// for one goroutine.
type View struct {
	name      string
	services  map[netip.AddrPort]*service
	second    int64
	lost      time.Duration
	exchanges int
}

// service is one service of a View.
type service struct {
	server    netip.AddrPort
	host      string
	exchanges int           // all
	lost      time.Duration // likewise
	recent    [slots]slot   // round and round
	latest    *report.Finding
}

// slot is what a service showed in some seconds.
type slot struct {
	took     report.Durations
	losses   []Loss
	statuses []Tally
	ends     []Tally
}

// Loss is what a service lost to a cause.
type Loss struct {
	Rule, Title string
	Side        report.Side
	Count       int
	Cost        time.Duration
	Outside     time.Duration // what of the cost lies in no exchange
}

// Tally is how often something was seen.
type Tally struct {
	Name  string
	Count int
}

// New makes the view of a capture of that name.
func New(name string) *View {
	return &View{name: name, services: map[netip.AddrPort]*service{}}
}

// slot is that of the present moment.
func (v *View) slot(s *service) *slot { return &s.recent[v.second/slotSeconds%slots] }

// Finding takes in a finding with one occurrence. It keeps it.
func (v *View) Finding(f *report.Finding) {
	s := v.service(f.Server)
	if f.Host != "" {
		s.host = f.Host
	}
	s.latest = f
	l := Loss{Rule: f.Rule, Title: f.Title, Side: f.Side}
	for i := range f.Occurrences {
		l.Count++
		l.Cost += f.Occurrences[i].Cost.Expected
	}
	if all := f.Cost.Expected; all > 0 { // of all occurrences: more is not told of this one
		part := 1 - f.Within.Seconds()/all.Seconds()
		l.Outside = time.Duration(min(max(part, 0), 1) * float64(l.Cost))
	}
	s.lost += l.Cost
	v.lost += l.Cost
	now := v.slot(s)
	now.losses = addLoss(now.losses, &l)
}

// addLoss adds a loss to those of its cause: at most as many as there are rules and sides.
func addLoss(to []Loss, l *Loss) []Loss {
	for i := range to {
		if to[i].Rule == l.Rule && to[i].Side == l.Side {
			to[i].Count += l.Count
			to[i].Cost += l.Cost
			to[i].Outside += l.Outside
			return to
		}
	}
	return append(to, *l)
}

// addTally counts one thing. Beyond the limit, others count together.
func addTally(to []Tally, name string, n int) []Tally {
	i := slices.IndexFunc(to, func(t Tally) bool { return t.Name == name })
	if i < 0 && len(to) >= maxListed {
		name = "other"
		i = slices.IndexFunc(to, func(t Tally) bool { return t.Name == name })
	}
	if i < 0 {
		return append(to, Tally{name, n})
	}
	to[i].Count += n
	return to
}

// Exchange takes in an exchange with a server.
func (v *View) Exchange(server netip.AddrPort, x *report.ExchangeInfo) {
	v.exchanges++
	s := v.service(server)
	s.exchanges++
	if s.host == "" {
		s.host = x.Host
	}
	now := v.slot(s)
	now.took.Add(x.Duration)
	if x.Status != 0 {
		now.statuses = addTally(now.statuses, fmt.Sprint(x.Status), 1)
	}
	now.ends = addTally(now.ends, x.Outcome.String(), 1)
}

// service is the entry of a server. Beyond the limit, those that lost least and say least give way.
func (v *View) service(server netip.AddrPort) *service {
	if s := v.services[server]; s != nil {
		return s
	}
	if len(v.services) >= maxServices {
		all := make([]*service, 0, len(v.services))
		for _, s := range v.services {
			all = append(all, s)
		}
		slices.SortFunc(all, func(a, b *service) int {
			return cmp.Or(cmp.Compare(b.lostNow(), a.lostNow()), cmp.Compare(b.lost, a.lost),
				cmp.Compare(b.exchanges, a.exchanges), a.server.Compare(b.server))
		})
		for _, s := range all[len(all)*3/4:] {
			delete(v.services, s.server)
		}
	}
	s := &service{server: server}
	v.services[server] = s
	return s
}

// lost is what the slot lost.
func (s *slot) lost() (sum time.Duration) {
	for i := range s.losses {
		sum += s.losses[i].Cost
	}
	return sum
}

// lostNow is what the service lost in all slots.
func (s *service) lostNow() (sum time.Duration) {
	for i := range s.recent {
		sum += s.recent[i].lost()
	}
	return sum
}

// Advance says that so many seconds have passed since the capture began. It reports whether a slot
// is over, of which Lines then tells.
func (v *View) Advance(second int64) (over bool) {
	from, to := v.second/slotSeconds, second/slotSeconds
	for n := max(from, to-slots) + 1; n <= to; n++ {
		for _, s := range v.services {
			s.recent[n%slots] = slot{}
		}
	}
	v.second = max(v.second, second)
	return to > from
}

// Lines are the services that lost time in the slot that is over, one to a line, for where there is
// no terminal.
func (v *View) Lines() []string {
	type lost struct {
		*service
		in *slot
	}
	var all []lost
	for _, s := range v.services {
		in := &s.recent[(v.second/slotSeconds+slots-1)%slots]
		if in.lost() > 0 {
			all = append(all, lost{s, in})
		}
	}
	slices.SortFunc(all, func(a, b lost) int {
		return cmp.Or(cmp.Compare(b.in.lost(), a.in.lost()), a.server.Compare(b.server))
	})
	var lines []string
	for _, s := range all[:min(len(all), maxListed)] {
		line := fmt.Sprintf("%s: %s: %s lost in %d s, mostly to %s", v.name,
			title(s.server, s.host), wording.Duration(s.in.lost()), slotSeconds,
			mostLost(s.in.losses)[0].Rule)
		lines = append(lines, shown(line))
	}
	return lines
}

// mostLost are losses in order, what cost most first.
func mostLost(losses []Loss) []Loss {
	slices.SortFunc(losses, func(a, b Loss) int {
		return cmp.Or(cmp.Compare(b.Cost, a.Cost), cmp.Compare(b.Count, a.Count),
			strings.Compare(a.Rule, b.Rule), cmp.Compare(a.Side, b.Side))
	})
	return losses
}

// title names a service.
func title(server netip.AddrPort, host string) string {
	if host == "" {
		return wording.Server(server)
	}
	return wording.Server(server) + " " + mask.Host(host)
}

// shown is a line as a terminal may get it.
func shown(line string) string {
	return mask.Visible(strings.ReplaceAll(line, wording.NoBreak, " "))
}
