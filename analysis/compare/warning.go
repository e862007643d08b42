package compare

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

const (
	// otherRTT is by how much round trips may differ for paths to be taken for the same.
	otherRTT = 0.2
	// otherMix is how much of all exchanges may be of other endpoints, or of endpoints in another
	// proportion; otherSize by how much the mean response may be larger.
	otherMix  = 0.2
	otherSize = 0.2
	// leastOctets is by how many octets responses differ at least that take another time: less than
	// one segment has.
	leastOctets = 1000
	// otherLength is how many times as long, or as loaded, one capture is to be another kind of
	// run.
	otherLength = 2
	// leastConnections is below how many connections exchanges depend on each other too much.
	leastConnections = 4
)

// warnings are what makes the two hard to compare, the gravest first.
func warnings(c *Comparison, p *pair) (all []Warning) {
	warn := func(code, form string, args ...any) {
		all = append(all, Warning{code, fmt.Sprintf(form, args...)})
	}
	b, a := &c.Before, &c.After
	for _, side := range sidesOf(c) {
		if side.ExchangeCount == 0 {
			warn("no-exchanges", "%s has no exchange", side.called)
		}
	}
	if len(c.Endpoints) == 0 && b.ExchangeCount > 0 && a.ExchangeCount > 0 {
		warn("nothing-in-common", "%s", nothingInCommon(p))
	}
	if same(b.Report, a.Report) {
		warn("same-capture", "BEFORE and AFTER are the same capture")
	}
	if one, other := mostly(b.Report), mostly(a.Report); one != other {
		warn("other-vantage", "BEFORE was taken at %s, AFTER at %s: what a side waited for shows "+
			"otherwise there", one, other)
	}
	if one, other := roundTrip(b.Report), roundTrip(a.Report); differ(one, other, otherRTT) &&
		(one-other).Abs() >= leastShift {
		warn("other-path", "round trips took %s in BEFORE and %s in AFTER: the difference may be "+
			"one of paths", millis(one), millis(other))
	}
	all = append(all, mixed(c, p)...)
	all = append(all, looked(c)...)
	all = append(all, scarce(c)...)
	return all
}

// called is a side with the name that it has in sentences.
type called struct {
	*Side
	called string
}

func sidesOf(c *Comparison) []called {
	return []called{{&c.Before, "BEFORE"}, {&c.After, "AFTER"}}
}

// nothingInCommon says so, with what may help.
func nothingInCommon(p *pair) string {
	var names [2]map[string]bool
	for i, side := range []map[key]*Sample{p.before, p.after} {
		names[i] = map[string]bool{}
		for k := range side {
			names[i][k.service] = true
		}
	}
	text := "no method and path of the same host is in both: there is nothing to compare"
	if len(names[0]) != 1 || len(names[1]) != 1 {
		return text
	}
	for one := range names[0] {
		if names[1][one] {
			return text + "; --by service compares all of the service"
		}
		for other := range names[1] {
			return fmt.Sprintf("%s; --map %q takes the two for one service", text, one+"="+other)
		}
	}
	return text
}

// same reports whether both are of one capture.
func same(b, a *report.Report) bool {
	x, y := b.Capture, a.Capture
	return x.Frames > 0 && x.Start.Equal(y.Start) && x.Frames == y.Frames && x.Bytes == y.Bytes
}

// mostly is where most connections were captured.
func mostly(r *report.Report) string {
	most, best := 0, reassembly.Vantage(0)
	for _, v := range slices.Sorted(maps.Keys(r.Vantages)) {
		if r.Vantages[v] > most {
			most, best = r.Vantages[v], v
		}
	}
	switch best {
	case reassembly.ClientSide:
		return "the client"
	case reassembly.ServerSide:
		return "the server"
	}
	return "neither end"
}

