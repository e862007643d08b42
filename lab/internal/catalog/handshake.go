//go:build linux

package catalog

import (
	"crypto/tls"
	"slices"
	"time"

	"tcpwhy/lab/internal/program"
	"tcpwhy/lab/internal/scenario"
)

// handshakeScenarios are TLS handshakes that take longer than they need, and ends within TLS that
// tell too little.
func handshakeScenarios() []scenario.Scenario {
	return slices.Concat(
		bareCloseScenarios(),
		at(tlsOldVersion, 40), at(tlsOldClient, 40), at(tlsOldVersionResumed, 40),
		at(tlsHelloRetry, 40), at(tlsClientStall, 40), at(tlsClientStallOnce, 40),
		at(tlsClientBusy, 40), at(tlsServerStall, 40), at(tlsServerStallOnce, 40),
		at(tlsEarlyRejected, 40), at(tlsNotResumed, 40), at(tlsNotResumed13, 40),
		at(tlsNeverOffers, 40), at(tlsOtherPrograms, 40), at(tlsTunnelled, 20), at(tlsOfNode, 20),
		at(tlsUnused, 40),
	)
}

const modernTLS = "ssl_protocols TLSv1.2 TLSv1.3; "

// nginxSettings is a cure that changes what nginx is told.
func nginxSettings(settings string) func(*scenario.Scenario) {
	return func(s *scenario.Scenario) {
		n := s.Server.(program.Nginx)
		n.Settings = settings
		s.Server = n
	}
}

func tlsOldVersion(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "tls-old-version",
		About: "nginx speaks TLS 1.2 at most, and a client of TLS 1.3 opens four connections at " +
			"once: each handshake has a round trip more",
		Expect: scenario.Expect{Rule: "tls-handshake", Cause: "old-version", Count: 4},
		Server: program.Nginx{Body: 3000, Secure: true, Settings: "ssl_protocols TLSv1.2; "},
		Client: program.GoTLS{Count: 4},
		Fix:    nginxSettings(modernTLS),
	}
}

func tlsOldClient(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "lookalike-tls12-of-client",
		About:  "the client speaks TLS 1.2 at most: no setting of the server would save the round trip",
		Server: program.Nginx{Body: 3000, Secure: true, Settings: modernTLS},
		Client: program.GoTLS{Count: 4, Max: tls.VersionTLS12},
	}
}

func tlsOldVersionResumed(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "tls-old-version-resumed",
		About: "nginx speaks TLS 1.2 at most, and the client resumes its session on three of four " +
			"connections: those take one round trip",
		Expect: scenario.Expect{Rule: "tls-handshake", Cause: "old-version", Count: 1},
		Server: program.GoTLSServer{
			Body:  3000,
			Think: 800 * time.Millisecond,
			Max:   tls.VersionTLS12,
		},
		Client: program.GoTLS{Count: 4, Gap: 180 * time.Millisecond, Sessions: true},
	}
}

func tlsHelloRetry(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "tls-hello-retry",
		About: "the client sends key shares of X25519, and nginx takes P-384 alone: it asks for " +
			"another hello",
		Expect: scenario.Expect{Rule: "tls-handshake", Cause: "hello-retry", Count: 4},
		Server: program.Nginx{
			Body: 3000, Secure: true, Settings: modernTLS + "ssl_ecdh_curve secp384r1; ",
		},
		Client: program.GoTLS{Count: 4},
		Fix:    nginxSettings(modernTLS + "ssl_ecdh_curve X25519:secp384r1; "),
	}
}

func tlsClientStall(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "tls-client-stall",
		About: "the client takes 150 ms to verify the certificate, as if it asked somebody whether " +
			"that was revoked",
		Expect: scenario.Expect{Rule: "tls-handshake", Cause: "client-stall", Count: 4},
		Server: program.GoTLSServer{Body: 3000},
		Client: program.GoTLS{
			Count:  4,
			Verify: program.Stall{For: 150 * time.Millisecond},
		},
		Fix: verifies(program.Stall{}),
	}
}

