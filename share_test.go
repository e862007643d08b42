package main

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"tcpwhy/analysis"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/capture/anonym"
	"tcpwhy/internal/cli"
	"tcpwhy/reassembly/redact"
)

// shared writes an anonymous copy of captures, and gives its name.
func shared(t *testing.T, inputs []string) string {
	t.Helper()
	config := capture.Config{Inputs: inputs}
	src, err := capture.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	mapper := anonym.New(anonym.Key{1})
	plan := redact.NewPlan(mapper)
	var seg capture.Segment
	for src.Next(&seg) == nil {
		plan.Add(&seg)
	}
	plan.Finish()
	var b bytes.Buffer
	err = capture.Copy(&b, capture.CopyConfig{
		Config: config, Anonymiser: anonym.NewAnonymiser(mapper, plan),
	})
	name := filepath.Join(t.TempDir(), "shared.pcapng")
	if err == nil {
		err = os.WriteFile(name, b.Bytes(), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// totals are what a report found, by rule and cause: how often, and at what cost.
func totals(r *report.Report) (all []string) {
	for i := range r.Stories {
		s := &r.Stories[i]
		all = append(all, fmt.Sprintf("%s/%s %s %d times, %v", s.Rule, s.Cause, s.Side, s.Count, s.Cost.Expected))
	}
	slices.Sort(all)
	return all
}

// unlike are scenarios of which the shared capture does not show all, or something else, and why.
var unlike = map[string]string{
	"quic-fallback-rtt40":                          "what a first packet of QUIC holds, which anybody can open, is not handed out",
	"quic-fallback-rtt40-server":                   "likewise",
	"http-behind-socks5-rtt20":                     "what a proxy is told first is not handed out, and what follows it is turns",
	"grpc-unimplemented-rtt10":                     "the name by which services are asked what they offer stands for another",
	"grpc-message-too-large-rtt40":                 "how large a message is stands in bodies, which are not handed out",
	"grpc-request-too-large-rtt40":                 "likewise",
	"grpc-web-unavailable-rtt20":                   "statuses of gRPC-Web stand in bodies, which are not handed out",
	"websocket-over-http2-rtt20":                   "frames of WebSockets within HTTP/2 stand in bodies",
	"lookalike-h2-goaway-of-an-unknown-path-rtt20": "HTTP/2 of which the capture lacks the beginning is not known for it",
}

// TestShared analyses anonymous copies: they show the same, as far as that does not need what is not
// handed out.
func TestShared(t *testing.T) {
	t.Parallel()
	for _, dir := range sampleDirs(t) {
		inputs := captures(t, dir)
		before := analyseInputs(t, inputs)
		after := analyseAgain(t, shared(t, inputs))
		want, got := totals(before), totals(after)
		same := slices.Equal(want, got)
		if why := unlike[filepath.Base(dir)]; same == (why != "") {
			t.Errorf("%s (%s): found\n  %s\nbefore\n  %s", dir, why, strings.Join(got, "\n  "),
				strings.Join(want, "\n  "))
		}
	}
}

// TestSharedKeys: of a capture that keys open, everything that the copy shows otherwise is told.
func TestSharedKeys(t *testing.T) {
	t.Parallel()
	told := 0
	for i, dir := range withKeys(t) {
		if i%3 > 0 && testing.Short() {
			continue
		}
		name := filepath.Join(t.TempDir(), "shared.pcapng")
		var stdout, stderr bytes.Buffer
		args := append([]string{"--keylog", dir + "/keys.txt", "--share", name}, captures(t, dir)...)
		if status := cli.Run(args, nil, &stdout, &stderr); status != cli.ExitOK {
			t.Fatalf("%s: status %d: %s", dir, status, stderr.String())
		}
		want, got := analyseFiles(t, captures(t, dir), 1), analyseAgain(t, name)
		all := slices.Concat(totals(want), totals(got))
		for _, one := range all {
			story, _, _ := strings.Cut(one, " ")
			both := slices.Contains(totals(want), one) && slices.Contains(totals(got), one)
			if !both && !strings.HasPrefix(story, report.CaptureQuality) &&
				!strings.Contains(stderr.String(), " "+strings.TrimSuffix(story, "/")) {
				t.Errorf("%s: untold: %s\n%s", dir, one, stderr.String())
			}
		}
		told += strings.Count(stderr.String(), "tells otherwise of")
	}
	if told == 0 {
		t.Error("none has a finding of which the copy tells otherwise")
	}
}

// withKeys are the scenarios that keys open.
func withKeys(t *testing.T) (dirs []string) {
	t.Helper()
	for _, dir := range scenarioDirs(t) {
		if _, err := os.Stat(dir + "/keys.txt"); err == nil {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// analyseInputs analyses files without secrets.
func analyseInputs(t *testing.T, inputs []string) *report.Report {
	t.Helper()
	src, err := capture.Open(capture.Config{Inputs: inputs})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	r, err := analysis.Run(t.Context(), src, analysis.WithWorkers(1))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// planted are captures with secrets in all that connections carry, and in what files hold besides.
func planted(t *testing.T) map[string]string {
	t.Helper()
	plain, err := os.ReadFile(shownRun)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "capture.pcapng")
	if err := os.WriteFile(file, plantedFile(parseTrace(t, plain), "S3CRET"), 0o600); err != nil {
		t.Fatal(err)
	}
	inTLS, _ := withinTLS(t, "GET /S3CRET HTTP/1.1\r\nHost: shop.example\r\n\r\n", "HTTP/1.1 200 S3CRET\r\n\r\n", 0)
	return map[string]string{
		"HTTP": secretiveFile(t, secretive), "TLS": secretiveFile(t, secretiveTLS),
		"a file": file, "a handshake": secretiveFile(t, inTLS),
		"WebSocket": "testdata/pcaps/websocket-close-codes-rtt20/capture.pcap",
		"HTTP/2":    "testdata/pcaps/grpc-unavailable-rtt20/capture.pcap",
	}
}

// TestSharedSecrets looks for planted secrets, names and addresses in what is handed out, and in
// what is said of it.
func TestSharedSecrets(t *testing.T) {
	t.Parallel()
	for what, file := range planted(t) {
		name := filepath.Join(t.TempDir(), "shared.pcapng")
		hidden := append([]string{"S3CR", "shop", "ann:", "pass=", "crumb=", "server.lab", "inventory", "\x0a\x09\x00\x01"}, addressesIn(t, file)...)
		found := shownIn(t, name, file, hidden)
		if len(found) > 0 { // an address that stands for another may once be one that was there
			found = shownIn(t, name, file, hidden)
		}
		if len(found) > 0 {
			t.Errorf("%s: shows %q", what, found)
		}
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
			t.Errorf("%s: %v %v", what, info.Mode(), err)
		}
	}
}

// shownIn writes a copy to hand out, and gives which of some texts are in it.
func shownIn(t *testing.T, name, file string, hidden []string) (found []string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if status := cli.Run([]string{"--share", name, file}, nil, &stdout, &stderr); status != cli.ExitOK {
		t.Fatalf("%s: status %d: %s", file, status, stderr.String())
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.ToLower(text)
	for _, secret := range hidden {
		if i := bytes.Index(text, bytes.ToLower([]byte(secret))); i >= 0 {
			found = append(found, string(text[max(0, i-60):i+len(secret)]))
		}
	}
	return found
}

// TestSharedAddresses: an address in Host or X-Forwarded-For is the one that its host has in the
// copy, so that the exchanges that a proxy made are found there, too.
func TestSharedAddresses(t *testing.T) {
	t.Parallel()
	byHost := func(r *report.Report) (n int) {
		for i := range r.Exchanges {
			x := &r.Exchanges[i]
			host, _, _ := strings.Cut(x.Host, ":")
			at := slices.IndexFunc(r.Conns, func(c report.ConnInfo) bool { return c.ID == x.Connection })
			if at >= 0 && r.Conns[at].Server.Addr().String() == host {
				n++
			}
		}
		return n
	}
	for _, name := range []string{"proxied-go-any", "proxied-apache-any", "http-behind-proxy-protocol-rtt20", "nagle-classic-after-idle-rtt30"} {
		inputs := captures(t, "testdata/pcaps/"+name)
		before, after := analyseInputs(t, inputs), analyseAgain(t, shared(t, inputs))
		if want, got := byHost(before), byHost(after); got != want {
			t.Errorf("%s: %d exchanges name the address that they go to, want %d", name, got, want)
		}
		if want, got := before.Proxied.Exchanges, after.Proxied.Exchanges; got != want {
			t.Errorf("%s: %d exchanges of proxies, want %d", name, got, want)
		}
	}
}

// addressesIn are the addresses of a capture, as a frame holds them and as text.
func addressesIn(t *testing.T, file string) (all []string) {
	t.Helper()
	r := analyseInputs(t, []string{file})
	for i := range r.Conns {
		for _, a := range []netip.Addr{r.Conns[i].Client.Addr(), r.Conns[i].Server.Addr()} {
			all = append(all, string(a.AsSlice()), a.String())
		}
	}
	return all
}

// TestSharedShown has tshark read an annotated capture that is handed out: it finds all frames with
// their comments, nothing malformed, and no checksum that is wrong and was not.
func TestSharedShown(t *testing.T) {
	t.Parallel()
	tshark := findTshark(t)
	name := filepath.Join(t.TempDir(), "shared.pcapng")
	var stdout, stderr bytes.Buffer
	if status := cli.Run([]string{"--share", name, shownRun}, nil, &stdout, &stderr); status != cli.ExitOK {
		t.Fatalf("status %d: %s", status, stderr.String())
	}
	count := func(file, filter string) int {
		out, err := exec.Command(tshark, "-r", file, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE",
			"-Y", filter, "-T", "fields", "-e", "frame.number").Output()
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Count(out, []byte("\n"))
	}
	for _, filter := range []string{"http.request", `tcp.checksum.status == "Good" && ip.checksum.status == "Good"`} {
		if want, got := count(shownRun, filter), count(name, filter); got != want || want == 0 {
			t.Errorf("%s: %d frames, want %d", filter, got, want)
		}
	}
	if n := count(name, `frame.comment contains "tcpwhy"`); n != 30 {
		t.Errorf("%d frames with comments, want 30", n)
	}
	if n := count(name, "_ws.malformed"); n != 0 {
		t.Errorf("%d malformed frames", n)
	}
}
