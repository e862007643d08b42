//go:build linux

package ptytest

import (
	"os/exec"
	"strings"
	"testing"

	_ "tcpwhy/internal/golden" // go test ./... -update gives the flag to every package
)

func TestTerminal(t *testing.T) {
	p := Start(t, exec.Command("stty", "size"), 91, 17)
	text, state := p.Wait()
	if !state.Success() || strings.TrimSpace(text) != "17 91" {
		t.Errorf("%v: %q", state, text)
	}
}
