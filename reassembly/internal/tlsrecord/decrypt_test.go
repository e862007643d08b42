package tlsrecord_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"tcpwhy/reassembly/exchange"
	"tcpwhy/reassembly/internal/readertest"
)

// turn is what one side says of a dialogue.
type turn struct {
	dir  exchange.Dir
	text string
}

// dialogueOf is three requests and their responses: small ones, one with a large body, one in
// chunks.
func dialogueOf() []turn {
	large := strings.Repeat("0123456789", 5000)
	return []turn{
		{0, "GET /first?token=S3CRET HTTP/1.1\r\nHost: example.org\r\nCookie: a=S3CRET\r\n\r\n"},
		{1, "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello"},
		{0, "POST /second HTTP/1.1\r\nHost: example.org\r\nContent-Length: 50000\r\n\r\n" + large},
		{1, "HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + large},
		{0, "GET /third HTTP/1.1\r\nHost: example.org\r\n\r\n"},
		{1, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
		{1, "5\r\nfirst\r\n"},
		{1, "6\r\nsecond\r\n0\r\n\r\n"},
	}
}

// hold plays a dialogue over a connection of TLS, and is what was written to the network; hooks may
// do something before a turn.
func hold(t testing.TB, client, server *tls.Config, say []turn) []readertest.Write {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var log []readertest.Write
	var mu sync.Mutex
	done := make(chan error, 1)
	play := func(c *tls.Conn, me exchange.Dir) error {
		for _, turn := range say {
			if turn.dir == me {
				if _, err := io.WriteString(c, turn.text); err != nil {
					return err
				}
			} else if _, err := io.ReadFull(c, make([]byte, len(turn.text))); err != nil {
				return err
			}
		}
		return nil
	}
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			done <- err
			return
		}
		s := tls.Server(&tape{conn, exchange.FromServer, &mu, &log}, server)
		err = play(s, exchange.FromServer)
		io.Copy(io.Discard, s)
		s.Close()
		done <- err
	}()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c := tls.Client(&tape{conn, exchange.FromClient, &mu, &log}, client)
	if err := play(c, exchange.FromClient); err != nil {
		t.Fatal(err)
	}
	c.CloseWrite()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	c.Close()
	return log
}

// inClear is the same dialogue without TLS.
func inClear(say []turn) string {
	var log []readertest.Write
	for _, turn := range say {
		log = append(log, readertest.Write{Dir: turn.dir, Data: turn.text})
	}
	return said(feed(log, 0))
}

