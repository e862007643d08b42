package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/reassembly/exchange"
)

// faults are the findings above info by rule and cause, over all clients.
type fault struct {
	count      int
	cost       time.Duration
	confidence report.Confidence
}

func faults(r *report.Report) map[string]fault {
	all := map[string]fault{}
	for i := range r.Findings {
		f := &r.Findings[i]
		if !f.Client.IsValid() {
			continue // about the capture
		}
		key := f.Rule + "/" + f.Cause
		sum := all[key]
		all[key] = fault{
			sum.count + f.Count,
			sum.cost + f.Cost.Expected,
			max(sum.confidence, f.Confidence),
		}
	}
	return all
}

// waits are the rules that say what one and the same wait was for, so that what is seen later, or
// not seen, may change which of them it is.
var waits = []string{
	"packet-loss",
	"retransmission-timeout",
	"syn-retransmission",
	"path-mtu",
	"server-think",
	"zero-window",
	"receive-window",
}

// grouped counts the findings of the rules about waits as one.
func grouped(all map[string]fault) map[string]fault {
	out := map[string]fault{}
	for key, f := range all {
		switch rule, _, _ := strings.Cut(key, "/"); {
		case slices.Contains(waits, rule):
			key = "a wait"
		case rule == "client-timeout" || key == "reset-after-data/client-abort":
			key = "given up" // one wait alone shows no timeout, but surely that it was given up
			f.confidence = max(f.confidence, report.ConfidenceHigh)
		case key == "reset-after-data/idle-reset" || key == "reset-after-data/server-abort":
			key = "reset by the server" // once does not show that it is an idle timer
		}
		sum := out[key]
		out[key] = fault{sum.count + f.count, sum.cost + f.cost, max(sum.confidence, f.confidence)}
	}
	return out
}

// sameFaults compares what was found, costs within eps.
func sameFaults(t tester, what string, got, want *report.Report, eps time.Duration) {
	t.Helper()
	g, w := faults(got), faults(want)
	for key, f := range w {
		h, ok := g[key]
		if !ok {
			t.Errorf("%s: %s is not found any more", what, key)
			continue
		}
		// A merged segment hides which sizes it was made of: what rested on them may be less sure.
		lesser := what == "merged" && h.confidence < f.confidence
		if h.count != f.count || h.confidence != f.confidence && !lesser ||
			(h.cost-f.cost).Abs() > eps*time.Duration(f.count) {
			t.Errorf("%s: %s is %+v, was %+v", what, key, h, f)
		}
	}
	for key := range g {
		if _, ok := w[key]; !ok {
			t.Errorf("%s: %s is new", what, key)
		}
	}
}

// tcpLabels are those that need no content.
var tcpLabels = []report.Label{
	report.TCPHandshake,
	report.SYNRetx,
	report.SYNACKRetx,
	report.ZeroWindow,
	report.FastRetx,
	report.RTO,
	report.TLP,
	report.LostRetx,
	report.SpuriousRetx,
}

// unanswered reports whether what was asked first on a connection with TLS got no answer.
func unanswered(r *report.Report, c *report.ConnInfo) bool {
	return c.TLS != nil && len(c.Exchanges) > 0 && r.Exchanges[c.Exchanges[0]].Response == nil
}

// hiddenByCut are captures where a fault that the cut frames do not tell keeps another from being
// seen, by rule: it repeats a request, or ends a message, which shows in the octets alone.
var hiddenByCut = map[string]string{
	"dns-one-of-two-queries-lost-rtt10":      "missed-reuse",           // can the program keep connections?
	"dns-search-domains-rtt10":               "missed-reuse",           // is the same name asked for?
	"h2-idle-timeout-goaway-rtt40":           "missed-reuse",           // did the server say GOAWAY first?
	"h2-refused-repeated-rtt40-server":       "parallel-connections",   // does one carry all at once?
	"h2-tls-page-rtt30-decrypted":            "slow-start",             // do other streams share it?
	"idle-drop-soon-rtt30":                   "retransmission-timeout", // is the same request repeated?
	"lookalike-tls-client-stops-rtt30":       "tls-handshake",          // is the same name asked for?
	"tls-client-certificate-required-rtt40":  "tls-alert",              // had the client a certificate?
	"nagle-slow-writer-in-one-message-rtt40": "nagle",                  // is it one message?
	"reset-response-read-before-go-rtt20":    "zero-window",            // is it the request's body?
}

