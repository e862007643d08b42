package main

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode"

	"tcpwhy/analysis"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/internal/cli"
	"tcpwhy/output"
	"tcpwhy/output/json"
	liveview "tcpwhy/output/view"
	"tcpwhy/reassembly/tcptext"
)

// secretive is a capture in which whatever should not be printed is called S3CRET, and that holds
// characters which a terminal would act on. Its connection is reset in the middle, so that there is
// a finding.
const secretive = `
0.000 > S  0:0(0) win 64240 <mss 1460>
0.010 < S. 0:0(0) ack 1 win 65160 <mss 1460>
0.011 > P. 1 ack 1 "POST http://ann:S3CRET@shop.example/a\x1b[31m/\u202eb;sid=S3CRET?token=S3CRET&S3CRET#S3CRET HTTP/1.1\r\nHost: shop\x1b]0;x\x07.example\r\nCookie: crumb=S3CRET\r\nAuthorization: Basic S3CRET\r\nX-Api-Key: S3CRET\r\nReferer: http://h/?S3CRET\r\nUser-Agent: S3CRET (S3CRET)\r\nContent-Length: 12\r\n\r\npass=S3CRET!"
0.050 < P. 1 ack 457 "HTTP/1.1 200 S3CRET\r\nSet-Cookie: crumb=S3CRET\r\nLocation: http://h/?t=S3CRET\r\nServer: x\u009b31m\r\nContent-Length: 999\r\n\r\nS3CRET"
0.060 < R. 150 ack 457
`

// secretiveTLS is the same of TLS: a name of the server that no name can be, and an application
// protocol.
const secretiveTLS = `
0.000 > S  0:0(0) win 64240 <mss 1460>
0.010 < S. 0:0(0) ack 1 win 65160 <mss 1460>
0.011 > P. 1 ack 1 "\x16\x03\x01\x00\x67\x01\x00\x00\x63\x03\x0300000000000000000000000000000000\x00\x00\x02\x13\x01\x01\x00\x00\x38\x00\x00\x00\x24\x00\x22\x00\x00\x1fann:S3CRET@shop\x1b[31m\u202e.example\x00\x10\x00\x0c\x00\x0a\x09h\x1b[31m\x9b7m"
0.050 < P. 1 ack 109 "\x17\x03\x03\x00\x06S3CRET"
0.060 < R. 12 ack 109
`

