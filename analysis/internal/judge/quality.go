package judge

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

var CaptureQuality = &rule.Detector{Rule: report.Rule{
	Name:  report.CaptureQuality,
	Title: "what the capture could not show",
	Doc: `What happens
A verdict is as good as the capture. Frames that the capture dropped, connections seen from the
middle, one direction only, cut payload, frames seen twice and clocks that jump all hide or imitate
faults.

How it is recognised
Octets that the receiver acknowledged and the capture never showed were lost by the capture, not by
the network. Drop counters of pcapng and of the live interface are read. Frames with the same
content and IP identification within 2 ms are copies. A connection whose SYN has the number, the
timestamp and the client's port of one that began within a second before is that one, seen behind an
address translation. The rest follows from the headers.

How cost is counted
It costs nothing; it names the rules whose verdicts it weakens.

When it is wrong
Drop counters count all traffic of an interface, not only that of the connections at hand.`,
	Causes: []report.Cause{
		{Code: "incomplete-input", Title: "an input ended early or is damaged"},
		{Code: "kernel-drops", Title: "the capturing kernel dropped frames"},
		{Code: "capture-gap", Title: "the capture lacks octets that receivers acknowledged"},
		{Code: "snapped", Title: "frames were cut short"},
		{Code: "clock-steps", Title: "the clock stepped back"},
		{Code: "unknown-link-type", Title: "frames of a link type that is not decoded"},
		{Code: "short", Title: "frames cut before the end of the TCP header"},
		{Code: "missing-syn-ack", Title: "connections whose SYN-ACK is missing"},
		{Code: "missing-acks", Title: "acknowledgments are missing"},
		{Code: report.CaveatEncrypted, Title: "what connections carry is encrypted"},
		{Code: "tls-no-key", Title: "connections of TLS whose secrets are in no key log"},
		{Code: "tls-no-hello", Title: "connections of TLS whose hellos the capture lacks"},
		{Code: "tls-suite", Title: "connections of TLS with a cipher suite that is not decrypted"},
		{Code: "tls-bad-key", Title: "connections of TLS whose secrets open nothing"},
		{Code: report.CaveatForeign, Title: "connections carry a protocol that is not read"},
		{Code: "mid-stream", Title: "connections without a visible start"},
		{Code: "translated", Title: "connections seen on both sides of an address translation"},
		{Code: "one-sided", Title: "connections seen in one direction only"},
		{Code: "late-direction", Title: "one direction's times are late"},
		{Code: "missing-octets", Title: "the capture lacks octets that receivers acknowledged"},
		{Code: "reordering-cap", Title: "too many holes in a connection at once"},
		{Code: "buffer-cap", Title: "too much data behind a hole"},
		{Code: "conflicting-octets", Title: "two copies of the same octets differ"},
		{Code: "history-cap", Title: "an exchange had more segments than are kept"},
		{Code: "bad-options", Title: "malformed TCP options"},
		{Code: "payload-cut", Title: "HTTP headers were cut by the capture"},
		{Code: "http-gap", Title: "octets that frame HTTP messages are missing"},
		{Code: "http-resync", Title: "the start of an HTTP message was guessed"},
		{Code: "http-bad-message", Title: "something that is no HTTP message"},
		{Code: "http-outstanding", Title: "more unanswered requests than are followed"},
		{Code: "h2-gap", Title: "octets that frame HTTP/2 are missing"},
		{Code: "h2-resync", Title: "something that is no frame of HTTP/2"},
		{Code: "h2-fields", Title: "header fields of HTTP/2 that refer to what is missing"},
		{Code: report.CaveatKernelDenies, Title: "this machine's kernel says otherwise"},
		{
			Code:  report.CaveatKernelDiffers,
			Title: "this machine's kernel counted other repetitions than the capture shows",
		},
		{Code: CaveatApart, Title: "connections of hosts that are in several parts"},
	},
	References: []string{"RFC 9293 section 3.4"},
}}

