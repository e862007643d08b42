//go:build linux

package catalog

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tcpwhy/lab/internal/program"
	"tcpwhy/lab/internal/scenario"
	"tcpwhy/lab/internal/world"
)

// streamEndScenarios are about what HTTP/2 says itself: streams and connections that one side ends,
// how many connections there are, and what the beginning of one costs.
func streamEndScenarios() []scenario.Scenario {
	return slices.Concat(
		at(h2Churn, 40),
		at(h2Connections, 40), at(h2ConnectionsLimit, 40), at(h2ConnectionsNames, 40),
		at(h2ResetDeadline, 20),
		at(h2ResetDeadlineShort, 10), at(h2ResetCodes, 20), at(h2ResetAnswered, 20),
		at(h2SettingsWait, 40), at(h2SettingsConnect, 40),
		at(h2PingLate, 20), at(h2PingTooMany, 20), at(h2PingBehindData, 40),
		at(h2LargeHeaders, 40),
		at(h2Page, 30),
	)
}

// h2Helpers begins each client of Node: sessions, and one request on one, which is logged.
const h2Helpers = `
const http2 = require('http2');
const url = 'http://%[1]s:%[2]d';
const start = process.hrtime.bigint();
const now = () => Number(process.hrtime.bigint() - start) / 1e6;
const sleep = ms => new Promise(r => setTimeout(r, ms));
const open = () => {
  const s = http2.connect(url);
  s.on('error', () => {});
  return s;
};
const ask = (session, number, connection, headers, limit, began) => new Promise(done => {
  if (began === undefined) began = now();
  const stream = session.request(headers);
  let status = 0, bytes = 0, failed = '';
  stream.on('response', h => { status = h[':status']; });
  stream.on('data', d => { bytes += d.length; });
  stream.on('error', e => { failed = e.code || 'error'; });
  if (limit) setTimeout(() => stream.close(http2.constants.NGHTTP2_CANCEL), limit);
  stream.on('close', () => {
    const line = {number, connection, start_ms: began, end_ms: now(), status, bytes};
    if (stream.rstCode) failed = 'code ' + stream.rstCode;
    if (failed) line.error = failed;
    console.log(JSON.stringify(line));
    done();
  });
});
`

func h2Client(words, text string) program.Script {
	return program.Script{Words: words, Program: "node", Text: h2Helpers + text}
}

// h2Delayed answers each request after so many milliseconds.
const h2Delayed = `
const http2 = require('http2');
const delay = %d;
const server = http2.createServer((request, response) => {
  setTimeout(() => response.end(Buffer.alloc(2000, 'x')), delay);
});
server.listen(%d, '%s');
`

func h2DelayedServer(words string, ms int) program.NodeScript {
	return program.NodeScript{Words: "http2, " + words, Text: h2Delayed, Limit: ms}
}

// h2Serial asks twelve times, one after the other, on one session as long as that can be used.
const h2Serial = `
(async () => {
  let session, connections = 0;
  for (let n = 1; n <= 12; n++) {
    const began = now();
    if (!session || session.closed || session.destroyed) {
      session = open();
      connections++;
    }
    await ask(session, n, connections, {':path': '/item/' + n}, 0, began);
    await sleep(5);
  }
  session.close();
})();
`

func h2Churn(time.Duration) scenario.Scenario {
	files := map[string]int{}
	for _, path := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"} {
		files["item/"+path] = 2000
	}
	return scenario.Scenario{
		Name: "h2-goaway-churn",
		About: "nginx lets a connection of HTTP/2 carry three requests, then says GOAWAY: twelve " +
			"requests one after the other need four connections",
		Expect: scenario.Expect{Rule: "h2-goaway", Cause: "churn", Count: 3},
		Server: program.HTTP2{Program: "nginx", Files: files, Settings: "keepalive_requests 3; "},
		Client: h2Client("http2, 12 requests one after the other", h2Serial),
		Fix: func(s *scenario.Scenario) {
			s.Server = program.HTTP2{Program: "nginx", Files: files}
		},
	}
}

// h2Staggered asks for six things, each 60 ms after the one before: each on a session of its own,
// or all on one.
const h2Staggered = `
(async () => {
  const all = [];
  let one;
  for (let n = 1; n <= 6; n++) {
    const began = now();
    const session = SHARED ? (one = one || open()) : open();
    all.push(ask(session, n, SHARED ? 1 : n, HEADERS, 0, began)
      .then(() => { if (!SHARED) session.close(); }));
    await sleep(60);
  }
  await Promise.all(all);
  if (one) one.close();
})();
`