// secretiveFile writes a capture of segments.
func secretiveFile(t *testing.T, text string) string {
	t.Helper()
	segments, err := tcptext.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "capture.pcap")
	if err := os.WriteFile(file, writeCapture(t, segments), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// everyOutput runs the program in all its formats, of the report, an exchange and a connection.
func everyOutput(t *testing.T, file string, more ...string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, format := range output.Names() {
		for _, what := range []string{"--max-occurrences=0", "--exchange=0", "--connection=0", "--color=always"} {
			var stdout, stderr bytes.Buffer
			args := append([]string{"-F", format, what, file}, more...)
			if status := cli.Run(args, strings.NewReader(""), &stdout, &stderr); status != cli.ExitOK {
				t.Fatalf("%s: status %d: %s", args, status, stderr.String())
			}
			if what == "--color=always" && format == "text" {
				out[format+" "+what] = withoutColors(stdout.String()) + stderr.String()
				continue
			}
			out[format+" "+what] = stdout.String() + stderr.String()
		}
	}
	return out
}

// withoutColors removes what the program itself tells a terminal.
func withoutColors(s string) string {
	for _, code := range []string{"0", "1", "2", "1;31", "1;33", "36", "32"} {
		s = strings.ReplaceAll(s, "\x1b["+code+"m", "")
	}
	return s
}

// checkHarmless looks for planted secrets, unless they are shown, and for characters that a
// terminal acts on.
func checkHarmless(t *testing.T, what, out string, shown bool) {
	t.Helper()
	if i := strings.Index(out, "S3CRET"); i >= 0 && !shown {
		t.Errorf("%s: prints a secret: %q", what, out[max(0, i-60):i+6])
	}
	if i := strings.IndexFunc(out, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
		t.Errorf("%s: an unprintable character: %q", what, out[max(0, i-20):min(i+6, len(out))])
	}
}

// TestSecrets looks for planted secrets, and for characters that a terminal acts on, in all that is
// printed.
func TestSecrets(t *testing.T) {
	t.Parallel()
	file := secretiveFile(t, secretive)
	for _, show := range []string{"--show-query=false", "--show-query"} {
		for what, out := range everyOutput(t, file, show) {
			if !strings.Contains(out, "shop") && !strings.Contains(what, "text --connection") {
				t.Errorf("%s: the exchange is not reported at all", what)
			}
			for _, secret := range []string{"ann:", "ann@", "Basic S", "pass=", "crumb"} {
				if strings.Contains(out, secret) {
					t.Errorf("%s: prints %q", what, secret)
				}
			}
			checkHarmless(t, what, out, show == "--show-query")
		}
	}
}

// TestSecretsOfTLS: the name that a client asks for is shown, but neither what stands before an @
// nor what a terminal acts on.
func TestSecretsOfTLS(t *testing.T) {
	t.Parallel()
	found := false
	for what, out := range everyOutput(t, secretiveFile(t, secretiveTLS), "--show-query") {
		checkHarmless(t, what, out, false)
		found = found || strings.Contains(out, "shop")
	}
	if !found {
		t.Error("the name of the server is not reported at all")
	}
}

// TestSecretsOfFile plants secrets in all that a pcapng file may hold beside frames.
func TestSecretsOfFile(t *testing.T) {
	t.Parallel()
	plain, err := os.ReadFile("testdata/pcaps/nagle-delayed-ack-request-rtt10/capture.pcap")
	if err != nil {
		t.Fatal(err)
	}
	const planted = "S3CRET\x1b[31m\u202e\x9b7m\x00"
	file := filepath.Join(t.TempDir(), "capture.pcapng")
	if err := os.WriteFile(file, plantedFile(parseTrace(t, plain), planted), 0o644); err != nil {
		t.Fatal(err)
	}
	for what, out := range everyOutput(t, file, "--show-query") {
		checkHarmless(t, what, out, false)
	}
}

// plantedFile is a pcapng file with a text in options of every block, in names and in secrets.
func plantedFile(tr trace, text string) []byte {
	le := binary.LittleEndian
	var file []byte
	block := func(kind uint32, body []byte) {
		size := uint32(12 + (len(body)+3)&^3)
		file = le.AppendUint32(le.AppendUint32(file, kind), size)
		file = append(append(file, body...), make([]byte, -len(body)&3)...)
		file = le.AppendUint32(file, size)
	}
	options := func(body []byte, codes ...uint16) []byte {
		for _, code := range codes {
			body = le.AppendUint16(le.AppendUint16(body, code), uint16(len(text)))
			body = append(append(body, text...), make([]byte, -len(text)&3)...)
		}
		return le.AppendUint32(body, 0)
	}
	section := le.AppendUint64(le.AppendUint32(le.AppendUint32(nil, 0x1a2b3c4d), 1), ^uint64(0))
	// comment, hardware, system, program, custom
	block(0x0a0d0d0a, options(section, 1, 2, 3, 4, 2988))
	iface := le.AppendUint32(le.AppendUint32(nil, uint32(tr.link)), 0)
	block(1, options(iface, 1, 2, 3, 12, 15)) // comment, name, description, system, hardware
	names := append(le.AppendUint16(le.AppendUint16(nil, 1), uint16(5+len(text))), 10, 0, 0, 1)
	block(4, append(append(names, text...), 0, 0, 0, 0, 0))
	// keys
	block(10, append(le.AppendUint32(le.AppendUint32(nil, 0x544c534b), uint32(len(text))), text...))
	// custom
	block(0xbad, append(le.AppendUint32(nil, 32473), text...))
	for _, p := range tr.packets {
		b := le.AppendUint32(le.AppendUint32(nil, 0), uint32(uint64(p.at/1000)>>32))
		b = le.AppendUint32(le.AppendUint32(le.AppendUint32(b, uint32(p.at/1000)), uint32(len(p.data))), uint32(p.wire))
		block(6, options(append(append(b, p.data...), make([]byte, -len(p.data)&3)...), 1))
	}
	return file
}

// TestSecretsLive looks at what a live capture writes while it goes on.
func TestSecretsLive(t *testing.T) {
	const iface = "eth\x1b[31m\u202e"
	src, err := capture.Open(capture.Config{Inputs: []string{secretiveFile(t, secretive)}})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	var lines bytes.Buffer
	stream, seen := json.NewLive(&lines, iface, json.Options{}), liveview.New(iface)
	told := 0
	report, err := analysis.Run(t.Context(), src, analysis.WithWorkers(1),
		analysis.WithLimits(analysis.Limits{Occurrences: analysis.NoLimit}),
		analysis.OnFinding(func(f *report.Finding) {
			told++
			seen.Finding(f)
			if err := stream.Occurrence(f); err != nil {
				t.Error(err)
			}
		}),
		analysis.OnExchange(func(between report.Pair, x *report.ExchangeInfo) {
			seen.Exchange(between.Server, x)
			if err := stream.Exchange(x); err != nil {
				t.Error(err)
			}
		}))
	if err == nil {
		err = stream.SoFar(report)
	}
	if err != nil || told == 0 {
		t.Fatal(told, "occurrences", err)
	}
	checkHarmless(t, "ndjson", lines.String(), false)
	seen.Advance(10)
	checkHarmless(t, "lines", strings.Join(seen.Lines(), "\n"), false)
	var state liveview.State
	snap := seen.Snapshot(report.Capture)
	for _, key := range []string{"", "down", "enter", "esc", "down", "enter"} {
		state.Key(key, snap)
		var screen strings.Builder
		for _, line := range liveview.Lines(snap, &state, liveview.Size{Columns: 200, Rows: 1000}) {
			screen.WriteString(line.Text + "\n")
		}
		checkHarmless(t, "screen", screen.String(), false)
	}
}

// TestNamesInMessages: files are named as they are, but what is said of them is one line that may
// be shown to a terminal.
func TestNamesInMessages(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no such names")
	}
	const odd = "a\x1b]0;x\x07\u202e\x9b31m\nb"
	t.Chdir(t.TempDir())
	if err := os.WriteFile(odd, []byte("S3CRET: not a capture"), 0o644); err != nil {
		t.Fatal(err)
	}
	good := secretiveFile(t, secretive)
	for _, args := range [][]string{{odd}, {odd + "/x"}, {"-o", odd + "/x", good}, {"-o", good, good}, {"-F", odd, good}, {"-i", odd},
		{"-i", "lo", "-w", odd + "/x", "--count", "1", "--duration", "1ms", "--user", "root"}, {"-f", odd, good}, {"--only", odd, good}, {"--exchange", "9", good, odd}, {"--" + odd}} {
		var stdout, stderr bytes.Buffer
		status := cli.Run(args, strings.NewReader(""), &stdout, &stderr)
		if status != cli.ExitError || stderr.Len() == 0 || stdout.Len() > 0 {
			t.Errorf("%q: status %d, %q", args, status, stderr.String())
		}
		checkHarmless(t, strings.Join(args, " "), stderr.String(), false)
	}
	var stdout, stderr bytes.Buffer
	if status := cli.Run([]string{"-o", odd, good}, strings.NewReader(""), &stdout, &stderr); status != cli.ExitOK {
		t.Errorf("status %d: %s", status, stderr.String())
	}
	files, err := os.ReadDir(".")
	if err != nil || len(files) != 1 || files[0].Name() != odd {
		t.Errorf("files %q, %v: a name that the user gave is kept", files, err)
	}
}
