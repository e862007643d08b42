package http2_test

import (
	"strings"
	"testing"

	"tcpwhy/reassembly/exchange"
)

// conversations are played, and what is read of them compared.
var conversations = []struct {
	name string
	play func(k *talk)
	want string
}{
	{"one after the other", func(k *talk) {
		k.begin()
		k.say(client, k.get(1, "/a"), frame(settings, ack, 0, ""))
		k.say(server, k.ok(1, 0, "content-length", "3"), frame(data, endStream, 1, "abc"))
		k.say(client, k.get(3, "/b"))
		k.say(server, k.ok(3, endStream))
		k.End(true)
	}, `#1 GET /a 200 complete q3-3 18+0 r4-4 13+3
#3 GET /b 200 complete q5-5 16+0 r6-6 10+0
`},
	{"several at once", func(k *talk) {
		k.begin()
		k.say(client, k.get(1, "/a"), k.get(3, "/b"))
		k.say(server, k.ok(1, 0), frame(data, 0, 1, "aaaa"))
		k.say(server, k.ok(3, 0), frame(data, 0, 1, "aa"), frame(data, endStream, 3, "b"))
		k.say(client, frame(update, 0, 0, number(1000)), frame(ping, 0, 0, "12345678"))
		k.say(server, frame(ping, ack, 0, "12345678"), frame(data, endStream, 1, ""))
		k.End(true)
	}, `#1 GET /a 200 complete q3-3 18+0 r4-7 10+6
#3 GET /b 200 complete q3-3 16+0 r5-5 10+1
`},
	{"padding, priority and CONTINUATION", func(k *talk) {
		k.begin()
		b := k.block(client, ":method", "POST", ":path", "/p", "cookie", "secret")
		k.say(
			client,
			frame(headers, padded|weighed, 1, "\x03"+number(0)+"\x10"+b[:4]+"\x00\x00\x00"),
			frame(continuation, 0, 1, b[4:6]),
			frame(continuation, endHeaders, 1, b[6:]),
		)
		k.say(client, frame(data, padded|endStream, 1, "\x02abc\x00\x00"))
		k.say(server, k.ok(1, endStream))
		k.End(true)
	}, `#1 POST /p 200 complete q3-4 47+3 r5-5 10+0
`},
	{"interim responses and trailers", func(k *talk) {
		k.begin()
		k.say(client, k.get(1, "/"))
		k.say(server, frame(headers, endHeaders, 1, k.block(server, ":status", "103")))
		k.say(server, k.ok(1, 0), frame(data, 0, 1, "abc"))
		k.say(server, frame(headers, endHeaders|endStream, 1, k.block(server, "x", "y")))
		k.End(true)
	}, `#1 GET / 200 (103@4) complete q3-3 15+0 r5-6 10+3
`},
	{"the server refuses", func(k *talk) {
		k.begin()
		k.say(client, k.get(1, "/"))
		k.say(server, frame(rst, 0, 1, number(7)))
		k.say(server, frame(data, endStream, 1, "late"))
		k.End(true)
	}, `#1 GET / reset q3-3 15+0 refused REFUSED_STREAM@4 by server
`},
	{"the client gives up", func(k *talk) {
		k.begin()
		k.say(client, k.get(1, "/"))
		k.say(server, k.ok(1, 0), frame(data, 0, 1, "abc"))
		k.say(client, frame(rst, 0, 1, number(8)))
		k.say(server, frame(data, endStream, 1, "late"))
		k.End(true)
	}, `#1 GET / 200 aborted q3-3 15+0 r4-4 10+3! CANCEL@5 by client
`},
	{"an answer before the whole request", func(k *talk) {
		k.begin()
		k.say(
			client,
			frame(headers, endHeaders, 1, k.block(client, ":method", "POST", ":path", "/")),
		)
		k.say(server, k.ok(1, endStream), frame(rst, 0, 1, number(0)))
		k.End(true)
	}, `#1 POST / 200 complete q3-3 11+0! r4-4 10+0 NO_ERROR@4 by server
`},
	{"the server goes away", func(k *talk) {
		k.begin()
		k.say(client, k.get(1, "/a"), k.get(3, "/b"))
		k.say(server, frame(goAway, 0, 0, number(1)+number(0)+"bye"))
		k.say(server, k.ok(1, endStream))
		k.say(client, k.get(5, "/c"))
		k.Reader.Fin(server, k.Next())
		k.End(false)
	}, `#1 GET /a 200 complete q3-3 18+0 r5-5 10+0
#3 GET /b no-response q3-3 16+0 refused
#5 GET /c no-response q6-6 16+0 refused
`},
	{"the connection ends", func(k *talk) {
		k.begin()
		k.say(client, k.get(1, "/a"), k.get(3, "/b"))
		k.say(server, k.ok(3, 0), frame(data, 0, 3, "abc"))
		k.Reader.Fin(server, k.Next())
		k.End(false)
	}, `#1 GET /a no-response q3-3 18+0
#3 GET /b 200 truncated q3-3 16+0 r4-4 10+3!
`},
	{"less than announced", func(k *talk) {
		k.begin()
		k.say(client, k.get(1, "/"))
		k.say(server, k.ok(1, 0, "content-length", "5"), frame(data, endStream, 1, "abc"))
		k.End(true)
	}, `#1 GET / 200 truncated q3-3 15+0 r4-4 13+3!
`},
	{"push", func(k *talk) {
		k.begin()
		k.say(client, k.get(1, "/"))
		k.say(server, frame(promise, endHeaders, 1, number(2)+
			k.block(
				server,
				":method",
				"GET",
				":path",
				"/style",
				":authority",
				"h",
			)), k.ok(1, endStream))
		k.say(server, k.ok(2, 0), frame(data, endStream, 2, "abc"))
		k.End(true)
	}, `#1 GET / 200 complete q3-3 15+0 r4-4 10+0
#2 GET /style 200 complete r5-5 10+3 pushed
`},
	{"extended CONNECT", func(k *talk) {
		k.begin()
		k.say(client, frame(headers, endHeaders, 1, k.block(client,
			":method", "CONNECT", ":protocol", "websocket", ":path", "/chat")))
		k.say(server, k.ok(1, 0))
		k.say(client, frame(data, 0, 1, "hello"))
		k.say(server, frame(data, endStream, 1, "bye"))
		k.say(client, frame(data, endStream, 1, ""))
		k.say(client, k.get(3, "/next"))
		k.End(true)
	}, `#1 CONNECT /chat 200 upgraded q3-3 41+0! r4-4 10+0
T #1 complete q5-5 0+5,sse r6-6 0+3,sse
#3 GET /next incomplete q8-8 20+0
`},
	{"the server speaks first", func(k *talk) {
		k.say(server, frame(settings, 0, 0, setting(3, 100)))
		k.say(client, preface, frame(settings, 0, 0, ""))
		k.say(client, k.get(1, "/"))
		k.say(server, k.ok(1, endStream))
		k.End(true)
	}, `#1 GET / 200 complete q3-3 15+0 r4-4 10+0
`},
	{"upgrade", func(k *talk) {
		k.say(client, "GET /old HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\n\r\n")
		k.say(server, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
			frame(settings, 0, 0, ""), k.ok(1, 0))
		k.say(client, preface, frame(settings, 0, 0, ""))
		k.say(server, frame(data, endStream, 1, "abc"))
		k.say(client, k.get(3, "/new"))
		k.say(server, k.ok(3, endStream))
		k.End(true)
	}, `#1 GET /old 200 (101@2) complete q1-1 44+0,upgradefield r2-4 10+3
#3 GET /new 200 complete q5-5 19+0 r6-6 10+0
`},
	{"a call", func(k *talk) {
		k.begin()
		k.say(client, frame(headers, endHeaders, 1, k.block(
			client,
			":method",
			"POST",
			":path",
			"/pkg.Service/Do",
			"content-type",
			"application/grpc",
			"grpc-timeout",
			"150m",
		)),
			frame(data, endStream, 1, "\x00\x00\x00\x00\x03abc"))
		k.say(server, k.ok(1, 0), frame(data, 0, 1, "\x00\x00\x00\x00\x02de\x00\x00\x00"),
			frame(data, 0, 1, "\x00\x01f"))
		k.say(server, frame(headers, endHeaders|endStream, 1, k.block(server, "grpc-status", "14")))
		k.End(true)
	}, `#1 POST /pkg.Service/Do 200 complete q3-3 52+8 r4-5 10+13 pkg.Service.Do status 14 timeout 150ms messages 1+2
`},
	{"a gap within DATA", func(k *talk) {
		k.begin()
		k.say(client, k.get(1, "/"))
		k.say(server, k.ok(1, 0), frame(data, 0, 1, strings.Repeat("x", 100))[:50])
		k.Gap(server, 59, k.Next())
		k.say(server, frame(data, endStream, 1, "end"))
		k.End(true)
	}, `#1 GET / 200 complete q3-3 15+0 r4-6 10+103,gap
`},
	{"a gap that has a head", func(k *talk) {
		k.begin()
		k.say(client, k.get(1, "/a"), k.get(3, "/b"))
		k.say(server, k.ok(1, 0))
		k.Gap(server, 70, k.Next())
		k.say(server, "not aligned", frame(data, 0, 1, "aaa"), frame(data, 0, 1, "aa"),
			frame(data, endStream, 1, "a"))
		k.End(true)
	}, `#1 GET /a 200 complete q3-3 18+0 r4-6 10+6,gap
#3 GET /b incomplete q3-3 16+0
`},
	{"a flood of CONTINUATION", func(k *talk) {
		k.begin()
		k.say(
			client,
			frame(headers, 0, 1, ""),
			strings.Repeat(frame(continuation, 0, 1, "x"), 1000),
			frame(continuation, endHeaders, 1, ""),
		)
		k.say(client, k.get(3, "/next"))
		k.End(true)
	}, `#1 incomplete q3-3 10018+0!,gap
#3 GET /next incomplete q4-4 20+0
`},
	{"what is no frame", func(k *talk) {
		k.begin()
		k.say(client, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		k.say(client, k.get(1, "/again"))
		k.End(true)
	}, `#1 GET /again incomplete q4-4 21+0
`},
}

// End ends the conversation; ended says that it is only because the capture does.
func (k *talk) End(ended bool) { k.Reader.End(k.Next(), ended) }

// TestConversations plays each as it is, and cut into octets.
func TestConversations(t *testing.T) {
	for _, c := range conversations {
		t.Run(c.name, func(t *testing.T) {
			k := newTalk()
			c.play(k)
			k.expect(t, c.want)
			if strings.Contains(c.name, "no frame") || strings.Contains(c.name, "has a head") {
				return // a segment that begins with frames tells more than its octets one by one
			}
			for _, size := range []int{1, 2, 3, 7, 11} {
				k := newTalk()
				k.chop = func(int) int { return size }
				c.play(k)
				k.expect(t, c.want)
			}
		})
	}
}

// TestOwners looks at whose octets are whose.
func TestOwners(t *testing.T) {
	k := newTalk()
	k.begin()
	k.say(client, k.get(1, "/a"), k.get(3, "/b"))
	ok1, ok3 := k.ok(1, 0), k.ok(3, 0)
	k.say(server, ok1, frame(data, 0, 1, "aa"), frame(ping, 0, 0, "12345678"), ok3,
		frame(data, 0, 3, "b"), frame(data, endStream, 1, "a"))
	var owners []int
	for _, r := range k.HTTP2.Owners[server].Within(exchange.Range{From: 0, To: k.Off[server]}) {
		owners = append(owners, r.Owner)
	}
	want := []int{exchange.Credit, exchange.NoExchange, 0, exchange.NoExchange, 1, 0}
	if len(owners) != len(want) {
		t.Fatalf("owners %v, want %v", owners, want)
	}
	for i := range want {
		if owners[i] != want[i] {
			t.Fatalf("owners %v, want %v", owners, want)
		}
	}
}

// TestInfo looks at what is told of the connection.
func TestInfo(t *testing.T) {
	k := newTalk()
	k.say(client, preface, frame(settings, 0, 0, setting(4, 1<<20)+setting(2, 0)),
		frame(update, 0, 0, number(1<<20)))
	k.say(server, frame(settings, 0, 0, setting(3, 100)+setting(8, 1)), frame(settings, ack, 0, ""))
	k.say(client, k.get(1, "/a"), k.get(3, "/b"), frame(ping, 0, 0, "12345678"))
	k.Next()
	k.say(server, frame(ping, ack, 0, "12345678"), k.ok(1, endStream), k.ok(3, endStream))
	i := k.HTTP2
	up, down := &i.Sides[client], &i.Sides[server]
	if i.Streams != 2 || i.MostOpen != 2 || up.Pings != 1 || up.Updates != 1 ||
		up.Window != 65535+1<<20 || !up.Settings.NoPush || up.Settings.Window.Value != 1<<20 ||
		up.Settings.Acked != 2e6 || down.Settings.Streams.Value != 100 ||
		!down.Settings.Connect || down.Window != 65535 || i.PingTrips[client][0] != 2e6 {
		t.Errorf("%+v", i)
	}
}

// TestTrail: a request says which trace it is part of, also by the table of headers; what is no
// traceparent says nothing.
func TestTrail(t *testing.T) {
	const parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	k := newTalk()
	k.begin()
	for i, value := range []string{parent, parent, parent[:50], ""} {
		k.say(client, frame(headers, endHeaders|endStream, uint32(2*i+1),
			k.block(client, ":method", "GET", ":path", "/", "traceparent", value)))
	}
	told := 0
	for _, x := range k.Exchanges {
		switch {
		case x.Stream > 3 && x.Trail != nil:
			t.Errorf("stream %d has %+v", x.Stream, x.Trail)
		case x.Stream <= 3 && (x.Trail == nil || x.Trail.TraceID[0] != 0x4b || x.Trail.ParentID[7] != 0xb7):
			t.Errorf("stream %d has %+v", x.Stream, x.Trail)
		case x.Stream <= 3:
			told++
		}
	}
	if told != 2 {
		t.Errorf("%d of 2 requests told of their trace", told)
	}
}
