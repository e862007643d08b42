//go:build linux

package catalog

import (
	"slices"
	"time"

	"tcpwhy/lab/internal/own"
	"tcpwhy/lab/internal/program"
	"tcpwhy/lab/internal/scenario"
)

// programScenarios are faults that real programs make by their defaults, and their look-alikes.
func programScenarios() []scenario.Scenario {
	return slices.Concat(at(proxyWithoutKeepalive, 10, 50), at(goUndrained, 10), at(goPool, 10),
		at(nodeWithoutAgent, 10), at(urllib, 10), at(nginxRefuses, 10), at(goKept, 10),
		at(apacheKept, 10))
}

func proxyWithoutKeepalive(time.Duration) scenario.Scenario {
	client := own.Client{Sockopts: prompt(), Count: 6}
	return scenario.Scenario{
		Name: "reuse-nginx-upstream",
		About: "nginx as a proxy speaks HTTP/1.0 with Connection: close to its upstream unless " +
			"told otherwise",
		Expect: scenario.Expect{Rule: "missed-reuse", Cause: "request-close", Count: 5},
		Server: own.Server{Sockopts: prompt(), Body: 800},
		Client: program.Proxied{Client: client},
		Fix: func(s *scenario.Scenario) {
			s.Client = program.Proxied{
				Client:   client,
				Upstream: "keepalive 8; ",
				Location: "proxy_http_version 1.1; proxy_set_header Connection \"\"; ",
			}
		},
	}
}

func goUndrained(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "reuse-go-not-drained",
		About: "a Go program closes response bodies unread, so its transport has to close the " +
			"connections",
		Expect: scenario.Expect{
			Rule:  "missed-reuse",
			Cause: "not-drained",
			Count: 5,
			Also:  []string{"reset-after-data"},
		},
		Server: own.Server{Sockopts: prompt(), Body: 6000},
		Client: program.GoClient{Count: 6},
		Fix:    func(s *scenario.Scenario) { s.Client = program.GoClient{Count: 6, Drain: true} },
	}
}

func goPool(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "reuse-go-small-pool",
		About: "a Go program sends six requests at a time, and its transport keeps two " +
			"connections, as it does by default",
		Expect: scenario.Expect{Rule: "missed-reuse", Cause: "client-closed"},
		Server: own.Server{Sockopts: prompt(), Body: 800, Think: 20 * time.Millisecond},
		Client: program.GoClient{Count: 4, Parallel: 6, Drain: true},
		Fix: func(s *scenario.Scenario) {
			s.Client = program.GoClient{Count: 4, Parallel: 6, Drain: true, PerHost: 8}
		},
	}
}

const nodeClient = `
const start = process.hrtime.bigint();
const now = () => Number(process.hrtime.bigint() - start) / 1e6;
const get = n => {
  if (n > 6) { if (agent) agent.destroy(); return; }
  const began = now();
  http.get({host: '%[1]s', port: %[2]d, path: '/item/' + n, agent: agent}, response => {
    let bytes = 0;
    response.on('data', d => { bytes += d.length; });
    response.on('end', () => {
      console.log(JSON.stringify({number: n, connection: 0, start_ms: began, end_ms: now(),
        status: response.statusCode, bytes: bytes}));
      setImmediate(() => get(n + 1));
    });
  });
};
get(1);
`

// nodeScript is the client with an agent.
func nodeScript(words, agent string) program.Script {
	return program.Script{
		Words:   words,
		Program: "node",
		Text:    "const http = require('http');\nconst agent = " + agent + ";\n" + nodeClient,
	}
}

func nodeWithoutAgent(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "reuse-node-without-agent",
		About:  "a Node program turns the agent off: every request says Connection: close",
		Expect: scenario.Expect{Rule: "missed-reuse", Cause: "request-close", Count: 5},
		Server: own.Server{Sockopts: prompt(), Body: 800},
		Client: nodeScript("http.get, agent: false, 6 requests", "false"),
		Fix: func(s *scenario.Scenario) {
			s.Client = nodeScript("http.get, agent with keepAlive, 6 requests",
				"new http.Agent({keepAlive: true})")
		},
	}
}

const urllibClient = `
import json, time, urllib.request
start = time.time()
for n in range(6):
    began = time.time()
    with urllib.request.urlopen("http://%[1]s:%[2]d/item/" + str(n)) as response:
        body = response.read()
    print(json.dumps({"number": n + 1, "connection": n + 1, "start_ms": (began - start) * 1e3,
        "end_ms": (time.time() - start) * 1e3, "status": response.status, "bytes": len(body)}))
`

const httpClient = `
import http.client, json, time
conn = http.client.HTTPConnection("%[1]s", %[2]d)
start = time.time()
for n in range(6):
    began = time.time()
    conn.request("GET", "/item/" + str(n))
    response = conn.getresponse()
    body = response.read()
    print(json.dumps({"number": n + 1, "connection": 1, "start_ms": (began - start) * 1e3,
        "end_ms": (time.time() - start) * 1e3, "status": response.status, "bytes": len(body)}))
`

func urllib(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "reuse-python-urllib",
		About: "Python's urllib sends Connection: close with every request; http.client on one " +
			"connection does not",
		Expect: scenario.Expect{Rule: "missed-reuse", Cause: "request-close", Count: 5},
		Server: own.Server{Sockopts: prompt(), Body: 800},
		Client: program.Script{
			Words:   "urllib.request, 6 requests",
			Program: "python3",
			Text:    urllibClient,
		},
		Fix: func(s *scenario.Scenario) {
			s.Client = program.Script{
				Words:   "http.client on one connection, 6 requests",
				Program: "python3",
				Text:    httpClient,
			}
		},
	}
}

func nginxRefuses(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-nginx-413-drained",
		About: "nginx answers 413 to a large body as soon as it has the header, and reads the " +
			"body to its end before it closes",
		Server: program.Nginx{Body: 800, Settings: "client_max_body_size 1k; "},
		Client: own.Client{
			Sockopts: prompt(),
			Count:    1,
			Body:     200_000,
			Writes:   own.Writes{Split: true},
		},
		Snaplen: 400,
	}
}

func goKept(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "lookalike-go-kept",
		About:  "Go's client and server with their defaults: one connection, kept",
		Server: program.GoServer{Body: 800, IdleTimeout: time.Minute},
		Client: program.GoClient{Count: 6, Drain: true},
	}
}

func apacheKept(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "lookalike-apache-kept",
		About:  "Apache with its defaults: one connection, kept",
		Server: program.Apache{Body: 800, Settings: "KeepAliveTimeout 5"},
		Client: own.Client{Sockopts: prompt(), Count: 6},
	}
}
