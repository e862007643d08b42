package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tcpwhy/internal/cli"
)

// liveLab is two network namespaces joined by a cable: a with v0 at 10.77.0.1, b with v1 at
// 10.77.0.2.
type liveLab struct {
	t    *testing.T
	a, b string
	dir  string // readable by everybody
}

// newLiveLab makes the namespaces and removes them after the test.
func newLiveLab(t *testing.T) *liveLab {
	t.Helper()
	if testing.Short() {
		t.Skip("waits for real traffic, and for the time between it")
	}
	if os.Getuid() != 0 {
		t.Skip("needs root to make network namespaces")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("needs ip(8) to make network namespaces")
	}
	dir, err := os.MkdirTemp("", "tcpwhy-live")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	l := &liveLab{t: t, dir: dir}
	l.a, l.b = filepath.Base(dir)+"a", filepath.Base(dir)+"b"
	for _, name := range []string{l.a, l.b} {
		if out, err := exec.Command("ip", "netns", "add", name).CombinedOutput(); err != nil {
			t.Skipf("no network namespaces here: %v: %s", err, out)
		}
		t.Cleanup(func() { exec.Command("ip", "netns", "del", name).Run() })
		l.in(name, func() error { // no frames but those of the test
			return os.WriteFile("/proc/sys/net/ipv6/conf/all/disable_ipv6", []byte("1"), 0)
		})
		l.ip("-n", name, "link", "set", "lo", "up")
	}
	l.connect()
	l.copyProgram()
	return l
}

// connect makes the cable.
func (l *liveLab) connect() {
	l.t.Helper()
	l.ip("-n", l.a, "link", "add", "v0", "type", "veth", "peer", "name", "v1", "netns", l.b)
	l.ip("-n", l.a, "addr", "add", "10.77.0.1/24", "dev", "v0")
	l.ip("-n", l.b, "addr", "add", "10.77.0.2/24", "dev", "v1")
	l.ip("-n", l.a, "link", "set", "v0", "up")
	l.ip("-n", l.b, "link", "set", "v1", "up")
}

func (l *liveLab) ip(args ...string) {
	l.t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		l.t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// copyProgram puts this test's binary where every user may run it; by its name it is the program
// (TestMain).
func (l *liveLab) copyProgram() {
	l.t.Helper()
	own, err := os.Executable()
	if err != nil {
		l.t.Fatal(err)
	}
	data, err := os.ReadFile(own)
	if err == nil {
		err = os.WriteFile(filepath.Join(l.dir, "tcpwhy"), data, 0o755)
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *liveLab) file(name string) string { return filepath.Join(l.dir, name) }

// in runs f on a thread inside a namespace; what it opens stays there.
func (l *liveLab) in(name string, f func() error) {
	l.t.Helper()
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		file, err := os.Open("/run/netns/" + name)
		if err == nil {
			defer file.Close()
			err = unix.Setns(int(file.Fd()), unix.CLONE_NEWNET)
		}
		if err == nil {
			err = f()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		l.t.Fatal(err)
	}
}

// serve answers every request at the address with a body of so many octets.
func (l *liveLab) serve(name, address string, size int) {
	l.t.Helper()
	var listener net.Listener
	l.in(name, func() (err error) { listener, err = net.Listen("tcp", address); return err })
	l.t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go answer(c, size)
		}
	}()
}

// answer reads requests without a body and answers them.
func answer(c net.Conn, size int) {
	defer c.Close()
	lines := bufio.NewReader(c)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		if line == "\r\n" {
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", size, strings.Repeat("x", size))
		}
	}
}

// dial connects.
func (l *liveLab) dial(name, address string) net.Conn {
	l.t.Helper()
	var c net.Conn
	l.in(name, func() (err error) { c, err = net.DialTimeout("tcp", address, 5*time.Second); return err })
	l.t.Cleanup(func() { c.Close() })
	return c
}

