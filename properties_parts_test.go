package main

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"tcpwhy/analysis"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/internal/cli"
	"tcpwhy/output/mask"
	"tcpwhy/reassembly/tcptext"
)

// partsTogether is how many scenarios lie beside each other in TestParts.
const partsTogether = 4

// partsEvery is of how many groups of scenarios TestParts looks at one.
var partsEvery = flag.Int("parts-every", 8, "of so many groups of scenarios one in TestParts")

// acrossParts are scenarios that show something for which one analysis asks all of the capture, of
// whatever hosts.
var acrossParts = map[string]string{
	"clock-set-back-rtt20": "by the latest segments of other files, a clock was not set",
}

// longestPart is how long they last at most: an hour of silence in one of them is none in all.
const longestPart = 50 * time.Minute

// TestParts: what is known of parts of the traffic, of hosts that have nothing to do with each
// other, is together what one analysis knows of all of it: the same JSON to the octet, in whatever
// order and groups the parts are merged.
func TestParts(t *testing.T) {
	t.Parallel()
	var all []neighbour
	for _, n := range neighbours(t) {
		span := latest(n.packets) - n.packets[0].at
		if span < int64(longestPart) && acrossParts[n.name] == "" {
			all = append(all, n)
		}
	}
	every := *partsEvery
	if testing.Short() || raced {
		every *= 3
	}
	for i := 0; i+partsTogether <= len(all); i += every * partsTogether {
		// those of one kind stand together: some that do not
		chosen := make([]neighbour, partsTogether)
		for k := range chosen {
			chosen[k] = all[(i+k*61)%len(all)]
		}
		t.Run(fmt.Sprint(i), func(t *testing.T) { newParted(t, chosen).check(t, uint64(i)) })
	}
}

// parted is a capture in parts.
type parted struct {
	names  []string
	inputs [][]string // of each part
	start  time.Time
}

// newParted writes scenarios that begin together, each with hosts of its own, and end together:
// what silence settles is the same in each.
func newParted(t *testing.T, all []neighbour) *parted {
	t.Helper()
	p := &parted{}
	dir := t.TempDir()
	write := func(name string, tr trace) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, tr.pcap(t, true), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	start := packetsStart.UnixNano()
	end := start + int64(longestPart+2*quietAfter)
	met := map[netip.Addr]bool{}
	for i, n := range all {
		key := byte(1 + i*0x11)
		for n.meets(met, key) {
			key++
		}
		moved := n.offsetSequence(uint32(i)*7919 + 1).edit(func(h *headers) {
			for side, e := range [2]netip.AddrPort{h.src(), h.dst()} {
				host := moveHost(e.Addr(), key)
				met[host] = true
				h.setEndpoint(side, netip.AddrPortFrom(host, e.Port()))
			}
		})
		by := start + int64(i)*int64(130*time.Millisecond) - earliest(moved.packets)
		for k := range moved.packets {
			moved.packets[k].at += by
		}
		last := fmt.Sprintf("client 198.19.%d.1:40000 isn 1\nserver 198.19.%d.2:80 isn 2\n"+
			"0 > . 1:1(0) ack 1", 77+i, 77+i)
		segments, err := tcptext.Parse(last)
		if err != nil {
			t.Fatal(err)
		}
		word := parseTrace(t, writeCapture(t, segments))
		word.packets[0].at = end + int64(i)
		p.names = append(p.names, n.name)
		p.inputs = append(p.inputs, []string{
			write(fmt.Sprintf("%d.pcap", i), moved), write(fmt.Sprintf("%d.z.pcap", i), word),
		})
	}
	p.start = time.Unix(0, start).UTC()
	return p
}

// earliest is the first time of packets.
func earliest(all []packet) int64 {
	at := all[0].at
	for i := range all {
		at = min(at, all[i].at)
	}
	return at
}

