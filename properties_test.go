package main

import (
	"hash/crc32"
	"math/rand/v2"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"tcpwhy/capture"
)

// corpus calls check with every capture of testdata that consists of one file (with -short, every
// fourth), and with those of the simulator; and a number of its own. The seed is the name's, so that
// a new scenario changes nothing for the others.
func corpus(t *testing.T, check func(t *testing.T, tr trace, seed uint64)) {
	for _, dir := range sampleDirs(t) {
		file, err := os.ReadFile(dir + "/capture.pcap")
		if err != nil {
			continue // of several files, or compressed
		}
		t.Run(filepath.Base(dir), func(t *testing.T) {
			tr := parseTrace(t, file)
			if !slices.ContainsFunc(tr.packets,
				func(p packet) bool { _, ok := p.headers(tr.link); return ok }) {
				t.Skip("what is in a tunnel cannot be changed here")
			}
			check(t, tr, uint64(crc32.ChecksumIEEE([]byte(filepath.Base(dir)))))
		})
	}
	simulated(t, check)
}

// TestTimeShift: only when a capture was taken depends on its clock (property 2).
func TestTimeShift(t *testing.T) {
	t.Parallel()
	corpus(t, func(t *testing.T, tr trace, seed uint64) {
		want := whole.digest(analyseData(t, tr.pcap(t, true)))
		shifted := tr.clone()
		by := rand.New(rand.NewPCG(seed, 2)).
			Int64N(int64(10*365*24*time.Hour)) -
			int64(
				5*365*24*time.Hour,
			)
		for i := range shifted.packets {
			shifted.packets[i].at += by
		}
		same(t, "shifted in time", whole.digest(analyseData(t, shifted.pcap(t, true))), want)
	})
}

// TestSequenceShift: where sequence numbers begin says nothing (property 3). One of the offsets
// makes them wrap in the middle of the data.
func TestSequenceShift(t *testing.T) {
	t.Parallel()
	corpus(t, func(t *testing.T, tr trace, seed uint64) {
		want := whole.digest(analyseData(t, tr.pcap(t, true)))
		random := rand.New(rand.NewPCG(seed, 3))
		for range 2 {
			key := random.Uint32()
			same(
				t,
				"other sequence numbers",
				whole.digest(analyseData(t, tr.offsetSequence(key).pcap(t, true))),
				want,
			)
		}
		same(
			t,
			"numbers that wrap",
			whole.digest(analyseData(t, tr.wrapSequence().pcap(t, true))),
			want,
		)
	})
}

// offsetSequence adds a constant to the numbers of each direction, which depends on the sender and
// on key.
func (tr trace) offsetSequence(key uint32) trace {
	return tr.shiftSequence(
		func(from, _ netip.AddrPort) uint32 { return key * (uint32(from.Port()) | 1) },
	)
}

// wrapSequence makes the numbers of every sender wrap soon after its first. Connections of the same
// ports may be one under two addresses, and have the same numbers.
func (tr trace) wrapSequence() trace {
	first := map[[2]uint16]uint32{}
	ports := func(from, to netip.AddrPort) [2]uint16 { return [2]uint16{from.Port(), to.Port()} }
	tr.edit(func(h *headers) {
		if k := ports(h.src(), h.dst()); first[k] == 0 {
			first[k] = h.get32(4)
		}
	})
	return tr.shiftSequence(
		func(from, to netip.AddrPort) uint32 { return -first[ports(from, to)] - 100 },
	)
}

// shiftSequence adds to the numbers of each sender what offset says of it and its peer.
func (tr trace) shiftSequence(offset func(from, to netip.AddrPort) uint32) trace {
	return tr.edit(func(h *headers) {
		own, peer := offset(h.src(), h.dst()), offset(h.dst(), h.src())
		if h.get32(4) != 0 { // a reset that answers nothing has the number 0, or that of the peer
			h.put32(4, h.get32(4)+own)
		}
		if h.get32(8) != 0 {
			h.put32(8, h.get32(8)+peer)
		}
		for _, at := range h.sackFields() {
			h.put32(at, h.get32(at)+peer)
		}
	})
}

// TestRenamed: who the hosts are says nothing (property 3).
func TestRenamed(t *testing.T) {
	t.Parallel()
	corpus(t, func(t *testing.T, tr trace, _ uint64) {
		plain := analyseData(t, tr.pcap(t, true))
		if plain.Capture.Count[capture.OutcomeICMP] > 0 {
			return // renamed in the headers, but not in what the errors quote
		}
		if plain.Capture.Count[capture.OutcomeDNS] > 0 {
			return // nor in what answers say
		}
		if plain.Capture.Count[capture.OutcomeQUIC] > 0 {
			return // nor of datagrams beside the connections
		}
		want := whole.digest(plain)
		renamed := tr.edit(func(h *headers) {
			h.setEndpoint(0, rename(h.src()))
			h.setEndpoint(1, rename(h.dst()))
		})
		back := whole
		back.addr = rename // it is its own inverse
		same(
			t,
			"other addresses and ports",
			back.digest(analyseData(t, renamed.pcap(t, true))),
			want,
		)
	})
}

