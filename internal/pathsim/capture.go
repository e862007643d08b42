package pathsim

import (
	"fmt"
	"net/netip"
	"strings"

	"tcpwhy/capture"
)

const (
	clientISN, serverISN = 1000, 5000
	windowScale          = 7
	maxBlocks            = 3 // of selective acknowledgments, beside timestamps
)

// Capture is what a capture at the server, or at the client, shows: HTTP exchanges, the segments as
// they passed that end.
func (p *Played) Capture(atServer bool) []capture.Segment {
	from := p.Client
	if atServer {
		from = p.Server
	}
	asked, told := p.requests(), p.responses()
	out := make([]capture.Segment, 0, len(from))
	for i := range from {
		s := from[i].segment(asked, told)
		if p.setup.Bare {
			s.TSVal, s.TSEcr, s.Options = 0, 0, s.Options&^capture.HasTS
		}
		s.Mark = capture.Mark{Time: from[i].At, Frame: capture.FrameID(i + 1)}
		s.Latest = s.Time
		out = append(out, s)
	}
	return out
}

// requests are what each client sends.
func (p *Played) requests() []byte {
	var all strings.Builder
	for i := range max(p.setup.Count, 1) {
		line := fmt.Sprintf("GET /%d HTTP/1.1\r\nHost: h\r\nX: ", i)
		all.WriteString(line + strings.Repeat("x", request-len(line)-4) + "\r\n\r\n")
	}
	return []byte(all.String())
}

// responses are what the server sends each of them.
func (p *Played) responses() []byte {
	var all strings.Builder
	for range max(p.setup.Count, 1) {
		head := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %08d\r\n\r\n", p.setup.Body-45)
		all.WriteString(head + strings.Repeat("x", int(p.setup.Body)-len(head)))
	}
	return []byte(all.String())
}

// segment is s without its moment.
func (s *Segment) segment(asked, told []byte) capture.Segment {
	c := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, 1}), uint16(40000+s.Conn))
	v := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, 2}), 80)
	g := capture.Segment{
		Src: c, Dst: v, TTL: 64, Flags: capture.ACK, Len: uint32(s.Len),
		Seq: uint32(clientISN + 1 + s.Seq), Ack: uint32(serverISN + 1 + s.Ack),
		Window: uint16(min(s.Window>>windowScale, 1<<16-1)),
		TSVal:  s.TSVal, TSEcr: s.TSEcr, Options: capture.HasTS,
	}
	stream := asked
	if s.FromServer {
		stream = told
		g.Src, g.Dst = v, c
		g.Seq, g.Ack = uint32(serverISN+1+s.Seq), uint32(clientISN+1+s.Ack)
	}
	if s.Len > 0 {
		g.Payload = stream[s.Seq : s.Seq+s.Len]
		g.Flags |= capture.PSH
	}
	for _, b := range s.Sack[max(0, len(s.Sack)-maxBlocks):] {
		g.SACK[g.NSACK].Start, g.SACK[g.NSACK].End =
			uint32(serverISN+1+b[0]), uint32(serverISN+1+b[1])
		g.NSACK++
	}
	if s.Syn {
		syn(&g, s)
	}
	return g
}

// syn makes g the SYN or the SYN-ACK that s is.
func syn(g *capture.Segment, s *Segment) {
	g.Options |= capture.HasMSS | capture.HasWScale | capture.HasSACKPerm
	g.MSS, g.WScale, g.Seq = MSS+12, windowScale, g.Seq-1
	g.Window = uint16(min(s.Window, 1<<16-1))
	if g.Flags = capture.SYN | capture.ACK; !s.FromServer {
		g.Flags, g.Ack = capture.SYN, 0
	} else {
		g.Ack = clientISN + 1
	}
}
