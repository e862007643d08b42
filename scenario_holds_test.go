package main

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/jsonschema-go/jsonschema"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

// checkReport checks what must hold for the report of every capture.
func checkReport(t *testing.T, r *report.Report, inputs []string) {
	t.Helper()
	if slices.ContainsFunc(r.Caveats,
		func(c report.Caveat) bool { return c.Code == "proof-left-out" }) {
		t.Error("a rule says of a frame what that does not show")
	}
	if r.Lost > r.ExchangeTime {
		t.Errorf("%v lost of %v", r.Lost, r.ExchangeTime)
	}
	checkLost(t, r)
	checkClock(t, r)
	var exchangeTime, cut time.Duration // cut: of handshakes without an end, which may count or not
	for i := range r.Exchanges {
		x := &r.Exchanges[i]
		switch a := x.Attempt; {
		case a != nil && a.Secure && x.Outcome == exchange.Incomplete:
			cut += x.Duration
		case !x.Behind:
			exchangeTime += x.Duration
		}
		checkLegs(t, r, x)
		if sum := sumTimes(x.Times); sum != x.Duration {
			t.Errorf("exchange %d: the labels add up to %v of %v", x.ID, sum, x.Duration)
		}
	}
	if r.ExchangeTime < exchangeTime || r.ExchangeTime > exchangeTime+cut {
		t.Errorf("the exchanges took %v, the report says %v", exchangeTime, r.ExchangeTime)
	}
	if sum := sumTimes(r.Times); sum != r.ExchangeTime {
		t.Errorf("the labels of the summary add up to %v of %v", sum, r.ExchangeTime)
	}
	conns := map[int]*report.ConnInfo{}
	for i := range r.Conns {
		c := &r.Conns[i]
		conns[c.ID] = c
		if sum := sumTimes(c.Times); sum != c.Duration {
			t.Errorf("connection %d: the labels add up to %v of %v", c.ID, sum, c.Duration)
		}
	}
	frames := frameTable(t, inputs)
	for i := range r.Findings {
		checkFinding(t, r, &r.Findings[i], conns, frames)
	}
}

// checkLegs checks that what proxies made of an exchange lies within it, and that both know each
// other.
func checkLegs(t *testing.T, r *report.Report, x *report.ExchangeInfo) {
	t.Helper()
	byID := func(x report.ExchangeInfo, id int) int { return x.ID - id }
	for _, id := range x.Upstream {
		i, found := slices.BinarySearchFunc(r.Exchanges, id, byID)
		switch {
		case !found:
		case !r.Exchanges[i].Behind || r.Exchanges[i].Front != x.ID:
			t.Errorf(
				"exchange %d: the report says that a proxy made %d of it, and of that %d",
				x.ID,
				id,
				r.Exchanges[i].Front,
			)
		case len(r.Capture.Inputs) == 1 && r.Exchanges[i].Start+r.Exchanges[i].Duration < x.Start:
			t.Errorf("exchange %d: a proxy made %d of it, which ended before", x.ID, id)
		}
	}
	think := time.Duration(0)
	for _, part := range x.Times {
		if part.Label == report.Think {
			think = part.Time
		}
	}
	if x.Waited > think {
		t.Errorf("exchange %d: its server took %v, and waited %v", x.ID, think, x.Waited)
	}
}

// checkTold checks that what a proxy's client was told is what it answered in place of a leg behind
// it.
func checkTold(t *testing.T, r *report.Report, o *report.Occurrence) {
	t.Helper()
	i := slices.IndexFunc(
		o.Evidence,
		func(e report.Evidence) bool { return e.Side == report.SideProxy },
	)
	if i < 0 {
		return
	}
	e := &o.Evidence[i]
	told := slices.ContainsFunc(r.Exchanges, func(f report.ExchangeInfo) bool {
		return slices.Contains(f.Upstream, o.Exchange) && f.Response.Start == e.Mark
	})
	if !told || !o.Elsewhere {
		t.Errorf(
			"frame %d is not what a proxy answered in place of exchange %d",
			e.Frame.Number(),
			o.Exchange,
		)
	}
}

func sumTimes(times []report.LabelTime) time.Duration {
	var sum time.Duration
	for _, part := range times {
		sum += part.Time
	}
	return sum
}

func checkFinding(
	t *testing.T,
	r *report.Report,
	f *report.Finding,
	conns map[int]*report.ConnInfo,
	frames map[capture.FrameID]capture.Segment,
) {
	t.Helper()
	if !ordered(f.Cost) {
		t.Errorf("%s: cost %v is not low, expected, high", f.Rule, f.Cost)
	}
	if f.Cost.Expected > r.ExchangeTime+sumConns(r) {
		t.Errorf("%s costs %v, more than there was", f.Rule, f.Cost.Expected)
	}
	if f.Count < len(f.Occurrences) || f.Count == 0 {
		t.Errorf("%s: count %d with %d occurrences listed", f.Rule, f.Count, len(f.Occurrences))
	}
	for i := range f.Occurrences {
		o := &f.Occurrences[i]
		c := conns[o.Connection]
		if c == nil {
			t.Errorf("%s: connection %d is not listed", f.Rule, o.Connection)
			continue
		}
		if !ordered(o.Cost) || o.End < o.Start || len(o.Evidence) == 0 {
			t.Errorf(
				"%s: occurrence %d costs %v, from %v to %v, with %d frames",
				f.Rule,
				i,
				o.Cost,
				o.Start,
				o.End,
				len(o.Evidence),
			)
		}
		behind := slices.ContainsFunc(r.Exchanges, func(x report.ExchangeInfo) bool {
			return x.ID == o.Exchange && x.Behind
		})
		checkEvidence(t, f, o, c, behind, frames)
		checkTold(t, r, o)
	}
}

