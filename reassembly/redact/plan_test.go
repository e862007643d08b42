package redact

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"tcpwhy/capture"
	"tcpwhy/capture/anonym"
)

// said is what one side says: > or <, and the octets.
type said struct{ side, text string }

var ends = [2]netip.AddrPort{
	netip.MustParseAddrPort("10.0.0.1:40000"), netip.MustParseAddrPort("10.0.0.2:80"),
}

// segmentsOf are the segments of a connection in which each thing said is cut into pieces.
func segmentsOf(talk []said, cut int) []capture.Segment {
	seq := [2]uint32{0xfffffff0, 77} // one wraps
	var all []capture.Segment
	add := func(from int, flags capture.TCPFlags, data string) {
		s := capture.Segment{
			Src: ends[from], Dst: ends[1-from], Seq: seq[from], Ack: seq[1-from], Flags: flags,
			Payload: []byte(data), Len: uint32(len(data)),
		}
		seq[from] += s.Len
		if flags.Has(capture.SYN) {
			seq[from]++
		}
		all = append(all, s)
	}
	add(0, capture.SYN, "")
	add(1, capture.SYN|capture.ACK, "")
	for _, one := range talk {
		from := strings.Index("><", one.side)
		for text := one.text; text != ""; {
			n := min(cut, len(text))
			add(from, capture.ACK, text[:n])
			text = text[n:]
		}
	}
	return all
}

// shownOf is what is shown of each side.
func shownOf(segments []capture.Segment) (sides [2]string) {
	p := NewPlan(anonym.New(anonym.Key{1}))
	for i := range segments {
		p.Add(&segments[i])
	}
	p.Finish()
	byPlace := func(a, b capture.Segment) int { return int(int32(a.Seq - b.Seq)) }
	ordered := slices.Clone(segments)
	slices.SortStableFunc(ordered, byPlace)
	for i := range ordered {
		s := &ordered[i]
		out := make([]byte, len(s.Payload))
		p.TCP(s.Src, s.Dst, s.Seq, s.Payload, out)
		sides[slices.Index(ends[:], s.Src)] += string(out)
	}
	return sides
}

var talk = []said{
	{">", "POST /s3cret/17?token=s3cret HTTP/1.1\r\nHost: S3cret.example:8080\r\nCookie: s3cret=1\r\nX-S3cret: 5\r\n" +
		"Content-Length: 6\r\nContent-Type: application/s3cret\r\nConnection: keep-alive, s3cret\r\n folded s3cret\r\n\r\ns3cret"},
	{"<", "HTTP/1.1 200 s3cret\r\nTransfer-Encoding: chunked\r\nServer: s3cret\r\n\r\n6;x=s3cret\r\ns3cret\r\n0\r\nX-Sum: s3cret\r\n\r\n"},
	{">", "OPTIONS * HTTP/1.1\r\n\r\n"}, {"<", "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"},
	{">", "HEAD / HTTP/1.1\r\n\r\n"}, {"<", "HTTP/1.1 204 No\r\nContent-Length: 500\r\n\r\n"},
	{">", "GET http://u:s3cret@s3cret.example/ HTTP/1.0\r\n\r\n"}, {"<", "HTTP/1.0 404 s3cret\n\ns3cret s3cret"},
}

