package output

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/output/mask"
)

const (
	viewServices = 1000 // services remembered; those that lost least give way
	viewRows     = 8    // services shown
	viewSpan     = 10   // seconds that "now" means
)

// View is what a live capture loses right now, by service. Moments are since the capture began. It
// is for one goroutine.
type View struct {
	name     string
	services map[netip.AddrPort]*viewService
	drawn    int // lines on the terminal
	second   int64
	lost     time.Duration
	seen     int
}

// viewService is one service of a View.
type viewService struct {
	server    netip.AddrPort
	host      string
	exchanges int
	lost      time.Duration
	recent    [viewSpan]time.Duration // lost by second, round and round
	causes    map[string]time.Duration
}

// NewView makes the view of the interface of that name.
func NewView(name string) *View {
	return &View{name: name, services: map[netip.AddrPort]*viewService{}}
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
		s.recent[v.second%viewSpan] += cost
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
func (v *View) service(server netip.AddrPort) *viewService {
	if s := v.services[server]; s != nil {
		return s
	}
	if len(v.services) >= viewServices {
		all := v.sorted()
		for _, s := range all[len(all)*3/4:] {
			delete(v.services, s.server)
		}
	}
	s := &viewService{server: server, causes: map[string]time.Duration{}}
	v.services[server] = s
	return s
}

// now is what the service lost in the latest seconds.
func (s *viewService) now() time.Duration {
	var sum time.Duration
	for _, d := range s.recent {
		sum += d
	}
	return sum
}

// mostly is the rule that names most of the loss.
func (s *viewService) mostly() string {
	best := ""
	for _, rule := range sortedRules(s.causes) {
		if best == "" || s.causes[rule] > s.causes[best] {
			best = rule
		}
	}
	return best
}

func sortedRules(m map[string]time.Duration) []string {
	rules := make([]string, 0, len(m))
	for rule := range m {
		rules = append(rules, rule)
	}
	slices.Sort(rules)
	return rules
}

// sorted are the services, those first that lose most now.
func (v *View) sorted() []*viewService {
	all := make([]*viewService, 0, len(v.services))
	for _, s := range v.services {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *viewService) int {
		return cmp.Or(cmp.Compare(b.now(), a.now()), cmp.Compare(b.lost, a.lost),
			cmp.Compare(b.exchanges, a.exchanges), a.server.Compare(b.server))
	})
	return all
}

// Advance says that so many seconds have passed since the capture began.
func (v *View) Advance(second int64) {
	for n := min(second-v.second, viewSpan); n > 0; n-- {
		for _, s := range v.services {
			s.recent[(second-n+1)%viewSpan] = 0
		}
	}
	v.second = max(v.second, second)
}

// Screen is the view for a terminal of so many columns; it overwrites the one before.
func (v *View) Screen(st *capture.Stats, columns int) string {
	var b strings.Builder
	v.clear(&b)
	lines := []string{
		fmt.Sprintf(
			"%s  %s  %s frames  %s exchanges  %s lost  %s dropped",
			mask.Visible(v.name),
			time.Duration(
				v.second,
			)*time.Second,
			grouped(st.Frames),
			grouped(uint64(v.seen)),
			spoken(v.lost),
			grouped(kernelDrops(st)),
		),
	}
	lines = append(
		lines,
		fmt.Sprintf("%-28s %9s %9s %9s  %s", "service", "exchanges", "lost now", "lost", "mostly"),
	)
	for _, s := range v.sorted()[:min(viewRows, len(v.services))] {
		lines = append(
			lines,
			fmt.Sprintf("%-28s %9d %7s/s %9s  %s", mask.Shorten(s.title(), 28), s.exchanges,
				spoken(s.now()/viewSpan), spoken(s.lost), s.mostly()),
		)
	}
	for _, line := range lines {
		b.WriteString(prefixCells(strings.ReplaceAll(line, nbsp, " "), columns-1) + "\n")
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

func (v *View) clear(b *strings.Builder) {
	if v.drawn > 0 {
		fmt.Fprintf(b, "\r\x1b[%dA\x1b[J", v.drawn)
		v.drawn = 0
	}
}

// prefixCells is as much of a line as fits; a line that wraps could not be drawn over.
func prefixCells(line string, columns int) string {
	used := 0
	for i, r := range line {
		if used += runeCells(r); used > columns {
			return line[:i]
		}
	}
	return line
}

// Lines are the services that lost time in the latest seconds, one to a line, for where there is no
// terminal.
func (v *View) Lines() []string {
	var lines []string
	for _, s := range v.sorted() {
		if s.now() == 0 || len(lines) == viewRows {
			break
		}
		line := fmt.Sprintf(
			"%s: %s: %s lost in %d s, mostly to %s",
			mask.Visible(v.name),
			s.title(),
			spoken(s.now()),
			viewSpan,
			s.mostly(),
		)
		lines = append(lines, strings.ReplaceAll(line, nbsp, " "))
	}
	return lines
}

// title names the service.
func (s *viewService) title() string {
	if s.host == "" {
		return s.server.String()
	}
	return s.server.String() + " " + mask.Host(s.host)
}
