package analysis

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// The rules that a flaw of the capture weakens: those whose verdict rests on exact times and
// segments, those that need to read HTTP, and those that count connections or take one host's
// silence for its word.
var (
	timingRules = []string{
		"nagle-delayed-ack",
		"nagle",
		"delayed-ack",
		"cork",
		"slow-start",
		"slow-start-after-idle",
		"retransmission-timeout",
		"packet-loss",
		"path-mtu",
		"receive-window",
		"zero-window",
		"bandwidth",
	}
	contentRules = []string{
		"missed-reuse",
		"reset-after-data",
		"keepalive-race",
		"truncated-response",
		"half-close",
		"pool-wait",
		"serial-requests",
		"pipelining",
		"header-misuse",
		"slow-close",
		"expect-continue",
	}
	connectionRules = []string{
		"connect-cost",
		"syn-retransmission",
		"connection-refused",
		"port-exhaustion",
		"parallel-connections",
		"idle-drop",
		"server-think",
		"small-segments",
	}
	allRules = slices.Concat(timingRules, contentRules, connectionRules)
)

var captureQuality = &Detector{
	Name:  "capture-quality",
	Title: "what the capture could not show",
	Doc: `What happens
A verdict is as good as the capture. Frames that the capture dropped, connections seen from the middle, one direction
only, cut payload, frames seen twice and clocks that jump all hide or imitate faults.

How it is recognised
Octets that the receiver acknowledged and the capture never showed were lost by the capture, not by the network. Drop
counters of pcapng and of the live interface are read. Frames with the same content and IP identification within 2 ms are
copies. A connection whose SYN has the number, the timestamp and the client's port of one that began within a second before is
that one, seen behind an address translation. The rest follows from the headers.

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
	},
	References: []string{"RFC 9293 section 3.4"},
}

// caveats draws up what the capture could not show.
func (j *judge) caveats(st *capture.Stats) []report.Caveat {
	var out []report.Caveat
	add := func(code string, n uint64, weakens []string, format string, args ...any) {
		if n > 0 {
			out = append(
				out,
				report.Caveat{
					Code:    code,
					Message: fmt.Sprintf(format, args...),
					Count:   n,
					Weakens: weakens,
				},
			)
		}
	}
	for _, in := range st.Inputs {
		if !in.Complete {
			add(
				"incomplete-input",
				1,
				nil,
				"%s: %s; what comes before was analysed",
				in.Name,
				in.Error,
			)
		}
	}
	drops := kernelDrops(st)
	add("kernel-drops", drops, allRules, "the capturing kernel dropped %s", count(drops, "frame"))
	add("capture-gap", uint64(max(j.total.missing, 0)), allRules,
		"the capture lacks %s that receivers acknowledged: it lost frames, the network did not",
		count(uint64(max(j.total.missing, 0)), "octet"))
	j.frameCaveats(st, add)
	j.connectionCaveats(add)
	j.crowdCaveats(add)
	return append(out, j.otherCaveats(out)...)
}

// frameCaveats adds what the account of frames shows.
func (j *judge) frameCaveats(
	st *capture.Stats,
	add func(string, uint64, []string, string, ...any),
) {
	dup := st.Count[capture.OutcomeDuplicate]
	add(
		"duplicate-frames",
		dup,
		nil,
		"%s were seen twice; one copy of each was analysed",
		count(dup, "frame"),
	)
	add(
		"snapped",
		st.Snapped,
		contentRules,
		"%s cut short by the capture: HTTP inside may be unreadable, TCP is not",
		count(st.Snapped, "segment was", "segments were"),
	)
	if st.MaxBack > time.Millisecond {
		add(
			"clock-steps",
			st.Backsteps,
			timingRules,
			"the clock stepped back %s, by up to %s",
			count(st.Backsteps, "time"),
			millis(st.MaxBack),
		)
	}
	add(
		"clock-set",
		st.ClockSets,
		nil,
		"the clock was set %s during the capture, by up to %v; the times here go on as if it had not been",
		count(st.ClockSets, "time"),
		st.MaxSet.Round(time.Millisecond),
	)
	quic := st.Count[capture.OutcomeQUIC]
	add(
		"quic",
		quic,
		nil,
		"%s of QUIC (HTTP/3): not analysed, this program reads TCP",
		count(quic, "frame"),
	)
	for _, name := range sortedKeys(st.UnknownLinks) {
		add("unknown-link-type", st.UnknownLinks[name], allRules, "%s of link type %s: not decoded",
			count(st.UnknownLinks[name], "frame"), name)
	}
	bad := st.Count[capture.OutcomeMalformed]
	add("malformed", bad, nil, "%s with headers that contradict themselves", count(bad, "frame"))
	short := st.Count[capture.OutcomeShort]
	add("short", short, allRules, "%s cut before the end of the TCP header", count(short, "frame"))
	add(
		"fragments-lost",
		st.FragmentsLost,
		nil,
		"%s never became whole",
		count(st.FragmentsLost, "fragmented datagram"),
	)
}

// connectionCaveats adds what the connections show.
func (j *judge) connectionCaveats(add func(string, uint64, []string, string, ...any)) {
	t := &j.total
	add(
		"mid-stream",
		t.midStream,
		[]string{
			"missed-reuse",
			"slow-start",
			"slow-start-after-idle",
			"receive-window",
			"zero-window",
		},
		"%s without a visible start: window scale and first round trip are unknown",
		count(t.midStream, "connection"),
	)
	add(
		"translated",
		t.views,
		nil,
		"%s seen on both sides of an address translation: what came first was analysed",
		count(t.views, "connection was", "connections were"),
	)
	add(
		"one-sided",
		t.oneSided,
		allRules,
		"%s seen in one direction only",
		count(t.oneSided, "connection"),
	)
	add(
		"cut-exchanges",
		t.cut,
		nil,
		"%s not complete when the capture ended, or for lack of frames",
		count(t.cut, "exchange was", "exchanges were"),
	)
}

// otherCaveats are those that single connections carry and that no sentence about the whole tells
// already.
func (j *judge) otherCaveats(have []report.Caveat) []report.Caveat {
	var out []report.Caveat
	for _, code := range sortedKeys(j.total.caveats) {
		if slices.ContainsFunc(have, func(c report.Caveat) bool { return c.Code == code }) {
			continue
		}
		if code == reassembly.CaveatMissing &&
			slices.ContainsFunc(
				have,
				func(c report.Caveat) bool { return c.Code == "capture-gap" },
			) {
			continue // the same, told by octets
		}
		n := j.total.caveats[code]
		text, weakens := connectionCaveat(code)
		out = append(
			out,
			report.Caveat{
				Code:    code,
				Count:   n,
				Message: count(n, "connection") + ": " + text,
				Weakens: weakens,
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

// count writes a number with its noun; the plural adds an s unless given.
func count(n uint64, noun string, plural ...string) string {
	if n != 1 {
		if len(plural) > 0 {
			noun = plural[0]
		} else {
			noun += "s"
		}
	}
	return fmt.Sprintf("%d %s", n, noun)
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
		title := captureQuality.Title
		if known := captureQuality.cause(c.Code); known != nil {
			title = known.Title
		}
		out = append(
			out,
			report.Finding{
				Rule:       captureQuality.Name,
				Cause:      c.Code,
				Title:      title,
				Severity:   report.Info,
				Confidence: report.Proven,
				Message:    capitalised(c.Message) + ".",
				Count:      int(min(c.Count, math.MaxInt32)),
				References: captureQuality.References,
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
