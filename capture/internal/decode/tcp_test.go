package decode

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"tcpwhy/capture/internal/frame"
	"tcpwhy/capture/internal/frametest"
	"tcpwhy/capture/internal/header"
	"tcpwhy/capture/segment"
)

// blocks are those of a SACK option, from their ends.
func blocks(ends ...uint32) (all [4]segment.SACKBlock) {
	for i := 0; i < len(ends); i += 2 {
		all[i/2] = segment.SACKBlock{Start: ends[i], End: ends[i+1]}
	}
	return all
}

func TestTCPOptions(t *testing.T) {
	ts := frametest.Cat([]byte{8, 10}, frametest.U32(111), frametest.U32(222))
	sack := func(n int) []byte {
		p := []byte{5, byte(2 + 8*n)}
		for i := range n {
			p = frametest.Cat(p, frametest.U32(uint32(100*i)), frametest.U32(uint32(100*i+50)))
		}
		return p
	}
	tests := []struct {
		name    string
		flags   segment.TCPFlags
		options []byte
		want    segment.Segment // only what options set
	}{
		{"none", segment.ACK, nil, segment.Segment{}},
		{
			"linux syn",
			segment.SYN,
			frametest.Cat([]byte{2, 4, 5, 180, 4, 2}, ts, []byte{1, 3, 3, 7}),
			segment.Segment{
				MSS:     1460,
				TSVal:   111,
				TSEcr:   222,
				WScale:  7,
				Options: segment.HasMSS | segment.HasSACKPerm | segment.HasTS | segment.HasWScale,
			},
		},
		{
			"aligned timestamps",
			segment.ACK,
			frametest.Cat([]byte{1, 1}, ts),
			segment.Segment{TSVal: 111, TSEcr: 222, Options: segment.HasTS},
		},
		{
			"timestamps and two blocks",
			segment.ACK,
			frametest.Cat([]byte{1, 1}, ts, []byte{1, 1}, sack(2)),
			segment.Segment{
				TSVal:   111,
				TSEcr:   222,
				NSACK:   2,
				SACK:    blocks(0, 50, 100, 150),
				Options: segment.HasTS,
			},
		},
		{
			"four blocks",
			segment.ACK,
			frametest.Cat([]byte{1, 1}, sack(4)),
			segment.Segment{NSACK: 4, SACK: blocks(0, 50, 100, 150, 200, 250, 300, 350)},
		},
		{
			"window scale 15 is 14",
			segment.SYN,
			[]byte{3, 3, 15},
			segment.Segment{WScale: 14, Options: segment.HasWScale},
		},
		{
			"window scale 0",
			segment.SYN,
			[]byte{3, 3, 0},
			segment.Segment{Options: segment.HasWScale},
		},
		{
			"syn options elsewhere",
			segment.ACK,
			[]byte{2, 4, 5, 180, 3, 3, 7, 4, 2},
			segment.Segment{},
		},
		{
			"unknown kind",
			segment.SYN,
			frametest.Cat([]byte{34, 4, 1, 2}, []byte{2, 4, 5, 180}),
			segment.Segment{MSS: 1460, Options: segment.HasMSS},
		},
		{"nothing after the end", segment.SYN, []byte{0, 2, 4, 5}, segment.Segment{}},
		{
			"length 0",
			segment.SYN,
			[]byte{2, 4, 5, 180, 9, 0, 3, 3},
			segment.Segment{MSS: 1460, Options: segment.HasMSS | segment.BadOptions},
		},
		{"length 1", segment.SYN, []byte{9, 1, 3, 3}, segment.Segment{Options: segment.BadOptions}},
		{
			"beyond the header",
			segment.SYN,
			[]byte{3, 3, 7, 8, 10, 1, 1, 1},
			segment.Segment{WScale: 7, Options: segment.HasWScale | segment.BadOptions},
		},
		{
			"kind without length",
			segment.SYN,
			[]byte{1, 1, 1, 9},
			segment.Segment{Options: segment.BadOptions},
		},
		{"mss of 3", segment.SYN, []byte{2, 3, 5, 1}, segment.Segment{Options: segment.BadOptions}},
		{
			"blocks of 7",
			segment.ACK,
			frametest.Cat([]byte{5, 9}, make([]byte, 7)),
			segment.Segment{Options: segment.BadOptions},
		},
		{"no blocks", segment.ACK, []byte{5, 2}, segment.Segment{Options: segment.BadOptions}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench()
			p := frametest.IPv4{
				ID: 3,
			}.Wrap(
				frametest.TCP{
					Flags:   tt.flags,
					Options: tt.options,
				}.Octets(
					frametest.Client4,
					frametest.Server4,
				),
			)
			if got := b.feed(frame.LinkRaw, p); got != Segment {
				t.Fatalf("outcome %v, want tcp", got)
			}
			s := b.seg
			got := segment.Segment{
				MSS:     s.MSS,
				TSVal:   s.TSVal,
				TSEcr:   s.TSEcr,
				WScale:  s.WScale,
				NSACK:   s.NSACK,
				SACK:    s.SACK,
				Options: s.Options &^ segment.HasIPID,
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestSnapLengths(t *testing.T) {
	options := frametest.Cat([]byte{1, 1, 8, 10}, frametest.U32(111), frametest.U32(222))
	octets := frametest.Ethernet(
		header.EtherIPv4,
		frametest.IPv4{
			ID: 3,
		}.Wrap(
			frametest.TCP{
				Seq:     1000,
				Options: options,
				Payload: make([]byte, 1000),
			}.Octets(
				frametest.Client4,
				frametest.Server4,
			),
		),
	)
	const headers = 14 + 20 + 20 + 12
	tests := []struct {
		snap    int
		want    Outcome
		payload int
		ts      bool
	}{
		{10, Short, 0, false},
		{30, Short, 0, false},
		{53, Short, 0, false},
		{54, Segment, 0, false}, // up to the end of the header without options
		{60, Segment, 0, false}, // within the timestamps
		{headers, Segment, 0, true},
		{68, Segment, 2, true},
		{96, Segment, 30, true},
		{headers + 999, Segment, 999, true},
		{headers + 1000, Segment, 1000, true},
	}
	for _, tt := range tests {
		b := newBench()
		got := b.show(
			frame.Frame{
				Link:    frame.LinkEthernet,
				Data:    octets[:tt.snap],
				OrigLen: uint32(len(octets)),
			},
		)
		if got != tt.want {
			t.Errorf("snap %d: outcome %v, want %v", tt.snap, got, tt.want)
		}
		if got != Segment {
			continue
		}
		s, cut := &b.seg, tt.payload < 1000
		if s.Len != 1000 || len(s.Payload) != tt.payload || s.Options.Has(segment.HasTS) != tt.ts {
			t.Errorf(
				"snap %d: len %d payload %d options %b",
				tt.snap,
				s.Len,
				len(s.Payload),
				s.Options,
			)
		}
		if s.Options.Has(segment.Snapped) != cut || s.Options.Has(segment.BadOptions) {
			t.Errorf("snap %d: options %b", tt.snap, s.Options)
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
		whole := frametest.TCP{Seq: rng.Uint32(), Payload: payload}
		good4 := frametest.IPv4{
			ID: uint16(size + 1),
		}.Wrap(
			whole.Octets(frametest.Client4, frametest.Server4),
		)
		good6 := frametest.IPv6{}.Wrap(whole.Octets(frametest.Client6, frametest.Server6))
		for _, octets := range [][]byte{good4, good6} {
			b := newBench()
			b.feed(frame.LinkRaw, octets)
			if b.seg.Options.Has(segment.BadChecksum) {
				t.Errorf("%d octets: a right checksum is taken for a wrong one", len(payload))
			}
			octets[len(octets)-1] ^= 1
			b.feed(frame.LinkRaw, octets)
			if bad := b.seg.Options.Has(segment.BadChecksum); bad != (len(payload) <= ethernetMTU) {
				t.Errorf("%d octets: BadChecksum is %v for a wrong one", len(payload), bad)
			}
		}
	}
}

func TestChecksumVerdictsEnd(t *testing.T) {
	b := newBench()
	wrong := func(flags segment.TCPFlags, seq uint32) []byte {
		p := frametest.IPv4{
			ID: uint16(seq + 1),
		}.Wrap(
			frametest.TCP{Seq: seq, Flags: flags}.Octets(frametest.Client4, frametest.Server4),
		)
		p[36] ^= 0xff
		return p
	}
	marked := 0
	for i := range 2 * checksumVerdicts {
		b.feed(frame.LinkRaw, wrong(segment.ACK, uint32(i)))
		if b.seg.Options.Has(segment.BadChecksum) {
			marked++
		}
	}
	if marked != checksumVerdicts {
		t.Errorf("%d segments judged, want %d", marked, checksumVerdicts)
	}
	if b.feed(frame.LinkRaw, wrong(segment.SYN, 9999)); !b.seg.Options.Has(segment.BadChecksum) {
		t.Error("a SYN is not judged any more")
	}
}

func TestPadding(t *testing.T) {
	ack := func(flags segment.TCPFlags, octets ...byte) []byte {
		return frametest.IPv4{ID: 3}.Wrap(
			frametest.TCP{
				Seq:     9,
				Flags:   flags,
				Payload: octets,
			}.Octets(frametest.Client4, frametest.Server4),
		)
	}
	zeros := func(n int) []byte { return make([]byte, n) }
	pppoe := func(length uint16, p []byte) []byte {
		return frametest.Ethernet(header.EtherPPPoE,
			frametest.Cat([]byte{0x11, 0, 0, 1}, frametest.U16(length), frametest.U16(0x21), p))
	}
	tagged := func(p []byte) []byte {
		return frametest.Ethernet(header.EtherVLAN,
			frametest.Cat(frametest.Tag(7, header.EtherIPv4), p))
	}
	for _, tt := range []struct {
		name  string
		frame []byte
		want  uint32 // octets of data
	}{
		{"acknowledgment filled up", frametest.Ethernet(header.EtherIPv4, ack(segment.ACK, zeros(6)...)), 0},
		{"close filled up", frametest.Ethernet(header.EtherIPv4, ack(segment.ACK|segment.FIN, zeros(6)...)), 0},
		{"reset filled up", frametest.Ethernet(header.EtherIPv4, ack(segment.RST, zeros(6)...)), 0},
		{"filled up behind a tag", tagged(ack(segment.ACK, zeros(2)...)), 0},
		{"pushed zeros", frametest.Ethernet(header.EtherIPv4, ack(segment.ACK|segment.PSH, zeros(6)...)), 6},
		{"filled up by less", frametest.Ethernet(header.EtherIPv4, ack(segment.ACK, zeros(4)...)), 0},
		{"more zeros", frametest.Ethernet(header.EtherIPv4, ack(segment.ACK, zeros(700)...)), 700},
		{"a zero window probe", frametest.Ethernet(header.EtherIPv4, ack(segment.ACK, 0)), 1},
		{"other octets", frametest.Ethernet(header.EtherIPv4, ack(segment.ACK, 0, 0, 0, 0, 0, 1)), 6},
		{"beyond the session's length", pppoe(2+40, ack(segment.ACK, zeros(6)...)), 0},
		{"beyond the session's length, pushed", pppoe(2+40, ack(segment.ACK|segment.PSH, zeros(6)...)), 0},
		{"within the session's length", pppoe(2+46, ack(segment.ACK|segment.PSH, zeros(6)...)), 6},
		{"a session without length", pppoe(0, ack(segment.ACK|segment.PSH, zeros(6)...)), 6},
	} {
		b := newBench()
		if got := b.feed(frame.LinkEthernet, tt.frame); got != Segment || b.seg.Len != tt.want ||
			b.seg.Options.Has(segment.BadChecksum) {
			t.Errorf("%s: %v of %d octets, options %b, want %d", tt.name, got, b.seg.Len,
				b.seg.Options, tt.want)
		}
	}
}