// ask makes n exchanges on a connection, one after the other.
func (l *liveLab) ask(c net.Conn, n, size int) {
	l.t.Helper()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	for i := range n {
		fmt.Fprintf(c, "GET /%d HTTP/1.1\r\nHost: test\r\n\r\n", i)
		head := len(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", size))
		if _, err := io.CopyN(io.Discard, c, int64(head+size)); err != nil {
			l.t.Fatal(err)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// running is the program, or tcpdump, at work.
type running struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout *bytes.Buffer
	stderr *bytes.Buffer
	lines  chan string // of stdout, if asked for
	read   chan struct{}
}

// start runs a program in a namespace. It is killed when the test ends.
func (l *liveLab) start(name string, program string, args ...string) *running {
	l.t.Helper()
	r := &running{t: l.t, stdout: &bytes.Buffer{}, stderr: &bytes.Buffer{}, lines: make(chan string, 1000), read: make(chan struct{})}
	r.cmd = exec.Command("ip", append([]string{"netns", "exec", name, program}, args...)...)
	r.cmd.Stderr = r.stderr
	before := l.listeners(name)
	out, err := r.cmd.StdoutPipe()
	if err == nil {
		err = r.cmd.Start()
	}
	if err != nil {
		l.t.Fatal(err)
	}
	go func() {
		defer close(r.read)
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, 16<<20)
		for lines.Scan() {
			r.stdout.WriteString(lines.Text() + "\n")
			select {
			case r.lines <- lines.Text():
			default:
			}
		}
	}()
	l.t.Cleanup(func() { r.cmd.Process.Kill() })
	for began := time.Now(); l.listeners(name) <= before && time.Since(began) < 10*time.Second; {
		time.Sleep(20 * time.Millisecond)
	}
	time.Sleep(100 * time.Millisecond) // tcpdump sets its filter last
	return r
}

// listeners is how many packet sockets of a namespace receive.
func (l *liveLab) listeners(name string) int {
	l.t.Helper()
	n := 0
	l.in(name, func() error {
		// The fourth column is the protocol; it is set last (packet(7)).
		text, err := os.ReadFile("/proc/thread-self/net/packet")
		for line := range strings.Lines(string(text)) {
			if fields := strings.Fields(line); len(fields) > 3 && fields[3] == "0003" {
				n++
			}
		}
		return err
	})
	return n
}

// listen starts the program.
func (l *liveLab) listen(name string, args ...string) *running {
	l.t.Helper()
	return l.start(name, l.file("tcpwhy"), args...)
}

// end sends a signal and waits.
func (r *running) end(sig os.Signal) (status int) {
	r.t.Helper()
	if sig != nil {
		r.cmd.Process.Signal(sig)
	}
	timer := time.AfterFunc(10*time.Second, func() { r.cmd.Process.Kill() })
	defer timer.Stop()
	<-r.read
	r.cmd.Wait()
	return r.cmd.ProcessState.ExitCode()
}

// TestLiveEqualsFile analyses the same traffic live, from the file saved meanwhile, and from
// tcpdump's.
func TestLiveEqualsFile(t *testing.T) {
	l := newLiveLab(t)
	l.serve(l.b, "10.77.0.2:8080", 30000)
	time.Sleep(300 * time.Millisecond)
	var dump *running
	if _, err := exec.LookPath("tcpdump"); err == nil {
		dump = l.start(l.a, "tcpdump", "-i", "v0", "--immediate-mode", "-U", "--nano", "-Z", "root", "-w", l.file("dump.pcap"), "tcp")
	}
	live := l.listen(l.a, "-i", "v0", "-F", "json", "-q", "-w", l.file("saved.pcapng"))
	for range 5 {
		c := l.dial(l.a, "10.77.0.2:8080")
		l.ask(c, 4, 30000)
		c.Close()
	}
	idle := l.dial(l.a, "10.77.0.2:8080")
	l.ask(idle, 1, 30000)
	// silence settles the exchange, and what comes after it is another matter
	time.Sleep(800 * time.Millisecond)
	l.ask(idle, 1, 30000)
	if status := live.end(os.Interrupt); status != cli.ExitOK {
		t.Fatalf("status %d: %s", status, live.stderr)
	}
	report := decode(t, live.stdout.Bytes())
	if n := count(report, "summary", "exchanges"); n != 22 {
		t.Errorf("%d exchanges, want 22", n)
	}
	if n := count(report, "capture", "kernel_drops"); n != 0 {
		t.Errorf("%d frames dropped", n)
	}
	saved := decode(t, analyseFile(t, l.file("saved.pcapng")))
	sameReport(t, "the saved file", report, saved)
	if dump == nil {
		return
	}
	tcp := count(report, "capture", "tcp_segments")
	for began := time.Now(); time.Since(began) < 8*time.Second; time.Sleep(200 * time.Millisecond) {
		if count(decode(t, analyseFile(t, l.file("dump.pcap"))), "capture", "tcp_segments") >= tcp {
			break // on a busy machine tcpdump lags behind
		}
	}
	dump.end(os.Interrupt)
	// The kernel stamps some frames for each listener, so times differ by some hundred nanoseconds.
	file := decode(t, analyseFile(t, l.file("dump.pcap")))
	for _, part := range []string{"exchanges", "connections"} {
		sameReport(t, "tcpdump's "+part, timeless(decode(t, live.stdout.Bytes())[part]), timeless(file[part]))
	}
	if n := count(file, "capture", "tcp_segments"); n != tcp || n == 0 {
		t.Errorf("%d segments, tcpdump has %d", tcp, n)
	}
}

// TestLiveLines looks at the lines of ndjson: the first tells of a finding within a second of its
// last frame.
func TestLiveLines(t *testing.T) {
	l := newLiveLab(t)
	l.serve(l.b, "10.77.0.2:8080", 100)
	live := l.listen(l.a, "-i", "v0", "-F", "ndjson", "--stream-exchanges")
	first := l.dial(l.a, "10.77.0.2:8080")
	l.ask(first, 1, 100)
	time.Sleep(20 * time.Millisecond)
	// while the first is idle: missed-reuse, if the request comes right after the handshake
	for range 3 {
		l.in(l.a, func() error {
			c, err := net.DialTimeout("tcp", "10.77.0.2:8080", 5*time.Second)
			if err == nil {
				t.Cleanup(func() { c.Close() })
				l.ask(c, 1, 100)
			}
			return err
		})
	}
	last := time.Now()
	var kinds []string
	for len(kinds) == 0 || kinds[len(kinds)-1] != "occurrence" {
		select {
		case line := <-live.lines:
			var object struct{ Type, Rule string }
			if err := json.Unmarshal([]byte(line), &object); err != nil {
				t.Fatalf("%v in %s", err, line)
			}
			kinds = append(kinds, object.Type)
			if object.Type == "occurrence" && object.Rule != "missed-reuse" {
				t.Errorf("occurrence of %s", object.Rule)
			}
		case <-time.After(3 * time.Second):
			status := live.end(syscall.SIGTERM)
			t.Fatalf("no finding; lines: %v; status %d; %s%s", kinds, status, live.stderr, live.stdout)
		}
	}
	if took := time.Since(last); took > time.Second {
		t.Errorf("the finding came %v after its last frame", took)
	}
	live.cmd.Process.Signal(syscall.SIGUSR1)
	time.Sleep(300 * time.Millisecond)
	if status := live.end(syscall.SIGTERM); status != cli.ExitOK {
		t.Fatalf("status %d: %s", status, live.stderr)
	}
	out := live.stdout.String()
	for _, want := range []string{`{"type":"capture","live":true`, `{"type":"summary","live":true`, `{"type":"exchange","live":true`,
		`{"type":"summary","connections":4,"exchanges":4,`, `{"type":"finding",`} {
		if !strings.Contains(out, want) {
			t.Errorf("no line %s in %s", want, out)
		}
	}
}

// TestLiveLoopback looks at lo, where the kernel shows each frame twice, alone and through any.
func TestLiveLoopback(t *testing.T) {
	l := newLiveLab(t)
	l.serve(l.a, "127.0.0.1:8080", 20000)
	for _, name := range []string{"lo", "any"} {
		saved := l.file(name + ".pcapng")
		live := l.listen(l.a, "-i", name, "-F", "json", "-q", "-w", saved, "--duration", "1200ms")
		c := l.dial(l.a, "127.0.0.1:8080")
		l.ask(c, 5, 20000)
		c.Close()
		if status := live.end(nil); status != cli.ExitOK {
			t.Fatalf("%s: status %d: %s", name, status, live.stderr)
		}
		report := decode(t, live.stdout.Bytes())
		if n := count(report, "summary", "exchanges"); n != 5 {
			t.Errorf("%s: %d exchanges, want 5", name, n)
		}
		conn := report["connections"].([]any)[0].(map[string]any)
		if conn["client_retransmissions"].(float64)+conn["server_retransmissions"].(float64) != 0 {
			t.Errorf("%s: retransmissions on loopback: %v", name, conn)
		}
		if skipped := report["capture"].(map[string]any)["skipped"].(map[string]any); skipped["duplicate"] != nil {
			t.Errorf("%s: %v duplicates", name, skipped["duplicate"])
		}
		sameReport(t, name, report, decode(t, analyseFile(t, saved)))
	}
}

// tagged is an Ethernet frame with two VLAN tags around a SYN from 10.78.0.2 to 10.78.0.1.
func tagged() []byte {
	frame := []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1,
		0x88, 0xa8, 0, 7, 0x81, 0, 0, 9, 8, 0,
		0x45, 0, 0, 40, 0, 1, 0, 0, 64, 6, 0, 0, 10, 78, 0, 2, 10, 78, 0, 1,
		0x9c, 0x40, 0x1f, 0x90, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 4, 0, 0, 0, 0, 0}
	return frame
}

// inject puts a frame on the cable, at the end of b.
func (l *liveLab) inject(frame []byte) {
	l.t.Helper()
	l.in(l.b, func() error {
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		i, err := net.InterfaceByName("v1")
		if err != nil {
			return err
		}
		return unix.Sendto(fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: i.Index})
	})
}

