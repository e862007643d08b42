//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
)

// step is one capture of a growth table.
type step struct {
	kind string
	n    int // packets; of idle, connections
}

// growthSteps are captures that grow by a factor of ten: in packets, with few, many or one
// connection, or client, and in open connections.
func growthSteps(most int) []step {
	var out []step
	for _, kind := range []string{"few", "many", "crowd", "pair", "one", "synflood"} {
		for n := 10_000; n <= most; n *= 10 {
			out = append(out, step{kind, n})
		}
	}
	for n := 10; n <= 1_000_000 && n*packetsIdle <= most; n *= 10 {
		out = append(out, step{"idle", n})
	}
	// 1 GB, and 10 GB, of short connections.
	for _, n := range []int{8_000_000, 80_000_000} {
		if n <= most {
			out = append(out, step{"many", n})
		}
	}
	return out
}

// packetsIdle is how many packets a connection of idle has.
const packetsIdle = 7

// growth writes what tcpwhy takes for ever larger captures.
func growth(w io.Writer, t *tools, most int) error {
	fmt.Fprintf(w, "%s; tcpwhy %s.\n\n", machine(), revision())
	fmt.Fprint(
		w,
		"| kind | packets | CPU ns/packet | CPU µs/connection | wall s | peak MB | "+
			"KB/connection |\n"+
			"|---|---:|---:|---:|---:|---:|---:|\n",
	)
	for _, s := range growthSteps(most) {
		c, err := s.run(t)
		if err != nil {
			return err
		}
		packets, conns := s.n, s.connections()
		if s.kind == "idle" {
			packets = s.n * packetsIdle
		}
		perConn, memory := "", ""
		if conns > 0 {
			perConn = fmt.Sprintf("%.1f", float64(c.cpu)/1e3/float64(conns))
		}
		if s.kind == "idle" {
			memory = fmt.Sprintf("%.2f", float64(c.rss)/1024/float64(conns))
		}
		fmt.Fprintf(w, "| %s | %d | %.0f | %s | %.1f | %.0f | %s |\n", s.kind, packets,
			float64(c.cpu)/float64(packets), perConn, c.wall.Seconds(), float64(c.rss)/1e6, memory)
		fmt.Fprintf(os.Stderr, "compare: %s %d\n", s.kind, s.n)
	}
	return nil
}

// connections is how many there are, about; 0: few.
func (s step) connections() int {
	switch s.kind {
	case "many", "crowd", "pair":
		return s.n / 10
	case "synflood", "idle":
		return s.n
	}
	return 0
}

// run generates a capture into the standard input of tcpwhy.
func (s step) run(t *tools) (cost, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return cost{}, err
	}
	defer read.Close()
	gen := exec.Command(t.gen, "-kind", s.kind, "-n", strconv.Itoa(s.n), "-o", "-")
	gen.Stdout = write
	err = gen.Start()
	write.Close()
	if err != nil {
		return cost{}, err
	}
	own := program{command: []string{t.tcpwhy, "-F", "json", "-"}}
	c, err := own.once("", read)
	read.Close()
	if waitErr := gen.Wait(); err == nil && waitErr != nil {
		err = fmt.Errorf("generate %s: %w", s.kind, waitErr)
	}
	return c, err
}
