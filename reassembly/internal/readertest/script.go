// Package readertest plays conversations to readers, for tests.
package readertest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
	"tcpwhy/reassembly/internal/dialogue"
	"tcpwhy/reassembly/internal/http1"
	"tcpwhy/reassembly/internal/http2"
	"tcpwhy/reassembly/internal/tlsrecord"
	"tcpwhy/reassembly/internal/websocket"
)

// Script feeds a Reader as the Tracker would. Each call is one segment: a frame and a millisecond
// of its own.
type Script struct {
	exchange.Transcript
	Caveats exchange.Caveats
	Reader  exchange.Reader
	Off     [2]int64 // where the stream of each direction is
	// Moments are those of the segments so far, by the number of their record.
	Moments []time.Duration

	context exchange.Context
	came    exchange.Arrival
}

// New has a Reader of all protocols.
func New() *Script { return Of(tlsrecord.New(), http2.New(), http1.New(), websocket.New()) }

// Of has a Reader of the given protocols.
func Of(known ...exchange.Recogniser) *Script {
	p := &Script{}
	p.context = exchange.Context{
		Transcript: &p.Transcript,
		Caveats:    &p.Caveats,
		TCP:        noTCP{},
		Shared:     &exchange.Shared{Readers: dialogue.New(known...)},
	}
	p.Reader = p.context.Shared.Readers.Recognise(&p.context)
	return p
}

// Readers makes further readers.
func (p *Script) Readers() exchange.Readers { return p.context.Shared.Readers }

// Handshake is what has been read of a TLS handshake; nil if there was none.
func (p *Script) Handshake() *exchange.TLSInfo { return p.context.TLS }

// Forget takes off the list the exchanges so far, as the Tracker does with those that are settled.
func (p *Script) Forget() {
	p.Exchanges = p.Exchanges[:0]
	if p.HTTP2 != nil {
		for dir := range p.HTTP2.Owners {
			p.HTTP2.Owners[dir].Forget(p.Off[dir])
		}
	}
	for _, o := range []*[2]exchange.Owners{p.Socket, p.Handshake().AfterHandshake()} {
		for dir := range p.Off {
			if o != nil {
				o[dir].Forget(p.Off[dir])
			}
		}
	}
	p.context.Shared.News.Forget()
}

// Learn adds lines of a key log to what is known from the next segment on.
func (p *Script) Learn(log string) {
	shared := p.context.Shared
	shared.Secrets = shared.Secrets.With([]byte(log))
}

// Await says that secrets may be learned late.
func (p *Script) Await() { p.context.Shared.Growing = true }

// noTCP is a connection of which nothing is known.
type noTCP struct{}

func (noTCP) RoundTrip() time.Duration        { return 0 }
func (noTCP) Acknowledged(exchange.Dir) int64 { return 0 }
func (noTCP) MidStream() bool                 { return false }
func (noTCP) Lacks(exchange.Dir) bool         { return false }

// Arrival is how octets come that seen carries and at makes arrive in order. It is valid until the
// next call.
func (p *Script) Arrival(seen, at capture.Mark) *exchange.Arrival {
	p.came = exchange.Arrived(seen, at, len(p.Moments)-1)
	return &p.came
}

// Next is the next segment.
func (p *Script) Next() capture.Mark {
	p.Moments = append(p.Moments, time.Duration(len(p.Moments)+1)*time.Millisecond)
	return p.latest()
}

// latest is the segment before.
func (p *Script) latest() capture.Mark {
	n := len(p.Moments)
	return capture.Mark{
		Time:  time.Duration(n) * time.Millisecond,
		Frame: capture.NewFrameID(0, uint64(n)),
	}
}

// Octets are what dir says next.
func (p *Script) Octets(dir exchange.Dir, s string, at capture.Mark) {
	if s != "" {
		p.Reader.Data(dir, p.Off[dir], []byte(s), p.Arrival(at, at))
		p.Off[dir] += int64(len(s))
	}
}

// Gap is n octets of dir that the capture lacks.
func (p *Script) Gap(dir exchange.Dir, n int64, at capture.Mark) {
	p.Reader.Gap(dir, p.Off[dir], n, p.Arrival(at, at))
	p.Off[dir] += n
}

// Run plays a script of steps separated by line ends (with \n and \r\n written as escapes, ~ for
// CRLF):
//
//	> text      data of the client
//	< text      data of the server
//	>> N, << N  gap of N octets
//	>= N, <= N  N octets of data
//	>_ N, <_ N  gap at the end of the frame before: the capture cut it
//	>F <F >R <R FIN and RST
//	E, X        end: of the capture, of the connection
func (p *Script) Run(t testing.TB, text string, chop func(n int) int) {
	t.Helper()
	for _, step := range strings.Split(text, "\n") {
		step = strings.TrimLeft(step, "\t")
		if step != "" {
			p.step(t, step, chop)
		}
	}
}

