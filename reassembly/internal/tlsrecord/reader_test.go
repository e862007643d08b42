package tlsrecord_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"tcpwhy/reassembly/exchange"
	"tcpwhy/reassembly/internal/readertest"
)

// tape is a connection in memory that records what is written to it.
type tape struct {
	net.Conn
	dir exchange.Dir
	mu  *sync.Mutex
	log *[]readertest.Write
}

func (c *tape) Write(b []byte) (int, error) {
	c.mu.Lock()
	*c.log = append(*c.log, readertest.Write{Dir: c.dir, Data: string(b)})
	c.mu.Unlock()
	return c.Conn.Write(b)
}

func testCertificate(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signed(t, key)
}

// signed is a certificate of a key, signed with it.
func signed(t testing.TB, key crypto.Signer) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"example.org"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// talk runs one TLS connection: rounds times a request of 100 octets and a response of 20,000, then
// both sides close.
func talk(t testing.TB, client, server *tls.Config, rounds int) []readertest.Write {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var log []readertest.Write
	var mu sync.Mutex
	done := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			done <- err
			return
		}
		s := tls.Server(&tape{conn, exchange.FromServer, &mu, &log}, server)
		buf := make([]byte, 100)
		for {
			if _, err := io.ReadFull(s, buf); err != nil {
				break
			}
			s.Write(make([]byte, 20000))
		}
		done <- s.Close()
	}()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c := tls.Client(&tape{conn, exchange.FromClient, &mu, &log}, client)
	buf := make([]byte, 20000)
	for range rounds {
		c.Write(make([]byte, 100))
		if _, err := io.ReadFull(c, buf); err != nil {
			t.Fatal(err)
		}
	}
	c.CloseWrite()
	<-done
	c.Close()
	return log
}

func feed(log []readertest.Write, chop int) *readertest.Script {
	p := readertest.New()
	play(p, log, chop)
	return p
}

// play gives a recording to a reader, each write as a segment, in pieces of at most chop octets
// unless that is 0, and closes it.
func play(p *readertest.Script, log []readertest.Write, chop int) {
	for _, w := range log {
		at := p.Next()
		for data := w.Data; data != ""; {
			n := len(data)
			if chop > 0 {
				n = min(chop, n)
			}
			p.Octets(w.Dir, data[:n], at)
			data = data[n:]
		}
	}
	p.Reader.Fin(exchange.FromClient, p.Next())
	p.Reader.Fin(exchange.FromServer, p.Next())
	p.Reader.End(p.Next(), false)
}

// rsaCertificate is one for suites that need RSA.
func rsaCertificate(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return signed(t, key)
}

func TestTLS(t *testing.T) {
	cert := testCertificate(t)
	pool := x509.NewCertPool()
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(leaf)
	for _, tt := range []struct {
		name           string
		version        uint16
		resume         bool
		mutual         bool
		curves         []tls.CurveID
		want           string
		retry, offered bool
	}{
		{name: "1.2", version: tls.VersionTLS12, want: "TLS 1.2"},
		{name: "1.2 resumed", version: tls.VersionTLS12, resume: true, want: "TLS 1.2", offered: true},
		{name: "1.2 client certificate", version: tls.VersionTLS12, mutual: true, want: "TLS 1.2"},
		{name: "1.3", version: tls.VersionTLS13, want: "TLS 1.3"},
		{name: "1.3 resumed", version: tls.VersionTLS13, resume: true, want: "TLS 1.3", offered: true},
		{name: "1.3 client certificate", version: tls.VersionTLS13, mutual: true, want: "TLS 1.3"},
		{name: "1.3 retry", version: tls.VersionTLS13, curves: []tls.CurveID{tls.CurveP521}, want: "TLS 1.3", retry: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := &tls.Config{Certificates: []tls.Certificate{cert}, MaxVersion: tt.version, CurvePreferences: tt.curves,
				NextProtos: []string{"http/1.1"}}
			client := &tls.Config{ServerName: "example.org", InsecureSkipVerify: true, ClientSessionCache: tls.NewLRUClientSessionCache(1),
				NextProtos: []string{"http/1.1"}, CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP521}}
			if tt.mutual {
				server.ClientAuth = tls.RequireAnyClientCert
				client.Certificates = []tls.Certificate{cert}
			}
			if tt.resume {
				talk(t, client, server, 1)
			}
			log := talk(t, client, server, 3)
			for _, chop := range []int{0, 1, 7, 1448} {
				c := feed(log, chop)
				checkHandshake(t, c, tt.want, tt.resume, tt.retry, tt.offered)
				checkTurns(t, c)
			}
		})
	}
}

