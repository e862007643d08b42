package main

import (
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tcpwhy/analysis"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/internal/golden"
	"tcpwhy/reassembly/exchange"
	"tcpwhy/reassembly/tcptext"
)

// besideEach is beside how many others each scenario is laid, one at a time.
var besideEach = flag.Int("beside", 1, "neighbours of each scenario in TestIndependence")

// quietAfter is how long after the scenario's end the capture ends: a connection that is not
// answered is given up by then.
const quietAfter = 3 * time.Minute

// bystander sends the last segment of all captures.
var bystander = "client 198.19.77.1:40000 isn 1\nserver 198.19.77.2:80 isn 2\n0 > . 1:1(0) ack 1"

// besideAlso is beside which others some scenarios are laid, too.
var besideAlso = map[string]string{
	// an exchange that goes on for long where the capture was taken, while a proxy tries in vain,
	// and may have to do with what that is asked for
	"http-errors-haproxy-refused-any": "path-mtu-black-hole-given-up-rtt10-server",
}

// crowdSize is how many are laid beside each scenario together.
const crowdSize = 4

// TestIndependence: what is said of some traffic does not change when unrelated traffic is added or
// filtered away (property 7). Each scenario is analysed alone and beside others whose hosts are
// their own, as files before or after its own. What is unrelated may still tell when the capture
// ended, or that it was interrupted: so it is left out within the scenario's gaps, and a last
// segment of somebody else ends all captures at the same time, long enough after the scenario's
// end that whatever waits for silence is settled between others' events.
func TestIndependence(t *testing.T) {
	all := neighbours(t)
	for i, dir := range scenarioDirs(t) {
		if testing.Short() && i%20 != 0 {
			continue
		}
		t.Run(filepath.Base(dir), func(t *testing.T) {
			if !golden.Update() {
				t.Parallel()
			}
			s := newSubject(t, captures(t, dir))
			next := func(k int) neighbour { return all[(i+k)%len(all)] }
			for k := range min(*besideEach, len(all)) {
				s.check(t, k, next(1+k))
			}
			for _, n := range all {
				if n.name == besideAlso[filepath.Base(dir)] {
					s.check(t, 0, n)
				}
			}
			var crowd []neighbour
			for k := range crowdSize {
				crowd = append(crowd, next(7+61*k))
			}
			s.check(t, 1, crowd...)
		})
	}
}

// neighbour is a capture to be laid beside others.
type neighbour struct {
	name string
	trace
}

// neighbours are the scenarios that consist of one plain file and hold no ICMP, which quotes
// addresses.
func neighbours(t *testing.T) (all []neighbour) {
	t.Helper()
	for _, dir := range scenarioDirs(t) {
		file, err := os.ReadFile(dir + "/capture.pcap")
		if err != nil {
			continue
		}
		tr := parseTrace(t, file)
		hosts := map[netip.Addr]bool{}
		tr.edit(func(h *headers) { hosts[h.src().Addr()], hosts[h.dst().Addr()] = true, true })
		if len(hosts) > 0 && !slices.ContainsFunc(tr.packets, func(p packet) bool {
			_, ok := p.headers(tr.link)
			return !ok
		}) {
			all = append(all, neighbour{filepath.Base(dir), tr})
		}
	}
	return all
}

// subject is a scenario of which the same is to be said in whatever company.
type subject struct {
	inputs     []string
	want       []string
	hosts      map[netip.Addr]bool
	start, end int64             // ns since the Unix epoch
	gaps       []report.Interval // of an hour and more, in the time of the capture
}

