//go:build linux

package main

import (
	"fmt"
	"io"
	"time"
)

// compare measures all programs and writes the tables.
func compare(w io.Writer, t *tools, o *options) error {
	captures, err := samples(t, o.files)
	if err != nil {
		return err
	}
	all := programs(t, o.peers)
	m, err := take(all, captures, o)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s; tcpwhy %s; %s. Best of %d rounds.\n\n", machine(), revision(),
		versions(all), o.rounds)
	for _, s := range captures {
		fmt.Fprintf(
			w,
			"- **%s**: %.0f packets, %.0f connections, %.0f exchanges, %.0f octets a packet; %.1f %% "+
				"of the connections are plain\n",
			s.name,
			s.frames,
			s.connections,
			s.exchanges,
			s.octets/s.frames,
			100*s.plain(),
		)
	}
	for _, s := range captures {
		costs(w, all, s, m)
	}
	if len(o.files) == 0 {
		goals(w, captures, m)
	}
	return nil
}

// costs writes what each program took for one capture.
func costs(w io.Writer, all []program, s sample, m measured) {
	fmt.Fprintf(w, "\n| %s | CPU ns/packet | CPU, times tcpwhy's | wall ms | peak MB |\n", s.name)
	fmt.Fprint(w, "|---|---:|---:|---:|---:|\n")
	own := m[ownName][s.name]
	for _, p := range all {
		c := m[p.name][s.name]
		fmt.Fprintf(w, "| %s | %.0f | %.2f | %.0f | %.0f |\n", p.name, float64(c.cpu)/s.frames,
			ratio(c.cpu, own.cpu), float64(c.wall)/1e6, float64(c.rss)/1e6)
	}
}

// goals writes the goals of docs/performance.md that this comparison can tell of.
func goals(w io.Writer, captures []sample, m measured) {
	fmt.Fprint(w, "\n| goal | few | many | web | measured: few | many | web |\n"+
		"|---|---|---|---|---:|---:|---:|\n")
	for _, g := range []struct {
		text, peer, few, many, web string
		inverse                    bool
	}{
		{"CPU of `tshark -q -z http,tree`, times ours", treeName, "≥ 25", "≥ 20", "", false},
		{"CPU of `tcptrace -n`, times ours", traceName, "≥ 1.5", "≥ 4", "≥ 1", false},
		{"our CPU, times the Go floor's", floorName, "≤ 1.8", "≤ 2.5", "", true},
	} {
		row := fmt.Sprintf("| %s | %s | %s | %s |", g.text, g.few, g.many, g.web)
		for _, s := range captures {
			peer, own := m[g.peer][s.name], m[ownName][s.name]
			switch {
			case peer == nil:
				row += " not there |"
			case g.inverse:
				row += fmt.Sprintf(" %.2f |", ratio(own.cpu, peer.cpu))
			default:
				row += fmt.Sprintf(" %.1f |", ratio(peer.cpu, own.cpu))
			}
		}
		fmt.Fprintln(w, row)
	}
	row := "| wall time of one core, times that of two | | ≥ 1.6 | |"
	for _, s := range captures {
		row += fmt.Sprintf(" %.2f |", ratio(m[ownOne][s.name].wall, m[ownName][s.name].wall))
	}
	fmt.Fprintln(w, row)
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(max(b, 1)) }
