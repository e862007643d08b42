//go:build linux

package catalog

import (
	"fmt"
	"slices"
	"time"

	"tcpwhy/lab/internal/program"
	"tcpwhy/lab/internal/scenario"
	"tcpwhy/lab/internal/world"
)

// multiplexedScenarios are HTTP/2 in cleartext, several requests at a time on one connection.
func multiplexedScenarios() []scenario.Scenario {
	return slices.Concat(
		flowControlScenarios(), slowReaderScenarios(),
		at(h2Window, 40),
		at(h2SmallBehindLarge, 40), at(h2SmallAskedLast, 40),
		at(h2LossOfOne, 40), at(h2LossesOfMany, 80), at(h2LossesOnFullPath, 60),
		at(h2StreamLimit, 40), at(h2StreamLimitConnections, 100),
		at(h2Refused, 20),
		at(h2GoAway, 20),
		at(h2Upgrade, 20),
		at(h2PriorKnowledge, 20),
		at(h2Haproxy, 20),
		at(h2Push, 20),
		at(h2Calls, 40),
	)
}

// someFiles are what servers of HTTP/2 have here.
func someFiles() map[string]int {
	return map[string]int{"large": 400_000, "medium": 60_000, "small": 2_000}
}

// several are so many requests for one file, which nghttp takes for different ones.
func several(path string, n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("%s?n=%d", path, i+1))
	}
	return all
}

func nginxHTTP2() program.HTTP2 { return program.HTTP2{Program: "nginx", Files: someFiles()} }

func h2Window(time.Duration) scenario.Scenario {
	paths := []string{"/large", "/small"}
	return scenario.Scenario{
		Name: "h2-flow-control",
		About: "nghttp offers windows of 64 kB, for the stream and the connection, so that a " +
			"response of 400 kB waits a round trip for each; with 16 MB it does not",
		Expect: scenario.Expect{Rule: "h2-flow-control", Also: growing()},
		Server: nginxHTTP2(),
		Client: program.Nghttp{Paths: paths, Args: []string{"-w", "16", "-W", "16"}},
		Fix: func(s *scenario.Scenario) {
			s.Client = program.Nghttp{Paths: paths, Args: []string{"-w", "24", "-W", "24"}}
		},
	}
}

func h2SmallBehindLarge(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "h2-small-behind-large",
		About: "a response of 2 kB waits behind one of 400 kB on one connection of HTTP/2 over a " +
			"path of 20 Mbit/s; by its weight it comes first",
		Expect: scenario.Expect{Rule: "h2-priority", Also: growing()},
		Link:   world.Link{Rate: [2]int64{20e6, 20e6}},
		Server: nginxHTTP2(),
		Client: program.Nghttp{
			Paths: []string{"/large", "/small"}, Args: []string{"-w", "24", "-W", "24"},
		},
		// The twin asks for the same, so that nothing but the order of the responses differs; this
		// nginx follows the weights of RFC 7540 section 5.3.
		Fix: func(s *scenario.Scenario) {
			s.Client = program.Nghttp{
				Paths: []string{"/large", "/small"},
				Args:  []string{"-w", "24", "-W", "24", "-p", "1", "-p", "256"},
			}
		},
	}
}

// h2SmallAskedLast is the same with the cure of the other side: nothing of the large response is
// with the server's kernel yet when it sees what is small.
func h2SmallAskedLast(rtt time.Duration) scenario.Scenario {
	s := h2SmallBehindLarge(rtt)
	s.Name = "h2-small-asked-last"
	s.About = "the same, and in the twin the client asks for the small thing first"
	s.Fix = func(s *scenario.Scenario) {
		s.Client = program.Nghttp{
			Paths: []string{"/small", "/large"}, Args: []string{"-w", "24", "-W", "24"},
		}
	}
	return s
}

func h2LossOfOne(time.Duration) scenario.Scenario {
	six := several("/medium", 6)
	return scenario.Scenario{
		Name: "h2-loss-of-one-stream",
		About: "one segment of one of six responses at the same time is lost: the others, whose " +
			"octets are all there, wait for it",
		// Without the loss, nothing of what it cost by itself is left either: the repair, and the
		// smaller congestion window behind it.
		Expect: scenario.Expect{
			Rule: "h2-head-of-line", Also: []string{"packet-loss/upstream", "slow-start"},
			Shares: []string{"packet-loss"},
		},
		Link:   world.Link{Drops: []world.Drop{{Kind: "data", First: 30}}},
		Server: nginxHTTP2(),
		Client: program.Nghttp{Paths: six, Args: []string{"-w", "24", "-W", "24"}},
		Fix:    func(s *scenario.Scenario) { s.Link.Drops = nil },
	}
}

