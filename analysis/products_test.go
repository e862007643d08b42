package analysis

import (
	"testing"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly/exchange"
)

// TestProductsOfProxies: who forwarded a message is the end of the connection, not the program
// whose fields it passed on.
func TestProductsOfProxies(t *testing.T) {
	var none report.ProductSet
	for _, c := range []struct {
		name string
		x    exchange.Exchange
		want report.Products
	}{
		{"both ends", exchange.Exchange{Programs: exchange.Programs{Agent: "curl/8.5", Software: "nginx/1.22.1"}}, report.Products{Client: none.With(report.Curl), Server: none.With(report.Nginx)}},
		{"what the server runs", exchange.Exchange{Programs: exchange.Programs{Software: "x", Powered: "Express"}}, report.Products{Server: none.With(report.UnknownProduct).With(report.Node)}},
		{"forwarded request", exchange.Exchange{Programs: exchange.Programs{Agent: "curl/8.5", RequestVia: "squid/4.10"}},
			report.Products{Client: none.With(report.Squid), Proxy: none.With(report.Squid)}},
		{"forwarded response", exchange.Exchange{Programs: exchange.Programs{Software: "gunicorn", Powered: "PHP/8.2", ResponseVia: "Varnish/6.0"}},
			report.Products{Server: none.With(report.Varnish), Proxy: none.With(report.Varnish)}},
		{"forwarded by somebody", exchange.Exchange{Programs: exchange.Programs{Agent: "curl/8.5", RequestVia: "fred"}},
			report.Products{Client: none.With(report.UnknownProduct), Proxy: none.With(report.UnknownProduct)}},
	} {
		var s ledger.Connection
		s.NoteProducts(&c.x)
		if got := s.Products(); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
	known, other := report.Products{Server: none.With(report.Nginx)}, report.Products{Server: none.With(report.UnknownProduct)}
	if got := other.Or(known); got != other {
		t.Errorf("a server of another name is taken for %+v", got)
	}
}
