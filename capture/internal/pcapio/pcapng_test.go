package pcapio

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"tcpwhy/capture/internal/frame"
)

// ngBlock makes a block by hand from its type and the numbers and octets of its body.
func ngBlock(order binary.AppendByteOrder, kind uint32, body ...any) []byte {
	var b []byte
	for _, part := range body {
		switch v := part.(type) {
		case uint16:
			b = order.AppendUint16(b, v)
		case uint32:
			b = order.AppendUint32(b, v)
		case uint64:
			b = order.AppendUint64(b, v)
		case string:
			b = append(b, v...)
			b = append(b, make([]byte, (4-len(v)%4)%4)...)
		default:
			panic(fmt.Sprintf("part of type %T", part))
		}
	}
	length := uint32(len(b) + blockLeast)
	block := order.AppendUint32(nil, kind)
	block = order.AppendUint32(block, length)
	return order.AppendUint32(append(block, b...), length)
}

func ngSection(order binary.AppendByteOrder, options ...any) []byte {
	body := []any{uint32(byteOrderMark), uint16(1), uint16(0), ^uint64(0)}
	return ngBlock(order, blockSection, append(body, options...)...)
}

func ngInterfaceBlock(order binary.AppendByteOrder, link uint16, snapLen uint32, options ...any) []byte {
	return ngBlock(order, blockInterface, append([]any{link, uint16(0), snapLen}, options...)...)
}

func ngPacket(order binary.AppendByteOrder, iface uint32, ticks uint64, data string, options ...any) []byte {
	body := []any{iface, uint32(ticks >> 32), uint32(ticks), uint32(len(data)), uint32(len(data)), data}
	return ngBlock(order, blockEnhanced, append(body, options...)...)
}

// join puts blocks one after another.
func join(blocks ...[]byte) []byte { return bytes.Join(blocks, nil) }

func TestPcapngSections(t *testing.T) {
	le, be := binary.LittleEndian, binary.BigEndian
	octets := join(
		ngSection(le, uint16(optComment), uint16(5), "first", uint32(0)),
		ngInterfaceBlock(le, 1, 0, uint16(optInterfaceName), uint16(4), "eth0"),
		ngInterfaceBlock(le, 276, 96, uint16(optResolution), uint16(1), "\x09", uint32(0)),
		ngPacket(le, 0, 1000_000_001, "a"),
		ngPacket(le, 1, 1000_000_002_003, "b"),
		ngSection(be),
		ngInterfaceBlock(be, 101, 0, uint16(optResolution), uint16(1), "\x8a", uint16(optOffset), uint16(8), uint64(1000)),
		ngPacket(be, 0, 512, "c", uint16(optPacketFlags), uint16(4), uint32(2), uint16(optComment), uint16(4), "slow"),
	)
	got, stats := readOctets(t, octets)
	sameFrames(t, got, []fileFrame{
		{1, 1000_000_001_000, "a", 1, false},
		{2, 1000_000_002_003, "b", 1, false},
		{3, 1000_500_000_000, "c", 1, false},
	})
	wantInterfaces := []Interface{
		{"eth0", frame.LinkEthernet, time.Microsecond, 0}, {"", frame.LinkCooked2, 1, 96}, {"", frame.LinkRaw, time.Second / 1024, 0},
	}
	if !reflect.DeepEqual(stats.interfaces, wantInterfaces) {
		t.Errorf("interfaces = %+v", stats.interfaces)
	}
	in := stats
	if !slices.Equal(in.comments, []string{"first", "frame 3: slow"}) || !in.complete {
		t.Errorf("input = %+v", in)
	}
}

