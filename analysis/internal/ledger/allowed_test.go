package ledger

import (
	"reflect"
	"testing"

	"tcpwhy/reassembly/exchange"
)

// freedBy are frames of one stream, each at a place, that were let go when so much had arrived.
func freedBy(owner int, pairs ...[2]int64) (f exchange.FreedFrames) {
	for _, p := range pairs {
		f.Add(exchange.Freed{Owner: owner, At: p[0], Had: p[1]})
	}
	return f
}

// TestAllowed: how much flow control lets a sender have in flight shows by what had arrived when
// its receiver let it send more, whatever kept it back meanwhile.
func TestAllowed(t *testing.T) {
	window := freedBy(0, [2]int64{1100, 1050}, [2]int64{1150, 1100}, [2]int64{1200, 1150},
		[2]int64{1250, 1200})
	behind := freedBy(0, [2]int64{1100, 1050}, [2]int64{1150, 1148}, [2]int64{1200, 1149},
		[2]int64{1250, 1200}, [2]int64{1300, 1250})
	tests := []struct {
		name  string
		freed exchange.FreedFrames
		want  []Allowed
	}{
		{"no word", exchange.FreedFrames{}, nil},
		{"half a window at a time", window, []Allowed{{Most: 100, Step: 50}}},
		{"behind a hole all at once", behind, []Allowed{{Most: 101, Step: 50}}},
		{"said before it began", freedBy(0, [2]int64{1100, 900}), nil},
	}
	for _, c := range tests {
		got := allowedIn(&c.freed, exchange.Range{From: 1000, To: 1300})
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestLesserAllowed: what a stream's window and that of the connection allow together is the lesser.
func TestLesserAllowed(t *testing.T) {
	streams := []Allowed{{From: 0, Most: 100}, {From: 500, Most: 300}}
	all := []Allowed{{From: 200, Most: 200}, {From: 900}}
	want := []Allowed{{From: 0, Most: 100}, {From: 500, Most: 200}, {From: 900, Most: 300}}
	if got := lesser(streams, all); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
