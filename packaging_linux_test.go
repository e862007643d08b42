package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// mostExposed is how exposed the service may be, as systemd counts it from 0 (not at all) to 10.
const mostExposed = 2.5

// TestUnit: systemd finds nothing wrong with the unit, and what it allows is little.
func TestUnit(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("needs systemd-analyze(1)")
	}
	unit, err := os.ReadFile("packaging/tcpwhy@.service")
	own, ownErr := os.Executable()
	if err != nil || ownErr != nil {
		t.Fatal(err, ownErr)
	}
	file := filepath.Join(t.TempDir(), "tcpwhy@.service") // the program is not installed here
	text := strings.ReplaceAll(string(unit), "/usr/bin/tcpwhy", own)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("systemd-analyze", "verify", "--man=no", file).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("verify: %v: %s", err, out)
	}
	out, err = exec.Command("systemd-analyze", "security", "--no-pager", "--offline=yes", file).CombinedOutput()
	if err != nil {
		t.Skipf("this systemd does not rate files: %v: %s", err, out)
	}
	found := regexp.MustCompile(`exposure level for \S+: ([0-9.]+)`).FindSubmatch(out)
	if found == nil {
		t.Fatalf("no rating: %s", out)
	}
	if level, err := strconv.ParseFloat(string(found[1]), 64); err != nil || level > mostExposed {
		t.Errorf("exposure %s (%v), at most %v", found[1], err, mostExposed)
	}
}