// staggered is that client.
func staggered(words string, shared bool, headers string) program.Script {
	text := strings.ReplaceAll(h2Staggered, "SHARED", fmt.Sprint(shared))
	return h2Client(words, strings.ReplaceAll(text, "HEADERS", headers))
}

const itemPath = "{':path': '/item/' + n}"

func h2Connections(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "h2-connections",
		About: "a client of Node opens a session of HTTP/2 for each request, 60 ms apart, though " +
			"the first one is open and could carry all",
		Expect: scenario.Expect{Rule: "h2-connections", Cause: "several", Count: 5},
		Server: h2DelayedServer("answers after 400 ms", 400),
		Client: staggered("http2, a session for each of 6 requests", false, itemPath),
		Fix: func(s *scenario.Scenario) {
			s.Client = staggered("http2, one session for 6 requests", true, itemPath)
		},
	}
}

// h2Limited answers after 400 ms, and allows so many streams at a time.
const h2Limited = `
const http2 = require('http2');
const server = http2.createServer({settings: {maxConcurrentStreams: %d}}, (request, response) => {
  setTimeout(() => response.end(Buffer.alloc(2000, 'x')), 400);
});
server.listen(%d, '%s');
`

func h2ConnectionsLimit(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-h2-connections-limit",
		About: "a client of Node opens a session of HTTP/2 for each request, 60 ms apart, to a " +
			"server that allows one stream at a time",
		Server: program.NodeScript{Words: "http2, at most 1 stream", Text: h2Limited, Limit: 1},
		Client: staggered("http2, a session for each of 6 requests", false, itemPath),
	}
}

func h2ConnectionsNames(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-h2-connections-names",
		About: "a client of Node opens a session of HTTP/2 for each of six names that one server " +
			"has",
		Server: h2DelayedServer("answers after 400 ms", 400),
		Client: staggered("http2, a session for each of 6 names", false,
			"{':path': '/item/' + n, ':authority': 'name' + n + '.lab'}"),
	}
}

// h2GivesUp asks five times, and gives each up after 200 ms.
const h2GivesUp = `
(async () => {
  const session = open();
  for (let n = 1; n <= 5; n++) {
    await ask(session, n, 1, {':path': '/report/' + n}, 200);
    await sleep(30);
  }
  session.close();
})();
`

func h2ResetDeadline(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "h2-reset-deadline",
		About: "a client of Node gives each of five requests up after 200 ms, and the server of " +
			"Node takes 600 ms",
		Expect: scenario.Expect{Rule: "h2-reset", Cause: "deadline", Count: 5, Timeless: true},
		Server: h2DelayedServer("answers after 600 ms", 600),
		Client: h2Client("http2, gives up after 200 ms", h2GivesUp),
		Fix: func(s *scenario.Scenario) {
			s.Server = h2DelayedServer("answers after 20 ms", 20)
		},
	}
}

func h2ResetDeadlineShort(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "h2-reset-deadline-short",
		About: "a client of Node gives each of five requests up after 50 ms, and the server of Node " +
			"takes 200 ms",
		Expect: scenario.Expect{Rule: "h2-reset", Cause: "deadline", Count: 5, Timeless: true},
		Server: h2DelayedServer("answers after 200 ms", 200),
		Client: h2Client("http2, gives up after 50 ms",
			strings.Replace(h2GivesUp, "}, 200)", "}, 50)", 1)),
		Fix: func(s *scenario.Scenario) {
			s.Server = h2DelayedServer("answers after 20 ms", 20)
		},
	}
}

// h2Codes ends streams by the code in the path.
const h2Codes = `
const http2 = require('http2');
const delay = %d;
const server = http2.createServer();
server.on('stream', (stream, headers) => {
  const code = Number(headers[':path'].split('/')[2]);
  stream.on('error', () => {});
  setTimeout(() => {
    if (code) { stream.close(code); return; }
    stream.respond({':status': 200});
    stream.end(Buffer.alloc(2000, 'x'));
  }, delay);
});
server.listen(%d, '%s');
`

// h2AsksCodes asks for a code each, and for something good in between.
const h2AsksCodes = `
(async () => {
  const session = open();
  let n = 0;
  for (const code of CODES) {
    await ask(session, ++n, 1, {':path': '/code/' + code});
    await sleep(30);
    await ask(session, ++n, 1, {':path': '/code/0'});
    await sleep(30);
  }
  session.close();
})();
`

