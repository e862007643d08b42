package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"tcpwhy/internal/cli"
)

// judged is what these tests look at of a report.
type judged struct {
	Capture struct {
		Caveats []struct{ Code string }
	}
	Findings []struct {
		Rule, Confidence, Message string
		Count                     int
	}
	Connections []struct {
		ServerRetransmissions int `json:"server_retransmissions"`
		Kernel                *struct{ Retransmissions int }
	}
}

// has reports whether there is a caveat.
func (j *judged) has(code string) bool {
	for _, c := range j.Capture.Caveats {
		if c.Code == code {
			return true
		}
	}
	return false
}

// iptables changes what a namespace lets pass, or skips the test where that is not possible.
func (l *liveLab) iptables(name string, args ...string) {
	l.t.Helper()
	args = append([]string{"netns", "exec", name, "iptables", "-w"}, args...)
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		l.t.Skipf("no iptables here: %v: %s", err, out)
	}
}

// askedFrom captures beside the server while a client asks it so often, and reads the report.
func (l *liveLab) askedFrom(n, size int) (report judged) {
	l.t.Helper()
	live := l.listen(l.a, "-i", "v0", "--processes", "--user", "root", "-q", "-F", "json",
		"-w", l.file("kernel.pcapng"), "--force")
	c := l.dial(l.b, "10.77.0.1:8080")
	l.ask(c, n, size)
	c.Close()
	time.Sleep(time.Second)
	if status := live.end(os.Interrupt); status != cli.ExitOK {
		l.t.Fatalf("status %d: %s", status, live.stderr)
	}
	if err := json.Unmarshal(live.stdout.Bytes(), &report); err != nil {
		l.t.Fatal(err)
	}
	if len(report.Connections) != 1 || report.Connections[0].Kernel == nil {
		l.t.Fatalf("what the kernel counted is not known: %s", live.stdout)
	}
	if dir := os.Getenv("TCPWHY_KEEP"); dir != "" { // to make a scenario of it
		exec.Command("cp", l.file("kernel.pcapng"), dir).Run()
		os.WriteFile(dir+"/kernel.json", live.stdout.Bytes(), 0o600)
	}
	return report
}

// TestLiveKernelAgrees: segments that a network drops are sent again; the server's kernel counts
// what the report tells, and the finding says so.
func TestLiveKernelAgrees(t *testing.T) {
	l := newLiveLab(t)
	l.serve(l.a, "10.77.0.1:8080", 700)
	l.iptables(l.b, "-A", "INPUT", "-p", "tcp", "--sport", "8080", "-m", "length", "--length", "500:",
		"-m", "statistic", "--mode", "nth", "--every", "5", "--packet", "2", "-j", "DROP")
	report := l.askedFrom(20, 700)
	conn := report.Connections[0]
	if conn.ServerRetransmissions == 0 || conn.ServerRetransmissions != conn.Kernel.Retransmissions {
		t.Errorf("the capture shows %d segments sent again, and the kernel counted %d",
			conn.ServerRetransmissions, conn.Kernel.Retransmissions)
	}
	said := 0
	for _, f := range report.Findings {
		if strings.Contains(f.Message, "kernel says so, too") {
			said++
		}
		t.Logf("%s, %s, %d times: %s", f.Rule, f.Confidence, f.Count, f.Message)
	}
	if said == 0 || report.has("kernel-denies") || report.has("kernel-differs") {
		t.Errorf("the kernel agrees, and it is not said: %+v", report)
	}
}

// TestLiveKernelKnowsBetter: frames that went another way than past the capture are missing from
// it. The server's kernel sent nothing again: nothing was lost on the way, nothing is claimed, and
// the report says whose the gap is.
func TestLiveKernelKnowsBetter(t *testing.T) {
	l := newLiveLab(t)
	l.ip("-n", l.a, "link", "add", "w0", "type", "veth", "peer", "name", "w1", "netns", l.b)
	l.ip("-n", l.a, "addr", "add", "10.78.0.1/24", "dev", "w0")
	l.ip("-n", l.b, "addr", "add", "10.78.0.2/24", "dev", "w1")
	l.ip("-n", l.a, "link", "set", "w0", "up")
	l.ip("-n", l.b, "link", "set", "w1", "up")
	l.ip("-n", l.a, "rule", "add", "fwmark", "7", "table", "77")
	l.ip("-n", l.a, "route", "add", "10.77.0.2", "via", "10.78.0.2", "dev", "w0", "table", "77")
	for _, name := range []string{"all", "w1", "v1"} {
		l.in(l.b, func() error {
			return os.WriteFile("/proc/sys/net/ipv4/conf/"+name+"/rp_filter", []byte("0"), 0)
		})
	}
	l.iptables(l.a, "-t", "mangle", "-A", "OUTPUT", "-p", "tcp", "--sport", "8080", "-m", "length",
		"--length", "500:", "-m", "statistic", "--mode", "nth", "--every", "7", "--packet", "3",
		"-j", "MARK", "--set-mark", "7")
	l.serve(l.a, "10.77.0.1:8080", 60_000)
	report := l.askedFrom(20, 60_000)
	conn := report.Connections[0]
	if conn.Kernel.Retransmissions != 0 {
		t.Skipf("the kernel sent %d segments again: the machine is too busy for this", conn.Kernel.Retransmissions)
	}
	for _, f := range report.Findings {
		t.Logf("%s, %s, %d times: %s", f.Rule, f.Confidence, f.Count, f.Message)
		if f.Rule == "packet-loss" || f.Rule == "retransmission-timeout" {
			t.Errorf("%s is claimed, and nothing was lost: %s", f.Rule, f.Message)
		}
	}
	if !report.has("capture-gap") || !report.has("kernel-sent-once") {
		t.Errorf("it is not said that the gap is the capture's: %+v", report.Capture.Caveats)
	}
}
