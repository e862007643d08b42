package connect

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/capture"
)

// TestPortLoadByItsOwnClock: how many ports rest does not depend on when the capture began.
func TestPortLoadByItsOwnClock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type step struct {
			at    time.Duration
			port  uint16
			close bool
		}
		var steps []step
		at := time.Duration(0)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			steps = append(
				steps,
				step{
					at,
					uint16(rapid.IntRange(40000, 40100).Draw(t, "port")),
					rapid.Bool().Draw(t, "close"),
				},
			)
			at += time.Duration(rapid.IntRange(0, 7000).Draw(t, "ms")) * time.Millisecond
		}
		run := func(later time.Duration) (l portLoad) {
			for _, s := range steps {
				if s.close && l.known {
					l.rest(&rule.Conn{Port: s.port}, capture.Mark{Time: s.at + later})
				} else {
					l.began(s.at+later, s.port)
				}
			}
			return l
		}
		later := time.Duration(rapid.IntRange(-5000, 90000).Draw(t, "later")) * time.Millisecond
		now, then := run(0), run(later)
		if now.peak != then.peak || now.resting != then.resting || now.again != then.again ||
			now.second != then.second ||
			then.first.Time-now.first.Time != later && now.peak > 0 {
			t.Fatalf("%+v, and %v later %+v", now, later, then)
		}
	})
}
