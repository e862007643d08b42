//go:build linux

package catalog

import (
	"slices"
	"strings"
	"time"

	"tcpwhy/lab/internal/program"
	"tcpwhy/lab/internal/scenario"
	"tcpwhy/lab/internal/world"
)

// flowControlScenarios are transfers that wait for windows of HTTP/2, or nearly do.
func flowControlScenarios() []scenario.Scenario {
	return slices.Concat(
		at(h2StreamWindow, 20),
		at(h2ConnectionWindow, 60),
		at(h2UploadStreamWindow, 40),
		at(h2UploadConnectionWindow, 20),
		at(h2SlowReader, 20),
		at(h2WindowOnFullPath, 40),
		at(h2OwnLoss, 40),
		at(h2EqualSizes, 40),
		at(h2ClientLimit, 20),
		at(h2ForgetsConnection, 20), at(h2ForgetsStream, 20),
	)
}

func large() []string { return []string{"/large"} }

func h2StreamWindow(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "h2-flow-control-stream",
		About: "nghttp offers 32 kB for a stream and 16 MB for the connection, so that a response " +
			"of 400 kB waits a round trip for each 32 kB",
		Expect: scenario.Expect{
			Rule: "h2-flow-control", Cause: "stream",
			Also: []string{"slow-start"}, // what is left with large windows
		},
		Server: nginxHTTP2(),
		Client: program.Nghttp{Paths: large(), Args: []string{"-w", "15", "-W", "24"}},
		Fix: func(s *scenario.Scenario) {
			s.Client = program.Nghttp{Paths: large(), Args: []string{"-w", "24", "-W", "24"}}
		},
	}
}

func h2ConnectionWindow(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "h2-flow-control-connection",
		About: "nghttp offers 16 MB for a stream and leaves the connection at 64 kB, so that a " +
			"response of 400 kB waits a round trip for each window",
		Expect: scenario.Expect{
			Rule: "h2-flow-control", Cause: "connection",
			Also: []string{"slow-start"}, // what is left with large windows
		},
		Server: nginxHTTP2(),
		Client: program.Nghttp{Paths: large(), Args: []string{"-w", "24", "-W", "16"}},
		Fix: func(s *scenario.Scenario) {
			s.Client = program.Nghttp{Paths: large(), Args: []string{"-w", "24", "-W", "24"}}
		},
	}
}

// h2UploadServer takes an upload; %d is the size of a stream's window, and the connection's
// follows.
const h2UploadServer = `
const http2 = require('http2');
const server = http2.createServer({settings: {initialWindowSize: %d}}, (request, response) => {
  request.on('data', () => {});
  request.on('end', () => response.end('done'));
});
LOCAL
server.listen(%d, '%s');
`

const h2UploadClient = `
const http2 = require('http2');
const session = http2.connect('http://%[1]s:%[2]d');
const start = process.hrtime.bigint();
const now = () => Number(process.hrtime.bigint() - start) / 1e6;
session.on('remoteSettings', () => {
  const began = now();
  const stream = session.request({':path': '/upload', ':method': 'POST'});
  let status = 0, bytes = 0;
  stream.on('response', headers => { status = headers[':status']; });
  stream.on('data', d => { bytes += d.length; });
  stream.on('end', () => {
    console.log(JSON.stringify({number: 1, connection: 1, start_ms: began, end_ms: now(),
      status: status, bytes: bytes}));
    session.close();
  });
  stream.end(Buffer.alloc(600000, 'x'));
});
`

func uploadServer(words string, window int, local string) program.NodeScript {
	text := ""
	for _, line := range strings.SplitAfter(h2UploadServer, "\n") {
		if line == "LOCAL\n" {
			line = local + "\n"
		}
		text += line
	}
	return program.NodeScript{Words: words, Text: text, Limit: window}
}

const largeLocalWindow = "server.on('session', s => s.setLocalWindowSize(1 << 24));"

func h2UploadStreamWindow(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "h2-flow-control-upload",
		About: "a server of Node offers 65,535 octets for a stream, as is the default, so that an " +
			"upload of 600 kB waits a round trip for each window; the connection has 16 MB",
		Expect: scenario.Expect{Rule: "h2-flow-control", Cause: "stream-request"},
		Server: uploadServer("http2, windows of 65,535 octets for each stream", 65535,
			largeLocalWindow),
		Client: program.Script{Words: "http2, upload of 600 kB", Program: "node",
			Text: h2UploadClient},
		Fix: func(s *scenario.Scenario) {
			s.Server = uploadServer("http2, windows of 16 MB", 1<<24, largeLocalWindow)
		},
	}
}

