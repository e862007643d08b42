package judge

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/rule/ruletest"
	"tcpwhy/analysis/report"
)

// What the rule of the tests says of an occurrence.
const (
	closedAfter rule.WordsID = iota + 1
	samePlace
)

// limited is a rule with words and with settings of products.
func limited(settings []report.Setting) *rule.Detector {
	return &rule.Detector{Rule: report.Rule{
		Name:  "limited",
		Title: "the server limits something",
		Causes: []report.Cause{{Code: "requests", Side: report.SideServer, Message: "It does.",
			Remedies: []report.Remedy{
				{Side: report.SideServer, Text: "raise the limit", Settings: settings}}}},
	},
		Vocabulary: []rule.Words{
			closedAfter: {Text: "The server closed after {n} requests."},
			samePlace:   {Text: "Also at the same place."},
		},
	}
}

// TestFindingTellsOfTheCostliest: the message speaks of the occurrence that is listed first,
// whichever came first.
func TestFindingTellsOfTheCostliest(t *testing.T) {
	rules := []*rule.Detector{limited(report.RequestLimits())}
	claim := func(conn, cost int, says rule.Said) rule.Claim {
		c := rule.Claim{Rule: "limited", Cause: "requests", Says: []rule.Said{says}}
		c.Occ.Connection = conn
		c.Occ.Cost.Expected = time.Duration(cost) * time.Millisecond
		return c
	}
	claims := []rule.Claim{
		claim(1, 1, rule.Say(closedAfter, 3)),
		claim(2, 2, rule.Say(closedAfter, 4)),
		claim(3, 1, rule.Say(closedAfter, 5)),
		claim(2, 2, rule.Say(samePlace)),
	}
	of := rule.Subject{Pair: ruletest.Pair(),
		Seen: report.Products{Server: report.ProductSet(0).With(report.Nginx)}}
	want := ""
	for _, order := range [][]int{{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 3, 0, 2}, {2, 0, 3, 1}} {
		j := New(Limits{MaxOccurrences: 2}, rules, rules)
		for _, i := range order {
			c := claims[i]
			j.Book(of, &c)
		}
		f := j.reported()[0]
		if want == "" {
			want = f.Message
		}
		if f.Message != want || strings.Contains(f.Message, "3 requests") ||
			strings.Contains(f.Message, "5 requests") {
			t.Errorf("order %v: message %q, want %q", order, f.Message, want)
		}
		if f.Occurrences[0].Connection != 2 ||
			!strings.HasSuffix(f.Message, "Also at the same place.") {
			t.Errorf("order %v: %q does not tell of connection %d",
				order, f.Message, f.Occurrences[0].Connection)
		}
		if !slices.ContainsFunc(f.Remedies, func(r report.Remedy) bool {
			return strings.Contains(r.Text, "this server is nginx: keepalive_requests")
		}) {
			t.Errorf("order %v: remedies %v do not name the server's setting first",
				order, f.Remedies)
		}
	}
}

// TestFindingUsesWhatThePairShowed: a connection that never got so far as to name a product belongs
// to one that did.
func TestFindingUsesWhatThePairShowed(t *testing.T) {
	rules := []*rule.Detector{limited(report.BacklogSettings())}
	j := New(Limits{}, rules, rules)
	named := &member{Conn: rule.Conn{Pair: ruletest.Pair(),
		Seen: report.Products{Server: report.ProductSet(0).With(report.Gunicorn)}}}
	j.pairTotal(named, time.Second, 0)
	j.Book(rule.Subject{Pair: ruletest.Pair()}, &rule.Claim{Rule: "limited", Cause: "requests"})
	f := j.reported()[0]
	if !strings.Contains(f.Remedies[0].Text, "this server is gunicorn: --backlog") {
		t.Errorf("remedy %q does not name gunicorn", f.Remedies[0].Text)
	}
}
