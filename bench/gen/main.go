// Command gen writes captures for benchmarks: seeded, so that two machines measure the same octets,
// and with known truth, which it prints and writes to FILE.truth beside the capture.
//
//	go run ./bench/gen -kind many -size 1GB -o /tmp/many.pcap
//	go run ./bench/gen -kind many -size 10GB -o - | tcpwhy -
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"tcpwhy/capture"
)

const usage = `kinds:
  few       64 kept-alive connections with bulk responses and some loss, about 1000 octets a frame
  many      short connections with one small exchange each, about 130 octets a frame
  crowd     the same as many, each from a client of its own
  pair      the same as many, all between one client and one server address
  idle      -n connections that open, serve one exchange and stay open
  one       one connection that carries a single endless response
  synflood  SYNs without an answer
  tls       as few, within TLS 1.3, a record in each segment and no loss; FILE.keys has the secrets
  web       1 to 20 exchanges a connection, half in TLS 1.3, HTTP/2 among them, from clients near and
            far, of whose responses one segment in a hundred is lost; FILE.keys has the secrets
`

func main() {
	kind := flag.String("kind", "many", strings.Join(kinds[:], ", "))
	size := flag.String("size", "100MB", "size of the file: a number with KB, MB or GB")
	count := flag.Int("n", 0, "instead of -size: how many frames; for idle, connections")
	format := flag.String("format", "pcap", "pcap or pcapng")
	seed := flag.Uint64("seed", 1, "seed of everything that varies")
	out := flag.String("o", "", "file to write; - is standard output")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), usage)
		flag.PrintDefaults()
	}
	flag.Parse()
	if err := run(*kind, *size, *count, *format, *seed, *out); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// run writes one capture and prints its truth to standard error.
func run(kind, size string, count int, format string, seed uint64, out string) error {
	limit, err := parseSize(size)
	if err != nil {
		return err
	}
	if count > 0 {
		limit = 1 << 62
	}
	file, err := create(out)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(file, 1<<20)
	w, err := newFrameWriter(buffered, format)
	if err != nil {
		return err
	}
	g := newGenerator(w, seed, limit, count)
	g.truth.Kind, g.truth.Seed = kind, seed
	if err := g.generate(kind); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	if len(g.keys) > 0 && out != "-" {
		if err := os.WriteFile(out+".keys", g.keys, 0o600); err != nil {
			return err
		}
	}
	return g.truth.tell(out)
}

// truth is what a capture holds, as a correct reader of it counts.
type truth struct {
	Kind        string `json:"kind"`
	Seed        uint64 `json:"seed"`
	Frames      int    `json:"frames"`
	Octets      int64  `json:"octets"` // of a pcap file without its header
	Connections int    `json:"connections"`
	// begun; the end of the capture cuts those that are not complete
	Exchanges int `json:"exchanges"`
	Complete  int `json:"complete"`
	// of segments that were lost before they reached the capture
	Retransmissions int `json:"retransmissions"`
}

// tell prints the truth, and writes it beside the capture.
func (t *truth) tell(out string) error {
	text, err := json.Marshal(t)
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if _, err := os.Stderr.Write(text); err != nil || out == "-" {
		return err
	}
	return os.WriteFile(out+".truth", text, 0o666)
}

// create opens the output.
func create(name string) (*os.File, error) {
	switch name {
	case "":
		return nil, fmt.Errorf("-o FILE is needed")
	case "-":
		return os.Stdout, nil
	}
	return os.Create(name)
}

// parseSize reads a size with its unit; units are powers of 1000, as disks and the goals count.
func parseSize(s string) (int64, error) {
	unit := int64(1)
	for _, u := range []struct {
		suffix string
		value  int64
	}{{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}} {
		if rest, ok := strings.CutSuffix(s, u.suffix); ok {
			s, unit = rest, u.value
			break
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("-size %q: want a number with KB, MB or GB", s)
	}
	return n * unit, nil
}

// frameWriter writes one frame, captured whole.
type frameWriter func(nano int64, frame []byte) error

// newFrameWriter makes a writer of the given format, Ethernet with nanoseconds.
func newFrameWriter(w io.Writer, format string) (frameWriter, error) {
	switch format {
	case "pcap":
		p, err := capture.NewPcapWriter(w, 1, true)
		if err != nil {
			return nil, err
		}
		return func(nano int64, frame []byte) error {
			return p.WriteFrame(nano, frame, len(frame))
		}, nil
	case "pcapng":
		p, err := capture.NewPcapngWriter(w)
		if err != nil {
			return nil, err
		}
		iface, err := p.AddInterface("eth0", 1, 0)
		if err != nil {
			return nil, err
		}
		return func(nano int64, frame []byte) error {
			return p.WriteFrame(iface, nano, frame, len(frame), "")
		}, nil
	}
	return nil, fmt.Errorf("-format %q: want pcap or pcapng", format)
}