func TestPcapngPacketBlocks(t *testing.T) {
	for _, order := range fileOrders() {
		t.Run(order.String(), func(t *testing.T) {
			octets := join(ngSection(order), ngInterfaceBlock(order, 1, 4),
				ngPacket(order, 0, 5_000_000, "enhanced"),
				ngBlock(order, blockSimple, uint32(9), "simp"),
				ngBlock(order, blockOldPacket, uint16(0), uint16(3), uint32(0), uint32(6_000_000), uint32(3), uint32(7), "old",
					uint16(optPacketFlags), uint16(4), uint32(1)),
				ngBlock(order, blockJournal, "MESSAGE=hello"),
				ngBlock(order, blockCustom, uint32(32473), "custom"),
				ngPacket(order, 0, 7_000_000, "last"),
			)
			got, stats := readOctets(t, octets)
			sameFrames(t, got, []fileFrame{
				{1, 5e9, "enhanced", 8, false}, {2, 5e9, "simp", 9, false},
				{3, 6e9, "old", 7, false}, {6, 7e9, "last", 4, false},
			})
			if drops := stats.drops; drops != 3 {
				t.Errorf("drops = %d, want 3", drops)
			}
		})
	}
}

func TestPcapngDirection(t *testing.T) {
	le := binary.LittleEndian
	for flags, want := range []frame.Direction{frame.Unknown, frame.Incoming, frame.Outgoing, frame.Unknown} {
		octets := join(ngSection(le), ngInterfaceBlock(le, 1, 0),
			ngPacket(le, 0, 1, "abc", uint16(optPacketFlags), uint16(4), uint32(flags|0x20)))
		s, _, err := open(octets)
		if err != nil {
			t.Fatal(err)
		}
		var f frame.Frame
		if err := s.Next(&f); err != nil || f.Direction != want {
			t.Errorf("flags %d: direction %d, want %d (%v)", flags, f.Direction, want, err)
		}
	}
}

func TestPcapngDrops(t *testing.T) {
	le := binary.LittleEndian
	drops := func(n uint64) []byte {
		return ngPacket(le, 0, 1, "x", uint16(optPacketDrops), uint16(8), n)
	}
	statistics := func(iface uint32, ifDrop, osDrop uint64) []byte {
		return ngBlock(le, blockStatistics, iface, uint64(0), uint16(optInterfaceDropped), uint16(8), ifDrop,
			uint16(optSystemDropped), uint16(8), osDrop)
	}
	tests := []struct {
		name   string
		blocks []byte
		want   uint64
	}{
		{"of frames, added up", join(drops(2), drops(3)), 5},
		{"of statistics, the last", join(statistics(0, 2, 3), statistics(0, 4, 5)), 9},
		{"of both, not added", join(drops(2), drops(5), statistics(0, 4, 5)), 9},
		{"of both, frames know more", join(statistics(0, 4, 5), drops(20)), 20},
		{"of two interfaces", join(statistics(0, 4, 5), statistics(1, 1, 0)), 10},
		{"of none", join(statistics(7, 4, 5)), 0},
		{"not known", join(statistics(0, ^uint64(0), 5), drops(^uint64(0))), 5},
		{"too many to count", join(drops(1<<63), drops(1<<63), statistics(0, 1, 1)), 1 << 63},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			octets := join(ngSection(le), ngInterfaceBlock(le, 1, 0), ngInterfaceBlock(le, 1, 0), test.blocks)
			if _, stats := readOctets(t, octets); stats.drops != test.want {
				t.Errorf("drops = %d, want %d", stats.drops, test.want)
			}
		})
	}
}

func TestPcapngSecrets(t *testing.T) {
	le := binary.LittleEndian
	secrets := func(kind uint32, data string) []byte {
		return ngBlock(le, blockSecrets, kind, uint32(len(data)), data)
	}
	key := "CLIENT_RANDOM 00 11\n"
	octets := join(ngSection(le), secrets(secretsTLS, key), secrets(0x57474b4c, "wireguard"),
		ngBlock(le, blockSecrets, uint32(secretsTLS), uint32(100), "short"), secrets(secretsTLS, strings.Repeat("k", 2<<20)),
		secrets(secretsTLS, ""))
	_, stats := readOctets(t, octets)
	if n := len(stats.secrets); n != 2 || string(stats.secrets[0]) != key || !stats.complete {
		t.Errorf("%d secrets, complete %t (%s)", n, stats.complete, stats.problem)
	}
}

