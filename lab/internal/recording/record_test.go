//go:build linux

package recording

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tcpwhy/lab/internal/own"
	"tcpwhy/lab/internal/packet"
	"tcpwhy/lab/internal/scenario"
	"tcpwhy/lab/internal/world"
)

// needNamespaces skips where the lab cannot work.
func needNamespaces(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root for network namespaces")
	}
	f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
	if err != nil {
		t.Skip("needs /dev/net/tun:", err)
	}
	f.Close()
	if err := exec.Command("ip", "netns", "list").Run(); err != nil {
		t.Skip("needs ip-netns:", err)
	}
}

func oneExchange() scenario.Scenario {
	return scenario.Scenario{
		Name:   "smoke",
		About:  "one exchange",
		Link:   world.Symmetric(10 * time.Millisecond),
		Server: own.Server{Body: 800},
		Client: own.Client{Count: 1},
	}
}

// nothingLeft wants no namespace of this process any more.
func nothingLeft(t *testing.T) {
	t.Helper()
	left, err := filepath.Glob(fmt.Sprintf("/run/netns/tcpwhy-lab-%d-*", os.Getpid()))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestOneExchangeIsRecordedAndEverythingRemoved(t *testing.T) {
	needNamespaces(t)
	s := oneExchange()
	dir := t.TempDir()
	log, err := recordVariant(t.Context(), s, false, dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(log.Requests) != 1 || log.Requests[0].Status != 200 || log.Requests[0].Bytes != 800 {
		t.Errorf("the application saw %+v, want one response of 800 octets", log.Requests)
	}
	if log.Total < 20 || log.Total > 300 { // a busy machine adds to it
		t.Errorf("it took %.1f ms, want two round trips of 10 ms and little more", log.Total)
	}
	for _, vantage := range []string{"client", "server", "middle"} {
		checkHandshake(t, filepath.Join(dir, vantage+".pcap"))
	}
	nothingLeft(t)
}

// checkHandshake wants SYN, SYN-ACK and ACK first, and both FINs later.
func checkHandshake(t *testing.T, name string) {
	t.Helper()
	frames, err := packet.ReadPcap(name)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, f := range frames {
		h, ok := packet.ParseTCP(f.Data, true)
		if !ok {
			t.Fatalf("%s holds a frame that is not TCP", name)
		}
		kinds = append(kinds, h.Kind())
	}
	all := strings.Join(kinds, " ")
	if !strings.HasPrefix(all, "syn synack ack data") || strings.Count(all, "fin") != 2 {
		t.Errorf("%s holds %s", name, all)
	}
}

func TestInterruptionRemovesEverything(t *testing.T) {
	needNamespaces(t)
	s := oneExchange()
	s.Server = own.Server{Think: time.Minute}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := recordVariant(ctx, s, false, t.TempDir()); err == nil {
		t.Error("an interrupted recording did not fail")
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("the interruption took %v", took)
	}
	nothingLeft(t)
}
