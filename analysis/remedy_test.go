package analysis

import (
	"slices"
	"strings"
	"testing"

	"tcpwhy/reassembly"
)

func TestProductOf(t *testing.T) {
	for field, want := range map[string]Product{
		"nginx/1.22.1": Nginx, "nginx": Nginx, "openresty/1.21": Nginx, "Apache/2.4.57": Apache, "Apache-Coyote/1.1": Tomcat,
		"Jetty": Jetty, "Microsoft-IIS/10.0": IIS, "gunicorn": Gunicorn, "GUNICORN/20.0": Gunicorn, "uvicorn": Uvicorn,
		"Werkzeug/2.2.2": Python, "BaseHTTP/0.6": Python, "python-requests/2.31": Python, "Go-http-client/1.1": Go,
		"curl/8.5": Curl, "ApacheBench/2.3": ApacheBench, "Apache-HttpClient/4.5": ApacheClient, "okhttp/4.9": OkHTTP,
		"Java-http-client/17": Java, "envoy": Envoy, "node": Node, "axios/1.6": Node,
		"": unknownProduct, "/": unknownProduct, "nginxx/1": unknownProduct, "Mozilla/5.0": unknownProduct, "Apache2": unknownProduct,
	} {
		if got := productOf(field); got != want {
			t.Errorf("productOf(%q) = %v, want %v", field, got, want)
		}
	}
}

func TestRemedyForProducts(t *testing.T) {
	r := Remedy{Side: SideServer, Text: "keep them", After: "then look again", Settings: []Setting{{Nginx, "a 1 (2 unless set)"}, {Apache, "B"},
		{Node, "c"}, {Go, "D"}, {Gunicorn, "--e"}, {Nginx, "f"}, {Tomcat, "g"}, {Jetty, "h"}}}
	client := r
	client.Side = SideClient
	proxy := r
	proxy.Side = SideProxy
	var none productSet
	unknown := "keep them: nginx a 1 (2 unless set), Apache B, Node c, Go D, gunicorn --e, nginx f; then look again"
	for _, c := range []struct {
		name string
		r    Remedy
		seen products
		want string
	}{
		{"nothing known", r, products{}, unknown},
		{"known without a setting", r, products{server: none.with(Caddy)}, unknown},
		{"the client's product is not the server's", r, products{client: none.with(Go)}, unknown},
		{"proxy known", proxy, products{proxy: none.with(Apache)},
			"keep them; this proxy is Apache: B; elsewhere: nginx a 1, Node c, Go D; then look again"},
		{"one of the two ends is no proxy", proxy, products{client: none.with(Go), server: none.with(Nginx)}, unknown},
		{"server known", r, products{server: none.with(Apache)},
			"keep them; this server is Apache: B; elsewhere: nginx a 1, Node c, Go D; then look again"},
		{"two settings", r, products{server: none.with(Nginx)},
			"keep them; this server is nginx: a 1 (2 unless set), f; elsewhere: Apache B, Node c, Go D; then look again"},
		{"two programs behind one address", client, products{client: none.with(Go).with(Apache)},
			"keep them; this client is Apache: B; also Go: D; elsewhere: nginx a 1, Node c, gunicorn --e; then look again"},
	} {
		if got := c.r.forProducts(c.seen); got.Text != c.want || got.Side != c.r.Side || got.Settings != nil || got.After != "" {
			t.Errorf("%s: %+v, want the text %q", c.name, got, c.want)
		}
	}
	if got := r.General(); !strings.HasSuffix(got, "Tomcat g, Jetty h; then look again") {
		t.Errorf("General() = %q, want every setting", got)
	}
}

func TestProductsOfOrder(t *testing.T) {
	var none productSet
	a, b := products{client: none.with(Go)}, products{client: none.with(Curl), server: none.with(Nginx)}
	ab, ba := a, b
	ab.add(b)
	ba.add(a)
	if ab != ba {
		t.Errorf("the order of occurrences changes what was seen: %v and %v", ab, ba)
	}
	if got, want := a.or(b), (products{client: none.with(Go), server: none.with(Nginx)}); got != want {
		t.Errorf("or = %v, want %v: only what is not known comes from the others", got, want)
	}
}

// TestRemedyData holds all rules to remedies that read as one clause, and that name a product once
// for each setting.
func TestRemedyData(t *testing.T) {
	if len(productNames) != int(productCount) {
		t.Fatalf("%d names for %d products", len(productNames), productCount)
	}
	if productCount > 32 {
		t.Errorf("%d products do not fit a productSet", productCount)
	}
	for _, d := range All() {
		for _, c := range d.Causes {
			for _, r := range c.Remedies {
				checkRemedy(t, d.Name+"/"+c.Code, &r)
			}
		}
	}
}

func checkRemedy(t *testing.T, where string, r *Remedy) {
	t.Helper()
	if r.Text == "" || strings.HasSuffix(r.Text, ".") || strings.HasSuffix(r.Text, ":") {
		t.Errorf("%s: %q is no clause", where, r.Text)
	}
	for i, s := range r.Settings {
		if s.Product == unknownProduct || s.Text == "" {
			t.Errorf("%s: setting %d of %q is %v %q", where, i, r.Text, s.Product, s.Text)
		}
		if slices.Index(r.Settings, s) != i {
			t.Errorf("%s: %v %q is there twice", where, s.Product, s.Text)
		}
	}
	if n := len(r.forProducts(products{}).Text); n > 560 {
		t.Errorf("%s: %d characters are too many to read: %s", where, n, r.General())
	}
}

// TestProductsOfProxies: who forwarded a message is the end of the connection, not the program
// whose fields it passed on.
func TestProductsOfProxies(t *testing.T) {
	var none productSet
	for _, c := range []struct {
		name string
		x    reassembly.Exchange
		want products
	}{
		{"both ends", reassembly.Exchange{Agent: "curl/8.5", Software: "nginx/1.22.1"}, products{client: none.with(Curl), server: none.with(Nginx)}},
		{"what the server runs", reassembly.Exchange{Software: "x", Powered: "Express"}, products{server: none.with(unknownProduct).with(Node)}},
		{"forwarded request", reassembly.Exchange{Agent: "curl/8.5", RequestVia: "squid/4.10"},
			products{client: none.with(Squid), proxy: none.with(Squid)}},
		{"forwarded response", reassembly.Exchange{Software: "gunicorn", Powered: "PHP/8.2", ResponseVia: "Varnish/6.0"},
			products{server: none.with(Varnish), proxy: none.with(Varnish)}},
		{"forwarded by somebody", reassembly.Exchange{Agent: "curl/8.5", RequestVia: "fred"},
			products{client: none.with(unknownProduct), proxy: none.with(unknownProduct)}},
	} {
		var s connState
		s.noteProducts(&c.x)
		if got := s.names.products; got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
	known, other := products{server: none.with(Nginx)}, products{server: none.with(unknownProduct)}
	if got := other.or(known); got != other {
		t.Errorf("a server of another name is taken for %+v", got)
	}
}
