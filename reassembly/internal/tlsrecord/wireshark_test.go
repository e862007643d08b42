package tlsrecord_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
	"tcpwhy/reassembly/internal/readertest"
	"tcpwhy/reassembly/internal/tlsrecord"
)

// listener takes what is inside of a connection, whatever it is, and writes it down.
type listener struct{ said *[2]bytes.Buffer }

func (listener) Protocol() exchange.Protocol                           { return exchange.ProtoUnknown }
func (listener) Opening(exchange.Dir, []byte) exchange.Verdict         { return exchange.Certain }
func (listener) Resumes(exchange.Dir, []byte) bool                     { return true }
func (listener) Skipped(exchange.Dir, int64, int64, *exchange.Arrival) {}
func (listener) Gap(exchange.Dir, int64, int64, *exchange.Arrival)     {}
func (listener) Fin(exchange.Dir, capture.Mark)                        {}
func (listener) Rst(exchange.Dir, capture.Mark)                        {}
func (listener) Skip(exchange.Dir) int64                               { return 0 }
func (listener) End(capture.Mark, bool)                                {}

func (l listener) Reader(*exchange.Context, *exchange.Takeover) exchange.Reader { return l }

func (l listener) Data(dir exchange.Dir, _ int64, data []byte, _ *exchange.Arrival) {
	l.said[dir].Write(data)
}

// TestWireshark compares what both directions say with what tshark makes of the same recordings and
// key logs.
func TestWireshark(t *testing.T) {
	if _, err := exec.LookPath("tshark"); err != nil || testing.Short() {
		t.Skip("starts tshark, which takes a while")
	}
	logs, err := filepath.Glob("../../../testdata/pcaps/*-decrypted/keys.txt")
	if err != nil || len(logs) == 0 {
		t.Fatal("no recording has a key log", err)
	}
	streams := 0
	for _, log := range logs {
		if strings.Contains(log, "behind-connect") {
			continue // it does not begin with TLS
		}
		if strings.Contains(log, "frames-dropped") {
			continue // tshark finds fewer records again behind segments that the capture lacks
		}
		keys, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(filepath.Dir(log), "capture.pcap")
		for n := 0; ; n++ {
			sent := follow(t, file, "", "tcp", n)
			if len(sent) == 0 {
				break
			}
			want := [2]bytes.Buffer{}
			for _, w := range follow(t, file, log, "tls", n) {
				want[w.Dir].WriteString(w.Data)
			}
			var got [2]bytes.Buffer
			p := readertest.Of(tlsrecord.New(), listener{&got})
			p.Learn(string(keys))
			play(p, sent, 0)
			for d := range want {
				want[d] = *bytes.NewBuffer(saidOnce(want[d].Bytes(), p.Handshake()))
			}
			same := bytes.Equal(got[0].Bytes(), want[0].Bytes()) &&
				bytes.Equal(got[1].Bytes(), want[1].Bytes())
			swapped := bytes.Equal(got[0].Bytes(), want[1].Bytes()) &&
				bytes.Equal(got[1].Bytes(), want[0].Bytes())
			if !same && !swapped {
				t.Errorf(
					"%s, stream %d: %d and %d octets, tshark has %d and %d",
					file,
					n,
					got[0].Len(),
					got[1].Len(),
					want[0].Len(),
					want[1].Len(),
				)
			}
			if got[0].Len() > 0 {
				streams++
			}
		}
	}
	if streams < 8 {
		t.Errorf("only %d connections were decrypted", streams)
	}
}

// saidOnce is what a side said without early data that the server refused, which its client says
// again: tshark has both.
func saidOnce(said []byte, t *exchange.TLSInfo) []byte {
	half := said[:len(said)/2]
	if t != nil && t.Early == exchange.EarlyRejected && bytes.Equal(half, said[len(half):]) {
		return half
	}
	return said
}

// follow is what both sides said on a stream, by tshark: of TCP, or within TLS. Which of them is
// the client it does not always say right.
func follow(t *testing.T, file, keys, protocol string, stream int) []readertest.Write {
	t.Helper()
	args := []string{"-r", file, "-q", "-d", "tcp.port==8080,tls",
		"-o", "tcp.reassemble_out_of_order:TRUE",
		"-z", fmt.Sprintf("follow,%s,raw,%d", protocol, stream)}
	if keys != "" {
		args = append(args, "-o", "tls.keylog_file:"+keys)
	}
	out, err := exec.Command("tshark", args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	var said []readertest.Write
	for line := range strings.Lines(string(out)) {
		line = strings.TrimRight(line, "\r\n")
		w := readertest.Write{}
		if strings.HasPrefix(line, "\t") {
			w.Dir = exchange.FromServer
		}
		data, err := hex.DecodeString(strings.TrimSpace(line))
		if err != nil || len(data) == 0 {
			continue // what stands around it
		}
		w.Data = string(data)
		said = append(said, w)
	}
	return said
}
