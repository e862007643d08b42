package http1

import (
	"testing"

	"tcpwhy/reassembly/exchange"
)

func TestForwarder(t *testing.T) {
	for _, c := range []struct{ via, want string }{
		{"1.1 vegur", "vegur"},
		{"HTTP/1.1 nginx", "nginx"},
		{"1.0 fred, 1.1 p.example.net (Apache/1.1)", "Apache/1.1"},
		{"1.1 squid.host:3128 (squid/4.10)", "squid/4.10"},
		{"1.1 varnish (Varnish/6.0), 1.1 google", "google"},
		{"1.1 abc.cloudfront.net (CloudFront)", "CloudFront"},
		{"1.1 (", ""}, {"1.1", "1.1"}, {"", ""}, {",", ""}, {"1.1 y (", ""},
	} {
		if got := string(forwarder([]byte(c.via))); got != c.want {
			t.Errorf("forwarder(%q) = %q, want %q", c.via, got, c.want)
		}
	}
}

// TestCoding: what is text, what is encoded, and what a client takes.
func TestCoding(t *testing.T) {
	for _, c := range []struct {
		name  string
		facts func([]byte) exchange.Facts
		value string
		want  exchange.Facts
	}{
		{"type", mediaFacts, "text/html; charset=utf-8", exchange.TextMedia},
		{"type", mediaFacts, "Application/JSON", exchange.TextMedia},
		{"type", mediaFacts, "application/problem+json;x", exchange.TextMedia},
		{"type", mediaFacts, "image/svg+xml", exchange.TextMedia},
		{"type", mediaFacts, "text/event-stream ;charset=utf-8", exchange.EventStream},
		{"type", mediaFacts, "image/png", 0}, {"type", mediaFacts, "application/", 0},
		{"type", mediaFacts, "", 0}, {"type", mediaFacts, ";", 0},
		{"encoding", encodingFacts, "gzip", exchange.HasCoding},
		{"encoding", encodingFacts, "identity, br", exchange.HasCoding},
		{"encoding", encodingFacts, "identity", 0}, {"encoding", encodingFacts, "", 0},
		{"accept", acceptFacts, "gzip, deflate, br", exchange.AcceptsCoding},
		{"accept", acceptFacts, "gzip;q=0, zstd;q=0.5", exchange.AcceptsCoding},
		{"accept", acceptFacts, "*", exchange.AcceptsCoding},
		{"accept", acceptFacts, "identity, compress", 0},
		{"accept", acceptFacts, "gzip; q=0.000", 0}, {"accept", acceptFacts, "", 0},
	} {
		if got := c.facts([]byte(c.value)); got != c.want {
			t.Errorf("%s %q: %b, want %b", c.name, c.value, got, c.want)
		}
	}
}