// growing is what else these recordings show: a new connection whose streams together are larger
// than its first window of ten segments, of which small answers make some.
func growing() []string { return []string{"slow-start"} }

func h2LossesOfMany(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "h2-losses-of-many-streams",
		About: "of four responses at the same time on one connection each fiftieth segment is " +
			"lost: the window is cut again and again, and all of them come late",
		Expect: scenario.Expect{
			Rule: "packet-loss", Cause: "upstream",
			Also: []string{"h2-head-of-line", "retransmission-timeout", "slow-start"},
		},
		Link:   world.Link{Drops: []world.Drop{{Kind: "data", Share: 0.02}}},
		Server: nginxHTTP2(),
		Client: program.Nghttp{
			Paths: append(several("/large", 2), several("/medium", 2)...),
			Args:  []string{"-w", "24", "-W", "24"},
		},
		Fix: func(s *scenario.Scenario) { s.Link.Drops = nil },
	}
}

// h2LossesOnFullPath is the same on a path that is full all the time: while a loss is repaired, it
// carries what has been sent behind.
func h2LossesOnFullPath(rtt time.Duration) scenario.Scenario {
	s := h2LossesOfMany(rtt)
	s.Name, s.Link.Rate = "lookalike-h2-losses-on-full-path", [2]int64{5e6, 5e6}
	s.Expect = scenario.Expect{Also: growing()}
	s.Link.Drops = []world.Drop{{Kind: "data", First: 200}, {Kind: "data", First: 400}}
	s.About = "of four responses at the same time, on a path of 5 Mbit/s that is full, two " +
		"segments are lost"
	return s
}

const h2LimitedServer = `
const http2 = require('http2');
const server = http2.createServer({settings: {maxConcurrentStreams: %d}}, (request, response) => {
  setTimeout(() => response.end(Buffer.alloc(2000, 'x')), 20);
});
server.listen(%d, '%s');
`

const h2LimitedClient = `
const http2 = require('http2');
const session = http2.connect('http://%[1]s:%[2]d');
const start = process.hrtime.bigint();
const now = () => Number(process.hrtime.bigint() - start) / 1e6;
let left = 8;
session.on('remoteSettings', () => {
  for (let n = 1; n <= 8; n++) {
    const began = now();
    const stream = session.request({':path': '/item/' + n});
    let status = 0, bytes = 0;
    stream.on('response', headers => { status = headers[':status']; });
    stream.on('data', d => { bytes += d.length; });
    stream.on('end', () => {
      console.log(JSON.stringify({number: n, connection: 1, start_ms: began, end_ms: now(),
        status: status, bytes: bytes}));
      if (--left == 0) session.close();
    });
  }
});
`

func h2StreamLimit(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "h2-stream-limit",
		About: "a server of Node allows three streams at a time, and its client has eight " +
			"requests: five wait in the client",
		Expect: scenario.Expect{Rule: "h2-stream-limit", Also: growing()},
		Server: program.NodeScript{
			Words: "http2, at most 3 streams",
			Text:  h2LimitedServer,
			Limit: 3,
		},
		Client: program.Script{
			Words: "http2, 8 requests at the same time", Program: "node", Text: h2LimitedClient,
		},
		Fix: func(s *scenario.Scenario) {
			s.Server = program.NodeScript{
				Words: "http2, at most 128 streams", Text: h2LimitedServer, Limit: 128,
			}
		},
	}
}

// h2Bursts opens three sessions, and asks on all of them for eight things at a time, twice, with a
// pause between.
const h2Bursts = `
(async () => {
  const sessions = [open(), open(), open()];
  await Promise.all(sessions.map(s => new Promise(r => s.once('remoteSettings', r))));
  for (let burst = 0; burst < 2; burst++) {
    const all = [];
    for (let n = 1; n <= 24; n++) {
      all.push(ask(sessions[n %% 3], 24*burst+n, n %% 3 + 1, {':path': '/item/' + n}));
    }
    await Promise.all(all);
    await sleep(300);
  }
  sessions.forEach(s => s.close());
})();
`

