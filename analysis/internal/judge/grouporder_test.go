package judge

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// TestGroupsInAnyOrder: a finding is the same in whatever order its occurrences are booked.
func TestGroupsInAnyOrder(t *testing.T) {
	const itIsSlow rule.WordsID = 1
	d := &rule.Detector{
		Rule: report.Rule{
			Name:   "slow",
			Title:  "slow",
			Causes: []report.Cause{{Code: "a", Message: "It is slow."}},
		},
		Vocabulary: []rule.Words{itIsSlow: {Text: "{n} times."}},
	}
	pair := report.Pair{
		Client: netip.MustParseAddr("10.0.0.1"),
		Server: netip.MustParseAddrPort("10.0.0.2:80"),
	}
	type booking struct {
		s rule.Subject
		c rule.Claim
	}
	rapid.Check(t, func(t *rapid.T) {
		var all []booking
		for n := range rapid.IntRange(1, 20).Draw(t, "exchanges") {
			s := rule.Subject{
				Pair:  pair,
				Known: rapid.Bool().Draw(t, "known"),
				Host:  rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "host"),
			}
			s.Took = time.Duration(rapid.IntRange(1, 1000).Draw(t, "took")) * time.Millisecond
			s.Rtt = time.Duration(rapid.IntRange(0, 3).Draw(t, "rtt")) * time.Millisecond
			claims := make([]rule.Claim, rapid.IntRange(1, 3).Draw(t, "claims"))
			for i := range claims {
				c := &claims[i]
				c.Rule, c.Cause, c.Index = d.Name, "a", n
				c.Confidence = report.Confidence(rapid.IntRange(0, 3).Draw(t, "confidence"))
				c.Alone = rule.Grade(rapid.IntRange(0, 3).Draw(t, "alone"))
				if n := rapid.IntRange(0, 2).Draw(t, "sentence"); n > 0 {
					c.Says = []rule.Said{rule.Say(itIsSlow, int64(n))}
				}
				start := time.Duration(rapid.IntRange(0, 5).Draw(t, "start"))
				cost := time.Duration(rapid.IntRange(0, 2).Draw(t, "cost"))
				c.Occ = rule.Occurrence{
					Connection: 1,
					Exchange:   n,
					Start:      start,
					End:        start + cost,
					Cost:       report.Cost{Expected: cost, High: cost},
				}
			}
			rule.MarkAgain(claims)
			for _, c := range claims {
				all = append(all, booking{s, c})
			}
		}
		book := func(all []booking) string {
			j := New(Limits{MaxOccurrences: 3}, []*rule.Detector{d}, []*rule.Detector{d})
			for _, b := range all {
				j.Book(b.s, &b.c)
			}
			return fmt.Sprintf("%+v", j.reported())
		}
		want := book(all)
		if got := book(rapid.Permutation(all).Draw(t, "order")); got != want {
			t.Fatalf("in another order\n%s\nwas\n%s", got, want)
		}
	})
}
