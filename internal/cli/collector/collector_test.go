package collector

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	_ "tcpwhy/internal/golden" // go test ./... -update gives the flag to every package
)

// lines are requests.
func lines(all ...string) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for _, line := range all {
			if !yield([]byte(line)) {
				return
			}
		}
	}
}

// quick waits for nobody.
func quick(endpoint string) *Options {
	return &Options{
		Endpoint: endpoint, Attempt: 2 * time.Second, All: 5 * time.Second, Pause: time.Millisecond,
	}
}

// TestSend: each request arrives whole, and again after an answer that says so, and what the
// collector says of it comes back, chunked or not.
func TestSend(t *testing.T) {
	var asked atomic.Int32
	var bodies []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != "POST" || r.URL.Path != "/at/v1/traces" ||
			r.Header.Get("Content-Type") != "application/json" || r.UserAgent() != "tcpwhy/1.2.3" {
			t.Errorf("%s %s %v: %v", r.Method, r.URL, r.Header, err)
		}
		switch n := asked.Add(1); n {
		case 1:
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		case 2:
			panic(http.ErrAbortHandler) // the connection ends without an answer
		}
		bodies = append(bodies, string(body))
		io.WriteString(w, `{"partialSuccess":`)
		w.(http.Flusher).Flush() // what follows comes in chunks
		io.WriteString(w, `{}}`)
	}))
	defer server.Close()
	long := strings.Repeat("x", 1<<20)
	replies, err := quick(server.URL+"/at/").Send(lines(`{"a":1}`, long), "1.2.3")
	if err != nil || !slices.Equal(bodies, []string{`{"a":1}`, long}) {
		t.Fatalf("%d bodies, %v", len(bodies), err)
	}
	if len(replies) != 2 || string(replies[0]) != `{"partialSuccess":{}}` {
		t.Errorf("replies %q", replies)
	}
}

// TestRefused: what will not become better is not tried again, and what does not, not for ever.
func TestRefused(t *testing.T) {
	for status, want := range map[int]int32{400: 1, 404: 1, 500: 1, 429: mostAttempts, 502: mostAttempts} {
		var asked atomic.Int32
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			w.WriteHeader(status)
		}))
		_, err := quick(server.URL).Send(lines("{}", "{}"), "1")
		server.Close()
		if err == nil || !strings.Contains(err.Error(), "request 1: it answers ") ||
			asked.Load() != want {
			t.Errorf("%d: asked %d times, %v", status, asked.Load(), err)
		}
	}
}

// TestNobody: who does not answer, speaks something else, or is not there, is not waited for long.
func TestNobody(t *testing.T) {
	for name, say := range map[string]string{"silence": "", "other": "SSH-2.0-x\r\n", "endless": "HTTP/1.1 200 OK\r\n"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				io.WriteString(conn, say)
				defer conn.Close()
			}
		}()
		o := quick("http://" + l.Addr().String())
		o.Attempt, o.All = 50*time.Millisecond, 300*time.Millisecond
		began := time.Now()
		_, err = o.Send(lines("{}"), "1")
		if took := time.Since(began); err == nil || took > 3*time.Second {
			t.Errorf("%s: %v after %v", name, err, took)
		}
		l.Close()
		if _, err = o.Send(lines("{}"), "1"); err == nil {
			t.Errorf("%s: sent to nobody", name)
		}
	}
}

// TestEndpoints: which URLs are taken, and where they lead.
func TestEndpoints(t *testing.T) {
	for endpoint, want := range map[string]target{
		"http://localhost":                  {"localhost:4318", "localhost", "/v1/traces"},
		"http://[::1]:80/":                  {"[::1]:80", "[::1]:80", "/v1/traces"},
		"http://a.example:1/otlp/v1/traces": {"a.example:1", "a.example:1", "/otlp/v1/traces"},
		"https://a.example":                 {},
		"http://u:p@a.example":              {},
		"http://a.example/?x=y":             {},
		"a.example:4318":                    {},
		"http://a.example/%0d%0aX: y":       {"a.example:4318", "a.example", "/%0D%0AX:%20y/v1/traces"},
		"http://a.example/a\r\nX: y":        {},
		"ftp://a.example":                   {},
		"http:///v1/traces":                 {},
	} {
		o := &Options{Endpoint: endpoint}
		got, err := o.target()
		if (err != nil) != (want == target{}) || err == nil && got != want {
			t.Errorf("%q: %+v, %v", endpoint, got, err)
		}
	}
	if err := (&Options{}).Check(); err != nil {
		t.Error(err)
	}
}
