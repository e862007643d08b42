package http1

import "testing"

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
