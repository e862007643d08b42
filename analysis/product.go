package analysis

import "strings"

// Product is a server or client program that settings are known of.
type Product uint8

const (
	unknownProduct Product = iota
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
	{"nginx", Nginx}, {"openresty", Nginx}, {"tengine", Nginx},
	{"Apache", Apache}, {"Apache-Coyote", Tomcat}, {"Apache-Tomcat", Tomcat}, {"Jetty", Jetty},
	{
		"Express",
		Node,
	}, {"node", Node}, {"node.js", Node}, {"node-fetch", Node}, {"undici", Node}, {"axios", Node},
	{"got", Node}, {"node-superagent", Node},
	{"Go-http-client", Go}, {"Go-http-server", Go}, {"fasthttp", Go}, {"Caddy", Caddy},
	{"gunicorn", Gunicorn}, {"uvicorn", Uvicorn},
	{"BaseHTTP", Python}, {"SimpleHTTP", Python}, {"Werkzeug", Python}, {"python-requests", Python},
	{
		"python-httpx",
		Python,
	}, {"Python-urllib", Python}, {"python-urllib3", Python}, {"aiohttp", Python},
	{
		"Java-http-client",
		Java,
	}, {"Java", Java}, {"Apache-HttpClient", ApacheClient}, {"Apache-HttpAsyncClient", ApacheClient},
	{"okhttp", OkHTTP}, {"Microsoft-IIS", IIS}, {"Microsoft-HTTPAPI", IIS}, {"Kestrel", Kestrel},
	{"HAProxy", HAProxy}, {"envoy", Envoy}, {"istio-envoy", Envoy}, {"lighttpd", Lighttpd},
	{
		"Next.js",
		Node,
	}, {"Servlet", Tomcat}, {"Varnish", Varnish}, {"Varnish-v4", Varnish}, {"squid", Squid}, {"Traefik", Traefik},
	{"Ruby", Ruby}, {"WEBrick", Ruby}, {"libwww-perl", Perl},
	{
		"GuzzleHttp",
		PHP,
	}, {"PHP", PHP}, {"curl", Curl}, {"libcurl", Curl}, {"ApacheBench", ApacheBench}, {"wrk", Wrk},
}

// productOf is the product behind the first product token of such a field.
func productOf(field string) Product {
	name := field
	if i := strings.IndexByte(name, '/'); i >= 0 {
		name = name[:i]
	}
	if name == "" {
		return unknownProduct
	}
	for i := range productTokens {
		if strings.EqualFold(name, productTokens[i].token) {
			return productTokens[i].product
		}
	}
	return unknownProduct
}

// productSet is a set of products, one bit each: adding to it in any order gives the same.
type productSet uint32

// with is the set with p, too; that of unknownProduct stands for one that gave a name of which no
// settings are known.
func (s productSet) with(p Product) productSet { return s | 1<<p }

// has reports whether p is in the set.
func (s productSet) has(p Product) bool { return s&(1<<p) != 0 }

// products are the programs that were seen at both ends.
type products struct{ client, server, proxy productSet }

// add takes in what was seen elsewhere.
func (p *products) add(q products) {
	p.client |= q.client
	p.server |= q.server
	p.proxy |= q.proxy
}

// or is p, and q for the ends of which p knows nothing.
func (p products) or(q products) products {
	if p.client == 0 {
		p.client = q.client
	}
	if p.server == 0 {
		p.server = q.server
	}
	if p.proxy == 0 {
		p.proxy = q.proxy
	}
	return p
}

// of is what was seen at that side.
func (p products) of(side Side) productSet {
	switch side {
	case SideClient:
		return p.client
	case SideServer:
		return p.server
	case SideProxy:
		return p.proxy
	}
	return 0
}