func h2ResetCodes(time.Duration) scenario.Scenario {
	asks := func(codes string) program.Script {
		return h2Client("http2, asks for "+codes, strings.ReplaceAll(h2AsksCodes, "CODES", codes))
	}
	return scenario.Scenario{
		Name: "h2-reset-codes",
		About: "a server of Node resets streams with INTERNAL_ERROR, FLOW_CONTROL_ERROR, " +
			"ENHANCE_YOUR_CALM and HTTP_1_1_REQUIRED, and answers others",
		Expect: scenario.Expect{
			Rule: "h2-reset", Cause: "failed", Timeless: true,
			Also: []string{"h2-reset"}, // its other causes
		},
		Server: program.NodeScript{Words: "http2, resets by path", Text: h2Codes, Limit: 40},
		Client: asks("[2, 3, 11, 13]"),
		Fix:    func(s *scenario.Scenario) { s.Client = asks("[0, 0, 0, 0]") },
	}
}

// h2EarlyAnswer answers before it has the body, and then says that it wants no more of it (RFC 9113
// section 8.1).
const h2EarlyAnswer = `
const http2 = require('http2');
const code = %d;
const server = http2.createServer();
server.on('stream', stream => {
  stream.on('error', () => {});
  stream.respond({':status': 403});
  stream.end('no');
  setTimeout(() => stream.close(code), 30);
});
server.listen(%d, '%s');
`

const h2Uploads = `
(async () => {
  const session = open();
  for (let n = 1; n <= 4; n++) {
    const began = now();
    await new Promise(done => {
      const stream = session.request({':path': '/up/' + n, ':method': 'POST'});
      let status = 0, bytes = 0;
      stream.on('response', h => { status = h[':status']; });
      stream.on('data', d => { bytes += d.length; });
      stream.on('error', () => {});
      stream.write(Buffer.alloc(1000, 'u'));
      stream.on('close', () => {
        console.log(JSON.stringify({number: n, connection: 1, start_ms: began, end_ms: now(),
          status, bytes}));
        done();
      });
    });
    await sleep(30);
  }
  session.close();
})();
`

func h2ResetAnswered(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-h2-reset-answered",
		About: "a server of Node answers uploads before they are whole, and resets their streams " +
			"with NO_ERROR: it wants no more of them",
		Server: program.NodeScript{Words: "http2, answers early", Text: h2EarlyAnswer, Limit: 0},
		Client: h2Client("http2, 4 uploads that never end", h2Uploads),
	}
}

// h2OneEach opens a session for each of five requests, one after the other.
const h2OneEach = `
(async () => {
  for (let n = 1; n <= 5; n++) {
    const began = now();
    const session = open();
    if (WAITS) await new Promise(r => session.once('remoteSettings', r));
    await ask(session, n, n, {':path': '/item/' + n}, 0, began);
    await sleep(700);
    await new Promise(r => session.close(r));
  }
})();
`

// oneEach is that client.
func oneEach(waits bool) program.Script {
	words := "http2, 5 sessions, asks at once"
	if waits {
		words = "http2, 5 sessions, waits for SETTINGS"
	}
	return h2Client(words, strings.ReplaceAll(h2OneEach, "WAITS", fmt.Sprint(waits)))
}

func h2SettingsWait(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "h2-settings-wait",
		About: "a client of Node waits for the server's SETTINGS on each of five connections " +
			"before it asks",
		Expect: scenario.Expect{
			Rule: "h2-settings-wait", Count: 5, Also: []string{"missed-reuse"},
		},
		Server: h2DelayedServer("answers after 5 ms", 5),
		Client: oneEach(true),
		Fix:    func(s *scenario.Scenario) { s.Client = oneEach(false) },
	}
}

// h2Tunnels has extended CONNECT (RFC 8441), which a client may use only when it knows that.
const h2Tunnels = `
const http2 = require('http2');
const delay = %d;
const server = http2.createServer({settings: {enableConnectProtocol: true}});
server.on('stream', (stream, headers) => {
  stream.on('error', () => {});
  stream.respond({':status': 200});
  setTimeout(() => stream.end('hello'), delay);
});
server.listen(%d, '%s');
`

