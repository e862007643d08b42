package main

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

// TestTogether: connections of other hosts in the same capture, at the same time or before, change
// nothing (property 7).
func TestTogether(t *testing.T) {
	t.Parallel()
	var before trace
	corpus(t, func(t *testing.T, tr trace, seed uint64) {
		other := before
		before = tr
		if len(other.packets) == 0 || len(tr.packets) == 0 {
			return
		}
		want := part(analyseData(t, tr.pcap(t, true)))
		moved := other.edit(func(h *headers) {
			h.setEndpoint(0, elsewhere(h.src()))
			h.setEndpoint(1, elsewhere(h.dst()))
		})
		by := tr.packets[0].at - moved.packets[0].at + int64(seed)*int64(time.Millisecond)
		if seed%3 == 0 {
			by -= int64(2 * time.Hour) // long before: one after the other
		}
		for i := range moved.packets {
			moved.packets[i].at += by
		}
		both := analyseData(t, tr.pcap(t, true), moved.pcap(t, true))
		same(t, "with others", part(only(both, 0)), want)
	})
}

// elsewhere is another host's address. What a host says to itself is of the same clients and
// services in every capture, so that its findings would be told together: it gets other addresses
// of the host, of which IPv6 has no second one.
func elsewhere(a netip.AddrPort) netip.AddrPort {
	if addr := a.Addr(); addr.Is4() && addr.IsLoopback() {
		b := addr.As4()
		b[2] ^= 0x33
		return netip.AddrPortFrom(netip.AddrFrom4(b), a.Port())
	}
	return rename(a)
}

// only keeps what began in one input.
func only(r *report.Report, input int) *report.Report {
	out := *r
	out.Conns, out.Exchanges, out.Findings = nil, nil, nil
	conns := map[int]bool{}
	for _, f := range r.Findings {
		if len(f.Occurrences) > 0 && len(f.Occurrences[0].Evidence) > 0 &&
			f.Occurrences[0].Evidence[0].Frame.Input() == input {
			out.Findings = append(out.Findings, f)
		}
	}
	for _, x := range r.Exchanges {
		m := x.Request
		if m == nil {
			m = x.Response
		}
		if x.Attempt != nil {
			m = &report.MessageInfo{Start: x.Attempt.Start}
		}
		if m.Start.Frame.Input() == input {
			out.Exchanges = append(out.Exchanges, x)
			conns[x.Connection] = true
		}
	}
	for _, c := range r.Conns {
		if conns[c.ID] {
			out.Conns = append(out.Conns, c)
		}
	}
	return &out
}

// part is what a report says of connections, without numbers that count all, and times since the
// first frame.
func part(r *report.Report) []string {
	var out []string
	talked := map[string]bool{}
	for _, x := range r.Exchanges {
		out = append(
			out,
			fmt.Sprintf(
				"exchange %v %s %s %s %d %v",
				x.Duration,
				times(x.Times),
				x.Method,
				x.Target,
				x.Status,
				x.Outcome,
			),
		)
		talked[""] = true
	}
	for _, c := range r.Conns {
		if talked[""] && len(c.Exchanges) > 0 {
			out = append(
				out,
				fmt.Sprintf(
					"connection %v %v %v %v %v %v %s %v",
					c.Client,
					c.Server,
					c.Duration,
					c.State,
					c.Vantage,
					c.Segments,
					times(c.Times),
					c.Retransmissions,
				),
			)
		}
	}
	for _, f := range r.Findings {
		if !f.Client.IsValid() {
			continue // about the capture
		}
		out = append(
			out,
			fmt.Sprintf(
				"finding %s/%s %v %v %v %v %d %v",
				f.Rule,
				f.Cause,
				f.Client,
				f.Server,
				f.Severity,
				f.Confidence,
				f.Count,
				f.Cost,
			),
		)
	}
	slices.Sort(out)
	return out
}

// stallLabels are those of time that losses and windows cost. A frame that is missing may change
// which of them it is, as an acknowledgment tells a repair from a timeout; but it adds nothing to
// their sum.
var stallLabels = []report.Label{
	report.SYNRetx,
	report.SYNACKRetx,
	report.FastRetx,
	report.RTO,
	report.TLP,
	report.LostRetx,
	report.SpuriousRetx,
	report.RWnd,
	report.ZeroWindow,
}