// TestHTTP shows what is shown of messages of HTTP/1, however they are cut into segments.
func TestHTTP(t *testing.T) {
	whole := shownOf(segmentsOf(talk, 1<<16))
	for _, want := range []string{
		"POST /", "?", " HTTP/1.1\r\nHost: ", ":8080\r\nCookie: xxxxxxxx\r\nxxxxxxxx:", "Content-Length: 6\r\n", "application/xxxxxx",
		"Connection: keep-alive, xxxxxx\r\n", "\r\n\r\n\x00\x00\x00\x00\x00\x00OPTIONS * HTTP/1.1\r\n\r\nHEAD / HTTP/1.1\r\n\r\nGET http://",
	} {
		if !strings.Contains(whole[0], want) {
			t.Errorf("%q lacks %q", whole[0], want)
		}
	}
	want := "HTTP/1.1 200 xxxxxx\r\nTransfer-Encoding: chunked\r\nServer: xxxxxx\r\n\r\n6;xxxxxxxx\r\n\x00\x00\x00\x00\x00\x00\r\n0\r\nxxxxx: xxxxxx\r\n\r\n" +
		"HTTP/1.1 200 xx\r\ntransfer-encoding: gzip, chunked\r\n\r\n2\r\n\x00\x00\r\n0\r\n\r\n" +
		"HTTP/1.1 204 xx\r\nContent-Length: 500\r\n\r\nHTTP/1.0 404 xxxxxx\n\n" + strings.Repeat("\x00", 13)
	if whole[1] != want {
		t.Errorf("server:\n%q, want\n%q", whole[1], want)
	}
	for cut := 1; cut < 40; cut++ {
		if got := shownOf(segmentsOf(talk, cut)); got != whole {
			t.Errorf("in pieces of %d: %q\nwant %q", cut, got, whole)
		}
	}
	checkSecret(t, "whole", whole)
}

// checkSecret looks for what is secret.
func checkSecret(t *testing.T, what string, shown [2]string) {
	t.Helper()
	if text := strings.ToLower(shown[0] + "|" + shown[1]); strings.Contains(text, "s3cret") || strings.Contains(text, "3cre") {
		t.Errorf("%s: shows a secret: %q", what, shown)
	}
}

// TestDisorder: segments that are lost, late, sent again or cut show no secret, and late ones and
// copies change nothing.
func TestDisorder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	segments := segmentsOf(talk, 20)
	whole := shownOf(segments)
	for try := range 200 {
		some := slices.Clone(segments)
		i := 2 + r.IntN(len(some)-4)
		some[i], some[i+1] = some[i+1], some[i]
		got := shownOf(some)
		checkSecret(t, "late", got)
		if some[i].Src == some[i+1].Src && got != whole {
			t.Errorf("%d: with segments in another order %q", i, got)
		}
		some = slices.Delete(slices.Clone(segments), i, i+1+r.IntN(3))
		checkSecret(t, "lost", shownOf(some))
		some = slices.Clone(segments)
		for k := range some {
			some[k].Payload = some[k].Payload[:min(len(some[k].Payload), 1+try%20)]
		}
		checkSecret(t, "cut", shownOf(some))
	}
}

// TestReuse: what is shown of one connection is never what another said in its place.
func TestReuse(t *testing.T) {
	first := segmentsOf([]said{{">", "GET /abcdefghijkl HTTP/1.1\r\n\r\n"}}, 100)
	second := segmentsOf([]said{{">", "s3cret s3cret s3cret s3cret s3cret s3cret s3cret"}}, 100)
	checkSecret(t, "another connection of the same ends", shownOf(append(first, second...)))
}

func FuzzPlan(f *testing.F) {
	for _, one := range talk {
		f.Add([]byte(one.text), uint8(9))
	}
	f.Add([]byte("PROXY TCP4 198.51.100.7 10.9.8.7 56324 443\r\nGET http://[2001:db8::7]:8/ HTTP/1.1\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n"), uint8(255))
	f.Add([]byte("\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc6\x33\x64\x07\x0a\x09\x08\x07\x12\x34\x00\x50GET / HTTP/1.1\r\n\r\n"), uint8(255))
	f.Add([]byte("\x16\x03\x01\x00\x67\x01\x00\x00\x63\x03\x0300000000000000000000000000000000\x00\x00\x02\x13\x01\x01\x00\x00\x38\x00\x00\x00\x24"), uint8(50))
	f.Add([]byte(preface+"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64\x00\x00\x05\x01\x05\x00\x00\x00\x01\x82\x84\x86\x41\x80"), uint8(50))
	f.Fuzz(func(t *testing.T, data []byte, cut uint8) {
		for _, side := range []string{">", "<"} {
			shown := shownOf(segmentsOf([]said{{side, string(data)}}, int(cut)+1))
			if n := len(shown[0] + shown[1]); n != len(data) {
				t.Errorf("%d octets, want %d", n, len(data))
			}
		}
		p := NewPlan(anonym.New(anonym.Key{}))
		p.DNS(data, make([]byte, len(data)))
	})
}