// newSubject analyses a scenario alone.
func newSubject(t *testing.T, inputs []string) *subject {
	t.Helper()
	s := &subject{hosts: map[netip.Addr]bool{}}
	src, err := capture.Open(capture.Config{Inputs: inputs})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	var seg capture.Segment
	last := time.Duration(0)
	for src.Next(&seg) == nil {
		s.hosts[seg.Src.Addr()], s.hosts[seg.Dst.Addr()] = true, true
		if seg.Time-last > time.Hour {
			s.gaps = append(s.gaps, report.Interval{From: last, To: seg.Time})
		}
		last = max(last, seg.Time)
	}
	s.start = src.Stats().Start.UnixNano()
	s.end = s.start + int64(last+quietAfter)
	s.inputs = append(inputs, s.lastWord(t))
	s.want = s.part(analyseWith(t, capture.Config{Inputs: s.inputs}, 1), 0)
	return s
}

// lastWord is a file with the bystander's segment.
func (s *subject) lastWord(t *testing.T) string {
	t.Helper()
	segments, err := tcptext.Parse(bystander)
	if err != nil {
		t.Fatal(err)
	}
	tr := parseTrace(t, writeCapture(t, segments))
	tr.packets[0].at = s.end
	file := filepath.Join(t.TempDir(), "last.pcap")
	if err := os.WriteFile(file, tr.pcap(t, true), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// check lays neighbours beside the subject and looks whether the same is said: with their files
// behind its own or before them, and filtered away.
func (s *subject) check(t *testing.T, k int, others ...neighbour) {
	t.Helper()
	var names, files []string
	dir := t.TempDir()
	write := func(name string, tr trace) {
		names = append(names, name)
		file := filepath.Join(dir, fmt.Sprintf("other-%d.pcap", len(files)))
		files = append(files, file)
		if err := os.WriteFile(file, tr.pcap(t, true), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i, n := range others {
		write(n.name, s.beside(n, k+i, byte(0x11*(i+1))))
	}
	write("a steady client", s.steady(t))
	workers := [...]int{1, 2, 5}
	c := capture.Config{Inputs: slices.Concat(s.inputs, files)}
	before := 0
	if k%2 == 1 {
		c.Inputs, before = slices.Concat(files, s.inputs), len(files)
	}
	beside := analyseWith(t, c, workers[k%3])
	same(t, fmt.Sprintf("beside %q", names), s.part(beside, before), s.want)
	var err error
	if c.Filter, err = capture.ParseFilter(s.filter()); err != nil {
		t.Fatal(err)
	}
	less := analyseWith(t, c, workers[(k+1)%3])
	same(t, fmt.Sprintf("%q filtered away", names), s.part(less, before), s.want)
}

// filter lets the subject's hosts pass.
func (s *subject) filter() string {
	parts := []string{"host 198.19.77.1"}
	for host := range s.hosts {
		parts = append(parts, "host "+host.String())
	}
	return strings.Join(parts, " or ")
}

// beside is a neighbour in time and place: with hosts and sequence numbers of its own, in the midst
// of the subject or in the silence after it, without what would change the capture's end or gaps.
func (s *subject) beside(n neighbour, k int, key byte) trace {
	for n.meets(s.hosts, key) {
		key++
	}
	moved := n.offsetSequence(uint32(k)*7919 + 1).edit(func(h *headers) {
		h.setEndpoint(0, netip.AddrPortFrom(moveHost(h.src().Addr(), key), h.src().Port()))
		h.setEndpoint(1, netip.AddrPortFrom(moveHost(h.dst().Addr(), key), h.dst().Port()))
	})
	over := s.end - int64(quietAfter)
	by := (s.start+over)/2 - (moved.packets[0].at+latest(moved.packets))/2
	if k%2 == 1 {
		by = over - moved.packets[0].at + int64(k)*int64(4*time.Second)
	}
	by -= int64(k%7) * int64(150*time.Millisecond)
	out := trace{link: n.link}
	for _, p := range moved.packets {
		if p.at += by; s.welcome(p.at) {
			out.packets = append(out.packets, p)
		}
	}
	return out
}

// steady is a client that asks for something all the time.
func (s *subject) steady(t *testing.T) trace {
	t.Helper()
	const begin = "client 198.19.77.5:40000 isn 3\nserver 198.19.77.6:80 isn 4\n0 > S 0:0(0)\n" +
		"0.001 < S. 0:0(0) ack 1\n0.001 > . 1:1(0) ack 1\n"
	const ask, answer = "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"
	var text strings.Builder
	text.WriteString(begin)
	span := time.Duration(s.end - s.start)
	every := max(400*time.Millisecond, span/500)
	for i, at := 0, every; at < span; i, at = i+1, at+every {
		q, a := 1+i*len(ask), 1+i*len(answer)
		fmt.Fprintf(&text, "%.6f > P. %d ack %d %q\n", at.Seconds(), q, a, ask)
		fmt.Fprintf(&text, "%.6f < P. %d ack %d %q\n", at.Seconds()+0.001, a, q+len(ask), answer)
	}
	segments, err := tcptext.Parse(text.String())
	if err != nil {
		t.Fatal(err)
	}
	tr, out := parseTrace(t, writeCapture(t, segments)), trace{}
	out.link = tr.link
	for _, p := range tr.packets {
		if p.at += s.start - packetsStart.UnixNano(); s.welcome(p.at) {
			out.packets = append(out.packets, p)
		}
	}
	return out
}

// welcome reports whether a packet at that time tells nothing of the capture as a whole.
func (s *subject) welcome(at int64) bool {
	since := time.Duration(at - s.start)
	return at < s.end && !slices.ContainsFunc(s.gaps, func(g report.Interval) bool {
		return since > g.From && since < g.To
	})
}

// moveHost is another address of the same kind.
func moveHost(a netip.Addr, key byte) netip.Addr {
	b := a.AsSlice()
	b[len(b)-2] ^= key
	moved, _ := netip.AddrFromSlice(b)
	return moved
}

// meets reports whether a host of n, when moved, is among others.
func (n neighbour) meets(others map[netip.Addr]bool, key byte) (met bool) {
	n.edit(func(h *headers) {
		met = met || others[moveHost(h.src().Addr(), key)] || others[moveHost(h.dst().Addr(), key)]
	})
	return met
}

func analyseWith(t *testing.T, c capture.Config, workers int) *report.Report {
	t.Helper()
	src, err := capture.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	r, err := analysis.Run(t.Context(), src, analysis.WithWorkers(workers),
		analysis.WithLimits(analysis.Limits{Listed: analysis.NoLimit, Occurrences: 10}))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// partial is a part of a report: what concerns some hosts.
type partial struct {
	*report.Report
	conns, exchanges map[int]int // their numbers among those of the part
	shift            time.Duration
	inputs           int // before the first of the part
}

// part is what a report says of the subject, by numbers and times of its own. inputs are how many
// others come before its own.
func (s *subject) part(r *report.Report, inputs int) (out []string) {
	p := partial{Report: r, conns: map[int]int{-1: -1}, exchanges: map[int]int{-1: -1},
		shift: r.Capture.Start.Sub(time.Unix(0, s.start)), inputs: inputs}
	for i := range r.Conns {
		if c := &r.Conns[i]; s.hosts[c.Client.Addr()] {
			p.conns[c.ID] = len(p.conns) - 1
		}
	}
	for i := range r.Exchanges {
		if x := &r.Exchanges[i]; isKey(p.conns, x.Connection) {
			p.exchanges[x.ID] = len(p.exchanges) - 1
		}
	}
	for i := range r.Conns {
		if c := &r.Conns[i]; s.hosts[c.Client.Addr()] {
			out = append(out, p.connection(c))
		}
	}
	for i := range r.Exchanges {
		if x := &r.Exchanges[i]; isKey(p.conns, x.Connection) {
			out = append(out, p.exchange(x))
		}
	}
	for i := range r.Findings {
		if f := &r.Findings[i]; s.hosts[f.Client] || s.hosts[f.Server.Addr()] {
			out = append(out, p.finding(f)...)
		}
	}
	return out
}

func isKey(m map[int]int, k int) bool { _, ok := m[k]; return ok }

func (p *partial) connection(c *report.ConnInfo) string {
	tls := exchange.TLSInfo{}
	if c.TLS != nil {
		tls = *c.TLS
	}
	var exchanges []int
	for _, x := range c.Exchanges {
		exchanges = append(exchanges, p.exchanges[x])
	}
	return fmt.Sprintf("connection %d %v %v %v+%v %v %s %v %v", p.conns[c.ID], c.Client, c.Server,
		c.Start+p.shift, c.Duration, c.State, c.History, c.Protocol, c.Vantage) +
		fmt.Sprintf(" rtt %v %v %v %v", c.Handshake, c.RTTMin, c.ClientRTT, c.ServerRTT) +
		fmt.Sprintf(" mss %v bytes %v segments %v again %v", c.MSS, c.Bytes, c.Segments,
			c.Retransmissions) +
		fmt.Sprintf(" closed %q reset %q %v %v", c.ClosedBy, c.ResetBy, tls.SNI, exchanges) +
		fmt.Sprintf(" %s %v", times(c.Times), c.Caveats)
}

func (p *partial) exchange(x *report.ExchangeInfo) string {
	s := fmt.Sprintf("exchange %d of %d (%d) %s %s %s %s %d %v %v %t %v+%v %s", p.exchanges[x.ID],
		p.conns[x.Connection], x.Index, x.Method, x.Target, x.Host, x.Version, x.Status, x.Interim,
		x.Outcome, x.Turn, x.Start+p.shift, x.Duration, times(x.Times))
	for _, m := range []*report.MessageInfo{x.Request, x.Response} {
		if m != nil {
			s += fmt.Sprintf(" %s..%s %d+%d %t", p.mark(m.Start), p.mark(m.End), m.HeaderBytes,
				m.BodyBytes, m.Complete)
		}
	}
	return s
}

func (p *partial) mark(m capture.Mark) string {
	return fmt.Sprintf("%d.%d@%v", m.Frame.Input()-p.inputs, m.Frame.Number(), m.Time+p.shift)
}

// numbered are the words that name connections and exchanges.
var numbered = regexp.MustCompile(`(^|of |on )(connection|exchange) \d+`)

// text is a sentence with numbers of the part.
func (p *partial) text(s string) string {
	return numbered.ReplaceAllStringFunc(s, func(m string) string {
		at := strings.LastIndexByte(m, ' ') + 1
		n, _ := strconv.Atoi(m[at:])
		if strings.Contains(m, "exchange") {
			return m[:at] + fmt.Sprint("#", p.exchanges[n])
		}
		return m[:at] + fmt.Sprint("#", p.conns[n])
	})
}

func (p *partial) finding(f *report.Finding) []string {
	out := []string{fmt.Sprintf("finding %s/%s %q %v %v %v %v %v %s: %s", f.Rule, f.Cause, f.Title,
		f.Severity, f.Confidence, f.Side, f.Client, f.Server, f.Host, p.text(f.Message)) +
		fmt.Sprintf(" ×%d %v wall %v broken %t counted %t affected %d %v", f.Count, f.Cost, f.Wall,
			f.Broken, f.Counted, f.Affected, f.Remedies)}
	for _, o := range f.Occurrences {
		s := fmt.Sprintf("  %s at %d/%d %v..%v %v %t", f.Rule, p.conns[o.Connection],
			p.exchanges[o.Exchange], o.Start+p.shift, o.End+p.shift, o.Cost, o.Elsewhere)
		for _, e := range o.Evidence {
			s += fmt.Sprintf("; %s %s %v %s", p.mark(e.Mark), e.Role, e.Side, p.text(e.Text))
		}
		out = append(out, s)
	}
	return out
}