// caveats draws up what the capture could not show.
func (j *Judge) caveats(st *capture.Stats) []report.Caveat {
	var out []report.Caveat
	add := func(code string, n uint64, on rule.Basis, format string, args ...any) {
		if n > 0 {
			out = append(
				out,
				report.Caveat{
					Code:    code,
					Message: fmt.Sprintf(format, args...),
					Count:   n,
					Weakens: j.resting(on),
				},
			)
		}
	}
	for _, in := range st.Inputs {
		if !in.Complete {
			add("incomplete-input", 1, 0, "%s: %s; what comes before was analysed", in.Name,
				in.Error)
		}
	}
	if j.From > 0 {
		add("part", 1, 0, "only what ended later than %s after the first frame was counted",
			rule.Seconds(j.From))
	}
	drops := kernelDrops(st)
	add("kernel-drops", drops, rule.Anything, "the capturing kernel dropped %s",
		rule.Count(drops, "frame"))
	add("capture-gap", uint64(max(j.Total.missing, 0)), rule.Anything,
		"the capture lacks %s that receivers acknowledged: it lost frames, the network did not",
		rule.Count(uint64(max(j.Total.missing, 0)), "octet"))
	j.frameCaveats(st, add)
	j.connectionCaveats(add)
	j.crowdCaveats(add)
	j.fences.caveats(add)
	out = append(out, j.apartCaveat()...)
	out = append(out, j.heardCaveats()...)
	return append(out, j.otherCaveats(out)...)
}

// resting are the rules whose verdicts rest on any of the basis, in the order of reports.
func (j *Judge) resting(on rule.Basis) (rules []string) {
	if on == 0 {
		return nil
	}
	for _, d := range j.all {
		if d.Rests&on != 0 {
			rules = append(rules, d.Name)
		}
	}
	return rules
}

// blind are the rules that ran and had nothing to look at: nothing that was said could be read.
func (j *Judge) blind() (rules []string) {
	u := &j.Total.unread
	if u.messages > 0 || u.turns == 0 {
		return nil
	}
	for _, d := range j.rules {
		if d.Rests&rule.Messages != 0 {
			rules = append(rules, d.Name)
		}
	}
	return rules
}

// frameCaveats adds what the account of frames shows.
func (j *Judge) frameCaveats(st *capture.Stats,
	add func(string, uint64, rule.Basis, string, ...any)) {
	dup := st.Count[capture.OutcomeDuplicate]
	add("duplicate-frames", dup, 0, "%s were seen twice; one copy of each was analysed",
		rule.Count(dup, "frame"))
	add("snapped", st.Snapped, rule.Content,
		"%s cut short by the capture: HTTP inside may be unreadable, TCP is not",
		rule.Count(st.Snapped, "segment was", "segments were"))
	add(
		report.CaveatReordered,
		st.Reordered,
		0,
		"%s behind later ones in the file: sequence numbers show that "+
			"their times are right, and they were put in that order",
		rule.Count(st.Reordered, "frame stood", "frames stood"),
	)
	if st.MaxBack > time.Millisecond {
		add("clock-steps", st.Backsteps, rule.Timing, "the clock stepped back %s, by up to %s",
			rule.Count(st.Backsteps, "time"), rule.Millis(st.MaxBack))
	}
	add(
		"clock-set",
		st.ClockSets,
		0,
		"the clock was set %s during the capture, by up to %s, first before frame %d, as what hosts "+
			"sent shows; the times here go on as if it had not been",
		rule.Count(st.ClockSets, "time"),
		st.MaxSet.Round(time.Millisecond).String(),
		st.FirstSet.Number(),
	)
	quic := st.Count[capture.OutcomeQUIC]
	add("quic", quic, 0, "%s of QUIC (HTTP/3): not analysed, this program reads TCP",
		rule.Count(quic, "frame"))
	if udp := udpFrames(st); st.Count[capture.OutcomeSegment] == 0 {
		add("no-tcp", udp, 0, "%s of UDP, %d of them from or to port %d, and none of TCP: if TCP "+
			"is in them, it is in a tunnel that is not decoded", rule.Count(udp, "frame"),
			st.UDP.Frames, st.UDP.Port)
	}
	for _, name := range sortedKeys(st.UnknownLinks) {
		add("unknown-link-type", st.UnknownLinks[name], rule.Anything,
			"%s of link type %s: not decoded", rule.Count(st.UnknownLinks[name], "frame"), name)
	}
	bad := st.Count[capture.OutcomeMalformed]
	add("malformed", bad, 0, "%s with headers that contradict themselves", rule.Count(bad, "frame"))
	short := st.Count[capture.OutcomeShort]
	add("short", short, rule.Anything, "%s cut before the end of the TCP header",
		rule.Count(short, "frame"))
	add("fragments-lost", st.FragmentsLost, 0, "%s never became whole",
		rule.Count(st.FragmentsLost, "fragmented datagram"))
}

