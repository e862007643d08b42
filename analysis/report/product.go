package report

import "strings"

// Product is a server or client program that settings are known of.
type Product uint8

const (
	UnknownProduct Product = iota
	Nginx
	Apache
	Node
	Go
	Gunicorn
	Uvicorn
	Python
	Tomcat
	Jetty
	Java
	ApacheClient
	OkHTTP
	IIS
	Kestrel
	DotNet
	HAProxy
	Envoy
	Lighttpd
	Caddy
	PHP
	Curl
	ApacheBench
	Wrk
	Varnish
	Squid
	Traefik
	Ruby
	Perl
	productCount
)

var productNames = [...]string{
	"",
	"nginx",
	"Apache",
	"Node",
	"Go",
	"gunicorn",
	"uvicorn",
	"Python",
	"Tomcat",
	"Jetty",
	"Java",
	"Apache HttpClient",
	"OkHttp",
	"IIS",
	"Kestrel",
	".NET",
	"HAProxy",
	"Envoy",
	"lighttpd",
	"Caddy",
	"PHP",
	"curl",
	"ab",
	"wrk",
	"Varnish",
	"Squid",
	"Traefik",
	"Ruby",
	"Perl",
}

// String is the product's name in remedies.
func (p Product) String() string { return productNames[p] }

// productTokens are the names, without version, by which products introduce themselves in Server,
// User-Agent, Via (RFC 9110 sections 10.1.5, 10.2.4 and 7.6.3) and X-Powered-By. A library counts
// as the runtime that its settings belong to.
var productTokens = [...]struct {
	token   string
	product Product
}{
	{"nginx", Nginx}, {"openresty", Nginx}, {"tengine", Nginx}, {"Apache", Apache},
	{"Apache-Coyote", Tomcat}, {"Apache-Tomcat", Tomcat}, {"Jetty", Jetty}, {"Express", Node},
	{"node", Node}, {"node.js", Node}, {"node-fetch", Node}, {"undici", Node}, {"axios", Node},
	{"got", Node}, {"node-superagent", Node}, {"Go-http-client", Go}, {"Go-http-server", Go},
	{"fasthttp", Go}, {"Caddy", Caddy}, {"gunicorn", Gunicorn}, {"uvicorn", Uvicorn},
	{"BaseHTTP", Python}, {"SimpleHTTP", Python}, {"Werkzeug", Python},
	{"python-requests", Python}, {"python-httpx", Python}, {"Python-urllib", Python},
	{"python-urllib3", Python}, {"aiohttp", Python}, {"Java-http-client", Java}, {"Java", Java},
	{"Apache-HttpClient", ApacheClient}, {"Apache-HttpAsyncClient", ApacheClient},
	{"okhttp", OkHTTP}, {"Microsoft-IIS", IIS}, {"Microsoft-HTTPAPI", IIS},
	{"Kestrel", Kestrel}, {"HAProxy", HAProxy}, {"envoy", Envoy}, {"istio-envoy", Envoy},
	{"lighttpd", Lighttpd}, {"Next.js", Node}, {"Servlet", Tomcat}, {"Varnish", Varnish},
	{"Varnish-v4", Varnish}, {"squid", Squid}, {"Traefik", Traefik}, {"Ruby", Ruby},
	{"WEBrick", Ruby}, {"libwww-perl", Perl}, {"GuzzleHttp", PHP}, {"PHP", PHP}, {"curl", Curl},
	{"libcurl", Curl}, {"ApacheBench", ApacheBench}, {"wrk", Wrk},
}

// ProductOf is the product behind the first product token of such a field.
func ProductOf(field string) Product {
	name := field
	if i := strings.IndexByte(name, '/'); i >= 0 {
		name = name[:i]
	}
	if name == "" {
		return UnknownProduct
	}
	for i := range productTokens {
		if strings.EqualFold(name, productTokens[i].token) {
			return productTokens[i].product
		}
	}
	return UnknownProduct
}

// SpeaksHTTP11 reports whether clients of that name ask in HTTP/1.1, unless they are told not to.
func (p Product) SpeaksHTTP11() bool {
	switch p {
	case Curl, Go, Node, Java, OkHTTP, ApacheClient, Python, Wrk:
		return true
	}
	return false
}

// ProductSet is a set of products, one bit each: adding to it in any order gives the same.
type ProductSet uint32

// With is the set with p, too; that of unknownProduct stands for one that gave a name of which no
// settings are known.
func (s ProductSet) With(p Product) ProductSet { return s | 1<<p }

// Without is the set without those of another.
func (s ProductSet) Without(o ProductSet) ProductSet { return s &^ o }

// has reports whether p is in the set.
func (s ProductSet) has(p Product) bool { return s&(1<<p) != 0 }

// Products are the programs that were seen at both ends.
type Products struct{ Client, Server, Proxy ProductSet }

// Add takes in what was seen elsewhere.
func (p *Products) Add(q Products) {
	p.Client |= q.Client
	p.Server |= q.Server
	p.Proxy |= q.Proxy
}

// Or is p, and q for the ends of which p knows nothing.
func (p Products) Or(q Products) Products {
	if p.Client == 0 {
		p.Client = q.Client
	}
	if p.Server == 0 {
		p.Server = q.Server
	}
	if p.Proxy == 0 {
		p.Proxy = q.Proxy
	}
	return p
}

// of is what was seen at that side.
func (p Products) of(side Side) ProductSet {
	switch side {
	case SideClient:
		return p.Client
	case SideServer:
		return p.Server
	case SideProxy:
		return p.Proxy
	}
	return 0
}
