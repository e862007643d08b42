package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"testing"
	"time"

	"tcpwhy/capture"
	"tcpwhy/internal/golden"
	"tcpwhy/reassembly/tcptext"
)

// packetsStart is when the first frame of a synthetic capture was.
var packetsStart = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// linkSLL is LINKTYPE_LINUX_SLL: of the simple link types the one that says who sent a frame.
const linkSLL = 113

// checkPackets compares capture.pcap with what packets.txt describes, if a scenario has one.
func checkPackets(t *testing.T, dir string) {
	t.Helper()
	text, err := os.ReadFile(dir + "/packets.txt")
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	segments, err := tcptext.Parse(string(text))
	if err != nil {
		t.Fatalf("packets.txt: %v", err)
	}
	golden.File(t, dir+"/capture.pcap", writeCapture(t, segments))
}

// tester is a test, or a property that rapid tries.
type tester interface {
	Helper()
	Fatal(args ...any)
	Errorf(format string, args ...any)
}

// writeCapture is a pcap file of the segments.
func writeCapture(t tester, segments []capture.Segment) []byte {
	t.Helper()
	var file bytes.Buffer
	w, err := capture.NewPcapWriter(&file, linkSLL, true)
	if err != nil {
		t.Fatal(err)
	}
	for i := range segments {
		frame, cut := encodeFrame(&segments[i])
		at := packetsStart.Add(segments[i].Time).UnixNano()
		if err := w.WriteFrame(at, frame, len(frame)+cut); err != nil {
			t.Fatal(err)
		}
	}
	return file.Bytes()
}

// encodeFrame is a segment as a frame, and how many octets at its end the capture cut.
func encodeFrame(s *capture.Segment) (frame []byte, cut int) {
	cut = int(s.Len) - len(s.Payload)
	from, to := s.Src.Addr(), s.Dst.Addr()
	protocol, body := byte(6), encodeTCP(s, cut)
	switch s.Kind {
	case capture.Datagram:
		protocol, body = 17, encodeUDP(s)
	case capture.ICMPError:
		cut = 0
		protocol, body = encodeICMP(s)
		from, to = s.ICMP.From, s.Src.Addr()
	}
	frame = make([]byte, 14, 14+40+len(body))
	if s.Options.Has(capture.Outgoing) {
		frame[1] = 4
	}
	frame[3], frame[5] = 1, 6
	etherType := uint16(0x0800)
	if from.Is6() {
		etherType = 0x86dd
	}
	frame = binary.BigEndian.AppendUint16(frame, etherType)
	return append(appendIP(frame, s, protocol, from, to, len(body)+cut), body...), cut
}

// appendIP appends an IP header for length octets of content.
func appendIP(b []byte, s *capture.Segment, protocol byte, from, to netip.Addr, length int) []byte {
	if from.Is6() {
		b = append(b, 0x60, 0, 0, 0)
		b = binary.BigEndian.AppendUint16(b, uint16(length))
		b = append(b, protocol, s.TTL)
		return append(append(b, from.AsSlice()...), to.AsSlice()...)
	}
	header := []byte{0x45, 0}
	header = binary.BigEndian.AppendUint16(header, uint16(20+length))
	header = binary.BigEndian.AppendUint16(header, s.IPID)
	header = append(header, 0x40, 0, s.TTL, protocol, 0, 0)
	header = append(append(header, from.AsSlice()...), to.AsSlice()...)
	binary.BigEndian.PutUint16(header[10:], checksum(header, 0))
	return append(b, header...)
}

// encodeTCP is the TCP header and what the capture kept of the data. Of data that was cut the
// checksum takes the missing octets as zero; nobody can tell.
func encodeTCP(s *capture.Segment, cut int) []byte {
	options := encodeOptions(s)
	b := binary.BigEndian.AppendUint16(nil, s.Src.Port())
	b = binary.BigEndian.AppendUint16(b, s.Dst.Port())
	b = binary.BigEndian.AppendUint32(b, s.Seq)
	b = binary.BigEndian.AppendUint32(b, s.Ack)
	b = append(b, byte(5+len(options)/4)<<4, byte(s.Flags))
	b = binary.BigEndian.AppendUint16(b, s.Window)
	b = append(b, 0, 0, 0, 0)
	b = append(append(b, options...), s.Payload...)
	pseudo := append(s.Src.Addr().AsSlice(), s.Dst.Addr().AsSlice()...)
	sum := checksum(append(pseudo, b...), uint32(6+len(b)+cut))
	if s.Options.Has(capture.BadChecksum) {
		sum ^= 0x5555
	}
	binary.BigEndian.PutUint16(b[16:], sum)
	return b
}

// encodeUDP is a datagram without a checksum (RFC 768) and what the capture kept of its content.
func encodeUDP(s *capture.Segment) []byte {
	const header = 8
	b := binary.BigEndian.AppendUint16(nil, s.Src.Port())
	b = binary.BigEndian.AppendUint16(b, s.Dst.Port())
	b = binary.BigEndian.AppendUint16(b, uint16(header+s.Len))
	return append(append(b, 0, 0), s.Payload...)
}

