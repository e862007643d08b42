package analysis

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"tcpwhy/analysis/report"
)

// TestFindingTellsOfTheCostliest: the message speaks of the occurrence that is listed first,
// whichever came first.
func TestFindingTellsOfTheCostliest(t *testing.T) {
	p := report.Pair{Client: netip.MustParseAddr("10.0.0.1"), Server: netip.MustParseAddrPort("192.0.2.1:80")}
	claims := []claim{
		{text: "The server closed after 3 requests.", occ: report.Occurrence{Connection: 1, Cost: report.Cost{Expected: time.Millisecond}}},
		{text: "The server closed after 4 requests.", occ: report.Occurrence{Connection: 2, Cost: report.Cost{Expected: 2 * time.Millisecond}}},
		{text: "The server closed after 5 requests.", occ: report.Occurrence{Connection: 3, Cost: report.Cost{Expected: time.Millisecond}}},
		{text: "Also at the same place.", occ: report.Occurrence{Connection: 2, Cost: report.Cost{Expected: 2 * time.Millisecond}}},
	}
	want := ""
	for _, order := range [][]int{{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 3, 0, 2}, {2, 0, 3, 1}} {
		j := newJudge(&Options{MaxOccurrences: 2}, All())
		for _, i := range order {
			c := claims[i]
			c.rule, c.cause = missedReuse.Name, "server-max-requests"
			j.book(&member{pair: p, seen: report.Products{Server: report.ProductSet(0).With(report.Nginx)}}, &c, nil)
		}
		f := j.findings()[0]
		if want == "" {
			want = f.Message
		}
		if f.Message != want || strings.Contains(f.Message, "3 requests") || strings.Contains(f.Message, "5 requests") {
			t.Errorf("order %v: message %q, want %q", order, f.Message, want)
		}
		if f.Occurrences[0].Connection != 2 || !strings.HasSuffix(f.Message, "Also at the same place.") {
			t.Errorf("order %v: %q does not tell of connection %d", order, f.Message, f.Occurrences[0].Connection)
		}
		if !slices.ContainsFunc(f.Remedies, func(r report.Remedy) bool {
			return strings.Contains(r.Text, "this server is nginx: keepalive_requests")
		}) {
			t.Errorf("order %v: remedies %v do not name the server's setting first", order, f.Remedies)
		}
	}
}

// TestFindingUsesWhatThePairShowed: a connection that never got so far as to name a product belongs
// to one that did.
func TestFindingUsesWhatThePairShowed(t *testing.T) {
	p := report.Pair{Client: netip.MustParseAddr("10.0.0.1"), Server: netip.MustParseAddrPort("192.0.2.1:80")}
	j := newJudge(&Options{}, All())
	j.pairTotal(&member{pair: p, seen: report.Products{Server: report.ProductSet(0).With(report.Gunicorn)}}, time.Second, 0)
	j.book(&member{pair: p}, &claim{rule: synRetransmission.Name, cause: "backlog-overflow"}, nil)
	if f := j.findings()[0]; !strings.Contains(f.Remedies[0].Text, "this server is gunicorn: --backlog") {
		t.Errorf("remedy %q does not name gunicorn", f.Remedies[0].Text)
	}
}
