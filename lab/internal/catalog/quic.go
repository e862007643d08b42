//go:build linux

package catalog

import (
	"slices"
	"time"

	"tcpwhy/lab/internal/program"
	"tcpwhy/lab/internal/scenario"
)

// quicScenarios are clients that try HTTP/3 first.
func quicScenarios() []scenario.Scenario {
	return slices.Concat(at(quicFallback, 40), at(quicRace, 40))
}

func quicFallback(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "quic-fallback",
		About: "the client tries HTTP/3, what it sends by UDP is dropped, and it connects by TCP " +
			"after 300 ms; three times",
		// each request has a client of its own, which closes behind it
		Expect: scenario.Expect{
			Rule: "quic-fallback", Count: 3, Also: []string{"missed-reuse/client-closed"},
		},
		Server: program.GoHTTP3Server{GoTLSServer: program.GoTLSServer{Body: 3000}, Deaf: true},
		Client: program.GoHTTP3{Patience: 300 * time.Millisecond, Count: 3},
		Fix: func(s *scenario.Scenario) {
			s.Server = program.GoHTTP3Server{GoTLSServer: program.GoTLSServer{Body: 3000}}
		},
	}
}

func quicRace(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-quic-race",
		About: "the client has HTTP/3 and TCP race, TCP 25 ms later, which is sooner than an answer " +
			"can be there; what it sends by UDP is dropped",
		// each request has a client of its own, which closes behind it
		Expect: scenario.Expect{Also: []string{"missed-reuse/client-closed"}},
		Server: program.GoHTTP3Server{GoTLSServer: program.GoTLSServer{Body: 3000}, Deaf: true},
		Client: program.GoHTTP3{Patience: 25 * time.Millisecond, Race: true, Count: 3},
	}
}
