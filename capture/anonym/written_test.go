package anonym

import (
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
)

// TestText: what stands for an address that is written out is as long, another one, and the one that
// stands for it in frames; what begins alike still does.
func TestText(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	texts := strings.Fields(
		"10.0.0.1 10.0.0.2 192.168.17.250 8.8.8.8 93.184.216.34 203.0.113.99 2001:db8::1 2001:DB8:0:0::20 " +
			"fd00:1:22:333:4444:5:66:777 fe80::abcd ::ffff:10.9.8.7 0010:db8::0001 2a00::",
	)
	for range 200 {
		texts = append(
			texts,
			netip.AddrFrom4([4]byte{byte(r.Uint32()), byte(r.Uint32()), byte(r.IntN(3)), byte(r.IntN(12))}).
				String(),
		)
	}
	m := New(Key{1})
	for _, text := range texts {
		to, ok := m.Text(text, nil)
		a, addr := netip.MustParseAddr(text), netip.Addr{}
		if ok {
			addr = netip.MustParseAddr(to)
		}
		if again, _ := m.Text(text, nil); !ok || len(to) != len(text) || addr != m.Addr(a) ||
			again != to {
			t.Errorf(
				"%s stands for %q (%v), later %q, %s in frames",
				text,
				to,
				ok,
				again,
				m.Addr(a),
			)
		}
	}
	checkPrefixes(t, m, texts)
	for _, text := range strings.Fields("example.com 10.0.0 10.0.0.256 010.0.0.1 fe80::1%eth0 ::g 1::2::3") {
		if to, ok := m.Text(text, nil); ok {
			t.Errorf("%q, which is no address, stands for %q", text, to)
		}
	}
	if to, ok := m.Text("127.0.0.1", nil); to != "127.0.0.1" || !ok {
		t.Errorf("loopback stands for %q", to)
	}
}

// TestTextFits: of what may stand for an address one is taken that has a property besides.
func TestTextFits(t *testing.T) {
	even := func(to string) bool { return strings.Trim(to[len(to)-1:], "02468") == "" }
	for i := range byte(40) {
		m := New(Key{i})
		to, ok := m.Text("203.0.113.77", even)
		if again, _ := m.Text("203.0.113.77", nil); !ok || !even(to) || again != to {
			t.Errorf("%q, later %q", to, again)
		}
	}
}