const h2OpensTunnels = `
(async () => {
  for (let n = 1; n <= 5; n++) {
    const began = now();
    const session = open();
    await new Promise(r => session.once('remoteSettings', r));
    await new Promise(done => {
      const stream = session.request({':method': 'CONNECT', ':protocol': 'websocket',
        ':path': '/chat/' + n, ':scheme': 'http'});
      let status = 0, bytes = 0;
      stream.on('response', h => { status = h[':status']; });
      stream.on('data', d => { bytes += d.length; });
      stream.on('error', () => {});
      stream.on('end', () => stream.end());
      stream.on('close', () => {
        console.log(JSON.stringify({number: n, connection: n, start_ms: began, end_ms: now(),
          status, bytes}));
        done();
      });
    });
    await sleep(700);
    await new Promise(r => session.close(r));
  }
})();
`

func h2SettingsConnect(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-h2-settings-connect",
		About: "a client of Node waits for the server's SETTINGS on each of five connections, " +
			"as it must before an extended CONNECT",
		// it closes each, and opens another 40 ms later
		Expect: scenario.Expect{Also: []string{"missed-reuse/client-closed"}},
		Server: program.NodeScript{Words: "http2, extended CONNECT", Text: h2Tunnels, Limit: 30},
		Client: h2Client("http2, 5 extended CONNECTs", h2OpensTunnels),
	}
}

// h2Blocks works for so many milliseconds on /block, without looking at anything else.
const h2Blocks = `
const http2 = require('http2');
const block = %d;
const server = http2.createServer((request, response) => {
  if (request.url == '/block') {
    const until = Date.now() + block;
    while (Date.now() < until) {}
  }
  response.end(Buffer.alloc(2000, 'x'));
});
server.listen(%d, '%s');
`

const h2Pings = `
(async () => {
  const session = open();
  await new Promise(r => session.once('connect', r));
  const timer = setInterval(() => session.ping(() => {}), 50);
  for (let n = 1; n <= 4; n++) {
    await sleep(120);
    await Promise.all([ask(session, 2*n-1, 1, {':path': '/block'}),
      sleep(10).then(() => ask(session, 2*n, 1, {':path': '/item/' + n}))]);
  }
  clearInterval(timer);
  session.close();
})();
`

func h2PingLate(time.Duration) scenario.Scenario {
	blocks := func(ms int) program.NodeScript {
		return program.NodeScript{
			Words: fmt.Sprintf("http2, blocks for %d ms", ms), Text: h2Blocks, Limit: ms,
		}
	}
	return scenario.Scenario{
		Name: "h2-ping-late",
		About: "a server of Node works 300 ms on some requests without looking at anything else: " +
			"PINGs are answered as late",
		Expect: scenario.Expect{
			Rule: "h2-ping", Cause: "late", Timeless: true, Also: []string{"server-think"},
		},
		Server: blocks(300),
		Client: h2Client("http2, PING each 50 ms", h2Pings),
		Fix:    func(s *scenario.Scenario) { s.Server = blocks(0) },
	}
}

// h2Strict ends sessions that PING more often than so many times, in the words of gRPC.
const h2Strict = `
const http2 = require('http2');
const most = %d;
const server = http2.createServer((request, response) => {
  setTimeout(() => response.end(Buffer.alloc(2000, 'x')), 400);
});
server.on('session', session => {
  let pings = 0;
  session.on('error', () => {});
  session.on('ping', () => {
    if (++pings == most) {
      session.goaway(11, 0, Buffer.from('too_many_pings'));
      setTimeout(() => session.destroy(), 5);
    }
  });
});
server.listen(%d, '%s');
`

const h2PingsOften = `
(async () => {
  for (let n = 1; n <= 3; n++) {
    const session = open();
    await new Promise(r => session.once('connect', r));
    const timer = setInterval(() => { if (!session.destroyed) session.ping(() => {}); }, EACH);
    await ask(session, n, n, {':path': '/item/1'});
    clearInterval(timer);
    session.close();
    await sleep(20);
  }
})();
`

func h2PingTooMany(time.Duration) scenario.Scenario {
	each := func(ms string) program.Script {
		return h2Client("http2, PING each "+ms+" ms", strings.ReplaceAll(h2PingsOften, "EACH", ms))
	}
	return scenario.Scenario{
		Name: "h2-ping-too-many",
		About: "a client of Node sends a PING each 40 ms, and the server ends its connections " +
			"for that, with requests under way",
		Expect: scenario.Expect{
			Rule: "h2-ping", Cause: "too-many", Timeless: true, Also: []string{"missed-reuse"},
		},
		Server: program.NodeScript{Words: "http2, at most 4 PINGs", Text: h2Strict, Limit: 5},
		Client: each("40"),
		Fix:    func(s *scenario.Scenario) { s.Client = each("300") },
	}
}

