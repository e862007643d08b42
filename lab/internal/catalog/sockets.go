//go:build linux

package catalog

import (
	"fmt"
	"slices"
	"time"

	"tcpwhy/lab/internal/program"
	"tcpwhy/lab/internal/scenario"
)

// socketScenarios are WebSockets.
func socketScenarios() []scenario.Scenario {
	return slices.Concat(at(closeCodes, 20), at(socketIdle, 20), at(socketIdleShort, 20),
		at(socketDrops, 20), at(socketLeaves, 20), at(socketPushes, 20), at(socketHTTP2, 20))
}

func closing(path string) program.SocketTalk {
	return program.SocketTalk{Path: path, Messages: 1, Body: 20}
}

func closeCodes(time.Duration) scenario.Scenario {
	large := program.SocketTalk{Path: "/echo", Messages: 1, Body: 4000}
	return scenario.Scenario{
		Name: "websocket-close-codes",
		About: "eleven WebSockets one after the other: the server ends three with 1011, and one " +
			"each with 1002, 1008, 1012, 1000, 1001 and 4000; one message is too big for it " +
			"(1009), and one connection it ends without a Close",
		Expect: scenario.Expect{Rule: "websocket-close", Cause: "server-error", Timeless: true,
			Also: []string{"websocket-close"}},
		Server: program.SocketServer{Limit: 1000},
		Client: program.SocketClient{Talks: []program.SocketTalk{
			closing("/close/1011"), closing("/close/1011"), closing("/close/1011"),
			closing("/close/1002"), closing("/close/1008"), closing("/close/1012"),
			closing("/close/1000"), closing("/close/1001"), closing("/close/4000"), large,
			closing("/drop"),
		}},
		Fix: func(s *scenario.Scenario) {
			s.Client = program.SocketClient{Talks: []program.SocketTalk{
				closing("/close/1000"), closing("/close/1000"), closing("/close/1001"),
			}}
		},
	}
}

func socketDrops(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "websocket-no-close",
		About:  "the server ends three WebSockets in the middle of the talk without a Close",
		Expect: scenario.Expect{Rule: "websocket-close", Cause: "no-close", Timeless: true},
		Server: program.SocketServer{},
		Client: program.SocketClient{Talks: []program.SocketTalk{
			closing("/drop"), closing("/drop"), closing("/drop"),
		}},
		Fix: func(s *scenario.Scenario) {
			s.Client = program.SocketClient{Talks: []program.SocketTalk{
				closing("/close/1000"), closing("/close/1000"), closing("/close/1000"),
			}}
		},
	}
}

// silent says two messages, and then nothing for 20 s.
func silent(ping time.Duration) program.SocketTalk {
	return program.SocketTalk{
		Path: "/echo", Messages: 2, Body: 40, Pause: 100 * time.Millisecond,
		Linger: 20 * time.Second, Ping: ping,
	}
}

func socketIdle(time.Duration) scenario.Scenario {
	return idleSockets("websocket-idle-nginx", 12*time.Second, 5*time.Second)
}

func socketIdleShort(time.Duration) scenario.Scenario {
	return idleSockets("websocket-idle-nginx-short", 2*time.Second, 800*time.Millisecond)
}

// idleSockets are those that nginx ends after silence; with Pings it does not.
func idleSockets(name string, timeout, ping time.Duration) scenario.Scenario {
	later := silent(0)
	later.Messages, later.Pause = 3, timeout/8
	return scenario.Scenario{
		Name: name,
		About: fmt.Sprintf("nginx before the server has proxy_read_timeout %v, and ends two "+
			"WebSockets on which nothing is said for so long; with Pings every %v it does not",
			timeout, ping),
		Expect: scenario.Expect{Rule: "idle-drop", Cause: "websocket", Timeless: true},
		Server: program.SocketServer{Nginx: fmt.Sprintf("proxy_read_timeout %v;", timeout)},
		Client: program.SocketClient{AtOnce: true, Talks: []program.SocketTalk{silent(0), later}},
		Fix: func(s *scenario.Scenario) {
			s.Client = program.SocketClient{AtOnce: true, Talks: []program.SocketTalk{
				silent(ping), silent(ping),
			}}
		},
	}
}

func socketLeaves(time.Duration) scenario.Scenario {
	talk := program.SocketTalk{
		Path: "/echo", Messages: 3, Body: 30, Pause: 50 * time.Millisecond,
	}
	away, gone := talk, talk
	away.Close, gone.Drop = 1001, true
	return scenario.Scenario{
		Name: "lookalike-websocket-leaves",
		About: "three clients leave: one says 1000, one 1001, and one ends without a Close, as a " +
			"program does that is killed",
		Server: program.SocketServer{},
		Client: program.SocketClient{Talks: []program.SocketTalk{talk, away, gone}},
	}
}

func socketPushes(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "lookalike-websocket-pushes",
		About:  "the server pushes a small message every 250 ms, for 4 s: nobody waits for one",
		Server: program.SocketServer{Every: 250 * time.Millisecond},
		Client: program.SocketClient{Talks: []program.SocketTalk{
			{Path: "/push", Linger: 4 * time.Second},
		}},
	}
}

// socketNode speaks HTTP/2 with extended CONNECT (RFC 8441), and writes frames itself.
const socketNode = `
const http2 = require('http2');
const session = http2.connect('http://%[1]s:%[2]d');
const start = process.hrtime.bigint();
const now = () => Number(process.hrtime.bigint() - start) / 1e6;
const frame = (op, payload) => {
  const mask = Buffer.from([1, 2, 3, 4]), body = Buffer.from(payload);
  for (let i = 0; i < body.length; i++) body[i] ^= mask[i %% 4];
  return Buffer.concat([Buffer.from([0x80 | op, 0x80 | body.length]), mask, body]);
};
session.on('remoteSettings', () => {
  const began = now();
  const stream = session.request({':method': 'CONNECT', ':protocol': 'websocket',
    ':path': '/close/1011', 'sec-websocket-version': '13'}, {endStream: false});
  let status = 0, bytes = 0;
  stream.on('response', headers => {
    status = headers[':status'];
    stream.write(frame(9, 'ping'));
    stream.write(frame(1, 'hello'));
  });
  stream.on('data', d => {
    bytes += d.length;
    if (d[0] == 0x88) stream.end(frame(8, Buffer.from([3, 243])));
  });
  stream.on('close', () => {
    console.log(JSON.stringify({number: 1, connection: 1, start_ms: began, end_ms: now(),
      status: status, bytes: bytes}));
    session.close();
  });
});
`

func socketHTTP2(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "websocket-over-http2",
		About: "Node asks HAProxy for a WebSocket by extended CONNECT, says something, and its " +
			"server closes with 1011",
		Expect: scenario.Expect{Rule: "websocket-close", Cause: "server-error", Timeless: true},
		Server: program.SocketServer{H2: true},
		Client: program.Script{
			Words: "http2, a WebSocket by extended CONNECT", Program: "node", Text: socketNode,
		},
	}
}