// said is what the exchanges of a script are, without their moments and places.
func said(p *readertest.Script) string {
	var b strings.Builder
	for _, x := range p.Exchanges {
		fmt.Fprintf(
			&b,
			"%s %s %s %d %v %v",
			x.Method,
			x.Target,
			x.Host,
			x.Status,
			x.Turn,
			x.Outcome,
		)
		for _, m := range []*exchange.Message{x.Request, x.Response} {
			if m != nil {
				fmt.Fprintf(&b, " %d+%d/%d %v %x", m.HeaderBytes, m.BodyBytes, m.Length, m.Complete,
					m.Facts)
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

// read plays a recording with what is known of its secrets.
func read(log []readertest.Write, chop int, keys string) *readertest.Script {
	p := readertest.New()
	p.Learn(keys)
	play(p, log, chop)
	return p
}

// everySuite are those that Go's own TLS speaks, by version; with -short one of four.
func everySuite() (all []*tls.Config) {
	defer func() {
		if testing.Short() {
			for i := range (len(all) + 3) / 4 {
				all[i] = all[4*i]
			}
			all = all[:(len(all)+3)/4]
		}
	}()
	for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if strings.Contains(s.Name, "RC4") || strings.Contains(s.Name, "3DES") {
			continue
		}
		for _, v := range s.SupportedVersions {
			if (v == tls.VersionTLS13) == (s.ID>>8 == 0x13) {
				all = append(all, &tls.Config{MinVersion: v, MaxVersion: v,
					CipherSuites: []uint16{s.ID}})
			}
		}
	}
	return all
}

// TestInTLS has the same dialogue in clear and within TLS, of every version and suite: with the
// keys the same exchanges are read, whatever pieces the octets come in.
func TestInTLS(t *testing.T) {
	say := dialogueOf()
	want := inClear(say)
	for _, config := range everySuite() {
		name := fmt.Sprintf("%s/%s", tls.VersionName(config.MaxVersion),
			tls.CipherSuiteName(config.CipherSuites[0]))
		t.Run(name, func(t *testing.T) {
			log, keys := record(t, config, say)
			for _, chop := range []int{0, 1, 1448} {
				p := read(log, chop, keys)
				if got := said(p); got != want || !p.TLS.Decrypted || len(p.Caveats) > 0 {
					t.Errorf("in pieces of %d: %v %v\n%swant\n%s", chop, p.TLS.Decrypted, p.Caveats,
						got, want)
				}
				if p.Protocol != exchange.ProtoHTTP1 || !p.TLS.Established() {
					t.Errorf("protocol %v, %+v", p.Protocol, p.TLS)
				}
			}
		})
	}
}

// certificates are one of each kind, made once.
var certificates = sync.OnceValue(func() []tls.Certificate {
	t := &testing.T{}
	return []tls.Certificate{testCertificate(t), rsaCertificate(t)}
})

// record holds a dialogue with the given versions and suites, and writes a key log.
func record(t testing.TB, config *tls.Config, say []turn) ([]readertest.Write, string) {
	t.Helper()
	var keys bytes.Buffer
	server := config.Clone()
	server.Certificates = certificates()
	client := config.Clone()
	client.InsecureSkipVerify, client.KeyLogWriter, client.ServerName = true, &keys, "example.org"
	log := hold(t, client, server, say)
	return log, keys.String()
}

// TestSecretsInPart leaves out some of the secrets, and adds wrong ones.
func TestSecretsInPart(t *testing.T) {
	say := dialogueOf()
	log, keys := record(t, &tls.Config{MinVersion: tls.VersionTLS13}, say)
	log12, keys12 := record(t, &tls.Config{MaxVersion: tls.VersionTLS12}, say)
	want, turns, turns12 := inClear(say), said(feed(log, 0)), said(feed(log12, 0))
	wrong := func(keys string, labels ...string) string {
		var out strings.Builder
		for line := range strings.Lines(keys) {
			fields := strings.Fields(line)
			if len(labels) == 0 || slices.Contains(labels, fields[0]) {
				fields[2] = strings.Repeat("5a", len(fields[2])/2)
			}
			out.WriteString(strings.Join(fields, " ") + "\n")
		}
		return out.String()
	}
	for _, tt := range []struct {
		name, keys string
		old        bool
		want       string
		caveat     string
	}{
		{name: "only of application data", keys: without(keys, "HANDSHAKE"), want: want},
		{name: "none of the client's handshake", keys: without(keys, "CLIENT_HANDSHAKE"), want: want},
		{name: "none of the server's handshake", keys: without(keys, "SERVER_HANDSHAKE"), want: want},
		{name: "only of the handshake", keys: without(keys, "TRAFFIC_SECRET_0"), want: turns,
			caveat: "tls-no-key"},
		{name: "only the client's", keys: without(keys, "SERVER_TRAFFIC_SECRET_0"), want: turns,
			caveat: "tls-no-key"},
		{name: "wrong", keys: wrong(keys), want: turns, caveat: "tls-bad-key"},
		{name: "wrong of the client's data", keys: wrong(keys, "CLIENT_TRAFFIC_SECRET_0"),
			want: turns, caveat: "tls-bad-key"},
		{name: "wrong at first", keys: wrong(keys) + keys, want: want},
		{name: "wrong at last", keys: keys + wrong(keys), want: want},
		{name: "others", keys: keys12, want: turns, caveat: "tls-no-key"},
		{name: "none", want: turns},
		{name: "1.2", keys: keys12, old: true, want: want},
		{name: "1.2, wrong", keys: wrong(keys12), old: true, want: turns12, caveat: "tls-bad-key"},
		{name: "1.2, others", keys: keys, old: true, want: turns12, caveat: "tls-no-key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := log
			if tt.old {
				l = log12
			}
			for _, chop := range []int{0, 7} {
				p := read(l, chop, tt.keys)
				var caveats []string
				if tt.caveat != "" {
					caveats = []string{tt.caveat}
				}
				if got := said(p); got != tt.want || !slices.Equal(p.Caveats, caveats) {
					t.Errorf("%v, want %q:\n%swant\n%s", p.Caveats, tt.caveat, got, tt.want)
				}
				if p.TLS.Decrypted != (tt.want == want) {
					t.Errorf("decrypted: %v", p.TLS.Decrypted)
				}
			}
		})
	}
}

// records cuts what dir wrote into records, in the order of the recording.
func records(log []readertest.Write) []readertest.Write {
	var out []readertest.Write
	var rest [2]string
	for _, w := range log {
		rest[w.Dir] += w.Data
		for r := rest[w.Dir]; len(r) >= 5; r = rest[w.Dir] {
			n := 5 + int(r[3])<<8 + int(r[4])
			if len(r) < n {
				break
			}
			out = append(out, readertest.Write{Dir: w.Dir, Data: r[:n]})
			rest[w.Dir] = r[n:]
		}
	}
	return out
}

// TestLostRecords leaves out records of application data, but none that begins a message. What
// comes later is opened all the same. CBC pads, so that how much was lost is not known to the octet.
func TestLostRecords(t *testing.T) {
	say := dialogueOf()
	for _, config := range everySuite() {
		log, keys := record(t, config, say)
		log = records(log)
		name := tls.CipherSuiteName(config.CipherSuites[0])
		for _, every := range []int{2, 3, 5, 7} {
			p := lossy(log, keys, every)
			x := p.Exchanges
			if len(x) < 3 || x[0].Status != 404 || x[1].Method != "POST" || x[1].Status != 200 {
				t.Errorf("%s, each %d: %s%v", name, every, said(p), p.Caveats)
				continue
			}
			if !strings.Contains(name, "CBC") && (x[2].Status != 200 ||
				x[1].Response.BodyBytes != 50000 || x[1].Request.BodyBytes != 50000) {
				t.Errorf("%s, each %d: %s%v", name, every, said(p), p.Caveats)
			}
		}
	}
}

// lossy plays records without some of the large ones that follow large ones.
func lossy(log []readertest.Write, keys string, every int) *readertest.Script {
	p := readertest.New()
	p.Learn(keys)
	var count, before [2]int
	for _, w := range log {
		at := p.Next()
		if before[w.Dir] > 1000 {
			count[w.Dir]++
		}
		if before[w.Dir] > 1000 && len(w.Data) > 1000 && count[w.Dir]%every == 0 {
			p.Gap(w.Dir, int64(len(w.Data)), at)
		} else {
			p.Octets(w.Dir, w.Data, at)
		}
		before[w.Dir] = len(w.Data)
	}
	p.Reader.End(p.Next(), false)
	return p
}

// TestSnapped cuts each segment, as captures do that keep headers.
func TestSnapped(t *testing.T) {
	say := dialogueOf()
	for _, config := range everySuite() {
		name := tls.CipherSuiteName(config.CipherSuites[0])
		if strings.Contains(name, "CBC") {
			continue
		}
		log, keys := record(t, config, say)
		p := readertest.New()
		p.Learn(keys)
		for _, w := range log {
			for data := w.Data; data != ""; {
				segment := data[:min(len(data), 1448)]
				data = data[len(segment):]
				at := p.Next()
				n := min(200, len(segment))
				p.Octets(w.Dir, segment[:n], at)
				if n < len(segment) {
					p.Gap(w.Dir, int64(len(segment)-n), at)
				}
			}
		}
		p.Reader.End(p.Next(), false)
		x := p.Exchanges
		if len(x) < 2 || x[0].Target != "/first?token=S3CRET" || x[0].Status != 404 ||
			x[1].Method != "POST" || !x[1].Request.Facts.Has(exchange.HasGap) {
			t.Errorf("%s: %s%v", name, said(p), p.Caveats)
		}
	}
}

// TestLateKeys learns secrets while a connection goes on: what was said before is read, if that is
// not too long ago.
func TestLateKeys(t *testing.T) {
	say := dialogueOf()[:2]
	want := inClear(say)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		log, keys := record(t, &tls.Config{MinVersion: version, MaxVersion: version}, say)
		turns := said(feed(log, 0))
		half := strings.Index(keys, "TRAFFIC_SECRET_0")
		for late := range len(log) {
			for _, first := range []int{0, max(0, strings.LastIndexByte(keys[:max(half, 0)], '\n')+1)} {
				p := readertest.New()
				p.Await()
				p.Learn(keys[:first])
				for i, w := range log {
					if i == late {
						p.Learn(keys[first:])
					}
					p.Octets(w.Dir, w.Data, p.Next())
				}
				p.Reader.End(p.Next(), false)
				if got := strings.Replace(said(p), "incomplete", "complete", 1); got != want ||
					len(p.Caveats) > 0 {
					t.Errorf("%x, after %d of %d: %s%v", version, late, len(log), got, p.Caveats)
				}
			}
		}
		p := readertest.New()
		p.Await()
		play(p, log, 0)
		if got := said(p); got != turns || !slices.Equal(p.Caveats, []string{"tls-no-key"}) {
			t.Errorf("%x, never: %s%v, want\n%s", version, got, p.Caveats, turns)
		}
	}
}

// FuzzKeyed plays any octets of a connection whose secrets are known: what is read without a tag is
// no exchange.
func FuzzKeyed(f *testing.F) {
	say := dialogueOf()
	cert := testCertificate(f)
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS12, tls.VersionTLS13} {
		var keys bytes.Buffer
		server := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: version,
			MaxVersion: version}
		client := &tls.Config{InsecureSkipVerify: true, KeyLogWriter: &keys, MinVersion: version,
			MaxVersion: version}
		for _, part := range [][]turn{say[:2], say} {
			log := hold(f, client, server, part)
			f.Add(keys.String(), readertest.Encode(log...))
		}
	}
	f.Fuzz(func(t *testing.T, keys string, input []byte) {
		p := readertest.New()
		p.Learn(keys)
		readertest.Fuzz(t, p, input, func() {})
	})
}

