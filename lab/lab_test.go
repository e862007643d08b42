//go:build linux

package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
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
	if err := ip("netns", "list"); err != nil {
		t.Skip("needs ip-netns:", err)
	}
}

func TestOneExchangeIsRecordedAndEverythingRemoved(t *testing.T) {
	needNamespaces(t)
	s := at(func(time.Duration) Scenario {
		server, client := small(1)
		return Scenario{Name: "smoke", About: "one exchange", Server: server, Client: client}
	}, 10)[0]
	dir := t.TempDir()
	log, err := record(t.Context(), s, false, dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(log.Requests) != 1 || log.Requests[0].Status != 200 || log.Requests[0].Bytes != 800 {
		t.Errorf("the application saw %+v, want one response of 800 octets", log.Requests)
	}
	if log.Total < 20 || log.Total > 60 {
		t.Errorf("the request took %.1f ms, want two round trips of 10 ms and little more", log.Total)
	}
	for _, vantage := range []string{"client", "server", "middle"} {
		checkHandshake(t, filepath.Join(dir, vantage+".pcap"))
	}
	left, err := filepath.Glob("/run/netns/" + namespacePrefix + "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range left {
		if strings.HasPrefix(name, "/run/netns/"+ownNamespace("")) {
			t.Errorf("%s is left behind", name)
		}
	}
}

// checkHandshake wants SYN, SYN-ACK and ACK first, and both FINs later.
func checkHandshake(t *testing.T, name string) {
	t.Helper()
	frames, err := readPcap(name)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, f := range frames {
		h, ok := parseTCP(f.data, true)
		if !ok {
			t.Fatalf("%s holds a frame that is not TCP", name)
		}
		kinds = append(kinds, h.kind())
	}
	all := strings.Join(kinds, " ")
	if !strings.HasPrefix(all, "syn synack ack data") || strings.Count(all, "fin") != 2 {
		t.Errorf("%s holds %s", name, all)
	}
}

func TestInterruptionRemovesEverything(t *testing.T) {
	needNamespaces(t)
	s := at(func(time.Duration) Scenario {
		server, client := small(1)
		server.Think = time.Minute
		return Scenario{Name: "smoke", About: "one exchange", Server: server, Client: client}
	}, 10)[0]
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := record(ctx, s, false, t.TempDir()); err == nil {
		t.Error("an interrupted recording did not fail")
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("the interruption took %v", took)
	}
	if left, _ := filepath.Glob("/run/netns/" + ownNamespace("*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestScenariosAreNamedOnceAndDescribed(t *testing.T) {
	seen := make(map[string]bool)
	for _, s := range allScenarios() {
		if seen[s.Name] {
			t.Errorf("%s exists twice", s.Name)
		}
		seen[s.Name] = true
		if s.About == "" || s.Server == nil || s.Client == nil {
			t.Errorf("%s is not whole", s.Name)
		}
		if lookalike := strings.HasPrefix(s.Name, "lookalike-"); lookalike != (s.Expect.Rule == "") {
			t.Errorf("%s expects %s", s.Name, s.Expect)
		}
	}
}

func TestLosses(t *testing.T) {
	frame := func(flags byte, payload int) []byte {
		f := make([]byte, 14+20+20+payload)
		f[12], f[13], f[14], f[23] = 8, 0, 0x45, 6
		f[16], f[17] = byte((40+payload)>>8), byte(40+payload)
		f[34+12], f[34+13] = 5<<4, flags
		return f
	}
	l := losses{rules: []drop{{ToServer: true, Kind: "data", First: 2, Times: 2}}, seen: make(map[lossKey]int)}
	for i, c := range []struct {
		frame    []byte
		toServer bool
		want     bool
	}{
		{frame(flagSYN, 0), true, false},
		{frame(flagACK, 0), true, false},
		{frame(flagACK|flagPSH, 10), true, false},
		{frame(flagACK|flagPSH, 10), false, false},
		{frame(flagACK|flagPSH, 10), false, false},
		{frame(flagACK|flagPSH, 10), true, true},
		{frame(flagACK|flagPSH, 10), true, true},
		{frame(flagACK|flagPSH, 10), true, false},
	} {
		if got := l.lose(c.frame, c.toServer); got != c.want {
			t.Errorf("segment %d: lost %v, want %v", i, got, c.want)
		}
	}
}
