package dialogue

import (
	"strings"
	"testing"

	"tcpwhy/reassembly/exchange"
)

func TestGreets(t *testing.T) {
	for data, want := range map[string]bool{
		"\x05\x01\x00":                         true,
		"\x05\x02\x00\x02":                     true,
		"\x05\x02\x00":                         false,
		"\x05\x00":                             false,
		"\x04\x01\x00\x50\x0a\x00\x00\x01\x00": true,
		"\x04\x01\x00\x50\x00\x00\x00\x01me\x00host\x00": true,
		"\x04\x03\x00\x50\x0a\x00\x00\x01\x00":           false,
		"\x04\x01\x00\x50\x0a\x00\x00\x01":               false,
		"GET / HTTP/1.1\r\n\r\n":                         false,
	} {
		if got := greets(exchange.FromClient, []byte(data)); got != want {
			t.Errorf("%q greets: %v, want %v", data, got, want)
		}
		if greets(exchange.FromServer, []byte(data)) {
			t.Errorf("%q of a server greets", data)
		}
	}
}

func TestIntroduced(t *testing.T) {
	const two = introducer2 + "\x21\x11\x00\x0c"
	for data, want := range map[string]int{
		"PROXY TCP4 192.0.2.7 10.0.0.1 51000 80\r\nGET /": 40,
		"PROXY UNKNOWN\r\n":                          15,
		"PROXY of a word that has no end":            0,
		"PROXY " + strings.Repeat("x", 110) + "\r\n": 0,
		two + "123456789012GET /":                    28,
		two + "1234":                                 0,
		introducer2:                                  0,
		"GET / HTTP/1.1\r\n":                         0,
	} {
		if got := introduced(exchange.FromClient, []byte(data)); got != want {
			t.Errorf("%q introduces with %d octets, want %d", data, got, want)
		}
	}
}