func h2StreamLimitConnections(rtt time.Duration) scenario.Scenario {
	s := h2StreamLimit(rtt)
	s.Name = "h2-stream-limit-connections"
	s.About = "a server of Node allows three streams at a time, and its client has twice eight " +
		"requests at a time on each of three connections: what they wait for is the same time"
	// it learns the limit first, and asks for what it may not ask for yet behind the SETTINGS
	s.Expect.Also = append(growing(), "h2-settings-wait")
	s.Client = h2Client("http2, twice 8 requests at a time on each of 3 connections", h2Bursts)
	return s
}

func h2Refused(time.Duration) scenario.Scenario {
	s := nginxHTTP2()
	s.Settings = "http2_max_concurrent_streams 2; "
	return scenario.Scenario{
		Name: "h2-refused-streams",
		About: "a client sends eight requests before it knows that the server allows two streams " +
			"at a time: some are refused",
		Expect: scenario.Expect{Rule: "h2-stream-limit", Cause: "refused", Also: growing()},
		Server: s,
		Client: program.Nghttp{Paths: several("/small", 8)},
		Fix:    func(s *scenario.Scenario) { s.Server = nginxHTTP2() },
	}
}

// apacheHTTP2 is Apache with HTTP/2 in cleartext.
func apacheHTTP2() program.Apache {
	return program.Apache{
		Body: 2000,
		Settings: "LoadModule http2_module /usr/lib/apache2/modules/mod_http2.so\n" +
			"Protocols h2c http/1.1",
	}
}

func h2GoAway(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "h2-goaway",
		About: "Apache sends GOAWAY behind its first response, while curl's next request is on " +
			"its way: it is never processed",
		Expect: scenario.Expect{Rule: "h2-goaway", Cause: "lost", Pending: true},
		Server: apacheHTTP2(),
		Client: program.Curl{Count: 4, Args: []string{"--http2"}},
	}
}

// itemFiles are what curl asks for.
func itemFiles() map[string]int {
	return map[string]int{"item/1": 2000}
}

func h2Upgrade(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-h2-upgrade",
		About: "curl asks Apache for HTTP/2 with its request (Upgrade: h2c): the answer comes by " +
			"HTTP/2",
		Server: apacheHTTP2(),
		Client: program.Curl{Count: 1, Args: []string{"--http2"}},
	}
}

func h2PriorKnowledge(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "lookalike-h2-prior-knowledge",
		About:  "curl asks nghttpd by HTTP/2 from the beginning",
		Server: program.HTTP2{Program: "nghttpd", Files: itemFiles()},
		Client: program.Curl{Count: 1, Args: []string{"--http2-prior-knowledge"}},
	}
}

func h2Haproxy(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "lookalike-h2-haproxy",
		About:  "nghttp asks HAProxy for four small things at the same time by HTTP/2",
		Server: program.HTTP2{Program: "haproxy", Files: someFiles()},
		Client: program.Nghttp{Paths: several("/small", 4)},
	}
}

func h2Push(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:  "lookalike-h2-push",
		About: "nghttpd pushes what belongs to a page; PADDED frames carry both",
		// What fills HEADERS and CONTINUATION are 18 kB, more than ten segments: the request takes
		// a round trip more.
		Expect: scenario.Expect{Also: []string{"h2-headers/large", "slow-start"}},
		Server: program.HTTP2{
			Program: "nghttpd", Files: someFiles(),
			Args: []string{"-p", "/medium=/small", "-b", "64", "--trailer", "x-sum: 1"},
		},
		Client: program.Nghttp{
			Paths: []string{"/medium"}, Args: []string{"-b", "32", "--continuation"},
		},
	}
}

func h2Calls(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "h2-calls",
		About: "three calls in the manner of gRPC at a time, twice: one has its answer at once, " +
			"one meets its deadline, and one fails",
		Expect: scenario.Expect{Rule: "grpc-deadline", Pending: true},
		Server: program.GoCallee{Think: time.Second},
		Client: program.GoCalls{Count: 2, Parallel: 3, Deadline: 150 * time.Millisecond},
		Fix:    func(s *scenario.Scenario) { s.Server = program.GoCallee{Think: 20 * time.Millisecond} },
	}
}
