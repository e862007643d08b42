package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"tcpwhy/internal/cli"
)

// nobody is the user that tests become.
const nobody = 65534

// statusOf is what a line of /proc says of the program that runs from a file.
func (l *liveLab) statusOf(program, line string) string {
	l.t.Helper()
	all, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, exe := range all {
		if target, err := os.Readlink(exe); err != nil || target != program {
			continue
		}
		text, err := os.ReadFile(filepath.Join(filepath.Dir(exe), "status"))
		if err != nil {
			continue
		}
		for found := range strings.Lines(string(text)) {
			if value, ok := strings.CutPrefix(found, line+":"); ok {
				return strings.Join(strings.Fields(value), " ")
			}
		}
	}
	l.t.Errorf("%s does not run, or has no %s", program, line)
	return ""
}

// TestRootUnasked: root that came by sudo becomes who called it, once the capture is open. Files
// that begin later are that user's, too, and a folder where it may not write is told with what
// helps.
func TestRootUnasked(t *testing.T) {
	l := newLiveLab(t)
	open := l.file("open")
	if err := os.Mkdir(open, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	sudo := []string{fmt.Sprint("SUDO_UID=", nobody), fmt.Sprint("SUDO_GID=", nobody), l.file("tcpwhy"), "-i", "v0", "-q"}
	l.serve(l.b, "10.77.0.2:8080", 30000)
	live := l.start(l.a, "env", append(sudo, "-w", open+"/saved.pcapng", "--file-size", "1", "-o", open+"/report.txt")...)
	for line, want := range map[string]string{
		"Uid": "65534 65534 65534 65534", "Gid": "65534 65534 65534 65534", "Groups": "65534",
		"CapEff": "0000000000000000", "CapPrm": "0000000000000000",
	} {
		if got := l.statusOf(l.file("tcpwhy"), line); got != want {
			t.Errorf("%s is %s, want %s", line, got, want)
		}
	}
	l.ask(l.dial(l.a, "10.77.0.2:8080"), 50, 30000)
	if status := live.end(os.Interrupt); status != cli.ExitOK {
		t.Fatalf("status %d: %s", status, live.stderr)
	}
	files, err := os.ReadDir(open)
	if err != nil || len(files) != 3 {
		t.Fatalf("files %v, %v; want two of the capture and a report", files, err)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil || info.Sys().(*syscall.Stat_t).Uid != nobody || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v", f.Name(), info, err)
		}
	}
	for _, flag := range []string{"-w", "-o"} {
		name := l.file("closed" + flag)
		out, err := exec.Command("ip", append([]string{"netns", "exec", l.a, "env"}, append(sudo, flag, name, "--duration", "1ms")...)...).CombinedOutput()
		want := "tcpwhy: write " + name + ": permission denied\ntcpwhy: root's rights were given up, for the user of sudo: " +
			"name a place where that user may write, or keep them: --user root\n"
		if err == nil || string(out) != want {
			t.Errorf("%s: %v, %q, want %q", flag, err, out, want)
		}
		out, err = exec.Command("ip", append([]string{"netns", "exec", l.a, "env"}, append(sudo, flag, name, "--duration", "1ms", "--user", "root")...)...).CombinedOutput()
		if err != nil {
			t.Errorf("%s --user root: %v, %q", flag, err, out)
		}
	}
}

// TestLeastRights: the one right that the unit gives is enough.
func TestLeastRights(t *testing.T) {
	l := newLiveLab(t)
	if _, err := exec.LookPath("setpriv"); err != nil {
		t.Skip("needs setpriv(1)")
	}
	l.serve(l.b, "10.77.0.2:8080", 100)
	live := l.start(l.a, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs", "--inh-caps=-all,+net_raw",
		"--ambient-caps=-all,+net_raw", "--bounding-set=-all,+net_raw", l.file("tcpwhy"), "-i", "v0", "-F", "json", "-q")
	l.ask(l.dial(l.a, "10.77.0.2:8080"), 3, 100)
	if status := live.end(os.Interrupt); status != cli.ExitOK {
		t.Fatalf("status %d: %s", status, live.stderr)
	}
	if n := count(decode(t, live.stdout.Bytes()), "summary", "exchanges"); n != 3 {
		t.Errorf("%d exchanges, want 3: %s", n, live.stderr)
	}
}
