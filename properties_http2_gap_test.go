package main

import (
	"flag"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// moreCaptures are folders of captures with HTTP/2 for TestUnseenFrames, beside the scenarios: of
// each capture.pcap, and keys.txt.
var moreCaptures = flag.String("captures", "", "folder of folders with more captures of HTTP/2")

// unseenDirs are the folders of captures that TestUnseenFrames looks at.
func unseenDirs(t *testing.T) []string {
	t.Helper()
	if *moreCaptures == "" {
		return sampleDirs(t)
	}
	dirs, err := filepath.Glob(filepath.Join(*moreCaptures, "*"))
	if err != nil || len(dirs) == 0 {
		t.Fatal("there are none", err)
	}
	return dirs
}

// lacking is a capture of HTTP/2 that lacks something.
type lacking struct {
	name string
	tr   trace
	// from and to are the moments between which it lacks frames, in ns since the Unix epoch: what
	// was over before them, and what began after, is all there.
	from, to int64
}

// without are the frames but for n from i on.
func (tr trace) without(i, n int) lacking {
	end := min(i+n, len(tr.packets))
	less := trace{link: tr.link}
	less.packets = append(append(less.packets, tr.packets[:i]...), tr.packets[end:]...)
	seen := min(end+1, len(tr.packets)-1) // by then both sides have shown that something is missing
	return lacking{fmt.Sprintf("without %d to %d", i+1, end), less,
		tr.packets[i].at, tr.packets[seen].at}
}

// snapped are all frames, of no more than n octets each.
func (tr trace) snapped(n int) lacking {
	cut := tr.clone()
	for i := range cut.packets {
		p := &cut.packets[i]
		p.data = p.data[:min(len(p.data), n)]
	}
	return lacking{fmt.Sprintf("%d octets of each", n), cut, 0, 1 << 62}
}

// lackings are what may be missing of a capture: single frames, bursts, ends, what is behind the
// first octets.
func (tr trace) lackings(random *rand.Rand) (out []lacking) {
	n := len(tr.packets)
	frames := random.Perm(n)
	if *missingFrames > 0 {
		frames = frames[:min(*missingFrames, n)]
	}
	for _, i := range frames {
		out = append(out, tr.without(i, 1), tr.without(i, 2+random.IntN(3)),
			tr.without(i, 5+random.IntN(30)))
	}
	for _, size := range []int{96, 200} {
		out = append(out, tr.snapped(size))
	}
	cuts := random.Perm(n)
	if *cutFrames > 0 {
		cuts = cuts[:min(*cutFrames, n)]
	}
	for _, i := range cuts {
		if i > 0 {
			out = append(out, tr.without(0, i), tr.without(i, n))
		}
	}
	return out
}

// unlessSeen are captures that show another fault by rule if the frames are missing that tell one
// from the other.
var unlessSeen = map[string]string{
	"h2-goaway-error-rtt20":         "reset-after-data", // the GOAWAY, which is cut
	"h2-idle-timeout-goaway-rtt40":  "missed-reuse",     // the GOAWAY: the connection ended idle
	"h2-settings-wait-rtt40-server": "h2-connections",   // all of the end of the one before
}

// streamKey tells a stream from all others.
type streamKey struct {
	client, server netip.AddrPort
	stream         uint32
}

// streams are the exchanges of HTTP/2 in a report.
func streams(r *report.Report) map[streamKey]report.ExchangeInfo {
	all := map[streamKey]report.ExchangeInfo{}
	of := map[int]*report.ConnInfo{}
	for i := range r.Conns {
		of[r.Conns[i].ID] = &r.Conns[i]
	}
	for _, x := range r.Exchanges {
		if c := of[x.Connection]; c != nil && c.HTTP2 != nil && x.OnStream.Stream > 0 && !x.Turn {
			all[streamKey{c.Client, c.Server, x.OnStream.Stream}] = x
		}
	}
	return all
}

// fails reports whether an exchange came to nothing.
func fails(o exchange.Outcome) bool { return o > exchange.Complete && o != exchange.Upgraded }

// TestUnseenFrames: a capture of HTTP/2 that lacks frames, or parts of them, tells less and nothing
// else: no exchange fails that did not, none is another, nothing grave is found that was not, and
// what lies apart from the gap is as it was.
func TestUnseenFrames(t *testing.T) {
	t.Parallel()
	for _, dir := range unseenDirs(t) {
		file, err := os.ReadFile(dir + "/capture.pcap")
		if err != nil {
			continue
		}
		keys, _ := os.ReadFile(dir + "/keys.txt")
		t.Run(filepath.Base(dir), func(t *testing.T) {
			tr := parseTrace(t, file)
			read := func(tr trace) *report.Report {
				if len(keys) == 0 {
					return analyseData(t, tr.pcap(t, true))
				}
				return analyseData(t, withSecrets(tr.pcapng(t), string(keys)))
			}
			all := read(tr)
			if len(streams(all)) == 0 {
				return
			}
			seed := uint64(crc32.ChecksumIEEE([]byte(filepath.Base(dir))))
			for _, less := range tr.lackings(rand.New(rand.NewPCG(seed, 31))) {
				checkUnseen(t, less, read(less.tr), all)
			}
		})
	}
}

// checkUnseen compares a capture that lacks something with the whole.
func checkUnseen(t *testing.T, less lacking, r, all *report.Report) {
	t.Helper()
	was := streams(all)
	is := streams(r)
	for key, x := range is {
		w, known := was[key]
		switch {
		case !known:
			t.Errorf("%s: stream %d of %v was not there", less.name, key.stream, key.client)
		case fails(x.Outcome) && !fails(w.Outcome):
			t.Errorf(
				"%s: %s on %d is %v, was %v",
				less.name,
				w.Target,
				key.stream,
				x.Outcome,
				w.Outcome,
			)
		case w.Status == 0 && w.OnStream.Reset != nil && x.OnStream.Reset == nil:
			// the reset is missing, behind which its answer was still on its way
		case x.Status != 0 && x.Status != w.Status:
			t.Errorf(
				"%s: %s on %d has %d, not %d",
				less.name,
				w.Target,
				key.stream,
				x.Status,
				w.Status,
			)
		case x.Method != "" && x.Method != w.Method || x.Target != "" && x.Target != w.Target:
			t.Errorf("%s: %s %s is %s %s", less.name, w.Method, w.Target, x.Method, x.Target)
		}
	}
	read := map[streamKey]bool{}
	for i := range r.Conns {
		if c := &r.Conns[i]; c.HTTP2 != nil {
			read[streamKey{c.Client, c.Server, 0}] = true
		}
	}
	begin := all.Capture.Start.UnixNano()
	for key, w := range was {
		start, end := begin+int64(w.Start), begin+int64(w.Start+w.Duration)
		if end >= less.from && start <= less.to || w.OnStream.Pushed ||
			!read[streamKey{key.client, key.server, 0}] {
			continue // or the connection is not known for one of HTTP/2 any more
		}
		if x := is[key]; start > less.to && less.from > begin || end < less.from {
			// how a stream failed, the frame that is missing may have told alone
			if x.Outcome != w.Outcome && w.Outcome != exchange.Incomplete &&
				!(fails(x.Outcome) && fails(w.Outcome)) && !leftUnknown(&w, &x) {
				t.Errorf(
					"%s: %s on %d is %v, was %v, apart from it",
					less.name,
					w.Target,
					key.stream,
					x.Outcome,
					w.Outcome,
				)
			}
		}
	}
	for _, e := range r.Endpoints {
		if e.Method != "" && e.Template == "" {
			t.Errorf("%s: an endpoint %q %q", less.name, e.Method, e.Template)
		}
	}
	checkNothingNew(t, less.name, r, all)
}

// leftUnknown reports whether w ended by its client's close, and nobody knows that of x: whether a
// client that closes has given up shows only where the capture has all of its connection.
func leftUnknown(w, x *report.ExchangeInfo) bool {
	return w.Outcome == exchange.Aborted && w.OnStream.Reset == nil &&
		x.Outcome == exchange.Incomplete
}

// checkNothingNew holds what is found, of medium severity and above, to what is found in the whole.
func checkNothingNew(t *testing.T, name string, r, all *report.Report) {
	t.Helper()
	was := worst(all)
	ends := sameEnds(r, all)
	for key, s := range worst(r) {
		if !ends &&
			(strings.HasPrefix(key, "h2-connections") || strings.HasPrefix(key, "missed-reuse")) {
			continue // a connection that lost all of its end may have been open beside the next
		}
		if _, known := was[key]; known || s < report.Medium || otherwise(key, s, was) {
			continue
		}
		if unless, named := unlessSeen[filepath.Base(t.Name())]; named &&
			strings.HasPrefix(key, unless) {
			continue
		}
		if unless, named := laterBegun[filepath.Base(t.Name())]; named &&
			strings.HasPrefix(key, unless) {
			continue
		}
		t.Errorf("%s: %s is %v, and was not found", name, key, s)
	}
}

// sameEnds reports whether r shows the ends of all connections that it has, as the whole does.
func sameEnds(r, all *report.Report) bool {
	ended := map[streamKey]bool{}
	key := func(c *report.ConnInfo) streamKey { return streamKey{c.Client, c.Server, 0} }
	for i := range all.Conns {
		c := &all.Conns[i]
		ended[key(c)] = c.State == reassembly.Closed || c.State == reassembly.Reset
	}
	for i := range r.Conns {
		c := &r.Conns[i]
		if ended[key(c)] && c.State != reassembly.Closed && c.State != reassembly.Reset {
			return false
		}
	}
	return true
}