// analyse analyses some inputs, and says what is known of them as a part.
func (p *parted) analyse(t *testing.T, inputs []string) (*report.Report, *analysis.Partial) {
	t.Helper()
	src, err := capture.Open(capture.Config{Inputs: inputs,
		Start: func(time.Time) time.Time { return p.start }})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	part := &analysis.Partial{}
	r, err := analysis.Run(t.Context(), src, analysis.WithWorkers(1),
		analysis.WithPartial(part, partBy()))
	if err != nil {
		t.Fatal(err)
	}
	return r, part
}

func partBy() analysis.PartBy {
	return analysis.PartBy{
		Program: "a test",
		Target:  func(s string) string { return mask.Target(s, false, 1<<12) },
		Host:    mask.Host,
	}
}

// check compares the whole with its parts, put together in some ways.
func (p *parted) check(t *testing.T, seed uint64) {
	t.Helper()
	var parts []*analysis.Partial
	var read []capture.Input
	for _, inputs := range p.inputs {
		r, part := p.analyse(t, inputs)
		parts, read = append(parts, part), append(read, r.Capture.Inputs...)
	}
	slices.SortFunc(read, func(a, b capture.Input) int { return cmp.Compare(a.First, b.First) })
	var all []string // in the order in which those of parts stand
	for i := range read {
		all = append(all, read[i].Name)
	}
	r, one := p.analyse(t, all)
	want := render(t, "json", r)
	checkPart(t, "one part", one, want)
	rnd := rand.New(rand.NewPCG(seed, 19))
	var octets []byte
	for range 2 {
		some := make([]*analysis.Partial, 0, len(parts))
		for _, i := range rnd.Perm(len(parts)) {
			some = append(some, copied(t, parts[i]))
		}
		for len(some) > 1 {
			i := rnd.IntN(len(some) - 1)
			if err := some[i].Merge(some[i+1]); err != nil {
				t.Fatal(err)
			}
			some = slices.Delete(some, i+1, i+2)
		}
		checkPart(t, fmt.Sprintf("%q", p.names), some[0], want)
		written, err := some[0].AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		if octets != nil && !slices.Equal(octets, written) {
			t.Errorf("%q: merged otherwise it is written otherwise", p.names)
		}
		octets = written
		if err := some[0].Merge(parts[0]); !errors.Is(err, analysis.ErrOverlap) {
			t.Errorf("merged with one of its parts: %v, want %v", err, analysis.ErrOverlap)
		}
	}
}

// copied is a part that was written and read.
func copied(t *testing.T, p *analysis.Partial) *analysis.Partial {
	t.Helper()
	octets, err := p.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	q := &analysis.Partial{}
	if err := q.UnmarshalBinary(octets); err != nil {
		t.Fatal(err)
	}
	return q
}

// checkPart compares the report of a part with what it should be.
func checkPart(t *testing.T, what string, p *analysis.Partial, want string) {
	t.Helper()
	r, err := p.Report(report.Info)
	if err != nil {
		t.Fatal(err)
	}
	if got := render(t, "json", r); got != want {
		t.Errorf("%s: %s", what, whereApart(got, want))
	}
}

// whereApart shows where two texts begin to differ.
func whereApart(got, want string) string {
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	from := max(0, at-300)
	return fmt.Sprintf("%s\n--- want\n%s", got[from:min(len(got), at+200)],
		want[from:min(len(want), at+200)])
}

// TestSecretsInParts: what is not to be printed is not in a part either, however it is written down.
func TestSecretsInParts(t *testing.T) {
	t.Parallel()
	for _, text := range []string{secretive, secretiveTLS} {
		file := filepath.Join(t.TempDir(), "a.part")
		var stdout, stderr bytes.Buffer
		args := []string{"--partial", file, secretiveFile(t, text)}
		if status := cli.Run(args, nil, &stdout, &stderr); status != cli.ExitOK {
			t.Fatalf("status %d: %s", status, stderr.String())
		}
		octets, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"S3CRET", "ann:", "crumb", "pass="} {
			if at := bytes.Index(octets, []byte(secret)); at >= 0 {
				t.Errorf("a part has %q: %q", secret, octets[max(0, at-40):at+20])
			}
		}
	}
}
