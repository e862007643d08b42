package main

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"tcpwhy/analysis/report"
)

// scale is the same simulation where everything takes k times as long: the path, the applications,
// and the timers of hosts.
func (s simulation) scale(k int) simulation {
	by := time.Duration(k)
	s = s.clone()
	s.near, s.far, s.slow = s.near*by, s.far*by, k
	for i := range s.delack {
		s.delack[i] *= by
	}
	for i := range s.talks {
		x := &s.talks[i]
		x.idle, x.think = x.idle*by, x.think*by
		for j := range x.request {
			x.request[j].pause *= by
		}
		for j := range x.response {
			x.response[j].pause *= by
		}
	}
	return s
}

// TestTimeScale: where everything takes k times as long every label does, as long as nothing is
// held back by a timer whose usual time is known (property 4). What is left over shows that no
// constant is hidden in the ledger.
func TestTimeScale(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawSimulation(t)
		for i := range s.delack {
			s.delack[i] = 0
		}
		// whether a request waited for its connection is judged by what a program takes to send it
		s.talks[0].idle = 0
		k := rapid.SampledFrom([]int{2, 3, 10}).Draw(t, "times as long")
		before, after := s.report(t), s.scale(k).report(t)
		for _, l := range report.Labels() {
			b, a := labelTotal(before.Times, l)*time.Duration(k), labelTotal(after.Times, l)
			if (a - b).Abs() > time.Duration(k*len(s.talks))*time.Millisecond {
				t.Errorf("%d times as long: %v was %v, is %v", k, l, b/time.Duration(k), a)
			}
		}
		was, is := faults(before), faults(after)
		for key, f := range is {
			if w := was[key]; f.confidence > w.confidence && f.confidence > report.ConfidenceMedium {
				t.Errorf("%d times as long: %s is %+v, was %+v", k, key, f, w)
			}
		}
	})
}

// TestTimersDoNotScale: a pause that is the time of a known timer is told of as such; where all
// else is as it was but longer it is not (property 4).
func TestTimersDoNotScale(t *testing.T) {
	t.Parallel()
	s := simulation{near: 50 * time.Microsecond, far: 5 * ms, mss: 1448}
	for i := range 6 {
		corked := []appWrite{{0, 2 * 1448}, {time.Duration(205000+311*i) * time.Microsecond, 500}}
		s.talks = append(s.talks, talk{request: []appWrite{{0, 300}}, response: corked, think: 3 * ms, idle: ms})
	}
	// the first shows nothing by itself
	if f := faults(s.report(t))["cork/"]; f.count != len(s.talks)-1 {
		t.Errorf("%+v, want %d", f, len(s.talks)-1)
	}
	for _, k := range []int{2, 3, 10} {
		if all := faults(s.scale(k).report(t)); len(all) > 0 {
			t.Errorf("%d times as long: %+v", k, all)
		}
	}
}