// verifies is a cure that changes how long the client's verification takes.
func verifies(stall program.Stall) func(*scenario.Scenario) {
	return func(s *scenario.Scenario) {
		c := s.Client.(program.GoTLS)
		c.Verify = stall
		s.Client = c
	}
}

func tlsClientStallOnce(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "tls-client-stall-once",
		About: "the client verifies five certificates at once, and the third takes it 60 ms, as if " +
			"a part of its chain had to be fetched",
		Expect: scenario.Expect{Rule: "tls-handshake", Cause: "client-stall", Count: 1},
		Server: program.GoTLSServer{Body: 3000},
		Client: program.GoTLS{
			Count:  5,
			Verify: program.Stall{For: 60 * time.Millisecond, Only: 3},
		},
		Fix: verifies(program.Stall{}),
	}
}

func tlsClientBusy(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-tls-client-busy",
		About: "the client opens eight connections at once and verifies one certificate after the " +
			"other, 15 ms each: the last wait for those before",
		Server: program.GoTLSServer{Body: 3000},
		Client: program.GoTLS{
			Count: 8, Verify: program.Stall{For: 15 * time.Millisecond, Turn: true},
		},
	}
}

func tlsServerStall(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "tls-server-stall",
		About:  "the server takes 150 ms for each signature, as if another host held its key",
		Expect: scenario.Expect{Rule: "tls-handshake", Cause: "server-stall", Count: 4},
		Server: program.GoTLSServer{
			Body: 3000,
			Sign: program.Stall{For: 150 * time.Millisecond},
		},
		Client: program.GoTLS{Count: 4},
		Fix:    signs(program.Stall{}),
	}
}

// signs is a cure that changes how long the server's signature takes.
func signs(stall program.Stall) func(*scenario.Scenario) {
	return func(s *scenario.Scenario) {
		o := s.Server.(program.GoTLSServer)
		o.Sign = stall
		s.Server = o
	}
}

func tlsServerStallOnce(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "tls-server-stall-once",
		About:  "of five signatures that the server makes at once, the third takes 60 ms",
		Expect: scenario.Expect{Rule: "tls-handshake", Cause: "server-stall", Count: 1},
		Server: program.GoTLSServer{
			Body: 3000,
			Sign: program.Stall{For: 60 * time.Millisecond, Only: 3},
		},
		Client: program.GoTLS{Count: 5},
		Fix:    signs(program.Stall{}),
	}
}

func tlsEarlyRejected(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "tls-early-data-rejected",
		About: "openssl sends its request as early data, and nginx, which was started anew meanwhile, " +
			"does not know the ticket: the request has to be said again",
		// nginx closes behind each answer, as s_client's requests say close
		Expect: scenario.Expect{
			Rule: "tls-handshake", Cause: "early-data-rejected", Count: 1,
			Also: []string{"missed-reuse/response-close"},
		},
		Server: program.Nginx{
			Body: 3000, Secure: true, Settings: "ssl_protocols TLSv1.3; ssl_early_data on; ",
		},
		Client: program.EarlyOpenSSL{Restart: true},
		Fix:    func(s *scenario.Scenario) { s.Client = program.EarlyOpenSSL{} },
	}
}

func tlsNotResumed(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "tls-not-resumed",
		About: "the client of TLS 1.2 offers its session on each new connection, and the server " +
			"behind the address knows other keys of tickets each time",
		Expect: scenario.Expect{Rule: "tls-handshake", Cause: "not-resumed", Count: 3},
		Server: program.GoTLSServer{Body: 3000, Think: 800 * time.Millisecond, NewKeys: true},
		Client: program.GoTLS{
			Count: 4, Gap: 180 * time.Millisecond, Max: tls.VersionTLS12, Sessions: true,
		},
		Fix: sharedKeys,
	}
}

// sharedKeys cures tickets that nobody else can read.
func sharedKeys(s *scenario.Scenario) {
	o := s.Server.(program.GoTLSServer)
	o.NewKeys = false
	s.Server = o
}

