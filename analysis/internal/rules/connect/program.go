package connect

import (
	"strings"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
)

// program is who opened a connection, as far as its first request tells.
type program struct {
	name string // without version; "" if not known
	tool bool   // it is started for each request
	cli  bool   // a tool that does not ask for a close of its own accord
}

// nameless stands for a program that does not name itself: those that do, do so in every request.
const nameless = "-"

// named takes in which program a request names. Where one connection carries those of several, a
// proxy passes them on.
func (m *member) named(e *rule.Began) {
	if e.Turn || e.Facts&ledger.UnreadFacts != 0 {
		return // what it names is not known
	}
	name, _, _ := strings.Cut(e.Agent, "/")
	if name == "" {
		name = nameless
	}
	switch {
	case e.First:
		m.program.name = name
	case m.program.name != "" && name != m.program.name:
		m.pool.proxied = true
	}
}

// otherProgram reports whether two connections were opened by different programs, as far as their
// requests tell: neither can use a connection of the other's.
func (m *member) otherProgram(d *member) bool {
	return m.program.name != "" && d.program.name != "" && m.program.name != d.program.name &&
		!m.pool.proxied
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