func ordered(
	c report.Cost,
) bool {
	return 0 <= c.Low && c.Low <= c.Expected && c.Expected <= c.High
}

// rounding is by how much shares of what an exchange lost may differ from the whole.
const rounding = time.Microsecond

// checkLost checks that no more counts as lost than findings cost together within exchanges.
// Windows of which one binds behind the other save more together than one by one.
func checkLost(t *testing.T, r *report.Report) {
	t.Helper()
	var within time.Duration
	windows := 0
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Within < 0 || f.Wall < 0 || f.Wall > f.Cost.Expected {
			t.Errorf("%s/%s costs %v: %v within exchanges, %v by the clock", f.Rule, f.Cause,
				f.Cost, f.Within, f.Wall)
		}
		if f.Counted {
			within += f.Within
		}
		if slices.Contains([]string{"receive-window", "slow-start", "send-buffer"}, f.Rule) {
			windows++
		}
	}
	if windows < 2 && r.Lost > within+rounding*time.Duration(r.ExchangeCount) {
		t.Errorf("%v lost, and all findings cost %v within exchanges", r.Lost, within)
	}
}

func sumConns(r *report.Report) time.Duration {
	var sum time.Duration
	for i := range r.Conns {
		sum += r.Conns[i].Duration
	}
	return sum
}

// checkEvidence looks every frame up in the capture. A frame may belong to another connection of
// the same client and server, as that which could have been reused, or to the client, as a proxy's;
// but one at least is of the connection itself. The exchange of o may be what a proxy, behind which
// it is, asked for another.
func checkEvidence(
	t *testing.T,
	f *report.Finding,
	o *report.Occurrence,
	c *report.ConnInfo,
	behind bool,
	frames map[capture.FrameID]capture.Segment,
) {
	t.Helper()
	own := false
	for _, e := range o.Evidence {
		seg, found := frames[e.Frame]
		if !found {
			t.Errorf("%s: frame %d is no TCP segment of the capture", f.Rule, e.Frame.Number())
			continue
		}
		if said := strings.TrimPrefix(strings.ToLower(e.Text), "the "); strings.HasPrefix(
			said,
			strings.ToLower(e.Role),
		) {
			// reports print "role: text"
			t.Errorf("%s: %q: %q says its role again", f.Rule, e.Role, e.Text)
		}
		if seg.Time != e.Time {
			t.Errorf(
				"%s: frame %d was at %v, not at %v",
				f.Rule,
				e.Frame.Number(),
				seg.Time,
				e.Time,
			)
		}
		ends := [2]netip.AddrPort{seg.Src, seg.Dst}
		from := report.SideClient
		if seg.Src == c.Server {
			ends, from = [2]netip.AddrPort{seg.Dst, seg.Src}, report.SideServer
		}
		if isLookup(seg, e.Side) || f.Rule == "dns" && seg.Flags == capture.SYN &&
			seg.Src.Addr() == c.Client.Addr() && seg.Dst.Port() == c.Server.Port() && seg.Dst != c.Server {
			continue // or an attempt at another address of the name
		}
		if e.Side == report.SideNetwork && (seg.Src == c.Client || seg.Dst == c.Client) {
			continue // of the same connection as the network made it: under another address
		}
		if e.Side == report.SideProxy {
			continue // what its client was told: see checkTold
		}
		throughProxy := o.Elsewhere && seg.Dst.Addr() == c.Client.Addr() &&
			seg.Src.Addr() != c.Server.Addr()
		if throughProxy {
			continue // what came in to a host that is a proxy
		}
		if o.Elsewhere && behind && e.Side == report.SideClient &&
			seg.Src.Addr() == c.Client.Addr() && seg.Dst != c.Server {
			continue // what a proxy asked another server for the same client
		}
		if ends[0].Addr() != c.Client.Addr() || ends[1].Addr() != c.Server.Addr() {
			t.Errorf(
				"%s: frame %d is between %v and %v",
				f.Rule,
				e.Frame.Number(),
				seg.Src,
				seg.Dst,
			)
		}
		if seg.Kind == capture.TCP && e.Side != from && e.Side != report.SideUnknown {
			t.Errorf("%s: the %v sent frame %d, not the %v", f.Rule, from, e.Frame.Number(), e.Side)
		}
		own = own || ends[0] == c.Client && ends[1] == c.Server
	}
	if !own {
		t.Errorf("%s: no frame of the evidence belongs to connection %d", f.Rule, c.ID)
	}
}

// isLookup reports whether a frame is a message of DNS, to or from whom the side says.
func isLookup(seg capture.Segment, side report.Side) bool {
	const port = 53
	return seg.Dst.Port() == port && side == report.SideClient ||
		seg.Src.Port() == port && side == report.SideNetwork
}

// checkRendered checks what must hold for the text and the JSON of every report.
func checkRendered(t *testing.T, asText, asJSON string, schema *jsonschema.Resolved) {
	t.Helper()
	for i, line := range strings.Split(asText, "\n") {
		if n := utf8.RuneCountInString(line); n > 80 {
			t.Errorf("line %d of the text is %d columns wide: %q", i+1, n, line)
		}
	}
	for _, s := range []string{asText, asJSON} {
		if i := strings.IndexFunc(s, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("an unprintable character at %d: %q", i, s[i:min(i+8, len(s))])
		}
	}
	var v any
	if err := json.Unmarshal([]byte(asJSON), &v); err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(v); err != nil {
		t.Errorf("the JSON does not follow docs/report.schema.json: %v", err)
	}
}