// checkSnapped compares a report with that of the whole capture: nothing is graver for what was cut
// off, but what is medium, and nothing new is sure, unless it is of the rule given.
func checkSnapped(t tester, got, want *report.Report, unless string) {
	t.Helper()
	if len(got.Conns) != len(want.Conns) {
		t.Fatal(len(got.Conns), "connections, want", len(want.Conns))
	}
	for i := range want.Conns {
		g, w := &got.Conns[i], &want.Conns[i]
		if g.State != w.State || g.Vantage != w.Vantage || g.Segments != w.Segments ||
			g.Retransmissions != w.Retransmissions ||
			g.RTTMin != w.RTTMin ||
			g.MSS != w.MSS ||
			g.Duration != w.Duration ||
			g.ResetBy != w.ResetBy ||
			g.Client != w.Client {
			t.Errorf("connection %d is %+v, want %+v", i, g, w)
		}
		if w.TLS != nil &&
			(onlyTried(want, w) != onlyTried(got, g) || w.TLS.Early != exchange.EarlyUnknown) {
			continue // how far a TLS handshake came, or what was asked early, is not known any more
		}
		if w.HTTP2 != nil && slices.Contains(g.Caveats, exchange.CaveatPayloadCut) ||
			w.TLS != nil && w.TLS.ALPN == "h2" {
			continue // what directs HTTP/2 is not told from what is asked any more
		}
		for _, l := range tcpLabels {
			// Where an exchange begins within the set-up depends on what it is: some µs.
			if unanswered(want, w) && g.TLS != nil && g.TLS.Version != w.TLS.Version {
				continue // nor is it known whether what was asked waited for that handshake
			}
			if g, w := labelTotal(g.Times, l), labelTotal(w.Times, l); (g - w).Abs() > 100*time.Microsecond {
				t.Errorf("connection %d: %v of %v, want %v", i, g, l, w)
			}
		}
	}
	said := map[string]bool{}
	for i := range want.Exchanges {
		x := &want.Exchanges[i]
		said[fmt.Sprint(x.Connection, x.Method, 0)] = true
		said[fmt.Sprint(x.Connection, "", x.Status)] = true
		said[fmt.Sprint(x.Connection, x.Method, x.Status)] = true
	}
	for i := range got.Exchanges {
		if x := &got.Exchanges[i]; !x.Turn && !said[fmt.Sprint(x.Connection, x.Method, x.Status)] {
			t.Errorf(
				"connection %d has %s %s %d, which was never said",
				x.Connection,
				x.Method,
				x.Target,
				x.Status,
			)
		}
	}
	was, grade := faults(want), worst(want)
	for key, s := range worst(got) {
		// what the frames that were cut may explain is medium at most
		rule, _, _ := strings.Cut(key, "/")
		if s > max(grade[key], report.Medium) && rule != unless {
			t.Errorf("%s is %v, was %v", key, s, grade[key])
		}
	}
	for key, f := range faults(got) {
		rule, _, _ := strings.Cut(key, "/")
		if w := was[key]; w.count == 0 && f.confidence > report.ConfidenceMedium && rule != unless {
			t.Errorf("%s is %+v, was not found", key, f)
		}
		if w := was[key]; f.count > w.count && !newlyWeakened(got, want) {
			t.Errorf("%s is %+v, was %+v", key, f, w)
		}
	}
}

// onlyTried is how a connection counts on which nobody is known to have asked anything: as an
// attempt, as nothing at all, or as neither.
func onlyTried(r *report.Report, c *report.ConnInfo) string {
	switch {
	case len(c.Exchanges) == 0:
		return "nothing"
	case r.Exchanges[c.Exchanges[0]].Attempt != nil:
		return "attempt"
	}
	return ""
}