func tlsNotResumed13(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "tls13-not-resumed",
		About: "the same with TLS 1.3, where that costs no round trip: only the certificate and its " +
			"signature",
		Expect: scenario.Expect{
			Rule: "tls-handshake", Cause: "not-resumed", Count: 3, Timeless: true,
		},
		Server: program.GoTLSServer{Body: 3000, Think: 800 * time.Millisecond, NewKeys: true},
		Client: program.GoTLS{Count: 4, Gap: 180 * time.Millisecond, Sessions: true},
		Fix:    sharedKeys,
	}
}

func tlsNeverOffers(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "tls-never-offers-session",
		About: "a client of TLS 1.2 gets a ticket on each connection, and offers none of them: it " +
			"keeps no sessions",
		Expect: scenario.Expect{Rule: "tls-handshake", Cause: "not-resumed"},
		Server: program.GoTLSServer{Body: 3000, Think: 1200 * time.Millisecond},
		Client: program.GoTLS{
			Count: 6, Gap: 180 * time.Millisecond, Max: tls.VersionTLS12, Forgets: true,
		},
		Fix: func(s *scenario.Scenario) {
			c := s.Client.(program.GoTLS)
			c.Sessions, c.Forgets = true, false
			s.Client = c
		},
	}
}

func tlsOtherPrograms(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-tls-other-programs",
		About: "three programs of one host, of TLS 1.2, ask the same server: none can know the " +
			"session of another",
		Server: program.GoTLSServer{
			Body: 3000, Think: 1200 * time.Millisecond, Max: tls.VersionTLS12,
		},
		Client: program.Together{
			program.GoTLS{Count: 1, Max: tls.VersionTLS12},
			program.Curl{Count: 1, Secure: true, Args: []string{"--tls-max", "1.2"}},
			program.Curl{
				Count: 1, Secure: true,
				Args: []string{"--tls-max", "1.2", "--ciphers", "ECDHE-ECDSA-AES256-GCM-SHA384"},
			},
		},
	}
}

func tlsTunnelled(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-tls-behind-connect",
		About: "curl asks nginx for three things, on one connection, through a tunnel of Apache " +
			"(CONNECT)",
		Server: program.Tunnelled{Nginx: program.Nginx{Body: 3000, Settings: modernTLS}},
		Client: program.ThroughProxy{Curl: program.Curl{Count: 3, Secure: true}},
	}
}

// askingNode is node:https, which keeps its connection, and logs its secrets.
const askingNode = `
const https = require('https'), fs = require('fs');
const agent = new https.Agent({keepAlive: true, maxSockets: 1, rejectUnauthorized: false,
  servername: 'server.lab'});
agent.on('keylog', (line) => fs.appendFileSync(process.env.SSLKEYLOGFILE, line));
let n = 0;
function ask() {
  const start = performance.now();
  https.get({host: '%[1]s', port: %[2]d, path: '/item/' + (++n), agent}, (response) => {
    let bytes = 0;
    response.on('data', (data) => bytes += data.length);
    response.on('end', () => {
      console.log(JSON.stringify({number: n, start_ms: start, end_ms: performance.now(),
        status: response.statusCode, bytes}));
      if (n < 4) ask(); else agent.destroy();
    });
  });
}
ask();
`

func tlsOfNode(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "lookalike-tls-node-nginx",
		About:  "Node asks nginx for four things on one connection with TLS 1.3",
		Server: program.Nginx{Body: 3000, Secure: true, Settings: modernTLS},
		Client: program.Script{
			Words:   "node:https, a kept connection",
			Program: "node",
			Text:    askingNode,
		},
	}
}

func tlsUnused(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "parallel-unused-tls",
		About: "net/http is given six requests at once, opens a connection for each, and uses one " +
			"for all, as HTTP/2 was agreed on",
		Expect: scenario.Expect{
			Rule: "parallel-connections", Cause: "unused", Count: 1, Timeless: true,
		},
		Server: program.GoTLSServer{Body: 3000, HTTP2: true},
		Client: program.GoAtOnce{Count: 6},
		Fix: func(s *scenario.Scenario) {
			s.Client = program.GoAtOnce{Count: 6, FirstAlone: true}
		},
	}
}
