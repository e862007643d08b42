package redact

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/net/http2/hpack"

	"tcpwhy/capture/anonym"
)

// TestFields encodes the fields of some requests and responses, and decodes what is shown of them:
// the same fields, with the same words of protocols, and none that is secret, though later ones
// refer to earlier ones.
func TestFields(t *testing.T) {
	blocks := [][]string{
		{":method", "POST", ":scheme", "https", ":path", "/s3cret.Shop/Buy?id=17", ":authority", "s3cret.example:8443", "te", "trailers",
			"content-type", "application/grpc", "grpc-timeout", "100m", "x-s3cret", "s3cret", "cookie", "a=s3cret", "user-agent", "curl/8.5.0"},
		{":method", "POST", ":scheme", "https", ":path", "/s3cret.Shop/Buy?id=17", ":authority", "s3cret.example:8443", "te", "trailers", "x-s3cret", "s3cret"},
		{":status", "503", "content-type", "application/grpc", "grpc-status", "14", "grpc-message", "s3cret", "server", "nginx/1.2 s3cret"},
		{":status", "200", "content-length", "77", "grpc-status", "0", "x-s3cret", "other s3cret", "content-type", "text/s3cret"},
	}
	var coded bytes.Buffer
	encoder, table := hpack.NewEncoder(&coded), fieldTable{}
	w := words{anonym.New(anonym.Key{1})}
	paths := map[string]bool{}
	decoder := hpack.NewDecoder(4096, nil)
	for try := range 40 {
		want := blocks[try%len(blocks)]
		coded.Reset()
		for i := 0; i < len(want); i += 2 {
			if err := encoder.WriteField(hpack.HeaderField{Name: want[i], Value: want[i+1], Sensitive: want[i] == "cookie"}); err != nil {
				t.Fatal(err)
			}
		}
		shown := table.block(w, coded.Bytes())
		got, err := decoder.DecodeFull(shown)
		if err != nil || len(shown) != coded.Len() || 2*len(got) != len(want) {
			t.Fatalf("%d fields in %d octets, want %d in %d: %v", len(got), len(shown), len(want)/2, coded.Len(), err)
		}
		for i, f := range got {
			name, value := want[2*i], want[2*i+1]
			if strings.Contains(f.Name+f.Value, "s3cret") {
				t.Errorf("%s: %s", f.Name, f.Value)
			}
			switch name {
			case ":path":
				paths[f.Value] = true
			case "x-s3cret", "cookie", ":authority", "server", "grpc-message", "user-agent":
			case "content-type":
				if strings.HasSuffix(value, "grpc") != (f.Value == value) {
					t.Errorf("%s: %s is shown as %s", name, value, f.Value)
				}
			default:
				if f.Name != name || f.Value != value {
					t.Errorf("%s: %s is shown as %s: %s", name, value, f.Name, f.Value)
				}
			}
		}
	}
	if len(paths) != 1 {
		t.Errorf("one path is shown as %v", paths)
	}
}

// TestFit: what is shortened stays as long as there is room, and keeps its marks.
func TestFit(t *testing.T) {
	for text, want := range map[string]string{
		"/abcdef/12": "/def/12", "/a": "/axxxxx", "/abcdefg": "/bcdefg", "/////////": "///////", "": "xxxxxxx",
	} {
		if got := fit([]byte(text), 7); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}

// TestWebSocket: of frames their heads are shown, masks and content not, and why a side closes.
func TestWebSocket(t *testing.T) {
	shown := shownOf(segmentsOf([]said{
		{">", "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"},
		{"<", "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n\x81\x06s3cret\x82\x7e\x00\x80" + strings.Repeat("s3cret!!", 16)},
		{">", "\x81\x86mask123456" + "\x88\x88KEYSH\xa9\x2a0rnh!"},
		{"<", "\x88\x08\x03\xf0s3cret"},
	}, 7))
	checkSecret(t, "WebSocket", shown)
	code := string([]byte{'H' ^ 'K', 0xa9 ^ 'E'})
	wantClient := "\x81\x86" + strings.Repeat("\x00", 10) + "\x88\x88\x00\x00\x00\x00" + code + strings.Repeat("\x00", 6)
	wantServer := "\x81\x06" + strings.Repeat("\x00", 6) + "\x82\x7e\x00\x80" + strings.Repeat("\x00", 128) + "\x88\x08\x03\xf0" + strings.Repeat("\x00", 6)
	if !strings.HasSuffix(shown[0], wantClient) || !strings.HasSuffix(shown[1], wantServer) {
		t.Errorf("%q, want %q and %q", shown, wantClient, wantServer)
	}
}
