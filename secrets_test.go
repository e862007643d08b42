package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"unicode"

	"tcpwhy/reassembly/tcptext"
)

// secretive is a capture in which whatever should not be printed is called S3CRET, and that holds characters which a
// terminal would act on. Its connection is reset in the middle, so that there is a finding.
const secretive = `
0.000 > S  0:0(0) win 64240 <mss 1460>
0.010 < S. 0:0(0) ack 1 win 65160 <mss 1460>
0.011 > P. 1 ack 1 "POST http://ann:S3CRET@shop.example/a\x1b[31m/\u202eb;sid=S3CRET?token=S3CRET&S3CRET#S3CRET HTTP/1.1\r\nHost: shop\x1b]0;x\x07.example\r\nCookie: crumb=S3CRET\r\nAuthorization: Basic S3CRET\r\nX-Api-Key: S3CRET\r\nReferer: http://h/?S3CRET\r\nUser-Agent: S3CRET (S3CRET)\r\nContent-Length: 12\r\n\r\npass=S3CRET!"
0.050 < P. 1 ack 457 "HTTP/1.1 200 S3CRET\r\nSet-Cookie: crumb=S3CRET\r\nLocation: http://h/?t=S3CRET\r\nServer: x\u009b31m\r\nContent-Length: 999\r\n\r\nS3CRET"
0.060 < R. 150 ack 457
`

// TestSecrets looks for planted secrets, and for characters that a terminal acts on, in all that is printed.
func TestSecrets(t *testing.T) {
	segments, err := tcptext.Parse(secretive)
	if err != nil {
		t.Fatal(err)
	}
	file := t.TempDir() + "/capture.pcap"
	if err := os.WriteFile(file, writeCapture(t, segments), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"text", "json", "ndjson"} {
		for _, show := range []bool{false, true} {
			args := []string{"-F", format, "--max-occurrences", "0", file}
			if show {
				args = append(args, "--show-query")
			}
			var stdout, stderr bytes.Buffer
			if status := run(args, strings.NewReader(""), &stdout, &stderr); status != exitOK {
				t.Fatalf("%s: status %d: %s", format, status, stderr.String())
			}
			out := stdout.String() + stderr.String()
			if !strings.Contains(out, "shop") {
				t.Errorf("%s: the exchange is not reported at all", format)
			}
			for _, secret := range []string{"ann:", "ann@", "Basic S", "pass=", "crumb"} {
				if strings.Contains(out, secret) {
					t.Errorf("%s: prints %q", format, secret)
				}
			}
			if i := strings.Index(out, "S3CRET"); i >= 0 && !show {
				t.Errorf("%s: prints a secret: %q", format, out[max(0, i-60):i+6])
			}
			if i := strings.IndexFunc(out, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
				t.Errorf("%s: an unprintable character: %q", format, out[max(0, i-20):i+6])
			}
		}
	}
}
