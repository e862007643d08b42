package main

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tcpwhy/analysis/report"
	"tcpwhy/internal/golden"
	"tcpwhy/reassembly/exchange"
)

// h2Count is what Wireshark and the report both count of the connections of HTTP/2: of each, frames
// by type; of each stream, its request, authority, product, status, and octets of bodies.
type h2Count map[string]int

// TestWiresharkHTTP2 compares what is read of HTTP/2, in clear or in TLS whose keys are known, with
// what Wireshark reads.
func TestWiresharkHTTP2(t *testing.T) {
	if testing.Short() {
		t.Skip("runs tshark on captures")
	}
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Skip("no tshark")
	}
	if !golden.Update() {
		t.Parallel()
	}
	streams := 0
	for _, dir := range scenarioDirs(t) {
		inputs := captures(t, dir)
		if len(inputs) != 1 {
			continue
		}
		r := analyseFiles(t, inputs, 1)
		got := countHTTP2(r)
		if len(got) == 0 || !wholeHTTP2(r) {
			continue
		}
		streams += len(r.Exchanges)
		want := countInWireshark(t, inputs[0], r)
		left := resetUnanswered(r)
		for _, key := range slices.Sorted(maps.Keys(want)) {
			stream, _, _ := strings.Cut(key, " octets")
			stream, _, _ = strings.Cut(stream, " status")
			if got[key] != want[key] && !left[stream] {
				t.Errorf("%s: %s: %d, Wireshark has %d", dir, key, got[key], want[key])
			}
		}
		for _, key := range slices.Sorted(maps.Keys(got)) {
			if want[key] == 0 && got[key] != 0 && !strings.HasSuffix(key, " octets") {
				t.Errorf("%s: %s: %d, Wireshark has none", dir, key, got[key])
			}
		}
	}
	t.Logf("%d exchanges compared", streams)
}

// wholeHTTP2 reports whether all that HTTP/2 said is there, and was read, and none of it was asked
// for by HTTP/1. What comes behind a RST of the server Wireshark reads, though nobody did.
func wholeHTTP2(r *report.Report) bool {
	for i := range r.Conns {
		c := &r.Conns[i]
		if c.HTTP2 == nil || c.TLS != nil && !c.TLS.Decrypted || len(c.Caveats) > 0 ||
			c.ResetBy == "server" {
			return false
		}
	}
	return !slices.ContainsFunc(r.Exchanges, func(x report.ExchangeInfo) bool {
		return x.OnStream.Stream == 0 || x.Version != "HTTP/2"
	})
}

// resetUnanswered are the streams that their client reset before anything had come, and those that
// their server reset: Wireshark reads what was on its way, though nobody did.
func resetUnanswered(r *report.Report) map[string]bool {
	all := map[string]bool{}
	for i := range r.Exchanges {
		x := &r.Exchanges[i]
		s := x.OnStream.Reset
		if s != nil && (s.By == exchange.FromServer || x.Response == nil) {
			all[fmt.Sprint(x.Connection, " stream ", x.OnStream.Stream)] = true
		}
	}
	return all
}

// countHTTP2 counts in a report.
func countHTTP2(r *report.Report) h2Count {
	n := h2Count{}
	for i := range r.Conns {
		h := r.Conns[i].HTTP2
		if h == nil {
			continue
		}
		for _, s := range h.Sides {
			for kind, count := range map[int]int{
				3: s.Resets, 4: s.SettingsSent, 6: s.Pings, 8: s.Updates,
			} {
				n[fmt.Sprint(r.Conns[i].ID, " frames of type ", kind)] += count
			}
		}
		n[fmt.Sprint(r.Conns[i].ID, " frames of type 7")] += len(h.GoAways)
	}
	for i := range r.Exchanges {
		x := &r.Exchanges[i]
		if x.OnStream.Stream == 0 {
			continue
		}
		stream := fmt.Sprint(x.Connection, " stream ", x.OnStream.Stream)
		if x.Host != "" {
			n[fmt.Sprint(x.Connection, " ", x.Method, " ", x.Target, " of ", x.Host)]++
		}
		if !x.OnStream.Pushed { // what is pushed is asked for on another stream
			n[stream+" "+x.Method+" "+x.Target]++
		}
		if x.Status > 0 {
			n[fmt.Sprint(stream, " status ", x.Status)]++
		}
		for _, m := range [...]*report.MessageInfo{x.Request, x.Response} {
			if m != nil && x.Method != "CONNECT" { // what a tunnel carries is no body
				n[stream+" octets"] += int(m.BodyBytes)
			}
		}
	}
	return n
}

