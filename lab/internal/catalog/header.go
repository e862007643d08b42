//go:build linux

package catalog

import (
	"slices"
	"strings"
	"time"

	"tcpwhy/lab/internal/own"
	"tcpwhy/lab/internal/scenario"
)

// headerScenarios misuse the fields that are about one connection.
func headerScenarios() []scenario.Scenario {
	return slices.Concat(at(proxyConnection, 10), at(upgrade, 10), at(hopByHop, 10),
		at(framing, 10), at(dumbProxy, 10, 50), at(closeNotDone, 10), at(closeIgnored, 10),
		at(headersFine, 10))
}

func proxyConnection(time.Duration) scenario.Scenario {
	const about = "the client sends Proxy-Connection to an origin server"
	return misuse("proxy-connection", about, "Proxy-Connection: keep-alive\r\n")
}

func upgrade(time.Duration) scenario.Scenario {
	const about = "the client sends Upgrade without naming it in Connection"
	return misuse("upgrade", about, "Upgrade: websocket\r\n")
}

func hopByHop(time.Duration) scenario.Scenario {
	const about = "the client sends Keep-Alive without naming it in Connection"
	return misuse("hop-by-hop", about, "Keep-Alive: timeout=5\r\n")
}

// misuse is a request with a header line that it should not have.
func misuse(cause, about, header string) scenario.Scenario {
	return scenario.Scenario{
		Name:   "header-" + cause,
		About:  about,
		Expect: scenario.Expect{Rule: "header-misuse", Cause: cause, Timeless: true},
		Server: own.Server{Sockopts: prompt(), Body: 300},
		Client: own.Client{Sockopts: prompt(), Count: 3, Request: own.Request{Header: header}},
		Fix:    onClient(func(c *own.Client) { c.Header = "" }),
	}
}

func framing(time.Duration) scenario.Scenario {
	const header = "Transfer-Encoding: chunked\r\n"
	const about = "a request says both Content-Length and Transfer-Encoding"
	s := misuse("framing-conflict", about, header)
	s.Client = own.Client{
		Sockopts: prompt(),
		Count:    2,
		Body:     5,
		Request:  own.Request{Text: "0\r\n\r\n", Header: header},
	}
	return s
}

func dumbProxy(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "header-dumb-proxy",
		About: "a proxy forwards Connection: keep-alive without understanding it, and hears the " +
			"next request only when its server has closed, after 3 s",
		Expect: scenario.Expect{
			Rule:  "header-misuse",
			Cause: "dumb-proxy",
			Count: 2,
			Also:  []string{"missed-reuse"},
		},
		Server: own.DumbProxy{Body: 300, Idle: 3 * time.Second},
		Client: own.Client{
			Sockopts: prompt(),
			Count:    3,
			Request:  own.Request{Version: "HTTP/1.0", Header: "Connection: keep-alive\r\n"},
			Interval: 20 * time.Millisecond,
			Pool:     own.Pool{Retry: true},
		},
		Fix: func(s *scenario.Scenario) {
			s.Server = own.DumbProxy{Body: 300, Idle: 3 * time.Second, Strip: true}
		},
	}
}

func closeNotDone(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "header-close-not-done",
		About: "the server announces the close of the connection and leaves it open; the client " +
			"waits 4 s for it",
		Expect: scenario.Expect{Rule: "header-misuse", Cause: "close-not-done", Timeless: true},
		Server: own.Server{
			Sockopts: prompt(),
			Body:     300,
			Response: own.Response{Header: "Connection: close\r\n"},
		},
		Client: own.Client{
			Sockopts: prompt(),
			Count:    1,
			Ending:   own.Ending{AwaitClose: 4 * time.Second},
		},
		Fix: onServer(func(o *own.Server) { o.Requests = 1 }),
	}
}

func closeIgnored(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "header-close-ignored",
		About: "the server announces the close with every response, and the client goes on " +
			"using the connection",
		Expect: scenario.Expect{Rule: "header-misuse", Cause: "close-ignored", Timeless: true},
		Server: own.Server{
			Sockopts: prompt(),
			Body:     300,
			Response: own.Response{Header: "Connection: close\r\n"},
		},
		Client: own.Client{
			Sockopts: prompt(),
			Count:    3,
			Pool:     own.Pool{IgnoreClose: true},
			Interval: 50 * time.Millisecond,
		},
		Fix: onServer(func(o *own.Server) { o.Header = "" }),
	}
}

func headersFine(time.Duration) scenario.Scenario {
	header := strings.Join(
		[]string{"Connection: keep-alive, Keep-Alive", "Keep-Alive: timeout=5", ""},
		"\r\n",
	)
	return scenario.Scenario{
		Name:   "lookalike-keep-alive-named",
		About:  "Keep-Alive is sent, and named in Connection as it should be, by both sides",
		Server: own.Server{Sockopts: prompt(), Body: 300, Response: own.Response{Header: header}},
		Client: own.Client{Sockopts: prompt(), Count: 3, Request: own.Request{Header: header}},
	}
}
