package sentence

import (
	"strings"
	"testing"

	"tcpwhy/capture"
)

// TestPathName: of a long path the end is kept, as much of it as fits.
func TestPathName(t *testing.T) {
	long := strings.Repeat("long/", 10)
	for path, want := range map[string]string{
		"a.pcap": "a.pcap", "/tmp/a.pcap": "/tmp/a.pcap", "/one/" + long + "ten/a.pcap": "…/long/ten/a.pcap",
		`C:\captures\` + strings.Repeat("x", 20) + `\a.pcap`: `…\a.pcap`, strings.Repeat("x", 30): "xxxxxxxxxxxxx…xxxxxx",
		"a\x1b/" + long + "b.pcap": "…/long/long/b.pcap",
	} {
		if got := pathName(path, 20); got != want {
			t.Errorf("%q is %q, want %q", path, got, want)
		}
	}
}

// TestComparedNames: the folders that both are in are left out, and two names stay two.
func TestComparedNames(t *testing.T) {
	x := strings.Repeat("x", 70)
	for _, tt := range [][4]string{
		{"/tmp/before.pcap", "/tmp/after.pcap", "before.pcap", "after.pcap"},
		{"/t/one/c.pcap", "/t/two/c.pcap", "one/c.pcap", "two/c.pcap"}, {"a/b.pcap", "a/b.pcap", "b.pcap", "b.pcap"},
		{"a/b.pcap, a/c.pcap", "a/d.pcap", "b.pcap, a/c.pcap", "d.pcap"}, {"-", "/t/c.pcap", "-", "/t/c.pcap"},
	} {
		if b, a := comparedNames(tt[0], tt[1]); b != tt[2] || a != tt[3] {
			t.Errorf("%q and %q are %q and %q", tt[0], tt[1], b, a)
		}
	}
	if b, a := comparedNames("/t/"+x+"1/c.pcap", "/t/2"+x+"/c.pcap"); a == b {
		t.Errorf("two names are one: %q", a)
	}
}

// TestInputNames: of several files as much is shown as tells them apart.
func TestInputNames(t *testing.T) {
	for want, names := range map[string][]string{
		"/t/c.pcap":                 {"/t/c.pcap"},
		"c.pcap, d.pcap":            {"/t/one/c.pcap", "/t/one/d.pcap"},
		"one/c.pcap, two/c.pcap":    {"/t/one/c.pcap", "/t/two/c.pcap"},
		"a/x/c.pcap, b/x/c.pcap, d": {"t/a/x/c.pcap", "t/b/x/c.pcap", "d"},
		"c.pcap, one/c.pcap":        {"c.pcap", "one/c.pcap"},
		"/c.pcap, /c.pcap":          {"/c.pcap", "/c.pcap"},
	} {
		var inputs []capture.Input
		for _, name := range names {
			inputs = append(inputs, capture.Input{Name: name})
		}
		if got := InputNames(inputs); got != want {
			t.Errorf("%q are %q, want %q", names, got, want)
		}
	}
}