// TestLiveVLAN looks for tags that the kernel takes off frames, on the interface and through any.
func TestLiveVLAN(t *testing.T) {
	l := newLiveLab(t)
	var all []*running
	for _, args := range [][]string{{"-i", "v0", "-f", "vlan 7 and vlan 9 and port 8080"}, {"-i", "any", "-f", "vlan 7 and vlan 9"}} {
		all = append(all, l.listen(l.a, append(args, "-F", "json", "-q", "-w", l.file(args[1]))...))
	}
	l.inject(tagged())
	time.Sleep(100 * time.Millisecond)
	for _, r := range all {
		if status := r.end(os.Interrupt); status != cli.ExitOK {
			t.Fatalf("status %d: %s", status, r.stderr)
		}
		if n := count(decode(t, r.stdout.Bytes()), "capture", "tcp_segments"); n != 1 {
			t.Errorf("%v: %d segments in both VLANs, want 1", r.cmd.Args, n)
		}
	}
	var out, errs bytes.Buffer
	cli.Run([]string{"-F", "json", "-f", "vlan 7 and vlan 9", l.file("v0"), l.file("any")}, nil, &out, &errs)
	report := decode(t, out.Bytes())
	skipped := report["capture"].(map[string]any)["skipped"].(map[string]any)
	if n, _ := skipped["duplicate"].(float64); count(report, "capture", "tcp_segments") != 1 || n != 1 {
		t.Errorf("the saved files do not hold the same segment: %s %s", out.String(), errs.String())
	}
}

