package readertest

import (
	"testing"
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

// drive plays a connection out of fuzz input: each step is an instruction octet, a length octet,
// and data.
func drive(t *testing.T, p *Script, input []byte, step func()) {
	at := p.Next()
	for len(input) > 2 {
		op, n := input[0], int(input[1])
		input = input[2:]
		dir := exchange.Dir(op & 1)
		if op&2 == 0 {
			at = p.Next()
		}
		switch op >> 2 & 7 {
		case 0:
			p.Gap(dir, int64(n)+1, at)
		case 1:
			p.Reader.Fin(dir, at)
		case 2:
			if skip := p.Reader.Skip(dir); skip > 0 {
				n := min(int64(n)+1, skip)
				p.Reader.Skipped(dir, p.Off[dir], n, p.Arrival(at, at))
				p.Off[dir] += n
			}
		case 3:
			if op>>5 == 7 {
				p.Reader.Rst(dir, at)
			}
		default:
			data := input[:min(n, len(input))]
			input = input[len(data):]
			p.Octets(dir, string(data), at)
		}
		step()
	}
	captureEnds := len(input) > 0 && input[0]&1 == 0
	p.Reader.End(p.Next(), captureEnds)
	step()
	for _, x := range p.Exchanges {
		if !x.Over {
			t.Fatalf("not over at the end:\n%s", Describe(p))
		}
	}
}

// ending is what no longer changes once an exchange is over.
type ending struct {
	over    bool
	outcome exchange.Outcome
	end     capture.Mark
}

// invariants hold of the exchanges at any moment. done holds those that were over at the last look.
func invariants(t *testing.T, c *Script, done map[int]ending, now time.Duration) {
	t.Helper()
	if len(c.Caveats) > 16 || int(c.ExchangeCount) != len(c.Exchanges) {
		t.Fatalf("caveats %v, %d exchanges of %d", c.Caveats, len(c.Exchanges), c.ExchangeCount)
	}
	var reached [2]int64
	for i, x := range c.Exchanges {
		is := ending{over: x.Over, outcome: x.Outcome}
		if x.Over {
			is.end = x.End()
		}
		if was, over := done[i]; over && is != was {
			t.Fatalf("exchange %d changed after it was over: %v, %v", i, was, is)
		}
		if x.Over {
			done[i] = is
		}
		empty := x.Request == nil && x.Response == nil
		if x.Index != i || empty || x.FirstRecord >= len(c.Moments) {
			t.Fatalf("exchange %d: index %d, first record %d", i, x.Index, x.FirstRecord)
		}
		if keepsTooMuch(x) {
			t.Fatalf("exchange %d keeps too much", i)
		}
		for dir, m := range [...]*exchange.Message{x.Request, x.Response} {
			if m == nil {
				continue
			}
			checkMessage(t, m, now)
			if x.Stream != 0 {
				continue
			}
			if m.From < reached[dir] {
				t.Fatalf("exchange %d: message at %d, not %d:\n%s", i, m.From, reached[dir], Describe(c))
			}
			reached[dir] = m.To
		}
		if started := c.Moments[x.FirstRecord]; started > x.Start().Time {
			t.Fatalf("exchange %d starts at %v, its record is at %v", i, x.Start().Time, started)
		}
	}
}

// keepsTooMuch reports whether the text of an exchange, or its list, is longer than promised.
func keepsTooMuch(x *exchange.Exchange) bool {
	return len(x.Target) > 2048 || len(x.Interim) > 16 || len(x.Host) > exchange.MaxHost ||
		max(len(x.Agent), len(x.Software)) > exchange.MaxProduct
}

func checkMessage(t *testing.T, m *exchange.Message, now time.Duration) {
	t.Helper()
	if min(m.HeaderBytes, m.BodyBytes) < 0 || m.HeaderBytes+m.BodyBytes > m.To-m.From {
		t.Fatalf("message %+v", *m)
	}
	header := m.HeaderEnd
	if header == (capture.Mark{}) {
		header = m.End
	}
	if m.Start.Time > header.Time || header.Time > m.End.Time || m.End.Time > now {
		t.Fatalf("marks of %+v", *m)
	}
	announced := m.Complete && m.Framing == exchange.ByLength && m.Length >= 0
	if announced && m.BodyBytes != m.Length && m.BodyBytes != 0 {
		t.Fatalf("complete with the wrong length: %+v", *m)
	}
}

// Encode makes fuzz input of a list of writes.
func Encode(log ...Write) []byte {
	var out []byte
	for _, w := range log {
		for data := w.Data; data != ""; {
			n := min(len(data), 255)
			out = append(out, 4<<2|byte(w.Dir), byte(n))
			out = append(out, data[:n]...)
			data = data[n:]
		}
	}
	return append(out, 1<<2|1, 0, 1<<2, 0, 0, 0)
}

// Fuzz plays fuzz input, checks what must hold of any exchanges, and calls look after each step.
func Fuzz(t *testing.T, p *Script, input []byte, look func()) {
	if len(input) > 16<<10 {
		return
	}
	done := map[int]ending{}
	steps := 0
	drive(t, p, input, func() {
		if steps++; steps < 256 {
			invariants(t, p, done, p.latest().Time)
		}
		look()
	})
}
