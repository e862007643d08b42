package judge

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/rule/ruletest"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

// across is a comparison that does what a test wants, and remembers what it was told.
type across struct {
	claims  func(rule.Desk)                // asked before it is settled which claims stand
	settles func(rule.Desk, rule.Referred) // what becomes of a claim that is referred to it
	told    []string
	booked  []string
	moments []time.Duration
}

func (a *across) Event(_ rule.Desk, c *rule.Conn, e *rule.Told) {
	a.told = append(a.told, fmt.Sprintf("%d of connection %d", e.Kind, c.Id))
}
func (a *across) Finish(rule.Desk) { a.told = append(a.told, "finish") }

func (a *across) Claims(d rule.Desk, _ *rule.Conn, _ *rule.Judged) {
	if a.claims != nil {
		a.claims(d)
	}
}

func (a *across) Refer(d rule.Desk, r rule.Referred) {
	a.told = append(a.told, fmt.Sprintf("referred %s", r.Rule))
	if a.settles != nil {
		a.settles(d, r)
	}
}

func (a *across) Booked(_ *rule.Subject, c *rule.Claim) { a.booked = append(a.booked, c.Rule) }

func (a *across) Advance(_ rule.Desk, now time.Duration) { a.moments = append(a.moments, now) }

// comparison is how rules have it.
func (a *across) comparison(wants ...rule.EventKind) *rule.Comparison {
	return &rule.Comparison{Start: func() rule.Across { return a }, Wants: rule.Wants(wants...)}
}

// named is a rule with one cause.
func named(name string) *rule.Detector {
	return &rule.Detector{Rule: report.Rule{
		Name:   name,
		Causes: []report.Cause{{Message: "It happened."}},
	}}
}

// trial is a run of a judge in which exchanges follow each other on one connection.
type trial struct {
	j  *Judge
	at time.Duration
	n  int // exchanges
}

// tell hands the judge an event, a second after the one before.
func (r *trial) tell(index int, add func(*rule.Batch, rule.Event)) {
	r.at += time.Second
	var b rule.Batch
	add(&b, rule.Event{At: r.at, Index: uint32(index)})
	r.j.Read(&b, 1)
}

// exchange is an exchange about which rules claim something.
func (r *trial) exchange(claims ...rule.Claim) {
	p := ruletest.Pair()
	mark := capture.Mark{Time: r.at, Frame: 1}
	began := rule.Began{Pair: p, First: r.n == 0, Start: mark, Need: r.at}
	r.tell(r.n, func(b *rule.Batch, e rule.Event) { b.TellBegan(e, began) })
	judged := ruletest.Judge(&rule.Draft{
		Info:   &report.ExchangeInfo{Duration: time.Second},
		Claims: claims,
		Exchange: ledger.Exchange{
			Account: ledger.Account{Index: r.n, Until: time.Second},
			Parsed:  &exchange.Exchange{},
		},
	})
	r.tell(r.n, func(b *rule.Batch, e rule.Event) { b.TellJudged(e, judged) })
	r.n++
}

// over is the end of the connection, about which as a whole rules claim something.
func (r *trial) over(claims ...rule.Claim) {
	info := &report.ConnInfo{Segments: [2]uint32{1, 1}}
	gone := rule.Gone{Pair: ruletest.Pair(), Info: info, Claims: claims}
	r.tell(0, func(b *rule.Batch, e rule.Event) { b.TellGone(e, gone) })
}