// udpFrames is how many frames are UDP of any kind.
func udpFrames(st *capture.Stats) uint64 {
	return st.Count[capture.OutcomeUDP] + st.Count[capture.OutcomeQUIC] +
		st.Count[capture.OutcomeDNS]
}

// manyMute is on how many connections, if it is all of them, no client acknowledges anything alone:
// then it is the capture that lacks it. One that sends data at once may do so on each of a few.
const manyMute = 3

// connectionCaveats adds what the connections show.
func (j *Judge) connectionCaveats(add func(string, uint64, rule.Basis, string, ...any)) {
	t := &j.Total
	add("mid-stream", t.midStream, rule.Beginning,
		"%s without a visible start: window scale and first round trip are unknown",
		rule.Count(t.midStream, "connection"))
	t.keyCaveats(add)
	add(report.CaveatForeign, t.unread.foreign, rule.Messages,
		"%s that is not read: what passed was seen, not what was said",
		rule.Count(t.unread.foreign, "connection carries a protocol",
			"connections carry a protocol"))
	add("translated", t.Views, 0,
		"%s seen on both sides of an address translation: what came first was analysed",
		rule.Count(t.Views, "connection was", "connections were"))
	add(report.CaveatQuoted, t.Quoted, 0, "%s about connections that the capture does not show",
		rule.Count(t.Quoted, "ICMP error"))
	t.nameCaveats(add)
	if t.mute >= manyMute && t.mute == t.accepted {
		add(reassembly.CaveatAcks, t.mute, rule.Timing, "%s: %s",
			rule.Count(t.mute, "connection"), acksMissing)
	}
	add("one-sided", t.oneSided, rule.Anything, "%s seen in one direction only",
		rule.Count(t.oneSided, "connection"))
	add("scans", t.scans, 0,
		"%s to connect of hosts that look what is there, and exchange nothing: counted, not listed",
		rule.Count(t.scans, "attempt"))
	add("cut-exchanges", t.cut, 0, "%s not complete when the capture ended, or for lack of frames",
		rule.Count(t.cut, "exchange was", "exchanges were"))
}

// keyCaveats adds what was not decrypted.
func (t *totalSums) keyCaveats(add func(string, uint64, rule.Basis, string, ...any)) {
	u := &t.unread
	n, seen := rule.Count(u.encrypted, "connection carries", "connections carry"),
		"what passed was seen, not what was said"
	switch {
	case t.Keys.Used == 0:
		add(
			report.CaveatEncrypted,
			u.encrypted,
			rule.Messages,
			"%s TLS, and there are no keys: %s",
			n,
			seen,
		)
	default:
		add(report.CaveatEncrypted, u.encrypted, rule.Messages,
			"%s TLS that was not decrypted, while that of %d was: %s", n, u.decrypted, seen)
	}
	add("key-log-lines", t.Keys.Bad, 0, "%s of key logs not understood",
		rule.Count(t.Keys.Bad, "line was", "lines were"))
	add("key-log-cap", t.Keys.Dropped, rule.Messages,
		"of %s the secrets were not kept: key logs hold more than memory allows",
		rule.Count(t.Keys.Dropped, "connection"))
}