func checkHandshake(t *testing.T, c *readertest.Script, version string, resumed, retry, offered bool) {
	t.Helper()
	if c.TLS == nil || c.Protocol != exchange.ProtoTLS {
		t.Fatalf("protocol %v, want TLS", c.Protocol)
	}
	got := *c.TLS
	if got.SNI != "example.org" || got.ALPN != "http/1.1" || got.Version != version {
		t.Errorf("SNI %q ALPN %q version %q", got.SNI, got.ALPN, got.Version)
	}
	if got.Resumed != resumed || got.HelloRetry != retry || got.Offered != offered {
		t.Errorf("resumed %v retry %v offered %v, want %v %v %v", got.Resumed, got.HelloRetry, got.Offered, resumed, retry, offered)
	}
	if got.ClientHello.Frame == 0 || got.ServerHello.Frame <= got.ClientHello.Frame || got.ClientFinished.Frame <= got.ServerHello.Frame ||
		got.Done.Frame < got.ClientFinished.Frame && !resumed {
		t.Errorf("marks %v", got)
	}
	if got.CloseNotify != [2]bool{true, true} {
		t.Errorf("close_notify %v", got.CloseNotify)
	}
	if full := got.ServerFlight > 400; full == resumed {
		t.Errorf("server flight of %d octets", got.ServerFlight)
	}
	if len(c.Caveats) > 0 {
		t.Errorf("caveats %v", c.Caveats)
	}
}

func checkTurns(t *testing.T, c *readertest.Script) {
	t.Helper()
	if len(c.Exchanges) != 3 {
		t.Fatalf("%d exchanges, want 3:\n%s", len(c.Exchanges), readertest.Describe(c))
	}
	for _, x := range c.Exchanges {
		q, r := x.Request, x.Response
		if !x.Turn || x.Outcome != exchange.Complete || q == nil || r == nil || q.BodyBytes < 100 || q.BodyBytes > 160 || r.BodyBytes < 20000 || r.BodyBytes > 20900 {
			t.Errorf("exchange:\n%s", readertest.Describe(c))
		}
	}
}

// A record that the server never finished proves that its response was cut off.
func TestTLSTruncated(t *testing.T) {
	p := readertest.New()
	data := "\x17\x03\x03\x00\x64" + strings.Repeat("x", 100)
	p.Run(t, "> "+data+"\n< "+data+data[:50]+"\n<F\n>F\nX", nil)
	want := "T truncated q1-1 0+105 r2-2 0+155!\n"
	if got := readertest.Describe(p); got != want {
		t.Errorf("got %swant %s", got, want)
	}
}

// Small records of a client of HTTP/2 are acknowledgments, not requests.
func TestTLSTinyRecords(t *testing.T) {
	p := readertest.New()
	data := "\x17\x03\x03\x00\x64" + strings.Repeat("x", 100)
	tiny := "\x17\x03\x03\x00\x22" + strings.Repeat("x", 34)
	p.Run(t, "> "+data+"\n< "+data, nil)
	p.TLS.ALPN = "h2"
	p.Run(t, "> "+tiny+"\n< "+data+"\n> "+data+tiny+"\nE", nil)
	want := "T complete q1-1 0+105 r2-4 0+210\nT incomplete q5-5 0+105!\n"
	if got := readertest.Describe(p); got != want {
		t.Errorf("got %swant %s", got, want)
	}
}