// h2Fields are what tshark prints of each packet.
var h2Fields = [...]string{
	"tcp.stream", "http2.type", "http2.length", "http2.pad_length", "http2.streamid", "http2.flags",
	"http2.headers.method", "http2.headers.path", "http2.headers.authority", "http2.headers.status",
}

// countInWireshark counts what tshark prints of a file. A list of fields has a comma between
// values.
func countInWireshark(t *testing.T, file string, r *report.Report) h2Count {
	t.Helper()
	args := []string{
		"-r", file, "-o", "tcp.reassemble_out_of_order:TRUE", "-Y", "http2", "-T", "fields",
		"-E", "separator=|", "-E", "occurrence=a",
	}
	keys := filepath.Join(filepath.Dir(file), "keys.txt")
	_, err := os.Stat(keys)
	for i := range r.Conns {
		port, as := r.Conns[i].Server.Port(), "http2"
		if err == nil {
			as = "tls"
		}
		args = append(args, "-d", fmt.Sprintf("tcp.port==%d,%s", port, as))
	}
	if err == nil {
		args = append(args, "-o", "tls.keylog_file:"+keys)
	}
	for _, field := range h2Fields {
		args = append(args, "-e", field)
	}
	out, err := exec.Command("tshark", args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	n, padded := h2Count{}, false
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		padded = n.packet(strings.Split(line, "|")) || padded
	}
	maps.DeleteFunc(n, func(key string, _ int) bool {
		conn, _, _ := strings.Cut(key, " ")
		return strings.HasSuffix(key, " octets") && (padded || n[conn+" tunnel"] > 0)
	})
	maps.DeleteFunc(n, func(key string, _ int) bool { return strings.HasSuffix(key, " tunnel") })
	return n
}

// packet counts what tshark printed of one packet, and reports whether frames of it were padded:
// whose padding it is, is not printed. The preface, which it counts as a frame, has no type.
func (n h2Count) packet(f []string) (padded bool) {
	conn, types, lengths := f[0], listed(f[1]), listed(f[2])
	streams, flags := listed(f[4]), listed(f[5])
	methods, paths, hosts, statuses := listed(f[6]), listed(f[7]), listed(f[8]), listed(f[9])
	var headers, asked []string // the streams of header blocks; the same with "" for promises
	for i, kind := range types {
		flag, _ := strconv.ParseInt(flags[i], 0, 64)
		size, err := strconv.Atoi(lengths[i])
		switch {
		case kind == "1":
			headers, asked = append(headers, streams[i]), append(asked, streams[i])
		case kind == "5":
			asked = append(asked, "")
		case kind == "0" && err == nil:
			n[conn+" stream "+streams[i]+" octets"] += size
		case kind == "3", kind == "7", kind == "8", (kind == "4" || kind == "6") && flag&1 == 0:
			n[conn+" frames of type "+kind]++
		}
	}
	for i := range methods {
		if len(methods) == len(hosts) {
			n[conn+" "+methods[i]+" "+paths[i]+" of "+hosts[i]]++
		}
		if len(methods) == len(asked) && asked[i] != "" {
			n[conn+" stream "+asked[i]+" "+methods[i]+" "+paths[i]]++
		}
	}
	if len(statuses) != len(headers) { // some are trailers
		headers = n.leading(conn, headers)
	}
	for i, status := range statuses {
		if !strings.HasPrefix(status, "1") && len(statuses) == len(headers) {
			n[conn+" stream "+headers[i]+" status "+status]++
		}
	}
	if slices.Contains(methods, "CONNECT") {
		n[conn+" tunnel"]++
	}
	for _, pad := range listed(f[3]) {
		padded = padded || pad != "0"
	}
	return padded
}

// leading are the streams of those header blocks of a packet that no other of their stream
// precedes: the rest are trailers.
func (n h2Count) leading(conn string, blocks []string) []string {
	var leading []string
	for _, stream := range blocks {
		answered := slices.Contains(leading, stream)
		for key := range n {
			answered = answered || strings.HasPrefix(key, conn+" stream "+stream+" status ")
		}
		if !answered {
			leading = append(leading, stream)
		}
	}
	return leading
}

// listed are the values of a field.
func listed(values string) []string {
	if values == "" {
		return nil
	}
	return strings.Split(values, ",")
}
