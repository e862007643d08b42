//go:build linux

package catalog

import (
	"slices"
	"time"

	"tcpwhy/lab/internal/program"
	"tcpwhy/lab/internal/scenario"
)

// bareCloseScenarios are responses within TLS that only the close ends.
func bareCloseScenarios() []scenario.Scenario {
	return slices.Concat(at(truncatedBareClose, 20), at(bareCloseAlways, 20))
}

func truncatedBareClose(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "truncated-no-close-notify",
		About: "responses within TLS have no length, and the close ends them; one of four comes " +
			"without the close_notify that tells that it is the end",
		Expect: scenario.Expect{
			Rule: "truncated-response", Cause: "no-close-notify", Count: 1,
			Also: []string{"missed-reuse/response-close"}, Keyed: true,
		},
		Server: program.GoBareClose{Body: 3000, Bare: 3},
		Client: program.GoHTTP3{Count: 4},
	}
}

func bareCloseAlways(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:  "lookalike-never-says-close-notify",
		About: "the same of a server that never says close_notify, as many do not",
		// the close ends each response, and the next has to connect
		Expect: scenario.Expect{Also: []string{"missed-reuse/response-close"}, Keyed: true},
		Server: program.GoBareClose{Body: 3000, Bare: 1},
		Client: program.GoHTTP3{Count: 4},
	}
}