func (p *Script) step(t testing.TB, step string, chop func(n int) int) {
	t.Helper()
	switch step {
	case "E":
		p.Reader.End(p.Next(), true)
		return
	case "X":
		p.Reader.End(p.Next(), false)
		return
	}
	dir := exchange.FromClient
	if step[0] == '<' {
		dir = exchange.FromServer
	}
	var n int64
	switch step[1] {
	case 'F':
		p.Reader.Fin(dir, p.Next())
	case 'R':
		p.Reader.Rst(dir, p.Next())
	case '>', '<', '_', '=':
		if _, err := fmt.Sscan(step[2:], &n); err != nil {
			t.Fatalf("step %q: %v", step, err)
		}
		if step[1] == '=' {
			p.chopped(dir, strings.Repeat("x", int(n)), chop)
			return
		}
		at := p.latest()
		if step[1] != '_' {
			at = p.Next()
		}
		p.Gap(dir, n, at)
	case ' ':
		p.chopped(dir, unescape.Replace(step[2:]), chop)
	default:
		t.Fatalf("step %q", step)
	}
}

var unescape = strings.NewReplacer("~", "\r\n", `\n`, "\n", `\t`, "\t", `\0`, "\x00")

// chopped delivers one segment in as many calls as chop wants: they share its mark, as what is
// chopped is not the segments.
func (p *Script) chopped(dir exchange.Dir, s string, chop func(n int) int) {
	at := p.Next()
	for s != "" {
		n := len(s)
		if chop != nil {
			n = min(max(chop(n), 1), n)
		}
		p.Octets(dir, s[:n], at)
		s = s[n:]
	}
}

// Describe writes the exchanges in a compact form, one a line:
//
//	[T] [#STREAM] METHOD TARGET STATUS [(interim)] outcome qSTART-END header+body[!],facts
//	rSTART-END ... [what else is known of a stream]
//
// q is the request, r the response, START and END are frames. An incomplete message has a !.
func Describe(p *Script) string {
	var b strings.Builder
	for _, x := range p.Exchanges {
		if x.Turn {
			b.WriteString("T ")
		}
		if x.Stream != 0 {
			fmt.Fprintf(&b, "#%d ", x.Stream)
		}
		if x.Method != "" {
			fmt.Fprintf(&b, "%s %s ", x.Method, x.Target)
		}
		if x.Status != 0 {
			fmt.Fprintf(&b, "%d ", x.Status)
		}
		for _, in := range x.Interim {
			fmt.Fprintf(&b, "(%d@%d) ", in.Status, in.At.Frame.Number())
		}
		b.WriteString(x.Outcome.String())
		if !x.Over {
			b.WriteString(" open")
		}
		writeMessage(&b, " q", x.Request)
		writeMessage(&b, " r", x.Response)
		writeStream(&b, x)
		b.WriteString("\n")
	}
	return b.String()
}

func writeStream(b *strings.Builder, x *exchange.Exchange) {
	if x.Pushed {
		b.WriteString(" pushed")
	}
	if x.Refused {
		b.WriteString(" refused")
	}
	if r := x.Reset; r != nil {
		fmt.Fprintf(b, " %s@%d by %s", r.Code, r.At.Frame.Number(), r.By)
	}
	if r := x.RPC; r != nil {
		fmt.Fprintf(b, " %s.%s status %d timeout %v messages %d+%d",
			r.Service, r.Method, r.Status, r.Timeout,
			r.Messages[0].Count, r.Messages[1].Count)
	}
}

var factNames = [...]string{
	"close", "keepalive", "upgrade", "upgradefield", "proxyconn", "kafield", "expect", "", "",
	"conflict", "both", "bad", "lf", "badchunk", "toolong", "resync", "gap", "sse", "via", "oddte",
	"leak",
}

func writeMessage(b *strings.Builder, name string, m *exchange.Message) {
	if m == nil {
		return
	}
	from, to := m.Start.Frame.Number(), m.End.Frame.Number()
	fmt.Fprintf(b, "%s%d-%d %d+%d", name, from, to, m.HeaderBytes, m.BodyBytes)
	if !m.Complete {
		b.WriteString("!")
	}
	for i, fact := range factNames {
		if fact != "" && m.Facts.Has(1<<i) {
			b.WriteString("," + fact)
		}
	}
}

// Expect plays a script and compares what Describe writes, blanks at the ends of lines left out.
func Expect(t *testing.T, text, want string) {
	t.Helper()
	p := New()
	p.Run(t, text, nil)
	var lines []string
	for _, line := range strings.Split(want, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	if got, want := Describe(p), strings.Join(lines, "\n")+"\n"; got != want {
		t.Errorf("got\n%swant\n%s(caveats %v)", got, want, p.Caveats)
	}
}

// Write is what one side wrote at once.
type Write struct {
	Dir  exchange.Dir
	Data string
}

// SplitSteps is the data of a script, for use as a seed.
func SplitSteps(text string) []Write {
	var log []Write
	for _, step := range strings.Split(text, "\n") {
		if len(step) < 2 || step[1] != ' ' {
			continue
		}
		dir := exchange.FromClient
		if step[0] == '<' {
			dir = exchange.FromServer
		}
		log = append(log, Write{dir, unescape.Replace(step[2:])})
	}
	return log
}