// TestTLS: of a hello everything is shown but random values, keys, tickets and names.
func TestTLS(t *testing.T) {
	hello := "\x03\x03" + strings.Repeat("s3cret!!", 4) + "\x06s3cret" + "\x00\x02\x13\x01" + "\x01\x00"
	extensions := "\x00\x00\x00\x13\x00\x11\x00\x00\x0es3cret.example" + // SNI
		"\x00\x23\x00\x06s3cret" + "\x00\x2b\x00\x03\x02\x03\x04" + "\x00\x33\x00\x0c\x00\x0a\x00\x1d\x00\x06s3cret" +
		"\x00\x10\x00\x0c\x00\x0a\x02h2\x06s3cret"
	hello += "\x00" + string(rune(len(extensions))) + extensions
	message := "\x01\x00\x00" + string([]byte{byte(len(hello))}) + hello
	record := "\x16\x03\x01\x00" + string([]byte{byte(len(message))}) + message
	rest := "\x14\x03\x03\x00\x01\x01" + "\x17\x03\x03\x00\x06s3cret" + "\x15\x03\x03\x00\x06s3cret"
	for _, cut := range []int{1000, 11} {
		shown := shownOf(segmentsOf([]said{{">", record + rest}}, cut))
		checkSecret(t, "TLS", shown)
		zeros := strings.Repeat("\x00", 6)
		for _, want := range []string{
			"\x13\x01\x01\x00", "\x00\x23\x00\x06" + zeros, "\x00\x2b\x00\x03\x02\x03\x04", "\x00\x1d\x00\x06" + zeros, "\x02h2\x06xxxxxx",
			"\x17\x03\x03\x00\x06" + zeros + "\x15\x03\x03\x00\x06" + zeros,
		} {
			if !strings.Contains(shown[0], want) {
				t.Errorf("%q lacks %q", shown[0], want)
			}
		}
	}
}

// TestDNS: names are the same ones as in Host and SNI, and addresses those of frames.
func TestDNS(t *testing.T) {
	m := anonym.New(anonym.Key{1})
	p := NewPlan(m)
	name := "\x06s3cret\x07example\x00"
	message := []byte("\x00\x01\x81\x80\x00\x01\x00\x02\x00\x00\x00\x01" + name + "\x00\x01\x00\x01" +
		"\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x0a\x07s3cret2\xc0\x13" + "\xc0\x28\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x0a\x01\x02\x03" +
		"\x00\x00\x29\x10\x00\x00\x00\x00\x00\x00\x06s3cret")
	out := make([]byte, len(message))
	p.DNS(message, out)
	checkSecret(t, "DNS", [2]string{string(out)})
	want := slices.Concat([]byte{6}, []byte(m.Word("s3cret")), []byte{7}, []byte(m.Word("example")), []byte{0})
	if !bytes.Contains(out, want) || !bytes.Contains(out, m.Addr(netip.MustParseAddr("10.1.2.3")).AsSlice()) {
		t.Errorf("%q lacks %q or the address", out, want)
	}
	if host := p.words.host([]byte("S3cret.example:80")); string(host) != m.Word("s3cret")+"."+m.Word("example")+":80" {
		t.Errorf("the host is %q", host)
	}
	for n := range message {
		short := make([]byte, n)
		p.DNS(message[:n], short)
		checkSecret(t, "a part of a message", [2]string{string(short)})
	}
}
