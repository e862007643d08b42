//go:build linux

package catalog

import (
	"slices"
	"time"

	"tcpwhy/lab/internal/own"
	"tcpwhy/lab/internal/scenario"
)

// pipelineScenarios send requests before the responses to earlier ones have come.
func pipelineScenarios() []scenario.Scenario {
	return slices.Concat(at(pipelinePost, 10, 50), at(pipelineLost, 10, 50),
		at(pipelineEarlyClose, 10, 50), at(pipelineHead, 0, 10, 50), at(unsolicited, 10, 50),
		at(pipelineFine, 10, 50), at(pipelineDownloads, 40))
}

func pipelined(n int) own.Client { return own.Client{Sockopts: prompt(), Count: n, Pipeline: true} }

func pipelinePost(time.Duration) scenario.Scenario {
	client := pipelined(3)
	client.Body = 40
	return scenario.Scenario{
		Name:   "pipelining-non-idempotent",
		About:  "three POST requests are sent before the first is answered",
		Expect: scenario.Expect{Rule: "pipelining", Cause: "non-idempotent", Timeless: true},
		Server: own.Server{Sockopts: prompt(), Body: 200},
		Client: client,
		Fix:    onClient(func(c *own.Client) { c.Pipeline = false }),
	}
}

func pipelineLost(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "pipelining-lost-responses",
		About: "six requests are pipelined, and the server closes after two responses without " +
			"having said so",
		Expect: scenario.Expect{Rule: "pipelining", Cause: "lost-responses", Timeless: true},
		Server: own.Server{
			Sockopts: prompt(),
			Body:     300,
			Keeping:  own.Keeping{Requests: 2},
			Response: own.Response{Header: "Connection: keep-alive\r\n"},
			Think:    5 * time.Millisecond,
		},
		Client: pipelined(6),
		Fix:    onServer(func(o *own.Server) { o.Requests, o.Header = 0, "" }),
	}
}

func pipelineEarlyClose(time.Duration) scenario.Scenario {
	s := pipelineLost(0)
	s.Name, s.Expect.Cause = "pipelining-early-close", "early-close"
	s.About = "six requests are pipelined, and the server closes after two responses, the second " +
		"of which says so"
	onServer(func(o *own.Server) { o.Header = "" })(&s)
	return s
}

func pipelineHead(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "pipelining-head-of-line",
		About: "five requests are pipelined, and the first takes the server 300 ms: the others " +
			"wait behind it",
		Expect: scenario.Expect{Rule: "pipelining", Cause: "head-of-line"},
		Server: own.Server{
			Sockopts: prompt(),
			Body:     200,
			Outlier:  own.Outlier{LongThink: 300 * time.Millisecond},
		},
		Client: pipelined(5),
		Fix: func(s *scenario.Scenario) {
			s.Client = own.Client{Sockopts: prompt(), Count: 1, Parallel: 5}
		},
	}
}

func pipelineFine(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-pipelining-harmless",
		About: "four GET requests are pipelined, answered in order at once, and the connection " +
			"stays",
		Server: own.Server{Sockopts: prompt(), Body: 200},
		Client: pipelined(4),
	}
}

func pipelineDownloads(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-pipelined-downloads",
		About: "twelve pages of 30,000 octets are pipelined, and come one after the other as fast " +
			"as the path carries them",
		Server: own.Server{Sockopts: prompt(), Body: 30_000},
		Client: pipelined(12),
	}
}

func unsolicited(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "pipelining-unsolicited",
		About: "the server sends each response twice: every later answer is taken for that to " +
			"another request",
		Expect: scenario.Expect{Rule: "pipelining", Cause: "unsolicited-response", Timeless: true},
		Server: own.Server{Sockopts: prompt(), Body: 200, Response: own.Response{Twice: true}},
		Client: own.Client{
			Sockopts: prompt(),
			Count:    3,
			Interval: 150 * time.Millisecond,
			Pool:     own.Pool{Blind: true},
		},
		Fix: onServer(func(o *own.Server) { o.Twice = false }),
	}
}