// h2PingsDuring sends PINGs while a large response comes.
const h2PingsDuring = `
(async () => {
  const session = open();
  await new Promise(r => session.once('connect', r));
  session.setLocalWindowSize(8 << 20);
  const timer = setInterval(() => session.ping(() => {}), 50);
  for (let n = 1; n <= 2; n++) await ask(session, n, 1, {':path': '/large'});
  clearInterval(timer);
  session.close();
})();
`

func h2PingBehindData(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-h2-ping-behind-data",
		About: "answers to PINGs of a client of Node wait behind a response of 400 kB on a path of " +
			"10 Mbit/s",
		Link:   world.Link{Rate: [2]int64{10e6, 10e6}},
		Server: nginxHTTP2(),
		Client: h2Client("http2, PING each 50 ms", strings.Replace(h2PingsDuring, "open()",
			"http2.connect(url, {settings: {initialWindowSize: 8 << 20}})", 1)),
	}
}

// h2Cookies asks four times with a cookie of so many octets.
const h2Cookies = `
(async () => {
  for (let n = 1; n <= 3; n++) {
    const session = open();
    await new Promise(r => session.once('connect', r));
    const cookie = 'session=' + 'c'.repeat(SIZE);
    for (let k = 0; k < 2; k++) {
      await ask(session, 2*n-1+k, n, {':path': '/item/' + k, cookie});
      await sleep(20);
    }
    await new Promise(r => session.close(r));
  }
})();
`

const h2TakesCookies = `
const http2 = require('http2');
const delay = %d;
const server = http2.createServer({maxSessionMemory: 100, settings: {maxHeaderListSize: 200000}},
  (request, response) => setTimeout(() => response.end(Buffer.alloc(2000, 'x')), delay));
server.listen(%d, '%s');
`

func h2LargeHeaders(time.Duration) scenario.Scenario {
	size := func(n string) program.Script {
		return h2Client("http2, a cookie of "+n+" octets", strings.ReplaceAll(h2Cookies, "SIZE", n))
	}
	return scenario.Scenario{
		Name: "h2-headers-large",
		About: "requests of a client of Node carry a cookie of 40 kB, more than fits into a round " +
			"of the initial window",
		Expect: scenario.Expect{
			Rule: "h2-headers", Cause: "large", Also: []string{"slow-start", "missed-reuse"},
		},
		Server: program.NodeScript{Words: "http2", Text: h2TakesCookies, Limit: 5},
		Client: size("40000"),
		Fix:    func(s *scenario.Scenario) { s.Client = size("200") },
	}
}

// h2Pages loads pages as browsers do: what is on it at once, on one session for each of two names,
// in TLS whose secrets it logs.
const h2Pages = `
const tls = require('tls'), fs = require('fs');
const secure = name => http2.connect('https://' + name + ':%[2]d', {createConnection: () => {
  const socket = tls.connect({host: '%[1]s', port: %[2]d, servername: name, ALPNProtocols: ['h2'],
    rejectUnauthorized: false});
  socket.on('keylog', line => fs.appendFileSync(process.env.SSLKEYLOGFILE, line));
  return socket;
}});
(async () => {
  const page = secure('server.lab'), images = secure('images.lab');
  await ask(page, 1, 1, {':path': '/medium?page'});
  const all = [];
  for (let n = 2; n <= 5; n++) all.push(ask(page, n, 1, {':path': '/small?n=' + n}));
  for (let n = 6; n <= 9; n++) all.push(ask(images, n, 2, {':path': '/medium?n=' + n}));
  await Promise.all(all);
  page.close();
  images.close();
})();
`

func h2Page(time.Duration) scenario.Scenario {
	s := nginxHTTP2()
	s.Secure = true
	return scenario.Scenario{
		Name: "h2-tls-page",
		About: "a client of Node loads a page from nginx as browsers do: nine things on two " +
			"connections of HTTP/2 in TLS",
		Expect: scenario.Expect{
			Rule: "tls-handshake", Cause: "old-version", Timeless: true,
			Also: []string{"slow-start"},
		},
		Server: s,
		Client: h2Client("http2 in TLS, a page and its parts", h2Pages),
	}
}
