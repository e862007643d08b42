package analysis

import (
	"testing"
	"time"

	"tcpwhy/internal/pathsim"
)

// TestPageBound: what a finding cost by the clock, of responses that came at once on many
// connections through one full path, is no more than their time without what the path needs for all
// of them. What is taken for the server's own time, as all of a response was lost before a capture
// at the client, is no claim about the path.
func TestPageBound(t *testing.T) {
	t.Parallel()
	for _, rtt := range []time.Duration{10 * milli, 40 * milli, 100 * milli} {
		for _, conns := range []int{10, 40} {
			for _, control := range []string{"reno", "cubic", "bbr"} {
				for _, queue := range []float64{40e3, 400e3} {
					s := pathsim.Setup{
						RTT:     rtt,
						Rate:    8 * megabit,
						Queue:   queue,
						Conns:   conns,
						Body:    int64(840e3 / conns),
						Control: control,
					}
					p := pathsim.Play(s)
					for _, atServer := range []bool{true, false} {
						checkPage(t, s, p, atServer)
					}
				}
			}
		}
	}
}

// checkPage checks the findings of all exchanges that were played, as one page.
func checkPage(t *testing.T, s pathsim.Setup, p *pathsim.Played, atServer bool) {
	t.Helper()
	r := analysed(t, p, atServer)
	from, to := time.Hour, time.Duration(0)
	for i := range r.Exchanges {
		x := &r.Exchanges[i]
		from, to = min(from, x.Start), max(to, x.Start+x.Duration)
	}
	octets := float64(s.Body*int64(s.Conns)) * (pathsim.MSS + pathsim.Header) / pathsim.MSS
	needs := time.Duration(octets / s.Rate * 1e9)
	ofPath := map[string]bool{"packet-loss": true, "retransmission-timeout": true,
		"slow-start": true, "parallel-connections": true}
	var cost, wall time.Duration
	for i := range r.Findings {
		if f := &r.Findings[i]; ofPath[f.Rule] {
			cost, wall = cost+f.Cost.Expected, wall+f.Wall
		}
	}
	// the fastest that came is all that is known of the rate, and next to forty senders that pace
	// hardly anything comes evenly
	unknown := (to - from) / 10
	if atServer && s.Control == "bbr" && s.Conns == 40 {
		unknown *= 3
	}
	most := max(0, to-from-needs) + unknown
	if cost > most || wall > most {
		t.Errorf("%+v, at server %t: %v, %v by the clock, of %v, of which the path needs %v",
			s, atServer, cost, wall, to-from, needs)
	}
}
