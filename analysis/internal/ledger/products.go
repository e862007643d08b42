package ledger

import (
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly/exchange"
)

// products are the programs that the two ends of a connection say that they are.
type products struct {
	seen report.Products
	// User-Agent, Server, X-Powered-By, Via of the request and of the response, as last seen
	said [5]string
}

// UnreadFacts are those of a message whose header was not read as it was sent.
const UnreadFacts = exchange.HasGap | exchange.Resynced | exchange.BadHeader

// note remembers what x says. A proxy is the end of this connection, though the fields of the
// programs behind it pass through: Via tells.
func (n *products) note(x *exchange.Exchange) {
	if r := x.Request; r != nil && !x.Turn && x.Agent == "" && x.RequestVia == "" &&
		r.Facts&UnreadFacts == 0 {
		// it could have said who it is
		n.seen.Client = n.seen.Client.With(report.UnknownProduct)
	}
	agent := x.Agent
	if passedOn(x) {
		agent = forwarder
	}
	said := [...]string{agent, x.Software, x.Powered, x.RequestVia, x.ResponseVia}
	if said == n.said {
		return
	}
	n.said = said
	if x.RequestVia != "" {
		n.seen.Proxy = n.seen.Proxy.With(report.ProductOf(x.RequestVia))
		n.seen.Client = n.seen.Client.With(report.ProductOf(x.RequestVia))
	} else if agent != "" {
		n.seen.Client = n.seen.Client.With(report.ProductOf(agent))
	}
	if x.ResponseVia != "" {
		n.seen.Proxy = n.seen.Proxy.With(report.ProductOf(x.ResponseVia))
		n.seen.Server = n.seen.Server.With(report.ProductOf(x.ResponseVia))
		return
	}
	for _, field := range said[1:3] {
		if field != "" {
			n.seen.Server = n.seen.Server.With(report.ProductOf(field))
		}
	}
}

// forwarder stands for a program that sends on what another has asked for, without its own name: it
// is none that has settings.
const forwarder = "forwarder"

// passedOn reports whether the name of the client in a request is that of another one, on whose
// behalf a proxy asks: it says for whom, or it speaks an older HTTP than that program does (nginx
// asks servers in HTTP/1.0 unless told otherwise).
func passedOn(x *exchange.Exchange) bool {
	return x.Trail != nil && x.Trail.Forwarded.IsValid() ||
		x.Version == "HTTP/1.0" && report.ProductOf(x.Agent).SpeaksHTTP11()
}