// rename exchanges addresses, and those ports from which clients take theirs.
func rename(a netip.AddrPort) netip.AddrPort {
	if !a.Addr().IsValid() { // of a finding about all services
		return a
	}
	addr := a.Addr()
	if b := addr.AsSlice(); !addr.IsLoopback() { // which is the host itself
		b[len(b)-1] ^= 0x5a
		b[len(b)-2] ^= 0x33
		addr, _ = netip.AddrFromSlice(b)
	}
	port := a.Port()
	if port >= 32768 {
		port ^= 0x2aa
	}
	return netip.AddrPortFrom(addr, port)
}

// TestTTL: a few routers more or less between the hosts and the capture change nothing but, where
// the captured host itself is among those, the place of the capture (property 3).
func TestTTL(t *testing.T) {
	t.Parallel()
	corpus(t, func(t *testing.T, tr trace, seed uint64) {
		view := whole
		view.anyPlace = tr.anyBegins()
		want := view.digest(analyseData(t, tr.pcap(t, true)))
		by := uint8(1 + seed%5)
		further := tr.edit(func(h *headers) { h.setTTL(func(ttl uint8) uint8 { return ttl - by }) })
		same(t, "more routers", view.digest(analyseData(t, further.pcap(t, true))), want)
	})
}

// anyBegins reports whether a frame has the time to live that hosts give: it is captured there.
func (tr trace) anyBegins() bool {
	begins := false
	tr.edit(func(h *headers) {
		h.setTTL(func(ttl uint8) uint8 {
			begins = begins || slices.Contains([]uint8{32, 64, 128, 255}, ttl)
			return ttl
		})
	})
	return begins
}

// TestSplit: several files are one capture, wherever it was cut and in whatever order they are
// named (property 5).
func TestSplit(t *testing.T) {
	t.Parallel()
	corpus(t, func(t *testing.T, tr trace, seed uint64) {
		view := view{counts: true, http: true}
		report := analyseData(t, tr.pcap(t, true))
		if report.Capture.ClockSets > 0 {
			return // what comes behind a step is not looked for in other files
		}
		want := view.digest(report)
		random := rand.New(rand.NewPCG(seed, 4))
		files := tr.split(t, random, 1+random.IntN(4))
		random.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
		same(t, "split and shuffled", view.digest(analyseData(t, files...)), want)
	})
}

// split cuts a trace at random frames. Frames of one time stay together: in which order files of
// the same time are read is for the command line to say.
func (tr trace) split(t *testing.T, random *rand.Rand, cuts int) [][]byte {
	var files [][]byte
	rest := tr.packets
	for ; cuts > 0 && len(rest) > 1; cuts-- {
		n := 1 + random.IntN(len(rest)-1)
		for n < len(rest) && rest[n].at <= latest(rest[:n]) {
			n++
		}
		files = append(files, trace{tr.link, rest[:n]}.pcap(t, true))
		rest = rest[n:]
	}
	if len(rest) == 0 {
		return files
	}
	return append(files, trace{tr.link, rest}.pcap(t, true))
}

func latest(packets []packet) int64 {
	at := packets[0].at
	for _, p := range packets {
		at = max(at, p.at)
	}
	return at
}

// TestFormats: pcap, pcapng and snoop of the same frames tell the same (property 5). A file with
// microseconds tells the same but for the times, which are off by less than one.
func TestFormats(t *testing.T) {
	t.Parallel()
	corpus(t, func(t *testing.T, tr trace, _ uint64) {
		want := analyseData(t, tr.pcap(t, true))
		same(t, "pcapng", whole.digest(analyseData(t, tr.pcapng(t))), whole.digest(want))
		micro := analyseData(t, tr.pcap(t, false))
		sameFaults(t, "microseconds", micro, want, time.Millisecond)
		if tr.link == linkEthernet {
			same(t, "snoop", whole.digest(analyseData(t, tr.snoop())), whole.digest(micro))
		}
	})
}

// TestSnapped: a capture that cut the payload tells the same of TCP, and nothing wrong of HTTP
// (property 6).
func TestSnapped(t *testing.T) {
	t.Parallel()
	corpus(t, func(t *testing.T, tr trace, _ uint64) {
		want := analyseData(t, tr.pcap(t, true))
		for _, snap := range []int{96, 128} {
			cut := tr.clone()
			for i := range cut.packets {
				p := &cut.packets[i]
				p.data = p.data[:min(len(p.data), snap)]
			}
			checkSnapped(
				t,
				analyseData(t, cut.pcap(t, true)),
				want,
				hiddenByCut[path.Base(t.Name())],
			)
		}
	})
}

// TestDuplicated: what two taps saw was sent once (property 8).
func TestDuplicated(t *testing.T) {
	t.Parallel()
	corpus(t, func(t *testing.T, tr trace, _ uint64) {
		// a reset without identification is not known for a copy, and is counted
		view := view{http: true}
		want := view.digest(analyseData(t, tr.pcap(t, true)))
		twice := trace{link: tr.link}
		for _, p := range tr.packets {
			twice.packets = append(twice.packets, p, p)
		}
		same(t, "every frame twice", view.digest(analyseData(t, twice.pcap(t, true))), want)
	})
}
