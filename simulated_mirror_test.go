package main

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"tcpwhy/analysis/report"
)

// mirror is the same simulation where each host does what the other did, but that the client still
// speaks first.
func (s simulation) mirror() simulation {
	s = s.clone()
	s.near, s.far = s.far, s.near
	s.nagle[0], s.nagle[1] = s.nagle[1], s.nagle[0]
	s.delack[0], s.delack[1] = s.delack[1], s.delack[0]
	for i := range s.talks {
		x := &s.talks[i]
		x.request, x.response = x.response, x.request
	}
	if was := s.fate; was != nil {
		s.fate = func(dir, n int, repeated bool) fate { return was(1-dir, n, repeated) }
	}
	return s
}

// tcpRules are the rules that know no roles, but for which side they name. That of lost segments
// counts what a smaller window costs for responses alone, so of that the time is compared.
var tcpRules = []string{"nagle-delayed-ack", "nagle", "cork", "retransmission-timeout", "delayed-ack", "small-segments"}

// tcpWaits are the labels that know no roles.
var tcpWaits = []report.Label{report.SlowStart, report.CongAvoid, report.RecoveryCwnd, report.FastRetx, report.RTO, report.TLP,
	report.LostRetx, report.SpuriousRetx, report.NagleRTT, report.NagleDelack, report.DelackCwnd, report.Cork}

// bySide sums what rules of TCP found, by rule and side.
func bySide(r *report.Report, mirrored bool) map[string]fault {
	other := map[report.Side]report.Side{report.SideClient: report.SideServer, report.SideServer: report.SideClient}
	all := map[string]fault{}
	for i := range r.Findings {
		f := &r.Findings[i]
		side := f.Side
		if o, ok := other[side]; ok && mirrored {
			side = o
		}
		for _, rule := range tcpRules {
			if f.Rule == rule {
				key := rule + " " + side.String()
				sum := all[key]
				all[key] = fault{sum.count + f.Count, sum.cost + f.Cost.Expected, max(sum.confidence, f.Confidence)}
			}
		}
	}
	return all
}

// TestMirroredRoles: what a rule of TCP says of one host it says of the other where that does the
// same (property 12).
func TestMirroredRoles(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := simulation{near: 50 * time.Microsecond, mss: 1448, opaque: true}
		s.far = time.Duration(rapid.IntRange(1, 20).Draw(t, "far")) * ms
		s.nagle[0] = rapid.Bool().Draw(t, "Nagle")
		s.delack[1] = rapid.SampledFrom([]time.Duration{0, 40 * ms}).Draw(t, "delayed acknowledgments")
		long := appWrite{0, rapid.IntRange(200, 12000).Draw(t, "first")}
		for range 6 {
			s.talks = append(s.talks, talk{request: []appWrite{long, {0, 150}}, response: []appWrite{{0, 200}}, think: 3 * ms, idle: 3 * ms})
		}
		if lost := rapid.IntRange(0, 12).Draw(t, "lost"); lost > 0 {
			s.fate = func(dir, n int, repeated bool) fate {
				if dir == 0 && n == lost && !repeated {
					return lostLate
				}
				return arrives
			}
		}
		plain, mirrored := s.report(t), s.mirror().report(t)
		for _, l := range tcpWaits {
			if a, b := labelTotal(plain.Times, l), labelTotal(mirrored.Times, l); (a - b).Abs() > 2*ms {
				t.Errorf("%v of %v, mirrored %v", a, l, b)
			}
		}
		one, other := bySide(plain, false), bySide(mirrored, true)
		for key, a := range one {
			if b := other[key]; a.count != b.count || a.confidence != b.confidence || (a.cost-b.cost).Abs() > 2*ms*time.Duration(a.count) {
				t.Errorf("%s is %+v, mirrored %+v", key, a, b)
			}
		}
		for key, b := range other {
			if _, found := one[key]; !found {
				t.Errorf("mirrored alone: %s %+v", key, b)
			}
		}
	})
}
