package analysis

import (
	"strings"
	"time"
)

const (
	// keptAges is how many ages are kept per pool.
	keptAges = 64
	// shortestAge is the least age that anybody would set as a limit.
	shortestAge = 2 * time.Second
)

// aged is a connection that the server ended, with its age and the requests it had served.
type aged struct {
	age    time.Duration
	served int
}

// aged takes note of the age at which the server ended m.
func (p *pool) aged(m *member) {
	p.ages = append(p.ages, aged{m.closed.at.Time - m.start.Time, m.served})
	if len(p.ages) > keptAges {
		p.ages = append(p.ages[:0], p.ages[1:]...)
	}
}

// ageLimit reports whether m was ended at an age at which the server ends connections: two others and more were within a
// tenth of it, whatever number of requests they had served.
func (p *pool) ageLimit(m *member) bool {
	age := m.closed.at.Time - m.start.Time
	if age < shortestAge {
		return false
	}
	near, counts, other := 0, map[int]bool{}, 0
	for _, a := range p.ages {
		if a.age >= age*9/10 && a.age <= age*11/10 {
			near++
			counts[a.served] = true
		} else {
			other++
		}
	}
	return near >= 3 && len(counts) > 1 && near > 3*other
}

// oneShot reports whether the agent is a program that is started for each request, or checks whether the service is alive: it
// cannot keep connections from one time to the next.
func oneShot(agent string) bool {
	name, _, _ := strings.Cut(strings.ToLower(agent), "/")
	switch name {
	case "curl", "wget", "kube-probe", "elb-healthchecker", "googlehc", "amazon-route53-health-check-service", "haproxy", "nagios",
		"check_http", "uptimerobot", "blackbox_exporter":
		return true
	}
	return false
}
