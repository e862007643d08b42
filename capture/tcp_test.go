package capture

import (
	"math/rand/v2"
	"net/netip"
	"reflect"
	"testing"
)

var loopback4 = netip.MustParseAddr("127.0.0.1")

func TestTCPOptions(t *testing.T) {
	ts := cat([]byte{8, 10}, u32(111), u32(222))
	sack := func(n int) []byte {
		p := []byte{5, byte(2 + 8*n)}
		for i := range n {
			p = cat(p, u32(uint32(100*i)), u32(uint32(100*i+50)))
		}
		return p
	}
	tests := []struct {
		name    string
		flags   TCPFlags
		options []byte
		want    Segment // only what options set
	}{
		{"none", ACK, nil, Segment{}},
		{"linux syn", SYN, cat([]byte{2, 4, 5, 180, 4, 2}, ts, []byte{1, 3, 3, 7}),
			Segment{MSS: 1460, TSVal: 111, TSEcr: 222, WScale: 7, Options: HasMSS | HasSACKPerm | HasTS | HasWScale}},
		{"aligned timestamps", ACK, cat([]byte{1, 1}, ts), Segment{TSVal: 111, TSEcr: 222, Options: HasTS}},
		{"timestamps and two blocks", ACK, cat([]byte{1, 1}, ts, []byte{1, 1}, sack(2)),
			Segment{TSVal: 111, TSEcr: 222, NSACK: 2, SACK: [4]SACKBlock{{0, 50}, {100, 150}}, Options: HasTS}},
		{"four blocks", ACK, cat([]byte{1, 1}, sack(4)), Segment{NSACK: 4, SACK: [4]SACKBlock{{0, 50}, {100, 150}, {200, 250}, {300, 350}}}},
		{"window scale 15 is 14", SYN, []byte{3, 3, 15}, Segment{WScale: 14, Options: HasWScale}},
		{"window scale 0", SYN, []byte{3, 3, 0}, Segment{Options: HasWScale}},
		{"syn options elsewhere", ACK, []byte{2, 4, 5, 180, 3, 3, 7, 4, 2}, Segment{}},
		{"unknown kind", SYN, cat([]byte{34, 4, 1, 2}, []byte{2, 4, 5, 180}), Segment{MSS: 1460, Options: HasMSS}},
		{"nothing after the end", SYN, []byte{0, 2, 4, 5}, Segment{}},
		{"length 0", SYN, []byte{2, 4, 5, 180, 9, 0, 3, 3}, Segment{MSS: 1460, Options: HasMSS | BadOptions}},
		{"length 1", SYN, []byte{9, 1, 3, 3}, Segment{Options: BadOptions}},
		{"beyond the header", SYN, []byte{3, 3, 7, 8, 10, 1, 1, 1}, Segment{WScale: 7, Options: HasWScale | BadOptions}},
		{"kind without length", SYN, []byte{1, 1, 1, 9}, Segment{Options: BadOptions}},
		{"mss of 3", SYN, []byte{2, 3, 5, 1}, Segment{Options: BadOptions}},
		{"blocks of 7", ACK, cat([]byte{5, 9}, make([]byte, 7)), Segment{Options: BadOptions}},
		{"no blocks", ACK, []byte{5, 2}, Segment{Options: BadOptions}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, "")
			p := testIPv4{id: 3}.wrap(testTCP{flags: tt.flags, options: tt.options}.octets(client4, server4))
			if got := b.feed(linkRaw, p); got != OutcomeSegment {
				t.Fatalf("outcome %v, want tcp", got)
			}
			s := b.seg
			got := Segment{MSS: s.MSS, TSVal: s.TSVal, TSEcr: s.TSEcr, WScale: s.WScale, NSACK: s.NSACK, SACK: s.SACK, Options: s.Options &^ HasIPID}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestSnapLengths(t *testing.T) {
	options := cat([]byte{1, 1, 8, 10}, u32(111), u32(222))
	frame := ethernetFrame(etherIPv4, testIPv4{id: 3}.wrap(testTCP{seq: 1000, options: options, payload: make([]byte, 1000)}.octets(client4, server4)))
	const headers = 14 + 20 + 20 + 12
	tests := []struct {
		snap    int
		want    Outcome
		payload int
		ts      bool
	}{
		{10, OutcomeShort, 0, false},
		{30, OutcomeShort, 0, false},
		{53, OutcomeShort, 0, false},
		{54, OutcomeSegment, 0, false}, // up to the end of the header without options
		{60, OutcomeSegment, 0, false}, // within the timestamps
		{headers, OutcomeSegment, 0, true},
		{68, OutcomeSegment, 2, true},
		{96, OutcomeSegment, 30, true},
		{headers + 999, OutcomeSegment, 999, true},
		{headers + 1000, OutcomeSegment, 1000, true},
	}
	for _, tt := range tests {
		b := newBench(t, "")
		got := b.show(rawFrame{Link: linkEthernet, Data: frame[:tt.snap], OrigLen: uint32(len(frame))})
		if got != tt.want {
			t.Errorf("snap %d: outcome %v, want %v", tt.snap, got, tt.want)
		}
		if got != OutcomeSegment {
			continue
		}
		s, cut := &b.seg, tt.payload < 1000
		if s.Len != 1000 || len(s.Payload) != tt.payload || s.Options.Has(HasTS) != tt.ts {
			t.Errorf("snap %d: len %d payload %d options %b", tt.snap, s.Len, len(s.Payload), s.Options)
		}
		if s.Options.Has(Snapped) != cut || (b.stats.Snapped == 1) != cut || s.Options.Has(BadOptions) {
			t.Errorf("snap %d: options %b, %d snapped", tt.snap, s.Options, b.stats.Snapped)
		}
	}
}

func TestChecksum(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for size := range 200 {
		payload := make([]byte, size*7)
		for i := range payload {
			payload[i] = byte(rng.Uint32())
		}
		segment := testTCP{seq: rng.Uint32(), payload: payload}
		good4 := testIPv4{id: uint16(size + 1)}.wrap(segment.octets(client4, server4))
		good6 := testIPv6{}.wrap(segment.octets(client6, server6))
		for _, frame := range [][]byte{good4, good6} {
			b := newBench(t, "")
			b.feed(linkRaw, frame)
			if b.seg.Options.Has(BadChecksum) {
				t.Errorf("%d octets: a right checksum is taken for a wrong one", len(payload))
			}
			frame[len(frame)-1] ^= 1
			b.feed(linkRaw, frame)
			if bad := b.seg.Options.Has(BadChecksum); bad != (len(payload) <= ethernetMTU) {
				t.Errorf("%d octets: BadChecksum is %v for a wrong one", len(payload), bad)
			}
		}
	}
}

func TestChecksumVerdictsEnd(t *testing.T) {
	b := newBench(t, "")
	wrong := func(flags TCPFlags, seq uint32) []byte {
		p := testIPv4{id: uint16(seq + 1)}.wrap(testTCP{seq: seq, flags: flags}.octets(client4, server4))
		p[36] ^= 0xff
		return p
	}
	marked := 0
	for i := range 2 * checksumVerdicts {
		b.feed(linkRaw, wrong(ACK, uint32(i)))
		if b.seg.Options.Has(BadChecksum) {
			marked++
		}
	}
	if marked != checksumVerdicts {
		t.Errorf("%d segments judged, want %d", marked, checksumVerdicts)
	}
	if b.feed(linkRaw, wrong(SYN, 9999)); !b.seg.Options.Has(BadChecksum) {
		t.Error("a SYN is not judged any more")
	}
}