// TestCut leaves out, cuts or repeats parts of a recording: no exchange is made up that the whole
// does not have.
func TestCut(t *testing.T) {
	say := dialogueOf()
	random := rand.New(rand.NewPCG(1, 2))
	for _, config := range everySuite() {
		log, keys := record(t, config, say)
		for range 20 {
			p := readertest.New()
			p.Learn(keys)
			for _, w := range log {
				for data := w.Data; data != ""; {
					n := min(len(data), 1+random.IntN(1448))
					at := p.Next()
					if random.IntN(12) == 0 {
						p.Gap(w.Dir, int64(n), at)
					} else {
						p.Octets(w.Dir, data[:n], at)
					}
					data = data[n:]
				}
			}
			p.Reader.End(p.Next(), false)
			for _, x := range p.Exchanges {
				known := x.Method == "" || x.Turn ||
					slices.Contains([]string{"/first?token=S3CRET", "/second", "/third"}, x.Target)
				if name := tls.CipherSuiteName(config.CipherSuites[0]); !known &&
					!strings.Contains(
						name,
						"CBC",
					) || x.Status != 0 && x.Status != 200 && x.Status != 404 {
					t.Errorf("%s: %s %s %d", name, x.Method, x.Target, x.Status)
				}
			}
		}
	}
}

