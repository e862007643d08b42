package ledger

import (
	"testing"
	"time"

	"tcpwhy/analysis/internal/ledger/sender"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// TestTimeBeforeClientHello: between SYN-ACK and ClientHello a client works on TLS, unless it had
// connected in advance.
func TestTimeBeforeClientHello(t *testing.T) {
	for _, c := range []struct {
		name string
		tls  *exchange.TLSInfo
		took time.Duration
		want report.Label
	}{
		{"plain", nil, 5 * time.Millisecond, report.ClientThink},
		{"TLS", &exchange.TLSInfo{}, 5 * time.Millisecond, report.TLSClient},
		{"TLS on a connection opened in advance", &exchange.TLSInfo{}, 2 * time.Second, report.ClientThink},
	} {
		w := &walk{
			path: &sender.Path{Conn: &reassembly.Conn{Transcript: exchange.Transcript{TLS: c.tls}}},
		}
		if got := w.beforeSpeaking(c.took); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
