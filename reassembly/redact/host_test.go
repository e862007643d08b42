package redact

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/net/http2/hpack"

	"tcpwhy/capture/anonym"
)

// TestAddresses: an address that is written out is the one that stands for it in frames, wherever
// that is, with its port, as long.
func TestAddresses(t *testing.T) {
	p := NewPlan(anonym.New(anonym.Key{1}))
	w := p.words
	v4, _ := w.mapper.Text("198.51.100.7", nil)
	v6, _ := w.mapper.Text("2001:db8::a7", nil)
	other, _ := w.mapper.Text("10.9.8.7", nil)
	for text, want := range map[string]string{
		"Host: 198.51.100.7\r\n": "Host: " + v4 + "\r\n", "host: [2001:DB8::a7]:8080\r\n": "host: [" + v6 + "]:8080\r\n",
		"X-Forwarded-For: 198.51.100.7, 10.9.8.7:80, s3cret\r\n":            "X-Forwarded-For: " + v4 + ", " + other + ":80, xxxxxx\r\n",
		"Forwarded: for=\"[2001:db8::a7]:47\";proto=s3cret;by=10.9.8.7\r\n": "Forwarded: for=\"[" + v6 + "]:47\";xxxxx=xxxxxx;by=" + other + "\r\n",
		"X-Real-IP: 2001:db8::a7\r\n":                                       "X-Real-IP: " + v6 + "\r\n", "X-S3cret: 10.9.8.7\r\n": "xxxxxxxx: xxxxxxxx\r\n",
	} {
		if got := string(w.field([]byte(text))); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
	for line, want := range map[string]string{
		"GET http://198.51.100.7:81/ HTTP/1.1\r\n":     "GET http://" + v4 + ":81/ HTTP/1.1\r\n",
		"GET https://ann@[2001:db8::a7]/ HTTP/1.1\r\n": "GET https://" + w.mapper.Word("ann") + "@[" + v6 + "]/ HTTP/1.1\r\n",
		"CONNECT 198.51.100.7:443 HTTP/1.1\r\n":        "CONNECT " + v4 + ":443 HTTP/1.1\r\n",
		"CONNECT [2001:db8::a7]:443 HTTP/1.1\r\n":      "CONNECT [" + v6 + "]:443 HTTP/1.1\r\n",
	} {
		if got := string(w.startLine([]byte(line))); got != want {
			t.Errorf("%q is shown as %q, want %q", line, got, want)
		}
	}
	if want := netip.MustParseAddr(v4); p.words.mapper.Addr(
		netip.MustParseAddr("198.51.100.7"),
	) != want {
		t.Error("in frames it is another")
	}
}

// TestIntroductions: what a proxy says first of its client is shown with other addresses, and what
// follows in the same segment or the next is known.
func TestIntroductions(t *testing.T) {
	get := "GET /s3cret HTTP/1.1\r\n\r\n"
	binary := "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x12\xc6\x33\x64\x07\x0a\x09\x08\x07\x12\x34\x00\x50s3cret"
	for _, intro := range []string{
		"PROXY TCP4 198.51.100.7 10.9.8.7 56324 443\r\n", "PROXY TCP6 2001:db8::a7 fd00::9 1 80\r\n", "PROXY UNKNOWN s3cret\r\n", binary,
	} {
		for _, cut := range []int{len(intro), 1000} {
			shown := shownOf(segmentsOf([]said{{">", intro + get}}, cut))
			checkSecret(t, intro, shown)
			rest, found := strings.CutPrefix(shown[0], intro[:5])
			if !found || !strings.Contains(rest, "GET /") ||
				strings.Contains(rest, "198.51.100.7 ") ||
				strings.Contains(rest, "\xc6\x33\x64\x07") {
				t.Errorf("%q is shown as %q", intro, shown[0])
			}
		}
	}
	if shown := shownOf(segmentsOf([]said{{">", get + "PROXY TCP4 198.51.100.7 10.9.8.7 5 4\r\n"}}, len(get))); strings.Contains(
		shown[0],
		"TCP4",
	) {
		t.Errorf("later it is shown, too: %q", shown[0])
	}
}

// TestCodedAddresses: in fields of HTTP/2 an address is whole, coded or not, and the same one; what
// cannot be as long is no address.
func TestCodedAddresses(t *testing.T) {
	for key := range byte(60) {
		m := anonym.New(anonym.Key{key})
		w, table := words{m}, fieldTable{}
		var coded bytes.Buffer
		encoder, decoder := hpack.NewEncoder(&coded), hpack.NewDecoder(4096, nil)
		fields := []string{
			":authority", "203.0.113.77:50051", ":authority", "203.0.113.77", "x-forwarded-for", "10.244.3.17, 2001:db8::abcd:17",
			":authority", "[2001:db8::abcd:17]:8080",
		}
		for i := 0; i < len(fields); i += 2 {
			if err := encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}); err != nil {
				t.Fatal(err)
			}
		}
		got, err := decoder.DecodeFull(table.block(w, coded.Bytes()))
		if err != nil || len(got) != len(fields)/2 {
			t.Fatalf("%d fields: %v", len(got), err)
		}
		to := func(text string) string { return m.Addr(netip.MustParseAddr(text)).String() }
		a, b, c := to("203.0.113.77"), to("10.244.3.17"), to("2001:db8::abcd:17")
		for i, want := range []string{a + ":50051", a, b + ", " + c, "[" + c + "]:8080"} {
			if got[i].Value != want {
				t.Errorf(
					"key %d: %s is shown as %s, want %s",
					key,
					fields[2*i+1],
					got[i].Value,
					want,
				)
			}
		}
	}
}
