//go:build linux

package catalog

import (
	"slices"
	"time"

	"tcpwhy/lab/internal/own"
	"tcpwhy/lab/internal/program"
	"tcpwhy/lab/internal/scenario"
)

// messageScenarios end messages late, or too early, or wait for leave to send them.
func messageScenarios() []scenario.Scenario {
	return slices.Concat(at(slowClose, 0, 10, 50), at(promptClose, 10), at(cutHead, 10, 50),
		at(expectCurl, 0, 10, 50), at(expectAnswered, 10), at(excess, 10), at(noRequest, 10),
		at(oneError, 10))
}

func slowClose(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "slow-close",
		About:  "the response has no length, and the server closes 250 ms after its last octet",
		Expect: scenario.Expect{Rule: "slow-close", Also: []string{"missed-reuse"}, Count: 3},
		Server: own.Server{
			Sockopts: prompt(),
			Body:     800,
			Response: own.Response{CloseDelimited: true},
			Keeping:  own.Keeping{CloseAfter: 250 * time.Millisecond},
		},
		Client: own.Client{Sockopts: prompt(), Count: 3, Interval: 20 * time.Millisecond},
		Fix:    onServer(func(o *own.Server) { o.CloseAfter = 0 }),
	}
}

func promptClose(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:  "lookalike-close-delimited-once",
		About: "one response without a length, and the server closes right behind it",
		Server: own.Server{
			Sockopts: prompt(),
			Body:     3000,
			Response: own.Response{CloseDelimited: true},
		},
		Client: own.Client{Sockopts: prompt(), Count: 1},
	}
}

func cutHead(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "truncated-header",
		About:  "the server closes in the middle of the response's header",
		Expect: scenario.Expect{Rule: "truncated-response", Cause: "stream", Count: 2},
		Server: own.Server{Sockopts: prompt(), Body: 800, Cuts: own.Cuts{CutHead: true}},
		Client: own.Client{Sockopts: prompt(), Count: 2},
		Fix:    onServer(func(o *own.Server) { o.CutHead = false }),
	}
}

func expectCurl(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "expect-continue-curl",
		About: "curl announces its body with Expect: 100-continue to a server that never says " +
			"100, and waits a second",
		Expect: scenario.Expect{Rule: "expect-continue", Count: 2},
		Server: own.Server{Sockopts: prompt(), Body: 120},
		Client: program.Curl{Count: 2, Body: 3000, Args: []string{"-H", "Expect: 100-continue"}},
		Fix:    onServer(func(o *own.Server) { o.Continue = true }),
	}
}

func expectAnswered(time.Duration) scenario.Scenario {
	s := expectCurl(0)
	s.Name, s.Expect, s.Fix = "lookalike-expect-answered-nginx", scenario.Expect{}, nil
	s.About = "curl announces its body with Expect: 100-continue, and nginx as a proxy answers " +
		"100 at once"
	s.Server = program.Nginx{Body: 300, Settings: "error_page 405 =200 $uri;"}
	return s
}

func excess(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "lookalike-excess-behind-response",
		About:  "the response announces 21 octets, and 28 come before the server closes",
		Expect: scenario.Expect{Pending: true},
		Server: own.Server{
			Sockopts: prompt(),
			Body:     21,
			Response: own.Response{Excess: 7},
			Keeping:  own.Keeping{Requests: 1},
		},
		Client: own.Client{Sockopts: prompt(), Count: 1},
	}
}

func noRequest(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "lookalike-no-request-answered",
		About:  "the client sends a line that is no request, and nginx answers it with 400",
		Expect: scenario.Expect{Pending: true},
		Server: program.Nginx{Body: 300},
		Client: own.Client{
			Sockopts: prompt(),
			Count:    1,
			Request:  own.Request{Raw: "HELLO\r\n\r\n"},
		},
	}
}

func oneError(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-error-closes",
		About: "the server answers 200 and 404, and closes with a 500: one error is no limit of " +
			"requests",
		Server: own.Server{
			Sockopts: prompt(),
			Body:     300,
			Response: own.Response{
				Statuses: []string{"200 OK", "404 Not Found", "500 Internal Server Error"},
			},
			Keeping: own.Keeping{Requests: 3},
		},
		Client: own.Client{Sockopts: prompt(), Count: 4},
	}
}
