package websocket_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"tcpwhy/reassembly/exchange"
	"tcpwhy/reassembly/internal/readertest"
)

const (
	client = exchange.FromClient
	server = exchange.FromServer
)

// frame is one of RFC 6455 §5.2; the client's is masked.
func frame(dir exchange.Dir, first byte, payload string) string {
	b := []byte{first}
	masked := byte(0)
	if dir == client {
		masked = 0x80
	}
	switch n := len(payload); {
	case n < 126:
		b = append(b, masked|byte(n))
	case n <= math.MaxUint16:
		b = binary.BigEndian.AppendUint16(append(b, masked|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, masked|127), uint64(n))
	}
	if dir == server {
		return string(b) + payload
	}
	mask := []byte{1, 0x80, 3, 0xff}
	b = append(b, mask...)
	for i := range len(payload) {
		b = append(b, payload[i]^mask[i%4])
	}
	return string(b)
}

const (
	text, binaryMessage, more = 0x81, 0x82, 0x80
	closing, ping, pong       = 0x88, 0x89, 0x8a
	firstPart, nextPart       = 0x01, 0x00
)

// opened is a connection with a WebSocket.
func opened() *readertest.Script {
	p := readertest.New()
	p.Octets(
		client,
		"GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
		p.Next(),
	)
	p.Octets(
		server,
		"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n\r\n",
		p.Next(),
	)
	return p
}

// say is what one side says, in a segment of its own.
type say struct {
	dir  exchange.Dir
	what string
}

func conversations() map[string]struct {
	said []say
	want string
	ws   string
} {
	return map[string]struct {
		said []say
		want string
		ws   string
	}{
		"messages by turns": {
			[]say{
				{client, frame(client, text, "hello")},
				{server, frame(server, text, "hi")},
				{client, frame(client, firstPart, "how ") + frame(client, ping, "x") +
					frame(client, more, "are you")},
				{
					server,
					frame(
						server,
						pong,
						"x",
					) + frame(
						server,
						binaryMessage,
						strings.Repeat("y", 70000),
					),
				},
				{client, frame(client, closing, "\x03\xe8bye")},
				{server, frame(server, closing, "\x03\xe8")},
			},
			"T complete q3-3 0+5 r4-4 0+2\nT complete q5-5 0+11 r6-6 0+70000\n",
			"client 2 pings 1 close 1000; server 2 pings 0 close 1000",
		},
		"the server says more": {
			[]say{
				{client, frame(client, text, "subscribe")},
				{server, frame(server, text, "one")},
				{server, frame(server, text, "two")},
				{client, frame(client, text, "more")},
				{server, frame(server, text, "three")},
				{server, frame(server, closing, "\x03\xf4")},
			},
			"T complete q3-3 0+9 r4-4 0+3\nT complete r5-7 0+8,sse\n",
			"client 2 pings 0 close 0; server 3 pings 0 close 1012",
		},
		"the client does not wait": {
			[]say{
				{client, frame(client, text, "a")},
				{client, frame(client, text, "b")},
				{server, frame(server, text, "A")},
				{server, frame(server, closing, "")},
			},
			"T complete q3-4 0+2,sse r5-5 0+1,sse\n",
			"client 2 pings 0 close 0; server 1 pings 0 close 1005",
		},
		"no frames": {
			[]say{{client, "hello, is this a WebSocket?"}, {server, "no"}},
			"T complete q3-3 0+27,sse r4-4 0+2,sse\n",
			"client 0 pings 0 close 0; server 0 pings 0 close 0 lost",
		},
	}
}

// inWords is what is known of the only WebSocket.
func inWords(p *readertest.Script) string {
	w := p.WebSockets[0]
	side := func(d exchange.Dir) string {
		s := &w.Sides[d]
		return fmt.Sprintf("%s %d pings %d close %d", d, s.Messages, s.Pings, s.Close.Code)
	}
	out := side(client) + "; " + side(server)
	if w.Lost {
		out += " lost"
	}
	return out
}