func TestPcapngPassedOver(t *testing.T) {
	le := binary.LittleEndian
	minor := ngSection(le)
	le.PutUint16(minor[14:], 2)
	octets := join(minor, ngBlock(le, 0xbae, "unknown"), ngInterfaceBlock(le, 1, 0), ngPacket(le, 0, 0, "a"),
		ngBlock(le, 0x80001234, strings.Repeat("large", 1<<20)), ngBlock(le, 4, "names"), ngPacket(le, 0, 0, "b"))
	got, stats := readOctets(t, octets)
	if len(got) != 2 || got[1].data != "b" || !stats.complete {
		t.Errorf("%d frames, %+v", len(got), stats)
	}
}

// A frame that contradicts its block is a bad frame, and those after it are read.
func TestPcapngBadFrames(t *testing.T) {
	le := binary.LittleEndian
	packet := func(captured uint32) []byte {
		return ngBlock(le, blockEnhanced, uint32(0), uint64(0), captured, captured, "data")
	}
	tests := []struct {
		name  string
		block []byte
	}{
		{"no such interface", ngPacket(le, 7, 0, "x")},
		{"no such interface, old block", ngBlock(le, blockOldPacket, uint16(9), uint16(0), uint64(0), uint64(0))},
		{"longer than its block", packet(5)},
		{"2 GB", packet(2 << 30)},
		{"block without header", ngBlock(le, blockEnhanced, uint32(0))},
		{"old block without header", ngBlock(le, blockOldPacket)},
		{"simple block without length", ngBlock(le, blockSimple)},
		{"beyond the limit", ngPacket(le, 0, 0, strings.Repeat("x", 300<<10))},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			octets := join(ngSection(le), ngInterfaceBlock(le, 1, 300000), test.block, ngPacket(le, 0, 0, "after"))
			got, stats := readOctets(t, octets)
			if len(got) != 2 || !got[0].bad || got[1].bad || got[1].data != "after" || got[1].number != 2 {
				t.Fatalf("%d frames", len(got))
			}
			if in := stats; !in.complete || in.frames != 2 {
				t.Errorf("input = %+v", in)
			}
		})
	}
}

// Options that are malformed end the list of options and nothing more.
func TestPcapngBadOptions(t *testing.T) {
	le := binary.LittleEndian
	octets := join(ngSection(le, uint16(optComment), uint16(400), "short"),
		ngInterfaceBlock(le, 1, 0, uint16(optResolution), uint16(0), uint16(optOffset), uint16(2), "ab", uint16(optInterfaceName), uint16(9)),
		ngPacket(le, 0, 5, "x", uint16(optPacketFlags), uint16(1), "a", uint16(optComment), uint16(1000)))
	got, stats := readOctets(t, octets)
	if len(got) != 1 || got[0].bad || got[0].time != 5000 || !stats.complete || len(stats.comments) != 0 {
		t.Errorf("frames %+v, input %+v", got, stats)
	}
}