func h2UploadConnectionWindow(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "h2-flow-control-upload-connection",
		About: "a server of Node offers 16 MB for a stream and leaves the connection at 65,535 " +
			"octets: an upload of 600 kB waits a round trip for each window",
		Expect: scenario.Expect{Rule: "h2-flow-control", Cause: "connection-request"},
		Server: uploadServer("http2, windows of 16 MB for each stream", 1<<24, ""),
		Client: program.Script{Words: "http2, upload of 600 kB", Program: "node",
			Text: h2UploadClient},
		Fix: func(s *scenario.Scenario) {
			s.Server = uploadServer("http2, windows of 16 MB", 1<<24, largeLocalWindow)
		},
	}
}

const h2SlowClient = `
const http2 = require('http2');
const session = http2.connect('http://%[1]s:%[2]d');
const start = process.hrtime.bigint();
const now = () => Number(process.hrtime.bigint() - start) / 1e6;
session.on('remoteSettings', () => {
  const began = now();
  const stream = session.request({':path': '/large'});
  let status = 0, bytes = 0;
  stream.on('response', headers => { status = headers[':status']; });
  stream.on('data', d => {
    bytes += d.length;
    stream.pause();
    setTimeout(() => stream.resume(), 25);
  });
  stream.on('end', () => {
    console.log(JSON.stringify({number: 1, connection: 1, start_ms: began, end_ms: now(),
      status: status, bytes: bytes}));
    session.close();
  });
});
`

func h2SlowReader(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "h2-slow-reader",
		About: "a client of Node takes a piece of a response of 400 kB every 25 ms: what holds the " +
			"server back is that program, by windows of HTTP/2",
		Expect: scenario.Expect{Rule: "h2-flow-control", Cause: "application"},
		Server: nginxHTTP2(),
		Client: program.Script{Words: "http2, reads a piece every 25 ms", Program: "node",
			Text: h2SlowClient},
	}
}

func h2WindowOnFullPath(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-h2-window-on-full-path",
		About: "nghttp offers windows of 64 kB over a path of 2 Mbit/s, which holds a sixth of " +
			"that: larger ones would gain nothing",
		Link:   world.Link{Rate: [2]int64{2e6, 2e6}},
		Server: nginxHTTP2(),
		Client: program.Nghttp{Paths: large(), Args: []string{"-w", "16", "-W", "16"}},
	}
}

func h2OwnLoss(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:  "lookalike-h2-own-loss",
		About: "one segment of a response is lost, and there is no other that would wait for it",
		// the loss is there, and 400 kB begin slowly
		Expect: scenario.Expect{Also: []string{"packet-loss/upstream", "slow-start"}},
		Link:   world.Link{Drops: []world.Drop{{Kind: "data", First: 30}}},
		Server: nginxHTTP2(),
		Client: program.Nghttp{Paths: large(), Args: []string{"-w", "24", "-W", "24"}},
	}
}

func h2EqualSizes(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-h2-equal-sizes",
		About: "two responses of 400 kB share a path of 20 Mbit/s: each waits for the other, and " +
			"none is small",
		Expect: scenario.Expect{Also: growing()},
		Link:   world.Link{Rate: [2]int64{20e6, 20e6}},
		Server: nginxHTTP2(),
		Client: program.Nghttp{
			Paths: several("/large", 2), Args: []string{"-w", "24", "-W", "24"},
		},
	}
}

const h2WorkersClient = `
const http2 = require('http2');
const session = http2.connect('http://%[1]s:%[2]d');
const start = process.hrtime.bigint();
const now = () => Number(process.hrtime.bigint() - start) / 1e6;
let next = 0, done = 0;
function work() {
  const n = ++next;
  if (n > 15) return;
  const began = now();
  const stream = session.request({':path': '/small?n=' + n});
  let status = 0, bytes = 0;
  stream.on('response', headers => { status = headers[':status']; });
  stream.on('data', d => { bytes += d.length; });
  stream.on('end', () => {
    console.log(JSON.stringify({number: n, connection: 1, start_ms: began, end_ms: now(),
      status: status, bytes: bytes}));
    if (++done == 15) session.close();
    work();
  });
}
session.on('remoteSettings', () => { work(); work(); work(); });
`

func h2ClientLimit(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "h2-client-limit",
		About: "a client of Node has three workers, which ask for 15 things on one connection: the " +
			"server would allow 128 at a time",
		Expect: scenario.Expect{Rule: "h2-stream-limit", Cause: "client-limit"},
		Server: nginxHTTP2(),
		Client: program.Script{
			Words: "http2, three workers", Program: "node", Text: h2WorkersClient,
		},
	}
}
