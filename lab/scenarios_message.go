//go:build linux

package main

import (
	"strings"
	"time"
)

// messageScenarios end messages late, or too early, or wait for leave to send them.
func messageScenarios() []Scenario {
	var all []Scenario
	for _, family := range [][]Scenario{
		at(slowClose, 0, 10, 50), at(promptClose, 10), at(cutHead, 10, 50), at(expectCurl, 0, 10, 50), at(expectAnswered, 10),
	} {
		all = append(all, family...)
	}
	return all
}

func slowClose(time.Duration) Scenario {
	return Scenario{
		Name:   "slow-close",
		About:  "the response has no length, and the server closes 250 ms after its last octet",
		Expect: Expect{Rule: "slow-close", Also: []string{"missed-reuse"}, Count: 3},
		Server: Own{
			Sockopts: prompt(),
			Body:     800,
			Response: Response{CloseDelimited: true},
			Keeping:  Keeping{CloseAfter: 250 * time.Millisecond},
		},
		Client: Caller{Sockopts: prompt(), Count: 3, Interval: 20 * time.Millisecond},
		Fix:    func(s *Scenario) { changeServer(s, func(o *Own) { o.CloseAfter = 0 }) },
	}
}

func promptClose(time.Duration) Scenario {
	return Scenario{
		Name:   "lookalike-close-delimited-once",
		About:  "one response without a length, and the server closes right behind it",
		Server: Own{Sockopts: prompt(), Body: 3000, Response: Response{CloseDelimited: true}},
		Client: Caller{Sockopts: prompt(), Count: 1},
	}
}

func cutHead(time.Duration) Scenario {
	return Scenario{
		Name:   "truncated-header",
		About:  "the server closes in the middle of the response's header",
		Expect: Expect{Rule: "truncated-response", Cause: "stream", Count: 2},
		Server: Own{Sockopts: prompt(), Body: 800, Cuts: Cuts{CutHead: true}},
		Client: Caller{Sockopts: prompt(), Count: 2},
		Fix:    func(s *Scenario) { changeServer(s, func(o *Own) { o.CutHead = false }) },
	}
}

func expectCurl(time.Duration) Scenario {
	return Scenario{
		Name:   "expect-continue-curl",
		About:  "curl announces its body with Expect: 100-continue to a server that never says 100, and waits a second",
		Expect: Expect{Rule: "expect-continue", Count: 2},
		Server: Own{Sockopts: prompt(), Body: 120},
		Client: Curl{Count: 2, Body: 3000, Args: []string{"-H", "Expect: 100-continue"}},
		Fix:    func(s *Scenario) { changeServer(s, func(o *Own) { o.Continue = true }) },
	}
}

func expectAnswered(time.Duration) Scenario {
	s := expectCurl(0)
	s.Name, s.Expect, s.Fix = "lookalike-expect-answered-nginx", Expect{}, nil
	s.About = "curl announces its body with Expect: 100-continue, and nginx as a proxy answers 100 at once"
	s.Server = Nginx{Body: 300, Settings: "error_page 405 =200 $uri;"}
	return s
}

// pipelineScenarios send requests before the responses to earlier ones have come.
func pipelineScenarios() []Scenario {
	var all []Scenario
	for _, family := range [][]Scenario{
		at(pipelinePost, 10, 50), at(pipelineLost, 10, 50), at(pipelineEarlyClose, 10, 50), at(pipelineHead, 0, 10, 50), at(unsolicited, 10, 50),
		at(pipelineFine, 10, 50),
	} {
		all = append(all, family...)
	}
	return all
}

func pipelined(n int) Caller { return Caller{Sockopts: prompt(), Count: n, Pipeline: true} }

func pipelinePost(time.Duration) Scenario {
	client := pipelined(3)
	client.Body = 40
	return Scenario{
		Name:   "pipelining-non-idempotent",
		About:  "three POST requests are sent before the first is answered",
		Expect: Expect{Rule: "pipelining", Cause: "non-idempotent", Timeless: true},
		Server: Own{Sockopts: prompt(), Body: 200},
		Client: client,
		Fix: func(s *Scenario) {
			changeClient(s, func(c *Caller) { c.Pipeline = false })
		},
	}
}

func pipelineLost(time.Duration) Scenario {
	return Scenario{
		Name:   "pipelining-lost-responses",
		About:  "six requests are pipelined, and the server closes after two responses without having said so",
		Expect: Expect{Rule: "pipelining", Cause: "lost-responses", Timeless: true},
		Server: Own{
			Sockopts: prompt(),
			Body:     300,
			Keeping:  Keeping{Requests: 2},
			Response: Response{Header: "Connection: keep-alive\r\n"},
			Think:    5 * time.Millisecond,
		},
		Client: pipelined(6),
		Fix:    func(s *Scenario) { changeServer(s, func(o *Own) { o.Requests, o.Header = 0, "" }) },
	}
}

func pipelineEarlyClose(time.Duration) Scenario {
	s := pipelineLost(0)
	s.Name, s.Expect.Cause = "pipelining-early-close", "early-close"
	s.About = "six requests are pipelined, and the server closes after two responses, the second of which says so"
	changeServer(&s, func(o *Own) { o.Header = "" })
	return s
}

func pipelineHead(time.Duration) Scenario {
	return Scenario{
		Name:   "pipelining-head-of-line",
		About:  "five requests are pipelined, and the first takes the server 300 ms: the others wait behind it",
		Expect: Expect{Rule: "pipelining", Cause: "head-of-line"},
		Server: Own{Sockopts: prompt(), Body: 200, Outlier: Outlier{LongThink: 300 * time.Millisecond}},
		Client: pipelined(5),
		Fix: func(s *Scenario) {
			s.Client = Caller{Sockopts: prompt(), Count: 1, Parallel: 5}
		},
	}
}