// bulk is a recording of a large response, in segments.
func bulk(t testing.TB, suite, version uint16) (log []readertest.Write, keys string) {
	t.Helper()
	const octets = 4 << 20
	body := strings.Repeat("x", octets)
	say := []turn{
		{0, "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"},
		{1, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", octets, body)},
	}
	whole, keys := record(t, &tls.Config{MinVersion: version, MaxVersion: version,
		CipherSuites: []uint16{suite}}, say)
	for _, w := range whole {
		for data := w.Data; data != ""; {
			n := min(len(data), 1448)
			log = append(log, readertest.Write{Dir: w.Dir, Data: data[:n]})
			data = data[n:]
		}
	}
	return log, keys
}

// TestNoAllocationForRecords counts what a large response allocates: with keys no more than what the
// keys of a connection take.
func TestNoAllocationForRecords(t *testing.T) {
	log, keys := bulk(t, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.VersionTLS12)
	count := func(keys string) float64 {
		return testing.AllocsPerRun(3, func() { read(log, 0, keys) })
	}
	sealed, opened := count(""), count(keys)
	const ofKeys = 120
	if n := len(records(log)); n < 250 || opened-sealed > ofKeys {
		t.Errorf("%v allocations, %v without keys, of %d records", opened, sealed, n)
	}
}

func BenchmarkBulk(b *testing.B) {
	for _, tt := range []struct {
		name           string
		suite, version uint16
	}{
		{"AES-GCM of 1.2", tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.VersionTLS12},
		{"1.3", tls.TLS_AES_128_GCM_SHA256, tls.VersionTLS13},
		{"ChaCha20", tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.VersionTLS12},
	} {
		log, keys := bulk(b, tt.suite, tt.version)
		for _, with := range []string{"", keys} {
			b.Run(fmt.Sprintf("%s/%v", tt.name, with != ""), func(b *testing.B) {
				b.SetBytes(4 << 20)
				b.ReportAllocs()
				for b.Loop() {
					read(log, 0, with)
				}
			})
		}
	}
}