// otherCaveats are those that single connections carry and that no sentence about the whole tells
// already.
func (j *Judge) otherCaveats(have []report.Caveat) []report.Caveat {
	var out []report.Caveat
	for _, code := range sortedKeys(j.Total.caveats) {
		if slices.ContainsFunc(have, func(c report.Caveat) bool { return c.Code == code }) {
			continue
		}
		if code == reassembly.CaveatMissing &&
			slices.ContainsFunc(have,
				func(c report.Caveat) bool { return c.Code == "capture-gap" }) {
			continue // the same, told by octets
		}
		n := j.Total.caveats[code]
		text, on := connectionCaveat(code)
		out = append(
			out,
			report.Caveat{
				Code:    code,
				Count:   n,
				Message: rule.Count(n, "connection") + ": " + text,
				Weakens: j.resting(on),
			},
		)
	}
	return out
}

// kernelDrops is the sum of all inputs' drop counters.
func kernelDrops(st *capture.Stats) uint64 {
	var n uint64
	for _, in := range st.Inputs {
		n += in.KernelDrops
	}
	return n
}

// sortedKeys are the keys of m in order.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// qualityFindings repeats those caveats that weaken verdicts as findings without cost, so that a
// program that reads only findings sees them.
func qualityFindings(caveats []report.Caveat) []report.Finding {
	var out []report.Finding
	for _, c := range caveats {
		if len(c.Weakens) == 0 {
			continue
		}
		title := CaptureQuality.Title
		if known := CaptureQuality.Cause(c.Code); known != nil {
			title = known.Title
		}
		out = append(
			out,
			report.Finding{
				Rule:       CaptureQuality.Name,
				Cause:      c.Code,
				Title:      title,
				Severity:   report.Info,
				Confidence: report.Proven,
				Message:    capitalised(c.Message) + ".",
				Count:      int(min(c.Count, math.MaxInt32)),
				References: CaptureQuality.References,
			},
		)
	}
	return out
}

// capitalised is a sentence with a capital first letter.
func capitalised(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// nameCaveats adds what became of look-ups that led to no connection, and what was not read of
// them.
func (t *totalSums) nameCaveats(add func(string, uint64, rule.Basis, string, ...any)) {
	n := &t.Names
	which := "--show-names tells which"
	if len(n.Names) > 0 {
		which = strings.Join(n.Names, ", ")
	}
	all := n.Unknown + n.Failed + n.Unanswered
	add("names-not-found", all, 0, "%s gave no address, and no connection followed: %d of names "+
		"that there are not, %d ended with an error, %d without an answer (%s)",
		rule.Count(all, "look-up"), n.Unknown, n.Failed, n.Unanswered, which)
	add("names-cut", n.Cut, 0, "%s of DNS cut by the capture: what the rest says is not known",
		rule.Count(n.Cut, "message"))
	add("names-cap", n.Left, 0, "%s not followed to the end: there were too many at a time",
		rule.Count(n.Left, "look-up"))
}

// heardCaveats tells of findings of which this machine's kernel says otherwise, in the order of
// their names.
func (j *Judge) heardCaveats() (out []report.Caveat) {
	var keys []rule.Key
	for k, g := range j.groups {
		if g.heard.deny > 0 {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b rule.Key) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Cause, b.Cause),
			a.Pair.Client.Compare(b.Pair.Client), a.Pair.Server.Compare(b.Pair.Server))
	})
	for _, k := range keys {
		h := &j.groups[k].heard
		if n := len(out); n > 0 && out[n-1].Weakens[0] == k.Rule {
			out[n-1].Count += h.deny
			continue
		}
		out = append(out, report.Caveat{
			Code: report.CaveatKernelDenies, Count: h.deny, Weakens: []string{k.Rule},
			Message: fmt.Sprintf(
				"this machine's kernel says otherwise than %s, first of %s with %s: "+
					"it counted %s, where the capture shows at least %s",
				k.Rule,
				k.Pair.Client,
				k.Pair.Server,
				figure(h.what, h.denied),
				amount(h.what, h.claimed),
			),
		})
	}
	return out
}