func pipelineFine(time.Duration) Scenario {
	return Scenario{
		Name:   "lookalike-pipelining-harmless",
		About:  "four GET requests are pipelined, answered in order at once, and the connection stays",
		Server: Own{Sockopts: prompt(), Body: 200},
		Client: pipelined(4),
	}
}

func unsolicited(time.Duration) Scenario {
	return Scenario{
		Name:   "pipelining-unsolicited",
		About:  "the server sends each response twice: every later answer is taken for that to another request",
		Expect: Expect{Rule: "pipelining", Cause: "unsolicited-response", Timeless: true},
		Server: Own{Sockopts: prompt(), Body: 200, Response: Response{Twice: true}},
		Client: Caller{Sockopts: prompt(), Count: 3, Interval: 150 * time.Millisecond, Pool: Pool{Blind: true}},
		Fix:    func(s *Scenario) { changeServer(s, func(o *Own) { o.Twice = false }) },
	}
}

// headerScenarios misuse the fields that are about one connection.
func headerScenarios() []Scenario {
	var all []Scenario
	for _, family := range [][]Scenario{
		at(misuse("proxy-connection", "the client sends Proxy-Connection to an origin server", "Proxy-Connection: keep-alive\r\n"), 10),
		at(misuse("upgrade", "the client sends Upgrade without naming it in Connection", "Upgrade: websocket\r\n"), 10),
		at(misuse("hop-by-hop", "the client sends Keep-Alive without naming it in Connection", "Keep-Alive: timeout=5\r\n"), 10),
		at(framing, 10), at(dumbProxy, 10, 50), at(closeNotDone, 10), at(closeIgnored, 10), at(headersFine, 10),
	} {
		all = append(all, family...)
	}
	return all
}

func misuse(cause, about, header string) func(time.Duration) Scenario {
	return func(time.Duration) Scenario {
		return Scenario{
			Name:   "header-" + cause,
			About:  about,
			Expect: Expect{Rule: "header-misuse", Cause: cause, Timeless: true},
			Server: Own{Sockopts: prompt(), Body: 300},
			Client: Caller{Sockopts: prompt(), Count: 3, Request: Request{Header: header}},
			Fix:    func(s *Scenario) { changeClient(s, func(c *Caller) { c.Header = "" }) },
		}
	}
}

func framing(time.Duration) Scenario {
	s := misuse(
		"framing-conflict",
		"a request says both Content-Length and Transfer-Encoding",
		"Transfer-Encoding: chunked\r\n",
	)(
		0,
	)
	s.Client = Caller{
		Sockopts: prompt(),
		Count:    2,
		Body:     5,
		Request:  Request{Text: "0\r\n\r\n", Header: "Transfer-Encoding: chunked\r\n"},
	}
	return s
}

func dumbProxy(time.Duration) Scenario {
	return Scenario{
		Name:  "header-dumb-proxy",
		About: "a proxy forwards Connection: keep-alive without understanding it, and hears the next request only when its server has closed, after 3 s",
		Expect: Expect{
			Rule:  "header-misuse",
			Cause: "dumb-proxy",
			Count: 2,
			Also:  []string{"missed-reuse"},
		},
		Server: DumbProxy{Body: 300, Idle: 3 * time.Second},
		Client: Caller{
			Sockopts: prompt(),
			Count:    3,
			Request:  Request{Version: "HTTP/1.0", Header: "Connection: keep-alive\r\n"},
			Interval: 20 * time.Millisecond,
			Pool:     Pool{Retry: true},
		},
		Fix: func(s *Scenario) { s.Server = DumbProxy{Body: 300, Idle: 3 * time.Second, Strip: true} },
	}
}

func closeNotDone(time.Duration) Scenario {
	return Scenario{
		Name:   "header-close-not-done",
		About:  "the server announces the close of the connection and leaves it open; the client waits 4 s for it",
		Expect: Expect{Rule: "header-misuse", Cause: "close-not-done", Timeless: true},
		Server: Own{Sockopts: prompt(), Body: 300, Response: Response{Header: "Connection: close\r\n"}},
		Client: Caller{Sockopts: prompt(), Count: 1, Ending: Ending{AwaitClose: 4 * time.Second}},
		Fix:    func(s *Scenario) { changeServer(s, func(o *Own) { o.Requests = 1 }) },
	}
}

func closeIgnored(time.Duration) Scenario {
	return Scenario{
		Name:   "header-close-ignored",
		About:  "the server announces the close with every response, and the client goes on using the connection",
		Expect: Expect{Rule: "header-misuse", Cause: "close-ignored", Timeless: true},
		Server: Own{Sockopts: prompt(), Body: 300, Response: Response{Header: "Connection: close\r\n"}},
		Client: Caller{
			Sockopts: prompt(),
			Count:    3,
			Pool:     Pool{IgnoreClose: true},
			Interval: 50 * time.Millisecond,
		},
		Fix: func(s *Scenario) { changeServer(s, func(o *Own) { o.Header = "" }) },
	}
}

func headersFine(time.Duration) Scenario {
	header := strings.Join(
		[]string{"Connection: keep-alive, Keep-Alive", "Keep-Alive: timeout=5", ""},
		"\r\n",
	)
	return Scenario{
		Name:   "lookalike-keep-alive-named",
		About:  "Keep-Alive is sent, and named in Connection as it should be, by both sides",
		Server: Own{Sockopts: prompt(), Body: 300, Response: Response{Header: header}},
		Client: Caller{Sockopts: prompt(), Count: 3, Request: Request{Header: header}},
	}
}