func TestTLSGaps(t *testing.T) {
	data := "\x17\x03\x03\x00\x64" + strings.Repeat("x", 100)
	for _, tt := range []struct{ name, script, want string }{
		{"in a record", "> " + data + "\n< " + data[:40] + "\n<< 50\n< " + data[90:] + data + "\n> " + data + "\nE",
			"T complete q1-1 0+105 r2-4 0+210,gap\nT incomplete q5-5 0+105!\n"},
		{"over a record's head", "> " + data + "\n< " + data[:40] + "\n<< 100\n< xxx\n< " + data + "\n> " + data + "\nE",
			"T complete q1-1 0+105 r2-5 0+248,gap\nT incomplete q6-6 0+105!\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := readertest.New()
			p.Run(t, tt.script, nil)
			p.TLS.ServerHello.Frame = 0
			if got := readertest.Describe(p); got != tt.want {
				t.Errorf("got\n%swant\n%s", got, tt.want)
			}
		})
	}
}

func FuzzTLS(f *testing.F) {
	data := "\x17\x03\x03\x00\x64" + string(make([]byte, 100))
	f.Add(readertest.Encode(readertest.Write{Dir: exchange.FromClient, Data: data}, readertest.Write{Dir: exchange.FromServer, Data: data},
		readertest.Write{Dir: exchange.FromClient, Data: "\x15\x03\x03\x00\x02\x01\x00"}))
	hello := "\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03" + string(make([]byte, 32)) + "\x00\x00\x02\x13\x01\x01\x00"
	f.Add(readertest.Encode(readertest.Write{Dir: exchange.FromClient, Data: hello}, readertest.Write{Dir: exchange.FromServer, Data: data}))
	f.Fuzz(func(t *testing.T, input []byte) { readertest.Fuzz(t, readertest.New(), input, func() {}) })
}

// TestSecretsOfTheMoment gives the reader a secret before one of the records of a connection: it
// counts if it is there when the first encrypted one begins.
func TestSecretsOfTheMoment(t *testing.T) {
	hello := "\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x03" + strings.Repeat("r", 32) + "\x00\x00\x02\x13\x01\x01\x00"
	data := "\x17\x03\x03\x00\x04data"
	log := "SERVER_TRAFFIC_SECRET_0 " + strings.Repeat("72", 32) + " " + strings.Repeat("01", 32) + "\n"
	other := strings.ReplaceAll(log, "72", "73")
	for _, tt := range []struct {
		name, log string
		before    int
		want      bool
	}{
		{"before all", log, 0, true}, {"before the encrypted record", log, 1, true}, {"too late", log, 2, false},
		{"of another connection", other, 0, false}, {"none", "", 0, false},
	} {
		p := readertest.New()
		for i, text := range []string{hello, data, data} {
			if i == tt.before {
				p.Learn(tt.log)
			}
			p.Octets(exchange.Dir(i&1), text, p.Next())
		}
		if got := p.TLS.HasSecret; got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestControlOfHTTP2 has what nghttp and nghttpd say: one request, whatever is said about windows
// meanwhile. The sizes are those of records of TLS 1.3.
func TestControlOfHTTP2(t *testing.T) {
	record := func(n int) string {
		return "\x17\x03\x03" + string([]byte{byte(n >> 8), byte(n)}) + strings.Repeat("x", n)
	}
	p := readertest.New()
	p.Run(t, "> "+record(211), nil)
	p.TLS.ALPN = "h2"
	p.Run(t, "< "+record(74)+record(74)+record(32)+"\n> "+record(52)+"\n< "+record(1200)+
		"\n> "+record(43)+"\n< "+record(1200)+record(30)+"\n> "+record(34)+"\n> "+record(57)+
		"\n< "+record(300)+record(34)+"\nE", nil)
	want := "T complete q1-1 0+216 r4-6 0+2410\nT incomplete q8-8 0+62 r9-9 0+305!\n"
	if got := readertest.Describe(p); got != want {
		t.Errorf("got %swant %s", got, want)
	}
}
