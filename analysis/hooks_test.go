package analysis

import (
	"testing"

	"tcpwhy/analysis/report"
)

// TestOnConnection: every connection with an exchange is told of twice, first without its end, and
// the end says what the report does.
func TestOnConnection(t *testing.T) {
	began, ended := map[int]report.Pair{}, map[int]*report.ConnInfo{}
	r, err := Run(t.Context(), crowd(t), WithWorkers(3), OnConnection(
		func(id int, between report.Pair, over *report.ConnInfo) {
			_, known := began[id]
			switch {
			case over == nil && known:
				t.Errorf("connection %d began twice", id)
			case over == nil:
				began[id] = between
			case !known || ended[id] != nil || between != began[id]:
				t.Errorf("connection %d of %v ended out of turn", id, between)
			default:
				ended[id] = over
			}
		}))
	if err != nil {
		t.Fatal(err)
	}
	if len(began) != r.Connections || len(ended) != r.Connections || r.Connections == 0 {
		t.Errorf("%d began and %d ended of %d", len(began), len(ended), r.Connections)
	}
	for _, c := range r.Conns {
		if got := ended[c.ID]; got == nil || got.State != c.State || got.Client != c.Client {
			t.Errorf("connection %d: told %+v", c.ID, got)
		}
	}
}
