package analysis

import (
	"fmt"
	"strings"
	"testing"
)

// A client that closes with unread data in its socket resets; one that has read all closes with a
// FIN.
func TestNotDrained(t *testing.T) {
	const rtt = 0.05
	said := func(octets int) *talk {
		return newTalk(40001).open(0, rtt).exchange(0.051, rtt, getA,
			fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", octets)+strings.Repeat("x", octets))
	}
	reset := func(octets int) *talk {
		k := said(octets)
		return k.line("0.101500 > R. %d:%d(0) ack %d", k.c, k.c, k.s)
	}
	late := said(5000)
	late.line("3.0 > R. %d:%d(0) ack %d", late.c, late.c, late.s)
	next := newTalk(40002).open(5, rtt).exchange(5.051, rtt, getC, ok)
	runConnCases(t, []connCase{
		{"5000 octets and a reset", []*talk{reset(5000), next}, "missed-reuse/not-drained×1:low"},
		{"read with the header, and a reset", []*talk{reset(2000), next}, "missed-reuse/client-closed×1:low"},
		{"5000 octets and a FIN", []*talk{said(5000).clientFin(0.1015).serverFin(0.152), next}, "missed-reuse/client-closed×1:low"},
		{"given up after an idle time", []*talk{late, next}, ""},
	})
}
