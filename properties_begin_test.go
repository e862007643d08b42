package main

import (
	"flag"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	"tcpwhy/analysis/report"
)

// cutFrames is at how many frames of each capture TestBegunLater lets it begin.
var cutFrames = flag.Int("cuts", 4, "frames of each capture at which it begins later; 0: at each")

// laterBegun are captures that show another fault when they begin later, by rule, and why.
var laterBegun = map[string]string{
	// which connections ran beside it, or what the path had carried, is not seen any more
	"lookalike-policer-20000kbit-512k-cubic-1x3-rtt20": "retransmission-timeout",
	"lookalike-scans-of-public-address-rtt40-server":   "connection-refused", // the other ports
	// that many more were asked: who was refused on two ports, once each, may rely on them, and
	// packets that were not captured cannot say otherwise
	"lookalike-connection-refused-sweep-of-one-host-rtt20": "connection-refused",
	"lookalike-nagle-segments-of-a-tunnel-rtt40":           "", // which segments are full
	"send-buffer-one-segment-upload-rtt80":                 "nagle",
	// what other connections showed of the server, the proxy or the path
	"proxied-equal-requests-given-up-any":     "client-timeout", // whom the proxy gave up for
	"header-dumb-proxy-rtt10":                 "reset-after-data",
	"http-errors-behind-keepalive-race-rtt10": "http-errors", // the other leg
	"first-lines-502-behind-a-race":           "http-errors",
	"tls-hello-swallowed-rtt25":               "retransmission-timeout",
	"backlog-overflow-one-by-one-rtt20":       "retransmission-timeout",
	"lookalike-longer-idle-answered-rtt20":    "reset-after-data",  // that an idleness was longer
	"receive-window-of-two-segments-rtt20":    "nagle-delayed-ack", // how large a window is
	"path-held-response-go-rtt20":             "server-think",      // that the path holds responses
	"h2-tls-page-rtt30-decrypted":             "slow-start",        // that turns are several streams'
	"reset-idle-timer-meets-request-rtt20":    "reset-after-data",  // the timer's other closes
}

// oneFault are rules that tell one and the same fault by what explains it, which may have come
// before the capture begins: those of the waits for what was lost on the way, of small writes, of
// connections that are not kept, of handshakes.
var oneFault = [][]string{
	{"retransmission-timeout", "packet-loss", "outage", "path-mtu"},
	{"nagle", "nagle-delayed-ack", "delayed-ack"},
	{"receive-window", "zero-window"}, // of streams beside each other, and of all as turns
	{"missed-reuse"},
	{"syn-retransmission"},
}

// failures are the rules about what broke: which it was, may show only before, so that it is
// medium.
var failures = []string{
	"reset-after-data",
	"header-misuse",
	"tls-alert",
	"tls-handshake",
	"keepalive-race",
}

// otherwise reports whether the whole capture, of which was says how severe each fault is, tells
// the same fault by another rule.
func otherwise(key string, s report.Severity, was map[string]report.Severity) bool {
	name, _, _ := strings.Cut(key, "/")
	found := func(rules []string) bool {
		return slices.Contains(rules, name) && slices.ContainsFunc(
			slices.Collect(maps.Keys(was)),
			func(k string) bool { r, _, _ := strings.Cut(k, "/"); return slices.Contains(rules, r) },
		)
	}
	_, own := was["parallel-connections/self-inflicted-loss"] // of the same losses
	return slices.ContainsFunc(oneFault, found) || s <= report.Medium && found(failures) ||
		own && (name == "packet-loss" || name == "retransmission-timeout")
}

// TestBegunLater: a capture that begins later makes no fault of what was none: nothing of medium
// severity and above is found whose cause the whole one does not have.
func TestBegunLater(t *testing.T) {
	t.Parallel()
	corpus(t, func(t *testing.T, tr trace, seed uint64) {
		was := worst(analyseData(t, tr.pcap(t, true)))
		random := rand.New(rand.NewPCG(seed, 13))
		frames := random.Perm(len(tr.packets))
		if *cutFrames > 0 {
			frames = frames[:min(*cutFrames, len(frames))]
		}
		for _, i := range frames {
			rest := trace{link: tr.link, packets: tr.packets[i:]}
			for key, s := range worst(analyseData(t, rest.pcap(t, true))) {
				if _, known := was[key]; known || s < report.Medium || otherwise(key, s, was) {
					continue
				}
				if unless, named := laterBegun[path.Base(t.Name())]; named &&
					strings.HasPrefix(key, unless) {
					continue
				}
				t.Errorf("from frame %d on %s is %v, and was not found", i+1, key, s)
			}
		}
	})
}

// worst is how severe each fault is, by rule and cause.
func worst(r *report.Report) map[string]report.Severity {
	all := map[string]report.Severity{}
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Client.IsValid() {
			key := f.Rule + "/" + f.Cause
			all[key] = max(all[key], f.Severity)
		}
	}
	return all
}
