package main

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"tcpwhy/internal/cli"
)

// TestMain lets scripts run the program: tcpwhy in a script is run. Properties with drawn parameters
// draw the same ones each time unless -rapid.seed says otherwise, so that a change is green or red
// by itself.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{"seed": "1", "shrinktime": "5s", "nofailfile": "true"} {
		if err := flag.Set("rapid."+name, value); err != nil {
			panic(err)
		}
	}
	if filepath.Base(os.Args[0]) != "tcpwhy" { // else it is the program, in a test about this
		os.Unsetenv("SUDO_UID") // root would become who called sudo: this process, for one
	}
	testscript.Main(m, map[string]func(){
		"tcpwhy": func() { os.Exit(cli.Run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// TestScripts runs testdata/script. In them $PCAPS is the folder of the scenarios.
func TestScripts(t *testing.T) {
	pcaps, err := filepath.Abs("testdata/pcaps")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("PCAPS", pcaps)
			env.Setenv("HELD", filepath.Join(pcaps, "nagle-delayed-ack-request-rtt10", "capture.pcap"))
			env.Setenv("QUIC", filepath.Join(pcaps, "quic-fallback-rtt40-fixed", "capture.pcap"))
			env.Setenv("CURED", filepath.Join(pcaps, "nagle-delayed-ack-request-rtt10-fixed", "capture.pcap"))
			env.Setenv("QUIET", filepath.Join(pcaps, "lookalike-think-40ms-rtt10", "capture.pcap"))
			return nil
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}
