package report

import (
	"strings"
	"testing"
)

func TestProductOf(t *testing.T) {
	for field, want := range map[string]Product{
		"nginx/1.22.1": Nginx, "nginx": Nginx, "openresty/1.21": Nginx, "Apache/2.4.57": Apache, "Apache-Coyote/1.1": Tomcat,
		"Jetty": Jetty, "Microsoft-IIS/10.0": IIS, "gunicorn": Gunicorn, "GUNICORN/20.0": Gunicorn, "uvicorn": Uvicorn,
		"Werkzeug/2.2.2": Python, "BaseHTTP/0.6": Python, "python-requests/2.31": Python, "Go-http-client/1.1": Go,
		"curl/8.5": Curl, "ApacheBench/2.3": ApacheBench, "Apache-HttpClient/4.5": ApacheClient, "okhttp/4.9": OkHTTP,
		"Java-http-client/17": Java, "envoy": Envoy, "node": Node, "axios/1.6": Node,
		"": UnknownProduct, "/": UnknownProduct, "nginxx/1": UnknownProduct, "Mozilla/5.0": UnknownProduct, "Apache2": UnknownProduct,
	} {
		if got := ProductOf(field); got != want {
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
	var none ProductSet
	unknown := "keep them: nginx a 1 (2 unless set), Apache B, Node c, Go D, gunicorn --e, nginx f; then look again"
	for _, c := range []struct {
		name string
		r    Remedy
		seen Products
		want string
	}{
		{"nothing known", r, Products{}, unknown},
		{"known without a setting", r, Products{Server: none.With(Caddy)}, unknown},
		{"the client's product is not the server's", r, Products{Client: none.With(Go)}, unknown},
		{"proxy known", proxy, Products{Proxy: none.With(Apache)},
			"keep them; this proxy is Apache: B; elsewhere: nginx a 1, Node c, Go D; then look again"},
		{"one of the two ends is no proxy", proxy, Products{Client: none.With(Go), Server: none.With(Nginx)}, unknown},
		{"server known", r, Products{Server: none.With(Apache)},
			"keep them; this server is Apache: B; elsewhere: nginx a 1, Node c, Go D; then look again"},
		{"two settings", r, Products{Server: none.With(Nginx)},
			"keep them; this server is nginx: a 1 (2 unless set), f; elsewhere: Apache B, Node c, Go D; then look again"},
		{"two programs behind one address", client, Products{Client: none.With(Go).With(Apache)},
			"keep them; this client is Apache: B; also Go: D; elsewhere: nginx a 1, Node c, gunicorn --e; then look again"},
	} {
		if got := c.r.ForProducts(c.seen); got.Text != c.want || got.Side != c.r.Side || got.Settings != nil || got.After != "" {
			t.Errorf("%s: %+v, want the text %q", c.name, got, c.want)
		}
	}
	if got := r.General(); !strings.HasSuffix(got, "Tomcat g, Jetty h; then look again") {
		t.Errorf("General() = %q, want every setting", got)
	}
}

func TestProductsOfOrder(t *testing.T) {
	var none ProductSet
	a, b := Products{Client: none.With(Go)}, Products{Client: none.With(Curl), Server: none.With(Nginx)}
	ab, ba := a, b
	ab.Add(b)
	ba.Add(a)
	if ab != ba {
		t.Errorf("the order of occurrences changes what was seen: %v and %v", ab, ba)
	}
	if got, want := a.Or(b), (Products{Client: none.With(Go), Server: none.With(Nginx)}); got != want {
		t.Errorf("or = %v, want %v: only what is not known comes from the others", got, want)
	}
}

func TestProductNames(t *testing.T) {
	if len(productNames) != int(productCount) {
		t.Fatalf("%d names for %d products", len(productNames), productCount)
	}
	if productCount > 32 {
		t.Errorf("%d products do not fit a ProductSet", productCount)
	}
}
