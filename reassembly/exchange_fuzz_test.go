package reassembly

import (
	"testing"
	"time"

	"tcpwhy/capture"
)

// drive plays a connection out of fuzz input: each step is an instruction octet, a length octet,
// and data.
func drive(t *testing.T, input []byte, step func(p *script)) {
	p := newScript()
	at := p.next()
	for len(input) > 2 {
		op, n := input[0], int(input[1])
		input = input[2:]
		dir := Dir(op & 1)
		if op&2 == 0 {
			at = p.next()
		}
		switch op >> 2 & 7 {
		case 0:
			p.gap(dir, int64(n)+1, at)
		case 1:
			p.reader.Fin(dir, at)
		case 2:
			if skip := p.reader.Skip(dir); skip > 0 {
				n := min(int64(n)+1, skip)
				p.reader.Skipped(dir, p.off[dir], n, p.arrival(at, at))
				p.off[dir] += n
			}
		case 3:
			if op>>5 == 7 {
				p.reader.Rst(dir, at)
			}
		default:
			data := input[:min(n, len(input))]
			input = input[len(data):]
			p.data(dir, string(data), at)
		}
		step(p)
	}
	p.reader.End(p.next(), op(input))
	step(p)
	for _, x := range p.c.Exchanges {
		if !x.Over {
			t.Fatalf("not over at the end:\n%s", describe(p.c))
		}
	}
}

func op(rest []byte) bool { return len(rest) > 0 && rest[0]&1 == 0 }

// invariants hold of the exchanges at any moment. done holds those that were over at the last look.
func invariants(t *testing.T, c *Conn, done map[int]Exchange, now time.Duration) {
	t.Helper()
	if len(c.Caveats) > 16 || c.ExchangeCount != len(c.Exchanges) {
		t.Fatalf("caveats %v, %d exchanges counted, %d held", c.Caveats, c.ExchangeCount, len(c.Exchanges))
	}
	var reached [2]int64
	for i, x := range c.Exchanges {
		if was, over := done[i]; over && (!x.Over || x.Outcome != was.Outcome) {
			t.Fatalf("exchange %d changed after it was over", i)
		}
		if x.Over {
			done[i] = *x
		}
		if x.Index != i || x.Request == nil && x.Response == nil || x.FirstRecord >= len(c.Records) {
			t.Fatalf("exchange %d: index %d, first record %d", i, x.Index, x.FirstRecord)
		}
		if len(x.Target) > maxTarget || len(x.Host) > maxHost || len(x.Agent) > maxProduct || len(x.Software) > maxProduct || len(x.Interim) > maxInterim {
			t.Fatalf("exchange %d keeps too much", i)
		}
		for dir, m := range [...]*Message{x.Request, x.Response} {
			if m == nil {
				continue
			}
			checkMessage(t, m, now)
			if m.From < reached[dir] {
				t.Fatalf("exchange %d: message at %d, but %d was reached:\n%s", i, m.From, reached[dir], describe(c))
			}
			reached[dir] = m.To
		}
		if started := c.Records[x.FirstRecord].Time; started > x.Start().Time {
			t.Fatalf("exchange %d starts at %v, but its first record is at %v", i, x.Start().Time, started)
		}
	}
}

func checkMessage(t *testing.T, m *Message, now time.Duration) {
	t.Helper()
	if m.From > m.To || m.HeaderBytes < 0 || m.BodyBytes < 0 || m.HeaderBytes+m.BodyBytes > m.To-m.From {
		t.Fatalf("message %+v", *m)
	}
	if m.Start.Time > m.End.Time || m.End.Time > now || m.HeaderEnd != (capture.Mark{}) && (m.HeaderEnd.Time < m.Start.Time || m.HeaderEnd.Time > m.End.Time) {
		t.Fatalf("marks of %+v", *m)
	}
	if m.Complete && m.Framing == ByLength && m.Length >= 0 && m.BodyBytes != m.Length && m.BodyBytes != 0 {
		t.Fatalf("complete with the wrong length: %+v", *m)
	}
}

// encode makes fuzz input of a list of writes.
func encode(log ...write) []byte {
	var out []byte
	for _, w := range log {
		for data := w.data; data != ""; {
			n := min(len(data), 255)
			out = append(out, 4<<2|byte(w.dir), byte(n))
			out = append(out, data[:n]...)
			data = data[n:]
		}
	}
	return append(out, 1<<2|1, 0, 1<<2, 0, 0, 0)
}

func fuzzApp(t *testing.T, input []byte) {
	if len(input) > 16<<10 {
		return
	}
	done := map[int]Exchange{}
	steps := 0
	drive(t, input, func(p *script) {
		if steps++; steps < 256 {
			invariants(t, p.c, done, time.Duration(p.frame)*time.Millisecond)
		}
		d := p.reader.(*dialogue)
		if h, ok := d.inner.(*httpApp); ok {
			held := cap(h.side[0].line) + cap(h.side[1].line)
			if held > 4*maxHeader || len(h.waiting) > maxWaiting {
				t.Fatalf("%d octets and %d exchanges held", held, len(h.waiting))
			}
		}
	})
}

func FuzzHTTP(f *testing.F) {
	for _, list := range [][]struct{ name, script, want string }{httpCases, gapCases, turnCases} {
		for _, c := range list {
			f.Add(encode(splitSteps(c.script)...))
		}
	}
	f.Fuzz(fuzzApp)
}

func FuzzTLS(f *testing.F) {
	data := "\x17\x03\x03\x00\x64" + string(make([]byte, 100))
	f.Add(encode(write{FromClient, data}, write{FromServer, data}, write{FromClient, "\x15\x03\x03\x00\x02\x01\x00"}))
	hello := "\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03" + string(make([]byte, 32)) + "\x00\x00\x02\x13\x01\x01\x00"
	f.Add(encode(write{FromClient, hello}, write{FromServer, data}))
	f.Fuzz(fuzzApp)
}
