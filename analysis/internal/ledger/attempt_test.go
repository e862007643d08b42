package ledger

import (
	"testing"
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// TestWantsCertificate: handshake_failure is about the client's certificate if the client was asked
// for one, had none, and the server answers that.
func TestWantsCertificate(t *testing.T) {
	at := func(ms time.Duration) capture.Mark {
		return capture.Mark{Time: ms * time.Millisecond, Frame: 1}
	}
	alert := exchange.Alert{At: at(30), Description: 40}
	for _, c := range []struct {
		name        string
		asked, none capture.Mark
		by          reassembly.Dir
		want        bool
	}{
		{"asked, and none sent", at(10), at(20), reassembly.FromServer, true},
		{"not asked", capture.Mark{}, capture.Mark{}, reassembly.FromServer, false},
		{"asked, and one sent", at(10), capture.Mark{}, reassembly.FromServer, false},
		{"refused before", at(10), at(40), reassembly.FromServer, false},
		{"the client refuses", at(10), at(20), reassembly.FromClient, false},
	} {
		conn := &reassembly.Conn{}
		conn.TLS = &exchange.TLSInfo{}
		conn.TLS.CertificateRequest, conn.TLS.NoCertificate = c.asked, c.none
		if got := WantsCertificate(conn, c.by, &alert); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