// TestConversations: messages are exchanges while they come by turns.
func TestConversations(t *testing.T) {
	for name, tt := range conversations() {
		p := opened()
		for _, s := range tt.said {
			p.Octets(s.dir, s.what, p.Next())
		}
		p.Reader.Fin(server, p.Next())
		p.Reader.Fin(client, p.Next())
		p.Reader.End(p.Next(), false)
		_, got, _ := strings.Cut(readertest.Describe(p), "\n")
		if words := inWords(p); got != tt.want || words != tt.ws {
			t.Errorf("%s: got\n%s%s\nwant\n%s%s", name, got, words, tt.want, tt.ws)
		}
		if w := p.WebSockets[0]; w.Ended.By != server || w.Ended.Reset {
			t.Errorf("%s: ended %+v", name, w.Ended)
		}
	}
}

// TestPings: what a Ping took, by its own Pong.
func TestPings(t *testing.T) {
	p := opened()
	p.Octets(server, frame(server, ping, "1"), p.Next())
	p.Next()
	p.Octets(client, frame(client, pong, "other"), p.Next())
	p.Octets(client, frame(client, pong, "1"), p.Next())
	if got := p.WebSockets[0].Sides[server].PingTrips; got != [2]time.Duration{3e6, 3e6} {
		t.Errorf("%v", got)
	}
}

// TestMissing: octets within a message are only missing; without the head of a frame the rest is
// one exchange.
func TestMissing(t *testing.T) {
	p := opened()
	whole := frame(client, text, strings.Repeat("a", 100))
	p.Octets(client, whole[:20], p.Next())
	p.Gap(client, int64(len(whole)-20), p.Next())
	p.Octets(server, frame(server, text, "ok"), p.Next())
	p.Gap(client, 10, p.Next())
	p.Octets(client, "whatever", p.Next())
	p.Reader.End(p.Next(), true)
	_, got, _ := strings.Cut(readertest.Describe(p), "\n")
	want := "T complete q3-4 0+100,gap r5-5 0+2\nT incomplete q6-7 0+18!,sse\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// FuzzSocket: any split of what both sides say gives the same exchanges and counts.
func FuzzSocket(f *testing.F) {
	for _, tt := range conversations() {
		for _, s := range tt.said {
			f.Add([]byte(s.what), s.dir == server, byte(3))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, fromServer bool, size byte) {
		read := func(n int) string {
			dir := client
			p := opened()
			if fromServer {
				dir = server
				p.Octets(client, frame(client, text, "q"), p.Next())
			}
			at := p.Next()
			for rest := string(data); rest != ""; {
				piece := rest[:min(n, len(rest))]
				p.Octets(dir, piece, at)
				rest = rest[len(piece):]
			}
			p.Reader.Fin(server, p.Next())
			p.Reader.End(p.Next(), false)
			return readertest.Describe(p) + inWords(p)
		}
		if whole, pieces := read(len(data)+1), read(int(size)+1); whole != pieces {
			t.Fatalf("in pieces of %d\n%s\nat once\n%s", size, pieces, whole)
		}
	})
}

// TestOwners: Pings and Pongs belong to no message, however they are cut.
func TestOwners(t *testing.T) {
	for size := 1; size < 20; size++ {
		p := opened()
		from := p.Off[server]
		all := frame(server, ping, "alive") + frame(server, text, "hello") + frame(server, pong, "")
		for rest := all; rest != ""; {
			n := min(size, len(rest))
			p.Octets(server, rest[:n], p.Next())
			rest = rest[n:]
		}
		message := len(frame(server, ping, "alive"))
		behind := message + len(frame(server, text, "hello"))
		for i := range len(all) {
			at := exchange.Range{From: from + int64(i), To: from + int64(i) + 1}
			runs := p.Socket[server].Within(at)
			want := i < message || i >= behind
			if len(runs) != 1 || (runs[0].Owner == exchange.NoExchange) != want {
				t.Fatalf("pieces of %d: octet %d has %v, want nobody's %v", size, i, runs, want)
			}
		}
	}
}
