// Package view shows a live capture while it goes on: what is being lost right now, by service.
package view

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/output/mask"
	"tcpwhy/output/page"
	"tcpwhy/output/wording"
)

const (
	maxServices = 1000 // services remembered; those that lost least give way
	rows        = 8    // services shown
	span        = 10   // seconds that "now" means
	nameCells   = 28   // columns of a service's name
)

// View is what a live capture loses right now, by service. Moments are since the capture began. It
// is for one goroutine.
type View struct {
	name     string
	services map[netip.AddrPort]*service
	drawn    int // lines on the terminal
	second   int64
	lost     time.Duration
	seen     int
}

// service is one service of a View.
type service struct {
	server    netip.AddrPort
	host      string
	exchanges int
	lost      time.Duration
	recent    [span]time.Duration // lost by second, round and round
	causes    map[string]time.Duration
}

// New makes the view of the interface of that name.
func New(name string) *View {
	return &View{name: name, services: map[netip.AddrPort]*service{}}
}

// Finding takes in a finding with one occurrence.
func (v *View) Finding(f *report.Finding) {
	s := v.service(f.Server)
	if f.Host != "" {
		s.host = f.Host
	}
	for i := range f.Occurrences {
		cost := f.Occurrences[i].Cost.Expected
		s.lost += cost
		v.lost += cost
		s.recent[v.second%span] += cost
		s.causes[f.Rule] += cost // at most as many as there are rules
	}
}

// Exchange takes in an exchange with a server.
func (v *View) Exchange(server netip.AddrPort) {
	v.seen++
	v.service(server).exchanges++
}

// service is the entry of a server. Beyond the limit, the one that lost least and says least gives
// way.
func (v *View) service(server netip.AddrPort) *service {
	if s := v.services[server]; s != nil {
		return s
	}
	if len(v.services) >= maxServices {
		all := v.sorted()
		for _, s := range all[len(all)*3/4:] {
			delete(v.services, s.server)
		}
	}
	s := &service{server: server, causes: map[string]time.Duration{}}
	v.services[server] = s
	return s
}

// now is what the service lost in the latest seconds.
func (s *service) now() time.Duration {
	var sum time.Duration
	for _, d := range s.recent {
		sum += d
	}
	return sum
}

// mostly is the rule that names most of the loss.
func (s *service) mostly() string {
	best := ""
	for _, rule := range slices.Sorted(maps.Keys(s.causes)) {
		if best == "" || s.causes[rule] > s.causes[best] {
			best = rule
		}
	}
	return best
}

// sorted are the services, those first that lose most now.
func (v *View) sorted() []*service {
	all := make([]*service, 0, len(v.services))
	for _, s := range v.services {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *service) int {
		return cmp.Or(cmp.Compare(b.now(), a.now()), cmp.Compare(b.lost, a.lost),
			cmp.Compare(b.exchanges, a.exchanges), a.server.Compare(b.server))
	})
	return all
}

// Advance says that so many seconds have passed since the capture began.
func (v *View) Advance(second int64) {
	for n := min(second-v.second, span); n > 0; n-- {
		for _, s := range v.services {
			s.recent[(second-n+1)%span] = 0
		}
	}
	v.second = max(v.second, second)
}

// Screen is the view for a terminal of so many columns; it overwrites the one before.
func (v *View) Screen(st *capture.Stats, columns int) string {
	var b strings.Builder
	v.clear(&b)
	lines := []string{
		fmt.Sprintf("%s  %s  %s frames  %s exchanges  %s lost  %s dropped",
			mask.Visible(v.name), time.Duration(v.second)*time.Second, wording.Grouped(st.Frames),
			wording.Grouped(v.seen), wording.Duration(v.lost), wording.Grouped(st.KernelDrops())),
		fmt.Sprintf("%-*s %9s %9s %9s  %s",
			nameCells, "service", "exchanges", "lost now", "lost", "mostly"),
	}
	for _, s := range v.sorted()[:min(rows, len(v.services))] {
		lines = append(lines, fmt.Sprintf("%-*s %9d %7s/s %9s  %s",
			nameCells, mask.Shorten(s.title(), nameCells), s.exchanges,
			wording.Duration(s.now()/span), wording.Duration(s.lost), s.mostly()))
	}
	for _, line := range lines {
		b.WriteString(page.Cut(strings.ReplaceAll(line, wording.NoBreak, " "), columns-1) + "\n")
	}
	v.drawn = len(lines)
	return b.String()
}

// Clear removes what Screen drew.
func (v *View) Clear() string {
	var b strings.Builder
	v.clear(&b)
	return b.String()
}

// clear moves the cursor to the beginning of what was drawn, and erases it.
func (v *View) clear(b *strings.Builder) {
	if v.drawn > 0 {
		fmt.Fprintf(b, "\r\x1b[%dA\x1b[J", v.drawn)
		v.drawn = 0
	}
}

// Lines are the services that lost time in the latest seconds, one to a line, for where there is no
// terminal.
func (v *View) Lines() []string {
	var lines []string
	for _, s := range v.sorted() {
		if s.now() == 0 || len(lines) == rows {
			break
		}
		line := fmt.Sprintf("%s: %s: %s lost in %d s, mostly to %s",
			mask.Visible(v.name), s.title(), wording.Duration(s.now()), span, s.mostly())
		lines = append(lines, strings.ReplaceAll(line, wording.NoBreak, " "))
	}
	return lines
}

// title names the service.
func (s *service) title() string {
	if s.host == "" {
		return s.server.String()
	}
	return s.server.String() + " " + mask.Host(s.host)
}
