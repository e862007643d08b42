package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestLibrary: a program of another module, which has this one by a replace, is built and says what
// it should. It needs nothing but what this module needs.
func TestLibrary(t *testing.T) {
	if testing.Short() || raced {
		t.Skip("builds a program")
	}
	t.Parallel()
	root, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	own, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	_, needs, _ := strings.Cut(string(own), "\nrequire")
	mod := "module elsewhere.example/library\n\ngo 1.26\n\nrequire tcpwhy v0.0.0\n\n" +
		"replace tcpwhy => " + root + "\n\nrequire" + needs
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod), 0o600); err != nil {
		t.Fatal(err)
	}
	for to, from := range map[string]string{"main.go": "testdata/library/main.go", "go.sum": "go.sum"} {
		text, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, to), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "run", "-mod=mod", ".",
		filepath.Join(root, "testdata/pcaps"), "cork-kept-rtt10/capture.pcap",
		"nagle-delayed-ack-request-rtt10/capture.pcap")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	got, err := cmd.CombinedOutput()
	const want = `cork-kept-rtt10/capture.pcap 1 rules found something
nagle-delayed-ack-request-rtt10/capture.pcap 1 rules found something
2 parts, 2 connections, 16 exchanges
cork 5 1.184s
nagle-delayed-ack 10 490ms
`
	if err != nil || string(got) != want {
		t.Errorf("%v:\n%s\nwant\n%s", err, got, want)
	}
}
