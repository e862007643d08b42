package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tcpwhy/internal/cli"
	"tcpwhy/output"
)

// heldCapture is a capture with findings.
const heldCapture = "testdata/pcaps/nagle-delayed-ack-request-rtt10/capture.pcap"

// heldCopy is a copy of heldCapture in a folder.
func heldCopy(t *testing.T, dir string) string {
	t.Helper()
	data, err := os.ReadFile(heldCapture)
	name := filepath.Join(dir, "in.pcap")
	if err == nil {
		err = os.WriteFile(name, data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// onSmallDisk runs a command of the shell where $DISK is a disk of 64 kB, seen by that command
// alone.
func onSmallDisk(t *testing.T, dir, command string) (status int, stderr string) {
	t.Helper()
	script := "mount -t tmpfs -o size=64k none " + dir + "/disk && export DISK=" + dir + "/disk && " + command
	c := exec.Command("unshare", "-m", "--propagation", "private", "sh", "-c", script)
	var errs strings.Builder
	c.Stderr = &errs
	err := c.Run()
	if _, ok := err.(*exec.ExitError); err != nil && !ok {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), errs.String()
}

// TestFullDisk: a report that does not fit is an error that names the file, leaves what was there
// as it was, and nothing beside it.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("needs root to mount a small disk")
	}
	if _, err := exec.LookPath("unshare"); err != nil {
		t.Skip("needs unshare(1) to mount a small disk that nobody else sees")
	}
	dir := t.TempDir()
	own, err := os.Executable()
	if err == nil {
		// by its name it is the program (TestMain)
		err = os.Symlink(own, filepath.Join(dir, "tcpwhy"))
	}
	if err == nil {
		err = os.Mkdir(filepath.Join(dir, "disk"), 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	in := heldCopy(t, dir)
	flags := []string{"--annotate", "--share"}
	for _, format := range output.Names() {
		flags = append(flags, "-F "+format+" -o")
	}
	for _, flag := range flags {
		status, errs := onSmallDisk(t, dir, "echo before >$DISK/report && { head -c 100000 /dev/zero >$DISK/rest || true; } 2>$DISK/../noise; "+
			dir+"/tcpwhy "+flag+" $DISK/report "+in+"; status=$?; test \"$(cat $DISK/report)\" = before || exit 70; test \"$(ls -A $DISK | wc -l)\" = 2 || exit 71; exit $status")
		if strings.Contains(errs, "mount:") {
			t.Skip("no small disk here: ", errs)
		}
		if want := fmt.Sprintf("tcpwhy: write %s/disk/report: no space left on device\n", dir); status != cli.ExitError || errs != want {
			t.Errorf("%s: status %d, %q, want %q", flag, status, errs, want)
		}
	}
	status, errs := onSmallDisk(t, dir, dir+"/tcpwhy --color never "+in+" >$DISK/a && head -c 100000 /dev/zero >$DISK/rest; exec "+dir+"/tcpwhy "+in+" >>$DISK/a")
	if !strings.HasSuffix(errs, "no space left on device\n") || status != cli.ExitError {
		t.Errorf("status %d, %q", status, errs)
	}
}

// TestFullDiskLive: when a live capture cannot be saved any more it ends, and what was analysed
// until then is reported.
func TestFullDiskLive(t *testing.T) {
	l := newLiveLab(t)
	l.serve(l.b, "10.77.0.2:8080", 30000)
	if err := os.Mkdir(l.file("disk"), 0o755); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond)
	save := l.file("disk/saved.pcapng")
	live := l.start(l.a, "sh", "-c", "mount -t tmpfs -o size=64k none "+l.file("disk")+" && exec "+l.file("tcpwhy")+" -i v0 -F json -q -w "+save)
	c := l.dial(l.a, "10.77.0.2:8080")
	l.ask(c, 8, 30000)
	status := live.end(nil)
	if want := "tcpwhy: save " + save + ": no space left on device\n"; status != cli.ExitError || live.stderr.String() != want {
		t.Errorf("status %d, %q, want %q", status, live.stderr, want)
	}
	if n := count(decode(t, live.stdout.Bytes()), "summary", "exchanges"); n == 0 {
		t.Error("what was analysed is not reported")
	}
}

// TestUnreadable: what cannot be opened or read is an error of one line that names it, without a
// report.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "tcpwhy") // readable by everybody
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	own, err := os.ReadFile("/proc/self/exe")
	if err == nil {
		err = os.WriteFile(dir+"/tcpwhy", own, 0o755)
	}
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	secret := heldCopy(t, dir)
	if err == nil {
		err = os.Chmod(secret, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ args, want string }{
		{secret, "tcpwhy: open " + secret + ": permission denied\n"},
		{"/proc/self/mem", "tcpwhy: read /proc/self/mem: input/output error\n"},
		{dir, "tcpwhy: read " + dir + ": is a directory\n"},
		{dir + "/none", "tcpwhy: open " + dir + "/none: no such file or directory\n"},
		{dir + "/tcpwhy/x", "tcpwhy: open " + dir + "/tcpwhy/x: not a directory\n"},
		{"-o " + dir + "/report /proc/self/fd/9", "tcpwhy: open /proc/self/fd/9: no such file or directory\n"},
	} {
		status, out, errs := asNobody(t, dir+"/tcpwhy", strings.Fields(tt.args)...)
		if status != cli.ExitError || out != "" || errs != tt.want {
			t.Errorf("%s: status %d, %q, %q, want %q", tt.args, status, out, errs, tt.want)
		}
	}
	if err := os.Chmod(secret, 0o644); err != nil {
		t.Fatal(err)
	}
	status, out, errs := asNobody(t, dir+"/tcpwhy", "-o", "/proc/report", secret)
	if status != cli.ExitError || out != "" || !strings.HasPrefix(errs, "tcpwhy: write /proc/report: ") {
		t.Errorf("-o: status %d, %q, %q", status, out, errs)
	}
}

// asNobody runs a program without rights.
func asNobody(t *testing.T, program string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	c := exec.Command(program, args...)
	if os.Getuid() == 0 {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	var out, errs strings.Builder
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	if _, ok := err.(*exec.ExitError); err != nil && !ok {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), out.String(), errs.String()
}

// TestBrokenPipe: nobody reading ends the program, and is not worth a word.
func TestBrokenPipe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	own, err := os.Executable()
	if err == nil {
		err = os.Symlink(own, dir+"/tcpwhy")
	}
	if err != nil {
		t.Fatal(err)
	}
	in := heldCopy(t, dir)
	for _, args := range [][]string{{in}, {"-F", "json", in}, {"-F", "ndjson", in}, {"--connection", "0", in}, {"--explain", "nagle"}, {"--help"}} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		c := exec.Command(dir+"/tcpwhy", args...)
		var errs strings.Builder
		c.Stdout, c.Stderr = w, &errs
		err = c.Run()
		w.Close()
		if err == nil || errs.Len() > 0 {
			t.Errorf("%q: %v, %q", args, err, errs.String())
		}
	}
}