// TestDeleted: frames that the capture lacks are not taken for loss, and make nothing surer without
// the report saying that something is lacking (property 8). A frame that the capture lacks may look
// like one that was not sent, so a finding of medium confidence may come of it.
func TestDeleted(t *testing.T) {
	t.Parallel()
	corpus(t, func(t *testing.T, tr trace, seed uint64) {
		whole := analyseData(t, tr.pcap(t, true))
		was := grouped(faults(whole))
		random := rand.New(rand.NewPCG(seed, 8))
		for range 4 {
			less := trace{link: tr.link}
			for _, p := range tr.packets {
				// A FIN or RST that nothing acknowledges leaves no gap.
				if h, ok := p.headers(tr.link); random.IntN(12) != 0 ||
					ok && h.flags()&(capture.FIN|capture.RST) != 0 {
					less.packets = append(less.packets, p)
				}
			}
			r := analyseData(t, less.pcap(t, true))
			for key, f := range grouped(faults(r)) {
				if key == "a wait" && (unsureOfSize(whole) || wideAtTwoPlaces(whole)) {
					continue
				}
				if w := was[key]; f.confidence > max(w.confidence, report.ConfidenceMedium) &&
					!newlyWeakened(r, whole) {
					t.Errorf("%s is %+v, was %+v", key, f, w)
				}
			}
			// A repetition whose D-SACK or second acknowledgment the capture lacks looks needed,
			// and one overtaken by its copy lost; the wait then begins a little earlier. What else
			// ended it, as another SYN did beside the repeated SYN-ACK, came later.
			w := stalls(whole) + late(whole) + carried(whole)
			if g := stalls(r); g > w+w*3/100+time.Millisecond {
				t.Errorf("%v of stalls, was %v", g, w)
			}
		}
	})
}

// carried is the time of the path's rate where segments were lost: only with all segments it shows
// that the path was busy while they were repaired.
func carried(r *report.Report) (sum time.Duration) {
	lossy := func(f report.Finding) bool {
		return f.Rule == "packet-loss" || f.Rule == "retransmission-timeout"
	}
	if !slices.ContainsFunc(r.Findings, lossy) {
		return 0
	}
	for i := range r.Conns {
		sum += labelTotal(r.Conns[i].Times, report.Serialize)
	}
	return sum
}

// unsureOfSize reports whether a timeout was explained by path-mtu on little evidence: that the
// timer ran is surer than why, and without that evidence it is all there is to say.
func unsureOfSize(r *report.Report) bool {
	f, ok := faults(r)["path-mtu/"]
	return ok && f.confidence <= report.ConfidenceMedium
}

// wideAtTwoPlaces reports whether frames passed the capture at two places, and the cost of a wait
// was not known within the factor that high confidence takes. Which of the places is told of
// depends on which copies the capture has, and on that how exact round trips are, and so that
// range.
func wideAtTwoPlaces(r *report.Report) bool {
	return r.Capture.Count[capture.OutcomeDuplicate] > 0 &&
		slices.ContainsFunc(r.Findings, func(f report.Finding) bool {
			return slices.Contains(waits, f.Rule) && f.Confidence == report.ConfidenceMedium &&
				f.Cost.High > 3*f.Cost.Low
		})
}

// late is the time in which the path was late, or may have been.
func late(r *report.Report) time.Duration {
	sum := time.Duration(0)
	for i := range r.Conns {
		sum += labelTotal(
			r.Conns[i].Times,
			report.Unknown,
		) + labelTotal(
			r.Conns[i].Times,
			report.Queue,
		)
	}
	return sum
}

// stalls is the time that all connections were stalled.
func stalls(r *report.Report) time.Duration {
	sum := time.Duration(0)
	for i := range r.Conns {
		for _, l := range stallLabels {
			sum += labelTotal(r.Conns[i].Times, l)
		}
	}
	return sum
}

// newlyWeakened reports whether a report says of anything more often than another that the capture
// lacks what verdicts rest on.
func newlyWeakened(r, before *report.Report) bool {
	was := map[string]uint64{}
	for _, c := range before.Caveats {
		was[c.Code] = c.Count
	}
	return slices.ContainsFunc(
		r.Caveats,
		func(c report.Caveat) bool { return len(c.Weakens) > 0 && c.Count > was[c.Code] },
	)
}

// endings are the rules about how connections and exchanges end.
var endings = []string{
	"reset-after-data",
	"truncated-response",
	"half-close",
	"keepalive-race",
	"pipelining",
	"slow-close",
	"idle-drop",
}

// TestTruncated: the end of a capture breaks nothing (property 11). What a wait was for, and what
// is usual, may show only later.
func TestTruncated(t *testing.T) {
	t.Parallel()
	corpus(t, func(t *testing.T, tr trace, seed uint64) {
		whole := analyseData(t, tr.pcap(t, true))
		// attempts are numbered when it is known what became of them, which the end of a capture
		// may change
		type place struct{ connection, index int }
		outcomes := map[place]exchange.Outcome{}
		for _, x := range whole.Exchanges {
			outcomes[place{x.Connection, x.Index}] = x.Outcome
		}
		was := grouped(faults(whole))
		random := rand.New(rand.NewPCG(seed, 11))
		for range 6 {
			n := random.IntN(len(tr.packets))
			r := analyseData(t, trace{tr.link, tr.packets[:n]}.pcap(t, true))
			for _, x := range r.Exchanges {
				want := outcomes[place{x.Connection, x.Index}]
				// What passed as a whole may turn out never to have arrived.
				// One that the client seemed to give up may be answered in time.
				if x.Outcome == exchange.Aborted && want == exchange.Complete &&
					(x.Response == nil || !x.Response.Complete) {
					continue // until its answer has come, nothing tells it from the others
				}
				arrives := x.Outcome != exchange.Complete || want == exchange.Truncated ||
					want == exchange.NoResponse
				if x.Outcome != want && x.Outcome != exchange.Incomplete && arrives {
					t.Errorf(
						"after %d frames exchange %d is %v, it becomes %v",
						n,
						x.ID,
						x.Outcome,
						want,
					)
				}
			}
			for key, f := range grouped(faults(r)) {
				rule, _, _ := strings.Cut(key, "/")
				w := was[key]
				if f.count > w.count && (slices.Contains(endings, rule) || key == "given up") {
					t.Errorf("after %d frames %s is %+v, it becomes %+v", n, key, f, w)
				}
			}
		}
	})
}

