package main

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"tcpwhy/capture/sockets"
)

// recorded is what the kernel of a scenario's host told of its sockets when they were over:
// kernel.txt in its folder, a line for each end that was that host's.
//
//	10.0.0.2:40000 -> 10.0.0.1:80 server retransmissions=3 rwnd_limited=20ms sndbuf_limited=0s
type recorded map[[2]netip.AddrPort][2]*sockets.End

func (recorded) Opened(_, _ netip.AddrPort) {}
func (recorded) Sample(_, _ netip.AddrPort) {}
func (recorded) Finish()                    {}

func (r recorded) Take(client, server netip.AddrPort) [2]*sockets.End {
	return r[[2]netip.AddrPort{client, server}]
}

// kernelBeside is what is recorded in the folder of a capture; nil if nothing is.
func kernelBeside(t *testing.T, file string) recorded {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(filepath.Dir(file), "kernel.txt"))
	if err != nil {
		return nil
	}
	all := recorded{}
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if err := all.read(fields); err != nil {
			t.Fatalf("kernel.txt: %q: %v", line, err)
		}
	}
	return all
}

// read takes in the words of a line.
func (r recorded) read(words []string) error {
	if len(words) < 4 || words[1] != "->" {
		return fmt.Errorf("want CLIENT -> SERVER, whose end it is, and what was counted")
	}
	client, err := netip.ParseAddrPort(words[0])
	if err != nil {
		return err
	}
	server, err := netip.ParseAddrPort(words[2])
	if err != nil {
		return err
	}
	side := map[string]int{"client": 0, "server": 1}
	i, ok := side[words[3]]
	if !ok {
		return fmt.Errorf("whose end is %q", words[3])
	}
	a := &sockets.Account{Final: true, Counted: true}
	for _, word := range words[4:] {
		name, value, _ := strings.Cut(word, "=")
		times := map[string]*time.Duration{
			"busy": &a.Busy, "rwnd_limited": &a.RwndLimited, "sndbuf_limited": &a.SndbufLimited,
		}
		if at := times[name]; at != nil {
			*at, err = time.ParseDuration(value)
		} else if name == "retransmissions" {
			var n uint64
			n, err = strconv.ParseUint(value, 10, 32)
			a.Retransmissions = uint32(n)
		} else {
			err = fmt.Errorf("what is %q", word)
		}
		if err != nil {
			return err
		}
	}
	ends := r[[2]netip.AddrPort{client, server}]
	ends[i] = &sockets.End{Account: a}
	r[[2]netip.AddrPort{client, server}] = ends
	return nil
}
