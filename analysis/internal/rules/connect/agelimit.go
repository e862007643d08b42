package connect

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
func (p *pool) aged(m *kept) {
	p.ages = append(p.ages, aged{m.closed.At.Time - m.start.Time, m.served})
	if len(p.ages) > keptAges {
		p.ages = append(p.ages[:0], p.ages[1:]...)
	}
}

// ageLimit reports whether m was ended at an age at which the server ends connections: two others
// and more were within a tenth of it, whatever number of requests they had served.
func (p *pool) ageLimit(m *kept) bool {
	age := m.closed.At.Time - m.start.Time
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

// evenAges reports whether the connections that the server ended were all as old as m when it did
// so: then even traffic makes a limit of age and one of requests look the same.
func (p *pool) evenAges(m *kept) bool {
	age := m.closed.At.Time - m.start.Time
	for _, a := range p.ages {
		if a.age < age*9/10 || a.age > age*11/10 {
			return false
		}
	}
	return age >= shortestAge && len(p.ages) > 1
}

// oneShot reports whether the agent is a program that is started for each request, or checks
// whether the service is alive: it cannot keep connections from one time to the next.
func oneShot(agent string) bool {
	if commandLine(agent) {
		return true
	}
	name, _, _ := strings.Cut(strings.ToLower(agent), "/")
	switch name {
	case "wget",
		"kube-probe",
		"elb-healthchecker",
		"googlehc",
		"amazon-route53-health-check-service",
		"haproxy",
		"nagios",
		"check_http",
		"uptimerobot",
		"blackbox_exporter":
		return true
	}
	return false
}

// commandLine reports whether the agent is a tool of the command line that leaves its connections
// open for the server to keep: if its requests ask for a close, somebody told it to, or a proxy has
// written them anew. BusyBox calls itself Wget without a version, and always asks.
func commandLine(agent string) bool {
	name, _, versioned := strings.Cut(strings.ToLower(agent), "/")
	return name == "curl" || name == "wget" && versioned
}