// toldByPieces are the captures where how large the segments are that a host handed to its card, or
// that a card merged, is itself what tells.
var toldByPieces = map[string]string{
	// four times half a segment of room, and two segments at once: each of them would have fitted
	// sooner
	"zero-window-room-in-small-steps-rtt20-server": "the host waited for room for both",
	// acknowledgments stand in front of each write, so that its segments could be those of a window
	"lookalike-send-buffer-writes-by-the-clock-rtt60": "a write that is one segment shows a clock",
}

// rateBySpacing are captures at the receiver's host, which acknowledges all at once, where nothing
// but the distance of single segments shows how fast the path is. Merged, they do not, and what the
// path needs for the octets at its rate, which no claim can save, cannot be told from what it can:
// costs may differ by the time with that label, and by no more.
var rateBySpacing = map[string]bool{
	"lookalike-zero-window-promised-more-than-there-is-rtt40": true,
	"outage-to-server-of-acks-rtt20":                          true,
	"h2-receive-window-rtt80":                                 true,
	"h2-receive-window-rtt80-server":                          true,
}

// TestMerged: a network card that merges what came back to back changes no verdict (property 9).
func TestMerged(t *testing.T) {
	t.Parallel()
	corpus(t, func(t *testing.T, tr trace, _ uint64) {
		if toldByPieces[path.Base(t.Name())] != "" {
			return
		}
		want := analyseData(t, tr.pcap(t, true))
		merged := tr.merge(100 * time.Microsecond)
		if len(merged.packets) == len(tr.packets) {
			return
		}
		got := analyseData(t, merged.pcap(t, true))
		eps, each := time.Millisecond, 2*time.Millisecond
		if rateBySpacing[path.Base(t.Name())] {
			at := max(bySpacing(want), bySpacing(got))
			eps, each = max(eps, at), max(each, at/time.Duration(max(1, want.ExchangeCount)))
		}
		sameFaults(t, "merged", got, want, eps)
		nearTimes(t, got, want, each)
	})
}

// bySpacing is the time that only the distance of single segments tells: the path's rate, and which
// of several streams the octets were that came in one segment.
func bySpacing(r *report.Report) time.Duration {
	return labelTotal(r.Times, report.Serialize) + labelTotal(r.Times, report.H2Mux)
}

// nearTimes compares the labels of two reports.
func nearTimes(t tester, got, want *report.Report, eps time.Duration) {
	t.Helper()
	for _, l := range report.Labels() {
		if g, w := labelTotal(got.Times, l), labelTotal(want.Times, l); (g - w).Abs() > eps*time.Duration(
			max(1, want.ExchangeCount),
		) {
			t.Errorf("%v of %v, was %v", g, l, w)
		}
	}
}

// merge joins full segments that follow each other within gap into frames of up to 60,000 octets,
// as receive offload does.
func (tr trace) merge(gap time.Duration) trace {
	out := trace{link: tr.link}
	for _, p := range tr.clone().packets {
		if n := len(out.packets); n == 0 || !out.packets[n-1].join(&p, tr.link, gap) {
			out.packets = append(out.packets, p)
		}
	}
	return out
}

// join appends the data of the next frame, if that is the next segment of the same direction and
// nothing but data.
func (p *packet) join(next *packet, link uint16, gap time.Duration) bool {
	a, ok := p.headers(link)
	b, ok2 := next.headers(link)
	if !ok || !ok2 || a.v6 || a.src() != b.src() || a.dst() != b.dst() ||
		next.at-p.at > int64(gap) ||
		a.data < 500 ||
		b.data == 0 ||
		a.data+b.data > 60000 {
		return false
	}
	head, headB := int(a.tcp[12]>>4)*4, int(b.tcp[12]>>4)*4
	const odd = capture.SYN | capture.FIN | capture.RST
	if a.get32(4)+uint32(a.data) != b.get32(4) || (a.flags()|b.flags())&odd != 0 ||
		a.flags()&capture.PSH != 0 ||
		a.get32(8) != b.get32(8) ||
		head != headB ||
		len(a.tcp) != head+a.data ||
		len(b.tcp) != headB+b.data ||
		b.data > a.data {
		return false
	}
	p.wire += b.data
	p.data = append(p.data[:len(p.data):len(p.data)], b.tcp[headB:]...)
	a, _ = p.headers(link)
	total := len(a.ip) + head + a.data + b.data
	a.ip[2], a.ip[3] = byte(total>>8), byte(total)
	a.sealIP()
	h, _ := p.headers(link)
	h.tcp[13] = byte(b.flags() | a.flags())
	h.sealTCP()
	return true
}