func encodeOptions(s *capture.Segment) []byte {
	var b []byte
	if s.Options.Has(capture.HasMSS) {
		b = append(b, 2, 4, byte(s.MSS>>8), byte(s.MSS))
	}
	if s.Options.Has(capture.HasSACKPerm) {
		b = append(b, 1, 1, 4, 2)
	}
	if s.Options.Has(capture.HasTS) {
		b = append(b, 1, 1, 8, 10)
		b = binary.BigEndian.AppendUint32(b, s.TSVal)
		b = binary.BigEndian.AppendUint32(b, s.TSEcr)
	}
	if s.Options.Has(capture.HasWScale) {
		b = append(b, 1, 3, 3, s.WScale)
	}
	if s.NSACK > 0 {
		b = append(b, 1, 1, 5, 2+8*s.NSACK)
	}
	for _, block := range s.SACK[:s.NSACK] {
		b = binary.BigEndian.AppendUint32(b, block.Start)
		b = binary.BigEndian.AppendUint32(b, block.End)
	}
	return b
}

// encodeICMP is an ICMP error with the header that it quotes.
func encodeICMP(s *capture.Segment) (protocol byte, body []byte) {
	quoted := encodeTCP(s, 0)
	quote := append(appendIP(nil, s, 6, s.Src.Addr(), s.Dst.Addr(), len(quoted)), quoted...)
	body = []byte{s.ICMP.Type, s.ICMP.Code, 0, 0}
	body = append(binary.BigEndian.AppendUint32(body, s.ICMP.MTU), quote...)
	if !s.ICMP.V6 {
		binary.BigEndian.PutUint16(body[2:], checksum(body, 0))
		return 1, body
	}
	pseudo := append(s.ICMP.From.AsSlice(), s.Src.Addr().AsSlice()...)
	binary.BigEndian.PutUint16(body[2:], checksum(append(pseudo, body...), uint32(58+len(body))))
	return 58, body
}

// checksum is that of RFC 1071 over b, begun with sum.
func checksum(b []byte, sum uint32) uint16 {
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(b[i])<<8 | uint32(b[i+1])
		sum = sum>>16 + sum&0xffff
	}
	if len(b)%2 == 1 {
		sum += uint32(b[len(b)-1]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// TestPacketsSurvive writes segments of every sort as frames and reads them back.
func TestPacketsSurvive(t *testing.T) {
	t.Parallel()
	segments, err := tcptext.Parse(`
client [2001:db8::1]:40000 isn 1000
server [2001:db8::2]:80 isn 5000
0.000 > S  0:0(0) win 64240 <mss 1440,sackOK,TS val 1 ecr 0,wscale 7> out
0.010 < S. 0:0(0) ack 1 win 65160 <mss 1440>
0.011 > P. 1 ack 1 "GET / HTTP/1.1\r\n\r\n" badsum
0.050 < .  1:101(100) ack 19 snap 7
0.051 > .  19:19(0) ack 1 <sack 51:101>
0.060 > icmp:2/0 0:0(0) from 2001:db8::9 mtu 1280
0.070 dns [2001:db8::1]:5000 [2001:db8::53]:53 7 AAAA www.example.com
0.080 dns [2001:db8::53]:53 [2001:db8::1]:5000 7 AAAA www.example.com 2001:db8::2
`)
	if err != nil {
		t.Fatal(err)
	}
	file := t.TempDir() + "/capture.pcap"
	if err := os.WriteFile(file, writeCapture(t, segments), 0o644); err != nil {
		t.Fatal(err)
	}
	frames := frameTable(t, []string{file})
	if len(frames) != len(segments) {
		t.Fatalf("read %d segments, wrote %d", len(frames), len(segments))
	}
	for _, want := range segments {
		got := frames[want.Frame]
		if got.Src != want.Src || got.Dst != want.Dst || got.Seq != want.Seq || got.Time != want.Time || got.Kind != want.Kind {
			t.Errorf("frame %d: %+v, want %+v", want.Frame.Number(), got, want)
		}
		if got.Kind == capture.TCP && (got.Ack != want.Ack || got.Len != want.Len || got.Flags != want.Flags ||
			got.Window != want.Window || got.MSS != want.MSS || got.SACK != want.SACK || got.TSVal != want.TSVal) {
			t.Errorf("frame %d: %+v, want %+v", want.Frame.Number(), got, want)
		}
		if got.ICMP.MTU != want.ICMP.MTU || got.ICMP.From != want.ICMP.From {
			t.Errorf("frame %d: ICMP %+v, want %+v", want.Frame.Number(), got.ICMP, want.ICMP)
		}
	}
	const kept = capture.BadChecksum | capture.Snapped | capture.Outgoing
	for i, want := range []capture.Options{capture.Outgoing, 0, capture.BadChecksum, capture.Snapped} {
		if got := frames[capture.NewFrameID(0, uint64(i+1))].Options & kept &^ capture.Incoming; got != want {
			t.Errorf("frame %d: options %b, want %b", i+1, got, want)
		}
	}
}
