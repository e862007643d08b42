// Package ruletest is a desk for tests of rules: it answers what a test has set, and records what
// it is told. Only tests import it.
package ruletest

import (
	"iter"
	"net/netip"
	"slices"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly/exchange"
)

// Desk is such a desk. Its zero value knows nothing, and every rule runs.
type Desk struct {
	// what it answers
	Totals map[report.Pair]rule.Totals
	Made   map[report.Pair]rule.Kinds // kinds of the findings between a pair
	Stands rule.Kinds                 // kinds of the claims about the exchange in hand
	Delays map[netip.Addr][]time.Duration
	Off    []string             // rules that do not run
	Pages  map[int]rule.Page    // of exchanges
	Legs   map[int]rule.Proxied // of exchanges
	// Booked are the findings: those that a test put there, and what was booked.
	Booked map[rule.Key]*Finding

	// what else it was told
	Claimed    []rule.Claim // about the exchange in hand
	Settled    rule.Kinds
	Lost       time.Duration
	Relabelled []rule.Relabelled
	Bounds     map[int]time.Duration // of what claims about an exchange cost
	Skipped    int                   // connections that are not compared
	Scans      int                   // attempts of scans
}

var _ rule.Desk = (*Desk)(nil)

// Put puts a finding there of which a rule is to change something.
func (d *Desk) Put(k rule.Key, c report.Confidence) *Finding {
	f := d.of(k)
	f.Sure(c)
	return f
}

// of is the finding, made if need be.
func (d *Desk) of(k rule.Key) *Finding {
	f := d.Booked[k]
	if f == nil {
		if d.Booked == nil {
			d.Booked = map[rule.Key]*Finding{}
		}
		f = &Finding{Most: report.Critical}
		d.Booked[k] = f
	}
	return f
}

// Proxied is what a proxy made of an exchange.
func (d *Desk) Proxied(exchange int) rule.Proxied { return d.Legs[exchange] }

// Prolong does nothing.
func (d *Desk) Prolong(was, is *rule.Referred) {}

// Enabled reports whether the rule runs: all do that are not off.
func (d *Desk) Enabled(rule string) bool { return !slices.Contains(d.Off, rule) }

// Book adds an occurrence to its finding.
func (d *Desk) Book(s rule.Subject, c *rule.Claim) {
	d.of(rule.Key{Rule: c.Rule, Cause: c.Cause, Pair: s.Pair}).add(s, c)
}

// BookMany adds n occurrences to the finding of the first sample.
func (d *Desk) BookMany(s rule.Subject, samples []rule.Claim, n int, total report.Cost) {
	for i := range samples {
		d.Book(s, &samples[i])
	}
	f := d.of(rule.Key{Rule: samples[0].Rule, Cause: samples[0].Cause, Pair: s.Pair})
	f.N, f.Cost = n, total
}

// Lose adds up what was lost.
func (d *Desk) Lose(_, lost time.Duration) { d.Lost += lost }

// Claim keeps a claim about the exchange in hand.
func (d *Desk) Claim(c rule.Claim) { d.Claimed = append(d.Claimed, c) }

// Settle keeps the kinds to which the time of the exchange in hand belongs.
func (d *Desk) Settle(k rule.Kinds) { d.Settled |= k }

// Standing are the kinds that a test has set.
func (d *Desk) Standing() rule.Kinds { return d.Stands }

// Exchange numbers exchanges as their connection does.
func (d *Desk) Exchange(_, index int) int { return index }

// Pair is what a test says of the exchanges of a pair.
func (d *Desk) Pair(p report.Pair) (rule.Totals, bool) {
	t, known := d.Totals[p]
	return t, known
}

// Found is a finding; nil if there is none.
func (d *Desk) Found(of, cause string, p report.Pair) rule.Found {
	if f := d.Booked[rule.Key{Rule: of, Cause: cause, Pair: p}]; f != nil {
		return f
	}
	return nil
}

// Findings are all findings of a rule.
func (d *Desk) Findings(of string) iter.Seq2[rule.Key, rule.Found] {
	return func(yield func(rule.Key, rule.Found) bool) {
		for k, f := range d.Booked {
			if k.Rule == of && !yield(k, f) {
				return
			}
		}
	}
}

// Recast gives a finding to another cause, in place of what there was of that.
func (d *Desk) Recast(of rule.Key, cause string) {
	if f := d.Booked[of]; f != nil {
		delete(d.Booked, of)
		of.Cause = cause
		d.Booked[of] = f
	}
}

// PairHas reports what a test says of the findings between a pair.
func (d *Desk) PairHas(k rule.Kinds, p report.Pair) bool { return d.Made[p].Has(k) }

// Uncompared counts connections that are not compared.
func (d *Desk) Uncompared() { d.Skipped++ }

// Failed is not recorded.
func (d *Desk) Failed(int, exchange.Outcome) {}

// Spare is not recorded.
func (d *Desk) Spare(int, int) {}

// Unlisted counts attempts of scans.
func (d *Desk) Unlisted() { d.Scans++ }

// DelayedACKs are what a test says of a host's acknowledgments.
func (d *Desk) DelayedACKs(host netip.Addr) []time.Duration { return d.Delays[host] }

// Retake books the claim; the other finding stays as it is.
func (d *Desk) Retake(_ rule.Key, s rule.Subject, c *rule.Claim) { d.Book(s, c) }

// Bound keeps what claims about an exchange may cost.
func (d *Desk) Bound(_ netip.Addr, exchange int, most time.Duration) {
	if d.Bounds == nil {
		d.Bounds = map[int]time.Duration{}
	}
	d.Bounds[exchange] = most
}

// Share is not recorded.
func (d *Desk) Share(netip.Addr, []int, rule.Page) {}

// Page is what a test says of the path of an exchange.
func (d *Desk) Page(_ netip.Addr, exchange int) (rule.Page, bool) {
	p, known := d.Pages[exchange]
	return p, known
}

// Take books the claim in place of none.
func (d *Desk) Take(_ rule.Kinds, s rule.Subject, c *rule.Claim) bool {
	d.Book(s, c)
	return true
}

// Relabel keeps what was relabelled.
func (d *Desk) Relabel(r rule.Relabelled) { d.Relabelled = append(d.Relabelled, r) }