// TestLiveRights runs as a user that may not capture, and as root that gives its rights up.
func TestLiveRights(t *testing.T) {
	l := newLiveLab(t)
	cmd := exec.Command(l.file("tcpwhy"), "-i", "lo", "--duration", "1s")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "sudo setcap cap_net_raw+ep "+l.file("tcpwhy")) {
		t.Errorf("as nobody: %v: %s", err, out)
	}
	if err := os.Chmod(l.dir, 0o777); err != nil {
		t.Fatal(err)
	}
	live := l.listen(l.a, "-i", "lo", "-q", "--user", "nobody", "-w", l.file("owned.pcapng"), "-o", l.file("report.txt"), "--count", "4")
	l.serve(l.a, "127.0.0.1:8080", 100)
	l.ask(l.dial(l.a, "127.0.0.1:8080"), 2, 100)
	if status := live.end(nil); status != cli.ExitOK {
		t.Fatalf("status %d: %s", status, live.stderr)
	}
	for _, name := range []string{"owned.pcapng", "report.txt"} {
		info, err := os.Stat(l.file(name))
		if err != nil {
			t.Fatal(err)
		}
		if uid := info.Sys().(*syscall.Stat_t).Uid; uid == 0 || info.Mode() != 0o600 {
			t.Errorf("%s was written by user %d, with mode %v", name, uid, info.Mode())
		}
	}
	if n := count(decode(t, analyseFile(t, l.file("owned.pcapng"))), "capture", "frames"); n != 4 {
		t.Errorf("%d frames, want 4", n)
	}
	l.checkKept("owned.pcapng")
}

// checkKept tries to save to a file that exists, to a link, and with --force.
func (l *liveLab) checkKept(name string) {
	l.t.Helper()
	before, err := os.Stat(l.file(name))
	if err == nil {
		err = os.Symlink(name, l.file("planted"))
	}
	if err != nil {
		l.t.Fatal(err)
	}
	for _, tt := range []struct {
		name, force, errs string
	}{
		{name, "--force=false", "it exists\ntcpwhy: choose another name, or overwrite it with --force\n"},
		{"planted", "--force", "it is a link, and links are not followed\n"},
		{name, "--force", ""},
	} {
		want := tt.errs
		if want != "" {
			want = "tcpwhy: write " + l.file(tt.name) + ": " + want
		}
		var out, errs bytes.Buffer
		cli.Run([]string{"-i", "lo", "-q", "-w", l.file(tt.name), tt.force, "--duration", "1ms", "--user", "root"}, nil, &out, &errs)
		if errs.String() != want {
			l.t.Errorf("-w %s %s: %q, want %q", tt.name, tt.force, errs.String(), want)
		}
		after, err := os.Stat(l.file(name))
		if err != nil || after.ModTime().Equal(before.ModTime()) != (want != "") || after.Mode() != 0o600 {
			l.t.Errorf("-w %s %s: %v; written at %v and %v", tt.name, tt.force, err, before.ModTime(), after.ModTime())
		}
	}
}
