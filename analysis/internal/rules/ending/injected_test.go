package ending

import (
	"strings"
	"testing"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// TestForeignID: the RST's IP identification is compared only with a count that its sender keeps.
func TestForeignID(t *testing.T) {
	for _, c := range []struct {
		name string
		ids  []uint16 // of the server's segments, then of its RST
		want bool
	}{
		{"another host's", []uint16{100, 101, 102, 103, 104, 40000}, true},
		{"the count, wrapped", []uint16{65533, 65534, 65535, 1, 2, 3}, false},
		{"another host's after a wrap", []uint16{65534, 65535, 1, 2, 3, 30000}, true},
		{"goes on", []uint16{100, 101, 102, 103, 104, 105}, false},
		{"a counter that is shared", []uint16{100, 140, 260, 390, 400, 1900}, false},
		{"none, as where no socket sends it", []uint16{100, 101, 102, 103, 104, 0}, false},
		{"identifications at random", []uint16{9, 40123, 17, 22222, 65000, 31000}, false},
		{"always the same", []uint16{0, 0, 0, 0, 0, 40000}, false},
		{"too few to count", []uint16{100, 101, 102, 40000}, false},
	} {
		conn := &reassembly.Conn{}
		for i, id := range c.ids {
			conn.Records = append(conn.Records,
				reassembly.Record{
					Frame: capture.FrameID(i + 1),
					Dir:   reassembly.FromServer,
					IPID:  id,
					TTL:   64,
					Flags: capture.ACK,
				},
				reassembly.Record{Dir: reassembly.FromClient, IPID: 7, Flags: capture.ACK})
		}
		rst := &conn.Records[len(conn.Records)-2]
		rst.Flags, rst.TTL = capture.RST, 41
		h := &conn.Half[reassembly.FromServer]
		h.RstSeen, h.Rst, h.RstTTL, h.TTLMin, h.TTLMax = true, rst.Mark(), 41, 64, 64
		if id, last, got := foreignID(conn, reassembly.FromServer); got != c.want {
			t.Errorf("%s: %d after %d, odd = %v, want %v", c.name, id, last, got, c.want)
		}
		said := oddReset(conn, reassembly.FromServer)
		text := rule.Sentences(said, resetWords)
		if !strings.HasPrefix(text, "Its TTL is 41, that of its sender's segments 64") ||
			strings.Contains(text, "IP identification") != c.want {
			t.Errorf("%s: text %q", c.name, text)
		}
	}
}
