package dialogue_test

import (
	"math"
	"testing"

	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
	"tcpwhy/reassembly/internal/http1"
	"tcpwhy/reassembly/internal/readertest"
)

// wrapping is a protocol whose records carry another one: an octet of 0x80, the length of what
// follows, and what follows. Its reader is a filter, as one that decrypts would be.
type wrapping struct{}

func (wrapping) Protocol() exchange.Protocol       { return exchange.ProtoTunnel }
func (wrapping) Resumes(exchange.Dir, []byte) bool { return false }

func (wrapping) Opening(_ exchange.Dir, data []byte) exchange.Verdict {
	if data[0] == 0x80 {
		return exchange.Certain
	}
	return exchange.Foreign
}

func (wrapping) Reader(c *exchange.Context, _ *exchange.Takeover) exchange.Reader {
	return &unwrapper{inner: c.Shared.Readers.Recognise(c)}
}

// unwrapper hands on what is in the records, each when it is complete.
type unwrapper struct {
	inner  exchange.Reader
	record [2][]byte
	begun  [2]exchange.Arrival // of the first octet of the record
	from   [2]int64            // its offset
	off    [2]int64            // of what is in the records
	now    exchange.Arrival    // of the record that is handed on
}

func (u *unwrapper) Data(dir exchange.Dir, off int64, data []byte, a *exchange.Arrival) {
	for i, octet := range data {
		if len(u.record[dir]) == 0 {
			u.begun[dir], u.from[dir] = *a, off+int64(i)
		}
		u.record[dir] = append(u.record[dir], octet)
		if r := u.record[dir]; len(r) > 2 && len(r) == 2+int(r[1]) {
			u.now = u.begun[dir]
			u.now.At = a.At
			u.now.Unit = exchange.Range{From: u.from[dir], To: off + int64(i) + 1}
			u.inner.Data(dir, u.off[dir], r[2:], &u.now)
			u.off[dir] += int64(len(r) - 2)
			u.record[dir] = r[:0]
		}
	}
}

func (u *unwrapper) Skipped(exchange.Dir, int64, int64, *exchange.Arrival) {}
func (u *unwrapper) Gap(exchange.Dir, int64, int64, *exchange.Arrival)     {}
func (u *unwrapper) Skip(exchange.Dir) int64                               { return 0 }
func (u *unwrapper) Fin(dir exchange.Dir, at capture.Mark)                 { u.inner.Fin(dir, at) }
func (u *unwrapper) Rst(dir exchange.Dir, at capture.Mark)                 { u.inner.Rst(dir, at) }

func (u *unwrapper) End(at capture.Mark, ended bool) { u.inner.End(at, ended) }

// wrapped is text in a record.
func wrapped(text string) string { return "\x80" + string(rune(len(text))) + text }

// TestReaderWithinReader reads HTTP in the records of another protocol. The exchange has the
// moments, records and places of what carried it, and counts its own octets.
func TestReaderWithinReader(t *testing.T) {
	p := readertest.Of(wrapping{}, http1.New())
	request := wrapped("GET / HTTP/1.1\r\n\r\n")
	response := wrapped("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")
	p.Octets(exchange.FromClient, request[:7], p.Next())
	p.Octets(exchange.FromClient, request[7:], p.Next())
	p.Octets(exchange.FromServer, response, p.Next())
	p.Octets(exchange.FromServer, wrapped("llo"), p.Next())
	p.Reader.End(p.Next(), true)
	want := "GET / 200 complete q1-2 18+0 r3-4 38+5\n"
	if got := readertest.Describe(p); got != want {
		t.Errorf("got %swant %s", got, want)
	}
	if p.Protocol != exchange.ProtoHTTP1 {
		t.Errorf("protocol %v, want %v", p.Protocol, exchange.ProtoHTTP1)
	}
	x := p.Exchanges[0]
	q, r := x.Request, x.Response
	if q.From != 0 || q.To != int64(len(request)) || x.FirstRecord != 0 {
		t.Errorf("request %+v from record %d, want 0 to %d, 0", *q, x.FirstRecord, len(request))
	}
	if end := int64(len(response) + 5); r.From != 0 || r.To != end {
		t.Errorf("response at %d to %d, want 0 to %d", r.From, r.To, end)
	}
}

// TestUnknownIsTurns has nobody who recognises anything, and asks for what has no reader.
func TestUnknownIsTurns(t *testing.T) {
	p := readertest.Of()
	p.Run(t, "> GET / HTTP/1.1~~\n< HTTP/1.1 204~~\n>F\n<F\nX", nil)
	if got, want := readertest.Describe(p), "T complete q1-1 0+18 r2-2 0+16\n"; got != want {
		t.Errorf("got %swant %s", got, want)
	}
	r := readertest.Of(http1.New()).Readers().Of(exchange.ProtoHTTP2, nil, nil)
	if skip := r.Skip(exchange.FromClient); skip != math.MaxInt64 {
		t.Errorf("a reader of what is not known wants content after %d octets", skip)
	}
}