// found is rule×count of all findings, in the order of their names.
func (r *trial) found() string {
	var out []string
	for _, f := range r.j.Report(&capture.Stats{}).Findings {
		out = append(out, fmt.Sprintf("%s×%d", f.Rule, f.Count))
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// claimOf is a claim of a rule about 10 ms.
func claimOf(name string, kind rule.Kinds) rule.Claim {
	c := rule.Claim{Rule: name, Kind: kind, Confidence: report.ConfidenceHigh}
	c.Occ.Cost = report.Cost{Expected: 10 * time.Millisecond, High: 10 * time.Millisecond}
	return c
}

// precedenceRules are two rules of which one yields to what the other makes, and one that yields to
// nothing.
func precedenceRules(a *across) []*rule.Detector {
	window, setup, other := named("window"), named("setup"), named("other")
	window.YieldsTo = rule.ColdSetup | rule.DroppedHandshake
	setup.Makes = rule.ColdSetup
	setup.Across = a.comparison()
	return []*rule.Detector{window, setup, other}
}

// TestPrecedence: a claim with a kind yields to those kinds that take its place on the same
// exchange, whoever made them and in whichever order.
func TestPrecedence(t *testing.T) {
	window, setup := claimOf("window", rule.ColdWindow), claimOf("setup", rule.ColdSetup)
	late := claimOf("other", rule.LateHandshake)
	plain := claimOf("window", 0)
	for _, tt := range []struct {
		name      string
		exchanges [][]rule.Claim
		across    func(rule.Desk)
		want      string
	}{
		{"alone it stands", [][]rule.Claim{{window}}, nil, "window×1"},
		{"it yields", [][]rule.Claim{{window, setup}}, nil, "setup×1"},
		{"whichever was claimed first", [][]rule.Claim{{setup, window}}, nil, "setup×1"},
		{"all of its kind yield", [][]rule.Claim{{window, setup, window}}, nil, "setup×1"},
		{"not on another exchange", [][]rule.Claim{{window}, {setup}, {window}}, nil,
			"setup×1 window×2"},
		{"not to a kind that it does not name", [][]rule.Claim{{window, late}}, nil,
			"other×1 window×1"},
		{"not without a kind of its own", [][]rule.Claim{{plain, setup}}, nil, "setup×1 window×1"},
		{"to what a comparison claims", [][]rule.Claim{{window}},
			func(d rule.Desk) { d.Claim(setup) }, "setup×1"},
		{"to what a comparison says its time belongs to", [][]rule.Claim{{window}},
			func(d rule.Desk) { d.Settle(rule.ColdSetup) }, ""},
		{"what a comparison says counts for the exchange in hand alone",
			[][]rule.Claim{{window}, {window}}, settleOnce(), "window×1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rules := precedenceRules(&across{claims: tt.across})
			r := &trial{j: New(Limits{}, rules, rules)}
			for _, claims := range tt.exchanges {
				r.exchange(claims...)
			}
			if got := r.found(); got != tt.want {
				t.Errorf("found %q, want %q", got, tt.want)
			}
		})
	}
}

// settleOnce says of the first exchange only that its time belongs to something.
func settleOnce() func(rule.Desk) {
	done := false
	return func(d rule.Desk) {
		if !done {
			d.Settle(rule.ColdSetup)
		}
		done = true
	}
}

// TestStanding: a comparison that is asked later sees the kinds of what stands so far.
func TestStanding(t *testing.T) {
	var stood rule.Kinds
	first := &across{claims: func(d rule.Desk) { d.Claim(claimOf("setup", rule.ColdSetup)) }}
	rules := precedenceRules(first)
	second := &across{claims: func(d rule.Desk) { stood = d.Standing() }}
	rules[2].Across = second.comparison()
	r := &trial{j: New(Limits{}, rules, rules)}
	if r.exchange(claimOf("other", rule.Repair)); stood != rule.ColdSetup {
		t.Errorf("%b stood, want %b", stood, rule.ColdSetup)
	}
}

// TestRulesThatDoNotRun: what a rule claims that does not run is not told, and a comparison of
// which no rule runs is not asked.
func TestRulesThatDoNotRun(t *testing.T) {
	a := &across{}
	all := precedenceRules(a)
	r := &trial{j: New(Limits{}, all, all[:1])}
	referred := claimOf("setup", rule.ColdSetup)
	referred.Referred = true
	r.exchange(claimOf("other", 0), claimOf("window", 0), referred)
	r.over(claimOf("other", 0))
	if got := r.found(); got != "window×1" || len(a.told) > 0 {
		t.Errorf("found %q, and the comparison was told of %q", got, a.told)
	}
	if r.j.Enabled("setup") || !r.j.Enabled("window") {
		t.Error("the judge does not know which rules run")
	}
}

// dropped is a claim about a dropped handshake, which its rule's comparison is to settle.
func dropped() rule.Claim {
	c := claimOf("syn", rule.DroppedHandshake)
	c.Referred = true
	return c
}

// TestDisplaced: a claim that yields to a dropped handshake is handed to the referee, who may let
// it stand after all.
func TestDisplaced(t *testing.T) {
	keep := func(d rule.Desk, r rule.Referred) { d.Book(r.Subject, &r.Claim) }
	giveBack := func(d rule.Desk, r rule.Referred) {
		for i := range r.Displaced {
			d.Book(r.Subject, &r.Displaced[i])
		}
	}
	window := claimOf("window", rule.ColdWindow)
	for _, tt := range []struct {
		name    string
		settles func(rule.Desk, rule.Referred)
		claims  []rule.Claim
		want    string
	}{
		{"the referee says nothing", nil, []rule.Claim{window, dropped()}, ""},
		{"it was dropped", keep, []rule.Claim{window, dropped()}, "syn×1"},
		{"it was not", giveBack, []rule.Claim{window, dropped()}, "window×1"},
		{"it was not, and was claimed first", giveBack, []rule.Claim{dropped(), window},
			"window×1"},
		{"what yields to something else, too, comes not back", giveBack,
			[]rule.Claim{window, claimOf("setup", rule.ColdSetup), dropped()}, "setup×1"},
		{"what does not yield stands anyway", giveBack,
			[]rule.Claim{claimOf("other", rule.Repair), dropped()}, "other×1"},
		{"nothing to settle", giveBack, []rule.Claim{window}, "window×1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rules := precedenceRules(&across{})
			syn := named("syn")
			syn.Across = (&across{settles: tt.settles}).comparison()
			rules = append(rules, syn)
			r := &trial{j: New(Limits{}, rules, rules)}
			if r.exchange(tt.claims...); r.found() != tt.want {
				t.Errorf("found %q, want %q", r.found(), tt.want)
			}
		})
	}
}

