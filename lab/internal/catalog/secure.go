//go:build linux

package catalog

import (
	"slices"
	"time"

	"tcpwhy/lab/internal/own"
	"tcpwhy/lab/internal/program"
	"tcpwhy/lab/internal/scenario"
)

// secureScenarios are inside TLS: the program sees turns, and no header.
func secureScenarios() []scenario.Scenario {
	return slices.Concat(at(nagleInTLS, 10, 50), at(nagleInTLSRequest, 10), at(tlsKept, 10),
		at(tlsThink, 10), at(tlsBulk, 50), at(nginxTLS, 10), at(tlsClientClosed, 10),
		at(tlsResponseClose, 10), at(tlsOddSuite, 10), at(nginxTLS13, 20),
		at(tlsLargeCertificate, 40))
}

func nagleInTLS(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "nagle-delayed-ack-tls-response",
		About: "inside TLS the server writes each response in two records with Nagle on, and " +
			"the client delays its ACK",
		Expect: scenario.Expect{Rule: "nagle-delayed-ack", Cause: "response"},
		Server: own.Server{TLS: true, Body: 120, Writes: own.Writes{Split: true}},
		Client: own.Client{Sockopts: prompt(), TLS: true, Count: 10},
		Fix:    serverNoDelay,
	}
}

func nagleInTLSRequest(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "nagle-delayed-ack-tls-request",
		About: "inside TLS the client writes each request in two records with Nagle on, and the " +
			"server delays its ACK",
		Expect: scenario.Expect{Rule: "nagle-delayed-ack", Cause: "request"},
		Server: own.Server{Sockopts: prompt(), TLS: true, Body: 120},
		Client: own.Client{TLS: true, Count: 10, Body: 64, Writes: own.Writes{Split: true}},
		Fix:    clientNoDelay,
	}
}

func tlsKept(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "lookalike-tls-kept",
		About:  "six requests on one connection with TLS, kept",
		Server: own.Server{Sockopts: prompt(), TLS: true, Body: 800},
		Client: own.Client{Sockopts: prompt(), TLS: true, Count: 6},
	}
}

func tlsThink(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "lookalike-tls-think-40ms",
		About:  "inside TLS the server thinks 40 ms, and nothing is held",
		Server: own.Server{Sockopts: prompt(), TLS: true, Body: 120, Think: 40 * time.Millisecond},
		Client: own.Client{Sockopts: prompt(), TLS: true, Count: 8},
	}
}

func tlsBulk(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "slow-start-tls",
		About: "a response of 150 kB on a new connection with TLS; with an initial window of 32 " +
			"it takes fewer round trips",
		// even 32 segments are not enough at once
		Expect:  scenario.Expect{Rule: "slow-start", Count: 1, Also: []string{"slow-start"}},
		Server:  own.Server{Sockopts: prompt(), TLS: true, Body: 150_000},
		Client:  own.Client{Sockopts: prompt(), TLS: true, Count: 1},
		Fix:     func(s *scenario.Scenario) { s.ServerRoute.InitCwnd = 32 },
		Snaplen: 1600, // a handshake message must be whole
	}
}

func tlsClientClosed(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "reuse-tls-client-closed",
		About: "the client closes its TLS connection after every response, and pays two " +
			"handshakes for each request",
		Expect: scenario.Expect{Rule: "missed-reuse", Cause: "client-closed", Count: 5},
		Server: own.Server{Sockopts: prompt(), TLS: true, Body: 800},
		Client: own.Client{Sockopts: prompt(), TLS: true, Count: 6, Pool: own.Pool{Fresh: true}},
		Fix:    onClient(func(c *own.Client) { c.Fresh = false }),
	}
}

func tlsResponseClose(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "reuse-tls-response-close",
		About: "within TLS every response says Connection: close, so every request pays for a new " +
			"connection",
		Expect: scenario.Expect{Rule: "missed-reuse", Count: 5},
		Server: own.Server{
			Sockopts: prompt(),
			TLS:      true,
			Body:     800,
			Keeping:  own.Keeping{Requests: 1},
		},
		Client: own.Client{Sockopts: prompt(), TLS: true, Count: 6},
		Fix:    onServer(func(o *own.Server) { o.Requests = 0 }),
	}
}

func tlsLargeCertificate(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-tls-large-certificate",
		About: "the server's certificate is larger than its initial window: the rest of the flight " +
			"waits for a round trip, and the server for nothing",
		Server: own.Server{Sockopts: prompt(), TLS: true, Body: 800, Names: 450},
		Client: own.Client{Sockopts: prompt(), TLS: true, Count: 2},
		Fix:    onServer(func(o *own.Server) { o.Names = 0 }),
	}
}

func tlsOddSuite(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:  "lookalike-tls-suite-aria",
		About: "curl and nginx agree on ARIA, a cipher that is hardly used",
		// in TLS 1.2, the only one that nginx is allowed, though curl speaks 1.3 too
		Expect: scenario.Expect{Also: []string{"tls-handshake/old-version"}},
		Server: program.Nginx{Body: 3000, Secure: true,
			Settings: "ssl_protocols TLSv1.2; ssl_ciphers ECDHE-ECDSA-ARIA128-GCM-SHA256;"},
		Client: program.Curl{Count: 2, Secure: true,
			Args: []string{"--ciphers", "ECDHE-ECDSA-ARIA128-GCM-SHA256"}},
	}
}

func nginxTLS13(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-tls13-nginx-curl",
		About: "curl sends nginx five requests with bodies of 30 kB on one connection with TLS 1.3, " +
			"and is refused each time with 405",
		Server: program.Nginx{Body: 3000, Secure: true, Settings: "ssl_protocols TLSv1.3;"},
		Client: program.Curl{Count: 5, Body: 30_000, Secure: true},
	}
}

func nginxTLS(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:  "lookalike-nginx-tls-curl",
		About: "curl asks nginx for six things on one connection with TLS",
		// this nginx speaks TLS 1.2 at most unless told otherwise, and curl 1.3
		Expect: scenario.Expect{Also: []string{"tls-handshake/old-version"}},
		Server: program.Nginx{Body: 3000, Secure: true},
		Client: program.Curl{Count: 6, Secure: true},
	}
}
