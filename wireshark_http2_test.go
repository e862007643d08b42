package main

import (
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tcpwhy/analysis/report"
	"tcpwhy/reassembly/exchange"
)

// h2Count is what Wireshark and the report both count of the connections of HTTP/2: by connection,
// requests, statuses, frames of some types, and octets of bodies.
type h2Count map[string]int

// TestWiresharkHTTP2 compares what is read of HTTP/2 in cleartext with what Wireshark reads.
func TestWiresharkHTTP2(t *testing.T) {
	if testing.Short() {
		t.Skip("runs tshark on captures")
	}
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Skip("no tshark")
	}
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
		want := countInWireshark(t, inputs[0], r)
		for _, key := range slices.Sorted(maps.Keys(want)) {
			if got[key] != want[key] {
				t.Errorf("%s: %s: %d, Wireshark has %d", dir, key, got[key], want[key])
			}
		}
		for _, key := range slices.Sorted(maps.Keys(got)) {
			if want[key] == 0 && got[key] != 0 && !strings.HasSuffix(key, " octets") {
				t.Errorf("%s: %s: %d, Wireshark has none", dir, key, got[key])
			}
		}
	}
}

// wholeHTTP2 reports whether all that HTTP/2 said is there, and none of it in TLS or asked for by
// HTTP/1.
func wholeHTTP2(r *report.Report) bool {
	for i := range r.Conns {
		c := &r.Conns[i]
		if c.HTTP2 == nil || c.TLS != nil || len(c.Caveats) > 0 {
			return false
		}
	}
	return !slices.ContainsFunc(r.Exchanges, func(x report.ExchangeInfo) bool {
		return x.OnStream.Stream == 0 || x.Version != "HTTP/2"
	})
}

// countHTTP2 counts in a report.
func countHTTP2(r *report.Report) h2Count {
	n := h2Count{}
	for i := range r.Conns {
		if h := r.Conns[i].HTTP2; h != nil {
			id := r.Conns[i].ID
			up, down := &h.Sides[exchange.FromClient], &h.Sides[exchange.FromServer]
			n[fmt.Sprint(id, " frames of type 8")] += up.Updates + down.Updates
			n[fmt.Sprint(id, " frames of type 3")] += up.Resets + down.Resets
		}
	}
	for i := range r.Exchanges {
		x := &r.Exchanges[i]
		if x.OnStream.Stream == 0 {
			continue
		}
		n[fmt.Sprint(x.Connection, " ", x.Method, " ", x.Target)]++
		if x.Status > 0 {
			n[fmt.Sprint(x.Connection, " status ", x.Status)]++
		}
		for _, m := range [...]*report.MessageInfo{x.Request, x.Response} {
			if m != nil {
				n[fmt.Sprint(x.Connection, " octets")] += int(m.BodyBytes)
			}
		}
	}
	return n
}

// countInWireshark counts what tshark prints of a file. A list of fields has a comma between values.
func countInWireshark(t *testing.T, file string, r *report.Report) h2Count {
	t.Helper()
	args := []string{
		"-r",
		file,
		"-o",
		"tcp.reassemble_out_of_order:TRUE",
		"-Y",
		"http2",
		"-T",
		"fields",
		"-E",
		"separator=|",
		"-E",
		"occurrence=a",
	}
	for i := range r.Conns {
		args = append(args, "-d", fmt.Sprintf("tcp.port==%d,http2", r.Conns[i].Server.Port()))
	}
	for _, field := range []string{"tcp.stream", "http2.type", "http2.length", "http2.pad_length",
		"http2.headers.method", "http2.headers.path", "http2.headers.status"} {
		args = append(args, "-e", field)
	}
	out, err := exec.Command("tshark", args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	n, padded := h2Count{}, false
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		f := strings.Split(line, "|")
		conn, types, lengths := f[0], listed(f[1]), listed(f[2])
		for i, kind := range types {
			if kind == "8" || kind == "3" {
				n[conn+" frames of type "+kind]++
			}
			if size, err := strconv.Atoi(lengths[i]); kind == "0" && err == nil {
				n[conn+" octets"] += size
			}
		}
		for _, pad := range listed(f[3]) {
			padded = padded || pad != "0" // whose it is, is not printed
		}
		methods, paths := listed(f[4]), listed(f[5])
		for i := range methods {
			n[conn+" "+methods[i]+" "+paths[i]]++
		}
		for _, status := range listed(f[6]) {
			if !strings.HasPrefix(status, "1") {
				n[conn+" status "+status]++
			}
		}
	}
	if padded {
		maps.DeleteFunc(
			n,
			func(key string, _ int) bool { return strings.HasSuffix(key, " octets") },
		)
	}
	return n
}

// listed are the values of a field.
func listed(values string) []string {
	if values == "" {
		return nil
	}
	return strings.Split(values, ",")
}