// TestReferred: a claim that is referred reaches the comparison of its rule, no other, with what is
// known of whom it concerns.
func TestReferred(t *testing.T) {
	var got []rule.Referred
	mine := &across{settles: func(_ rule.Desk, r rule.Referred) { got = append(got, r) }}
	others := &across{}
	syn, setup := named("syn"), named("setup")
	syn.Across, setup.Across = mine.comparison(), others.comparison()
	rules := []*rule.Detector{setup, syn}
	r := &trial{j: New(Limits{}, rules, rules)}
	r.exchange()
	r.exchange(dropped())
	if len(got) != 1 {
		t.Fatalf("%d were referred", len(got))
	}
	if c := got[0]; c.Pair != ruletest.Pair() || c.Occ.Exchange != 1 || c.At != r.at ||
		!c.Known || c.Took != time.Second || len(c.Displaced) > 0 {
		t.Errorf("referred %+v at %v", c, r.at)
	}
	whole := dropped()
	whole.Index = -1
	if r.over(whole); len(got) != 2 {
		t.Fatalf("%d were referred", len(got))
	}
	if c := got[1]; c.Pair != ruletest.Pair() || c.Occ.Exchange != -1 || c.At != r.at || c.Known {
		t.Errorf("of the connection as a whole: referred %+v at %v", c, r.at)
	}
	if found := r.found(); found != "" {
		t.Errorf("found %q, though its comparison booked nothing", found)
	}
	if want := []string{"finish"}; !slices.Equal(others.told, want) {
		t.Errorf("the comparison of another rule was told %q", others.told)
	}
}

// TestComparisons: one that several rules share runs once; it is told of the events that it wants,
// of the time, and of what is booked of its rules.
func TestComparisons(t *testing.T) {
	a := &across{}
	one, two, other := named("one"), named("two"), named("other")
	one.Across = a.comparison(rule.ExchangeJudged, rule.ConnOver)
	two.Across = one.Across
	rules := []*rule.Detector{one, two, other}
	r := &trial{j: New(Limits{}, rules, rules)}
	r.exchange(claimOf("one", 0), claimOf("other", 0), claimOf("two", 0))
	r.over()
	r.found()
	want := []string{
		fmt.Sprintf("%d of connection 0", rule.ExchangeJudged),
		fmt.Sprintf("%d of connection 0", rule.ConnOver),
		"finish",
	}
	if !slices.Equal(a.told, want) {
		t.Errorf("told %q, want %q", a.told, want)
	}
	if want := []string{"one", "two"}; !slices.Equal(a.booked, want) {
		t.Errorf("booked %q, want %q", a.booked, want)
	}
	seconds := []time.Duration{time.Second, 2 * time.Second, 3 * time.Second}
	if !slices.Equal(a.moments, seconds) {
		t.Errorf("time went to %v", a.moments)
	}
}