// roundTrip is the median of the least round trips of connections; 0 if none is known.
func roundTrip(r *report.Report) time.Duration {
	var all []time.Duration
	for i := range r.Conns {
		if t := r.Conns[i].RTTMin; t > 0 {
			all = append(all, t)
		}
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// differ reports whether two sizes, both known, differ by more than a part of the smaller.
func differ[T int64 | float64 | time.Duration](a, b T, part float64) bool {
	return a > 0 && b > 0 && float64(max(a, b)) > (1+part)*float64(min(a, b))
}

func millis(d time.Duration) string { return fmt.Sprintf("%.3g ms", d.Seconds()*1000) }

// mixed are warnings about what was asked for, and what came of it.
func mixed(c *Comparison, p *pair) (all []Warning) {
	if len(c.Endpoints) == 0 {
		return nil
	}
	all = append(apart(c, p), otherSizes(c)...)
	if slices.ContainsFunc(c.Endpoints, func(e Endpoint) bool {
		return e.Verdict == Faster && (e.Failing == Slower || e.Erring == Slower)
	}) {
		all = append(all, Warning{
			"faster-by-failing", "an endpoint is faster and fails more: failures take less time",
		})
	}
	return append(all, length(c)...)
}

// asked is how many exchanges both sides have of endpoints that both have.
func (c *Comparison) asked() (n [2]float64) {
	for _, e := range c.Endpoints {
		n[0], n[1] = n[0]+float64(e.Before.Exchanges), n[1]+float64(e.After.Exchanges)
	}
	return n
}

// apart are warnings about endpoints that only one side has, or has in another proportion.
func apart(c *Comparison, p *pair) (all []Warning) {
	n := c.asked()
	for i, side := range sidesOf(c) {
		if alone := float64(p.alone[i]); alone > otherMix*(n[i]+alone) {
			all = append(all, Warning{"other-endpoints", fmt.Sprintf(
				"%.0f %% of %s's exchanges are of endpoints that the other does not have: "+
					"they are not compared", 100*alone/(n[i]+alone), side.called)})
		}
	}
	apart := 0.0
	for _, e := range c.Endpoints {
		x, y := float64(e.Before.Exchanges), float64(e.After.Exchanges)
		apart += math.Abs(x/max(n[0], 1)-y/max(n[1], 1)) / 2
	}
	if apart > otherMix {
		all = append(all, Warning{"other-mix", fmt.Sprintf("endpoints were asked for in another "+
			"proportion (%.0f %% of exchanges): look at each by itself", 100*apart)})
	}
	return all
}

// otherSizes warns of responses that are much larger or smaller, weighted as in BEFORE.
func otherSizes(c *Comparison) []Warning {
	var was, is float64
	for _, e := range c.Endpoints {
		if x, y := float64(e.Before.Exchanges), float64(e.After.Exchanges); x > 0 && y > 0 {
			was, is = was+float64(e.Before.Octets), is+float64(e.After.Octets)/y*x
		}
	}
	if !differ(was, is, otherSize) || math.Abs(was-is) <= leastOctets*c.asked()[0] {
		return nil
	}
	return []Warning{{"other-size", fmt.Sprintf(
		"responses of the same endpoints have %.3g times as many octets in AFTER", is/was)}}
}

// length are warnings about captures that are of another length, or under another load.
func length(c *Comparison) (all []Warning) {
	b, a := c.Before.Report, c.After.Report
	x, y := float64(b.ExchangeCount), float64(a.ExchangeCount)
	long, longer := b.Capture.Lasted(), a.Capture.Lasted()
	if min(x, y) == 0 || min(long, longer) <= 0 {
		return nil
	}
	if differ(x, y, otherLength-1) && differ(long, longer, otherLength-1) {
		all = append(all, Warning{"other-length", fmt.Sprintf(
			"BEFORE lasts %.3g s with %.0f exchanges, AFTER %.3g s with %.0f: what is rare shows in the "+
				"longer one",
			long.Seconds(),
			x,
			longer.Seconds(),
			y,
		)})
	}
	rate, other := x/long.Seconds(), y/longer.Seconds()
	if min(x, y) >= leastTailInterval && differ(rate, other, otherLength-1) {
		all = append(all, Warning{"other-load", fmt.Sprintf(
			"BEFORE has %.3g exchanges a second, AFTER %.3g: the difference may be one of load",
			rate, other)})
	}
	return all
}

// looked are warnings about what the two reports looked at.
func looked(c *Comparison) (all []Warning) {
	b, a := &c.Before, &c.After
	if b.Version != a.Version {
		all = append(all, Warning{"other-version", fmt.Sprintf("versions %s and %s of the program "+
			"made the reports: rules may differ", b.Version, a.Version)})
	}
	if !slices.Equal(b.Checked, a.Checked) {
		all = append(all, Warning{"other-rules", "not the same rules looked at both"})
	}
	for _, side := range sidesOf(c) {
		if side.LeftOut > 0 {
			all = append(all, Warning{"findings-left-out", fmt.Sprintf(
				"%s leaves out %d lesser findings", side.called, side.LeftOut)})
		}
		if side.Found > len(side.Findings) {
			all = append(all, Warning{"findings-not-listed", fmt.Sprintf(
				"%s lists %d of %d findings: they are compared over all services", side.called,
				len(side.Findings), side.Found)})
		}
		if side.GoesOn {
			all = append(
				all,
				Warning{"goes-on", side.called + " is a report so far of a capture that went on"},
			)
		}
		for _, in := range side.Capture.Inputs {
			if !in.Complete {
				all = append(all, Warning{"incomplete", fmt.Sprintf("%s is not complete: %s: %s",
					side.called, in.Name, in.Error)})
			}
		}
	}
	return append(all, flawed(c)...)
}

// flawed are warnings about what only one of the captures lacks.
func flawed(c *Comparison) (all []Warning) {
	sides := sidesOf(c)
	for i, side := range sides {
		other := sides[1-i].Caveats
		for _, v := range side.Caveats {
			if len(v.Weakens) > 0 && !slices.ContainsFunc(other, func(o report.Caveat) bool {
				return o.Code == v.Code
			}) {
				all = append(
					all,
					Warning{"flaw", fmt.Sprintf("only in %s: %s", side.called, v.Message)},
				)
			}
		}
	}
	return all
}

// scarce are warnings about how few there are.
func scarce(c *Comparison) (all []Warning) {
	few := 0
	for _, e := range c.Endpoints {
		if e.Verdict == TooFew {
			few++
		}
	}
	if few > 0 {
		all = append(
			all,
			Warning{
				"few-exchanges",
				fmt.Sprintf("too few whole responses of %d of %d endpoints to "+
					"say anything: four on each side are needed", few, len(c.Endpoints)),
			},
		)
	}
	for _, side := range sidesOf(c) {
		if n := side.Connections; n > 0 && n < leastConnections && few < len(c.Endpoints) {
			have := "1 connection"
			if n > 1 {
				have = fmt.Sprintf("%d connections", n)
			}
			all = append(all, Warning{"few-connections", fmt.Sprintf("%s has %s: exchanges of one "+
				"connection depend on each other, so that intervals may be too narrow",
				side.called, have)})
			break
		}
	}
	return all
}
