package analysis

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/internal/pathsim"
)

const (
	megabit = 125e3 // octets a second
	milli   = time.Millisecond
)

// policedPaths are transfers whose path carries no more than a rate.
func policedPaths() (all []pathsim.Setup) {
	for _, s := range []pathsim.Setup{
		{RTT: 20 * milli, Rate: 3 * megabit, Bucket: 100e3, Conns: 1, Count: 3, Body: 8e5},
		{RTT: 100 * milli, Rate: 3 * megabit, Bucket: 30e3, Conns: 2, Count: 3, Body: 5e5},
		{RTT: 20 * milli, Rate: megabit / 2, Bucket: 8e3, Conns: 1, Count: 2, Body: 4e5},
		{RTT: 50 * milli, Rate: 10 * megabit, Bucket: 200e3, Conns: 2, Count: 4, Body: 1e6},
		{RTT: 20 * milli, Rate: 3 * megabit, Queue: 64e3, Conns: 1, Count: 3, Body: 8e5},
		{RTT: 100 * milli, Rate: 3 * megabit, Queue: 20e3, Conns: 2, Count: 3, Body: 8e5},
		{RTT: 20 * milli, Rate: 400e3 / 8, Queue: 50e3, Conns: 1, Count: 1, Body: 1e6, Window: 64e3},
	} {
		for _, control := range []string{"reno", "cubic", "bbr"} {
			s.Control = control
			all = append(all, s)
		}
	}
	return all
}

// analysed is the report of a capture at one end of what was played.
func analysed(t *testing.T, p *pathsim.Played, atServer bool) *report.Report {
	t.Helper()
	src := &memorySource{segs: p.Capture(atServer)}
	r, err := Run(t.Context(), src, WithLimits(Limits{Occurrences: NoLimit}))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestPathBound: wherever the path's rate is what holds a transfer up, all claims about an exchange
// cost no more together than its time without what the path needs for what it carried meanwhile.
func TestPathBound(t *testing.T) {
	t.Parallel()
	for _, s := range policedPaths() {
		p := pathsim.Play(s)
		for _, atServer := range []bool{true, false} {
			r, passed := analysed(t, p, atServer), p.Client
			if atServer {
				passed = p.Server
			}
			claimed := map[int]time.Duration{}
			for i := range r.Findings {
				for _, o := range r.Findings[i].Occurrences {
					claimed[o.Exchange] += o.Cost.Expected
				}
			}
			for i := range r.Exchanges {
				x := &r.Exchanges[i]
				bound := x.Duration - needed(passed, x, s.Rate)
				if c := claimed[x.ID]; c > max(0, bound)+x.Duration/10+2*milli {
					t.Errorf("%+v, at server %t: exchange %d: %v claimed of %v, %v at most",
						s, atServer, x.ID, c, x.Duration, bound)
				}
			}
		}
	}
}

// needed is how long the path needs for all that passed it while an exchange lasted.
func needed(passed []pathsim.Segment, x *report.ExchangeInfo, rate float64) time.Duration {
	var octets int64
	for i := range passed {
		s := &passed[i]
		if s.FromServer && s.Len > 0 && !s.Lost && s.At >= x.Start && s.At <= x.Start+x.Duration {
			octets += s.Len + pathsim.Header
		}
	}
	return time.Duration(float64(octets) / rate * 1e9)
}

// TestPolicersNamed: each policer is, with its rate and its bucket, from either end; and nothing
// else is called one.
func TestPolicersNamed(t *testing.T) {
	t.Parallel()
	said := regexp.MustCompile(`lets (?:([0-9.]+) Mbit/s pass, and )?([0-9,]+) octets`)
	all := slices.Concat(policedPaths(), lossyPaths(), bare(policedPaths()), bare(lossyPaths()))
	for _, s := range all {
		p := pathsim.Play(s)
		for _, atServer := range []bool{true, false} {
			r := analysed(t, p, atServer)
			var found []string
			for i := range r.Findings {
				if f := &r.Findings[i]; f.Cause == "policer" {
					found = said.FindStringSubmatch(f.Message)
				}
			}
			name := fmt.Sprintf("%+v, at server %t", s, atServer)
			if (found != nil) != (s.Bucket > 0) {
				t.Errorf("%s: policer: %v", name, found)
			}
			if found == nil || s.Bucket == 0 {
				continue
			}
			rate, err := strconv.ParseFloat(found[1], 64)
			if err != nil {
				rate = s.Rate / megabit // what was lost hardly tells
			}
			depth, _ := strconv.ParseFloat(strings.ReplaceAll(found[2], ",", ""), 64)
			if math.Abs(rate-s.Rate/megabit) > .05*s.Rate/megabit+.05 ||
				math.Abs(depth-s.Bucket) > max(1600, .05*s.Bucket) {
				t.Errorf("%s: %s Mbit/s and %s octets", name, found[1], found[2])
			}
		}
	}
}

// bare are the same without timestamps.
func bare(all []pathsim.Setup) []pathsim.Setup {
	for i := range all {
		all[i].Bare = true
	}
	return all
}

// lossyPaths lose segments for other reasons.
func lossyPaths() (all []pathsim.Setup) {
	for _, s := range []pathsim.Setup{
		{RTT: 20 * milli, Loss: .01, Conns: 1, Count: 3, Body: 8e5},
		{RTT: 100 * milli, Loss: .02, Conns: 2, Count: 2, Body: 5e5},
		{RTT: 5 * milli, Loss: .02, Rate: 10 * megabit, Queue: 1e6, Conns: 1, Count: 3, Body: 8e5},
		{RTT: 20 * milli, AQM: true, Rate: 10 * megabit, Queue: 1e6, Conns: 2, Count: 3, Body: 8e5},
		{RTT: 20 * milli, Rate: 3 * megabit, Queue: 225e3, Conns: 1, Count: 3, Body: 562500},
		{RTT: 20 * milli, Rate: 10 * megabit, Queue: 300e3, Conns: 2, Count: 3, Body: 4e5},
		{RTT: 20 * milli, Rate: 30 * megabit, Queue: 300e3, Conns: 1, Count: 3, Body: 8e5},
		{RTT: 100 * milli, Rate: 10 * megabit, Queue: 1e5, Conns: 1, Count: 3, Body: 8e5},
	} {
		for _, control := range []string{"reno", "cubic", "bbr"} {
			s.Control = control
			all = append(all, s)
		}
	}
	return all
}