func TestPcapngDamage(t *testing.T) {
	le := binary.LittleEndian
	length := func(start, end uint32) []byte {
		block := ngPacket(le, 0, 0, "abcd")
		le.PutUint32(block[4:], start)
		le.PutUint32(block[len(block)-4:], end)
		return block
	}
	unknown := ngBlock(le, 77, "abcd")
	le.PutUint32(unknown[len(unknown)-4:], 99)
	otherMark := ngSection(le)
	otherMark[8] = 0
	version2 := ngSection(le)
	version2[12] = 2
	tests := []struct {
		name  string
		block []byte
		want  string
	}{
		{"length 0", length(0, 36), "damaged after frame 1: a block claims a length of 0 octets"},
		{"length 4", length(4, 36), "damaged after frame 1: a block claims a length of 4 octets"},
		{"length not of 4", length(37, 37), "damaged after frame 1: a block claims a length of 37 octets"},
		{"lengths differ", length(36, 40), "damaged after frame 1: a block has length 36 at its start and 40 at its end"},
		{"lengths of an unknown block differ", unknown, "damaged after frame 1: a block has length 16 at its start and 99 at its end"},
		{"absurd length", length(1<<31, 36), "frame 2 claims a block of 2147483648 octets"},
		{"absurd length of an unknown block", ngBlock(le, 77)[:8], "cut within a block after frame 1: 8 of 12 octets"},
		{"absurd interface", join([]byte{1, 0, 0, 0, 0, 0, 0, 0x40}, make([]byte, 100)),
			"damaged after frame 1: a block of type 1 claims a length of 1073741824 octets"},
		{"byte-order mark", otherMark, "damaged after frame 1: a section has the byte-order mark 00 3c 2b 1a"},
		{"major version", version2, "damaged after frame 1: a section of a major version other than 1"},
		{"short section", ngBlock(le, blockSection, uint32(byteOrderMark)), "damaged after frame 1: a section header is too short"},
		{"short interface", ngBlock(le, blockInterface), "damaged after frame 1: an interface description is too short"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, stats := readOctets(t, join(ngSection(le), ngInterfaceBlock(le, 1, 0), ngPacket(le, 0, 0, "first"), test.block))
			if len(got) != 1 || got[0].data != "first" {
				t.Errorf("frames = %+v", got)
			}
			if in := stats; in.complete || in.problem != test.want {
				t.Errorf("complete %t, error %q, want %q", in.complete, in.problem, test.want)
			}
		})
	}
}

// TestPcapngInterfaceRefused describes more interfaces than there is room for.
func TestPcapngInterfaceRefused(t *testing.T) {
	le := binary.LittleEndian
	octets := join(ngSection(le), bytes.Repeat(ngInterfaceBlock(le, 1, 0), math.MaxUint16+2))
	_, stats := readOctets(t, octets)
	if want := "damaged after frame 0: " + errTooMany.Error(); stats.problem != want {
		t.Errorf("%d interfaces, error %q, want %q", len(stats.interfaces), stats.problem, want)
	}
}

func TestPcapngCutAnywhere(t *testing.T) {
	frames := fileFrames(5)
	for _, order := range fileOrders() {
		octets := pcapngBytes(t, order, frames)
		header := len(pcapngBytes(t, order, nil))
		ends := recordEnds(header, packetHeader+blockLeast, 4, frames)
		if whole := ends[len(frames)]; whole != len(octets) {
			t.Fatalf("file of %d octets, want %d", len(octets), whole)
		}
		// A section without interfaces is a capture too.
		section := int(byteOrder(order.String() == "BigEndian").u32(octets[4:]))
		cutEverywhere(t, octets[:section], []int{section}, nil)
		for cut := section + 1; cut < header; cut++ {
			if _, stats := readOctets(t, octets[:cut]); stats.complete {
				t.Errorf("complete though cut at %d", cut)
			}
		}
		cutBehind(t, octets, ends, frames)
	}
}

// cutBehind cuts a file everywhere behind its header.
func cutBehind(t *testing.T, octets []byte, ends []int, frames []fileFrame) {
	t.Helper()
	for cut := ends[0]; cut <= len(octets); cut++ {
		got, stats := readOctets(t, octets[:cut])
		before := 0
		for before < len(frames) && cut >= ends[before+1] {
			before++
		}
		sameFrames(t, got, frames[:before])
		if in := stats; in.complete != (cut == ends[before]) || in.complete != (in.problem == "") {
			t.Fatalf("cut at %d: %+v", cut, in)
		}
	}
}

// A name of an interface is kept as long as names are; a file may describe 65,536 interfaces.
func TestLongInterfaceName(t *testing.T) {
	le := binary.LittleEndian
	file := join(ngSection(le), ngInterfaceBlock(le, 1, 0, uint16(optInterfaceName), uint16(60_000), strings.Repeat("n", 60_000)))
	_, stats := readOctets(t, file)
	if len(stats.interfaces) != 1 || len(stats.interfaces[0].Name) != nameMax {
		t.Errorf("%d interfaces, a name of %d octets", len(stats.interfaces), len(stats.interfaces[0].Name))
	}
}
