package reassembly

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tcpwhy/capture"
)

// script feeds a Reader as the Tracker would. Each call is one segment: a frame and a millisecond
// of its own.
type script struct {
	c       *Conn
	context Context
	reader  Reader
	came    Arrival
	frame   int
	off     [2]int64
}

func newScript() *script {
	p := &script{c: &Conn{}}
	p.context = Context{&p.c.Transcript, &p.c.Caveats, transport{&track{c: p.c}}, &Shared{knownReaders()}}
	p.reader = p.context.Shared.Readers.Recognise(&p.context)
	return p
}

// arrival is how octets come that seen carries and at makes arrive in order.
func (p *script) arrival(seen, at capture.Mark) *Arrival {
	p.came = Arrived(seen, at, len(p.c.Records)-1)
	return &p.came
}

func (p *script) next() capture.Mark {
	p.frame++
	m := capture.Mark{Time: time.Duration(p.frame) * time.Millisecond, Frame: capture.NewFrameID(0, uint64(p.frame))}
	p.c.Records = append(p.c.Records, Record{Time: m.Time, Frame: m.Frame})
	return m
}

func (p *script) data(dir Dir, s string, at capture.Mark) {
	if s != "" {
		p.reader.Data(dir, p.off[dir], []byte(s), p.arrival(at, at))
		p.off[dir] += int64(len(s))
	}
}

func (p *script) gap(dir Dir, n int64, at capture.Mark) {
	p.reader.Gap(dir, p.off[dir], n, p.arrival(at, at))
	p.off[dir] += n
}

// run plays a script of steps separated by line ends (with \n and \r\n written as escapes, ~ for
// CRLF):
//
//	> text      data of the client
//	< text      data of the server
//	>> N, << N  gap of N octets
//	>= N, <= N  N octets of data
//	>_ N, <_ N  gap at the end of the frame before: the capture cut it
//	>F <F >R <R FIN and RST
//	E, X        end: of the capture, of the connection
func (p *script) run(t testing.TB, text string, chop func(n int) int) {
	t.Helper()
	for _, step := range strings.Split(text, "\n") {
		step = strings.TrimLeft(step, "\t")
		if step != "" {
			p.step(t, step, chop)
		}
	}
}

func (p *script) step(t testing.TB, step string, chop func(n int) int) {
	t.Helper()
	switch step {
	case "E":
		p.reader.End(p.next(), true)
		return
	case "X":
		p.reader.End(p.next(), false)
		return
	}
	dir := FromClient
	if step[0] == '<' {
		dir = FromServer
	}
	var n int64
	switch step[1] {
	case 'F':
		p.reader.Fin(dir, p.next())
	case 'R':
		p.reader.Rst(dir, p.next())
	case '>', '<', '_', '=':
		if _, err := fmt.Sscan(step[2:], &n); err != nil {
			t.Fatalf("step %q: %v", step, err)
		}
		if step[1] == '=' {
			p.chopped(dir, strings.Repeat("x", int(n)), chop)
			return
		}
		at := capture.Mark{Time: time.Duration(p.frame) * time.Millisecond, Frame: capture.NewFrameID(0, uint64(p.frame))}
		if step[1] != '_' {
			at = p.next()
		}
		p.gap(dir, n, at)
	case ' ':
		p.chopped(dir, unescape.Replace(step[2:]), chop)
	default:
		t.Fatalf("step %q", step)
	}
}

var unescape = strings.NewReplacer("~", "\r\n", `\n`, "\n", `\t`, "\t", `\0`, "\x00")

// chopped delivers one segment in as many calls as chop wants: they share its mark, as what is
// chopped is not the segments.
func (p *script) chopped(dir Dir, s string, chop func(n int) int) {
	at := p.next()
	for s != "" {
		n := len(s)
		if chop != nil {
			n = min(max(chop(n), 1), n)
		}
		p.data(dir, s[:n], at)
		s = s[n:]
	}
}

// describe writes the exchanges in a compact form, one a line:
//
//	[T] METHOD TARGET STATUS [(interim)] outcome req START-END header+body[!] resp START-END header+body[!] facts
//
// An incomplete message has a !.
func describe(c *Conn) string {
	var b strings.Builder
	for _, x := range c.Exchanges {
		if x.Turn {
			b.WriteString("T ")
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
		b.WriteString("\n")
	}
	return b.String()
}

var factNames = [...]string{"close", "keepalive", "upgrade", "upgradefield", "proxyconn", "kafield", "expect", "", "", "conflict",
	"both", "bad", "lf", "badchunk", "toolong", "resync", "gap", "sse", "via", "oddte", "leak"}

func writeMessage(b *strings.Builder, name string, m *Message) {
	if m == nil {
		return
	}
	fmt.Fprintf(b, "%s%d-%d %d+%d", name, m.Start.Frame.Number(), m.End.Frame.Number(), m.HeaderBytes, m.BodyBytes)
	if !m.Complete {
		b.WriteString("!")
	}
	for i, fact := range factNames {
		if fact != "" && m.Facts.Has(1<<i) {
			b.WriteString("," + fact)
		}
	}
}

func expectApp(t *testing.T, text, want string) {
	t.Helper()
	p := newScript()
	p.run(t, text, nil)
	var lines []string
	for _, line := range strings.Split(want, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	if got, want := describe(p.c), strings.Join(lines, "\n")+"\n"; got != want {
		t.Errorf("got\n%swant\n%s(caveats %v)", got, want, p.c.Caveats)
	}
}

// splitSteps is the data of a script, for use as a seed.
func splitSteps(text string) []write {
	var log []write
	for _, step := range strings.Split(text, "\n") {
		if len(step) < 2 || step[1] != ' ' {
			continue
		}
		dir := FromClient
		if step[0] == '<' {
			dir = FromServer
		}
		log = append(log, write{dir, unescape.Replace(step[2:])})
	}
	return log
}
