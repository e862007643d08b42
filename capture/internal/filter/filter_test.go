package filter

import (
	"encoding/binary"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tcpwhy/capture/internal/decode"
	"tcpwhy/capture/internal/frame"
	"tcpwhy/capture/internal/frametest"
	"tcpwhy/capture/internal/header"
	"tcpwhy/capture/segment"
)

// filterFrame is a TCP segment between two ends, with VLAN tags around it.
type filterFrame struct {
	src, dst string
	vlans    []uint16
}

func (f filterFrame) octets() []byte {
	src, dst := netip.MustParseAddrPort(f.src), netip.MustParseAddrPort(f.dst)
	segment := frametest.TCP{SrcPort: src.Port(), DstPort: dst.Port()}.Octets(src.Addr(), dst.Addr())
	p, etherType := frametest.IPv4{Src: src.Addr(), Dst: dst.Addr()}.Wrap(segment), uint16(header.EtherIPv4)
	if src.Addr().Is6() {
		p, etherType = frametest.IPv6{Src: src.Addr(), Dst: dst.Addr()}.Wrap(segment), header.EtherIPv6
	}
	for i := len(f.vlans) - 1; i >= 0; i-- {
		p, etherType = frametest.Cat(frametest.U16(f.vlans[i]), frametest.U16(etherType), p), header.EtherVLAN
	}
	return frametest.Ethernet(etherType, p)
}

var filterFrames = []filterFrame{
	{"10.0.0.1:50000", "10.0.0.2:80", nil},
	{"10.0.0.2:80", "10.0.0.1:50000", nil},
	{"10.1.2.3:80", "192.168.1.5:443", nil},
	{"192.168.1.5:443", "10.1.2.3:8080", nil},
	{"172.16.0.9:90", "172.16.0.9:100", nil},
	{"0.0.0.10:8080", "1.2.3.4:8081", nil},
	{"[2001:db8::1]:50000", "[2001:db8::2]:80", nil},
	{"[2001:db8::2]:80", "[2001:db8::1]:50000", nil},
	{"[fe80::1]:443", "[2001:db8:1::1]:443", nil},
	{"[fe80::]:1", "[::1]:2", nil},
}

// bothAccept are expressions that tcpdump and this program must judge alike.
var bothAccept = []string{
	"", "tcp", "udp", "ip", "ip6", "not ip", "!ip6", "! tcp", "tcp and ip", "tcp && ip6", "ip || ip6",
	"host 10.0.0.1", "src host 10.0.0.1", "dst host 10.0.0.1", "src 10.0.0.1", "src or dst 10.0.0.1",
	"dst or src host 10.0.0.1", "src and dst host 172.16.0.9", "src and dst 10.0.0.1", "ip host 10.0.0.1",
	"ip src 10.0.0.1", "ip6 host ::1", "ip6 src host 2001:db8::1", "host 2001:db8::1 or 10.1.2.3",
	"host 10.0.0.1 or 10.1.2.3", "host 10.0.0.1 and 10.0.0.2", "not host 10.0.0.1 and 10.1.2.3",
	"host not 10.0.0.1", "host (10.0.0.1 or 10.1.2.3)", "host 10.0.0.1 or (port 90 or 100)", "host 10", "host 10.1",
	"net 10", "net 10.1", "net 10.1.2", "net 10.0.0.0/8", "net 10.0.0.0 mask 255.0.0.0", "net 10.0.0.0/30",
	"net 10 or 192.168", "src net 10 and dst net 192.168.1", "net 1.2.3.4", "net 0.0.0.0/0", "not net 10", "ip net 10",
	"net 2001:db8::/32", "net fe80::/10", "net fe80::", "src net 2001:db8::/64", "ip6 net ::/0", "src 10",
	"net 192.168.0.0 mask 255.255.0.0 or 10.1", "src net 10.1 or dst net 10.1",
	"port 80", "src port 80", "dst port 80", "src or dst port 80", "src and dst port 443", "tcp port 80",
	"tcp src port 80", "tcp dst port 80", "udp port 80", "port 80 or 443", "port 80 or 443 or 90", "port (80 or 443)",
	"port 80 or (443 or 8080)", "not port 80 or 443", "not port 80 and 443", "port not 80", "port 80 or not 443",
	"port http", "port https or http-alt", "port 0x50", "port 0120", "portrange 80-90", "portrange 90-80", "portrange 80",
	"src portrange 8000-9000", "tcp portrange 80-90 or 100-110", "portrange http-443", "not portrange 1-1000",
	"port 80 and host 10.0.0.1 or port 443", "port 443 or port 80 and host 10.0.0.1", "port 443 or (port 80 and host 10.0.0.1)",
	"(port 80 or port 443) and src host 10.1.2.3", "!(port 80)", "not (port 80 or port 443)", "!port 80 && !port 443",
	"not not port 80", "((port 80))", "tcp and (port 80 or host 192.168.1.5)", "ip and not src port 80 or ip6 and port 443",
	"src port 80 or 443 and dst host 10.0.0.1", "ip or tcp port 80 or 90", "host 10.0.0.1 or port 80",
	"tcp src or dst port 80", "src host 10.0.0.1 or dst host 10.1.2.3", "not src host 10.0.0.1 or 10.1.2.3",
	"  port\t80  ", "port 80&&host 10.0.0.1", "(port 80)||(port 443)", "src net 10.0.0.0/8 and not dst net 10.0.0.0/8",
	"vlan", "not vlan", "host 10.0.0.1 or vlan",
}

var bothRefuse = []string{
	"1.2.3.4", "not 1.2.3.4", "tcp host 1.2.3.4", "ip port 80", "ip6 port 80", "net 10.0.0.1/8", "tcp src 1.2.3.4",
	"ip 1.2.3.4", "port 80-90", "ip6 host 1.2.3.4", "port 65536", "vlan 5000", "vlan 1 or 2", "tcp net 10",
	"host 1.2.3.4/24", "ip host ::1", "port 80 or 1.2.3.4", "tcp or 80", "src src 1.2.3.4", "src ip", "port 80 443",
	"net 10.0.0.0/33", "portrange 80-", "port", "host", "and", "port 80 and", "(port 80", "port 80)", "()", "not", "src",
	"port 80 or or 443", "host 1.2.3.4.5", "net ::1/129", "net fe80::1/64", "net 10.1.1.0 mask 255.255.0.0", "src or port 80",
	"host 256.1.1.1", "host 1.2.3.4 mask 255.255.255.255", "tcp tcp", "foo", "port foo bar", "80", "host 10..1", "(port 80) or 443",
}

// filterBench decodes frames and asks a filter about them.
type filterBench struct {
	t       *testing.T
	filter  *Filter
	decoder *decode.Decoder
	seg     segment.Segment
}

func newFilterBench(t *testing.T, expr string) *filterBench {
	t.Helper()
	filter, err := Parse(expr)
	if err != nil {
		t.Fatal(err)
	}
	return &filterBench{t: t, filter: filter, decoder: decode.New(new(uint64))}
}

func (b *filterBench) passes(link frame.LinkType, data []byte) bool {
	b.t.Helper()
	f := frame.Frame{Link: link, Data: data, OrigLen: uint32(len(data))}
	if got := b.decoder.Decode(&f, &b.seg); got != decode.Segment && got != decode.ICMPError {
		b.t.Fatalf("outcome %v", got)
	}
	return b.filter.Match(&b.seg, b.decoder.VLANs())
}

// accepted is the numbers of the frames that match, as a line of 0 and 1.
func accepted(t *testing.T, expr string, frames []filterFrame) string {
	t.Helper()
	b := newFilterBench(t, expr)
	var line strings.Builder
	for _, f := range frames {
		bit := byte('0')
		if b.passes(frame.LinkEthernet, f.octets()) {
			bit = '1'
		}
		line.WriteByte(bit)
	}
	return line.String()
}

// tcpdumpAccepted is the same as tcpdump has it.
func tcpdumpAccepted(t *testing.T, tcpdump, file, expr string, n int) string {
	t.Helper()
	out, err := exec.Command(tcpdump, "-n", "-tt", "-r", file, expr).Output()
	if err != nil {
		t.Fatalf("tcpdump %q: %v", expr, err)
	}
	line := []byte(strings.Repeat("0", n))
	for text := range strings.SplitSeq(strings.TrimSpace(string(out)), "\n") {
		// The second of the time stamp is the number of the frame.
		if seconds, _, ok := strings.Cut(text, "."); ok {
			line[int(seconds[len(seconds)-2]-'0')*10+int(seconds[len(seconds)-1]-'0')] = '1'
		}
	}
	return string(line)
}

// writeFrames writes a capture file in which frame n has the time n seconds after a round number.
func writeFrames(t *testing.T, link uint32, frames [][]byte) string {
	t.Helper()
	p := frametest.Cat(frametest.U32(0xa1b2c3d4), frametest.U16(2), frametest.U16(4), frametest.U32(0), frametest.U32(0), frametest.U32(1<<18), frametest.U32(link))
	for i, octets := range frames {
		p = binary.BigEndian.AppendUint32(p, 1_700_000_000+uint32(i))
		p = frametest.Cat(p, frametest.U32(0), frametest.U32(uint32(len(octets))), frametest.U32(uint32(len(octets))), octets)
	}
	file := filepath.Join(t.TempDir(), "frames.pcap")
	if err := os.WriteFile(file, p, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestFilterAsTcpdump(t *testing.T) {
	tcpdump, err := exec.LookPath("tcpdump")
	if err != nil {
		t.Skip("tcpdump is not installed")
	}
	compare := func(t *testing.T, exprs []string, frames []filterFrame) {
		var octets [][]byte
		for _, f := range frames {
			octets = append(octets, f.octets())
		}
		file := writeFrames(t, 1, octets)
		for _, expr := range exprs {
			want := tcpdumpAccepted(t, tcpdump, file, expr, len(frames))
			if got := accepted(t, expr, frames); got != want {
				t.Errorf("%q accepts %s, tcpdump %s", expr, got, want)
			}
		}
	}
	t.Run("untagged", func(t *testing.T) { compare(t, bothAccept, filterFrames) })
	t.Run("tagged", func(t *testing.T) {
		tagged := []filterFrame{{"10.0.0.1:1", "10.0.0.2:80", []uint16{5}}, {"10.0.0.1:1", "10.0.0.2:80", []uint16{6}},
			{"10.0.0.1:1", "10.0.0.2:443", []uint16{5, 6}}, {"10.0.0.1:1", "10.0.0.2:443", nil}}
		compare(t, []string{"vlan", "vlan 5", "not vlan"}, tagged)
		// tcpdump looks behind one tag only.
		compare(t, []string{"vlan 5 and ip", "vlan and host 10.0.0.1", "vlan 6 and port 80"}, tagged[:2])
	})
	t.Run("refused", func(t *testing.T) {
		file := writeFrames(t, 1, nil)
		for _, expr := range bothRefuse {
			if err := exec.Command(tcpdump, "-n", "-r", file, expr).Run(); err == nil {
				t.Errorf("tcpdump accepts %q", expr)
			}
		}
	})
}

func TestFilterRefuses(t *testing.T) {
	for _, expr := range bothRefuse {
		if _, err := Parse(expr); err == nil {
			t.Errorf("%q is accepted", expr)
		}
	}
}

// TestFilterMatches are a few truths by hand, so that something is checked without tcpdump too.
func TestFilterMatches(t *testing.T) {
	tests := map[string]string{
		"":                                "1111111111",
		"udp":                             "0000000000",
		"ip6":                             "0000001111",
		"port 80 or 443":                  "1111001110",
		"not port 80 and 443":             "0001000010",
		"port 443 or port 80 and ip6":     "0000001110",
		"src and dst host 172.16.0.9":     "0000100000",
		"host 10.0.0.1 or port 90":        "1100100000",
		"net 10.0.0.0 mask 255.255.255.0": "1100000000",
	}
	for expr, want := range tests {
		if got := accepted(t, expr, filterFrames); got != want {
			t.Errorf("%q accepts %s, want %s", expr, got, want)
		}
	}
}

func TestFilterErrors(t *testing.T) {
	tests := []struct{ expr, want string }{
		{"port 80 and ether host 1:2:3:4:5:6", `filter: column 13: "ether": not supported: conditions are`},
		{"tcp[13] & 2 != 0", `filter: column 1: "tcp[13]": not supported`},
		{"tcp and tcp[13]&2!=0", `filter: column 9: "tcp[13]": `},
		{"host www.example.org", `filter: column 6: "www.example.org": expected an IP address (names are not looked up)`},
		{"port 80 or", "filter: column 11: the expression ends here: expected a condition"},
		{"größe 1", `filter: column 1: "größe": `},
		{"port größe", `filter: column 6: "größe": expected a port`},
		{"(port 80 or port 443", "filter: column 21: the expression ends here: expected )"},
		{"port 80 port 443", `filter: column 9: "port": expected and, or, or the end`},
		{"net 10.0.0.1/8", `filter: column 5: "10.0.0.1/8": the address has bits outside of the mask`},
		{"less 100", `filter: column 1: "less": not supported`},
		{"port 80 & 1", `filter: column 9: "&": expected and, or, or the end`},
	}
	for _, tt := range tests {
		_, err := Parse(tt.expr)
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%q: error %v, want %s", tt.expr, err, tt.want)
		}
	}
}

func TestFilterLimits(t *testing.T) {
	long := strings.TrimSuffix(strings.Repeat("port 80 or ", 300), " or ")
	tests := map[string]bool{
		long:                                    true,
		long + " or " + long:                    false,
		strings.Repeat("not ", 40) + "port 80":  true,
		strings.Repeat("not ", 400) + "port 80": false,
		strings.Repeat("(", 400) + "port 80" + strings.Repeat(")", 400): false,
		"port " + strings.Repeat("(", 400) + "80":                       false,
		"port " + strings.Repeat("not ", 400) + "80":                    false,
	}
	for expr, want := range tests {
		if _, err := Parse(expr); (err == nil) != want {
			t.Errorf("%.30q (%d octets): error %v", expr, len(expr), err)
		}
	}
}

// TestFilterInside shows that tags and tunnels do not hide a segment, and that an ICMP error is
// judged by what it quotes.
func TestFilterInside(t *testing.T) {
	vxlan := frametest.Cat([]byte{8, 0, 0, 0}, frametest.U32(0), frametest.Ethernet(header.EtherVLAN, frametest.Cat(frametest.Tag(7, header.EtherIPv4), frametest.Hello4())))
	octets := frametest.IPv4{Src: frametest.Router4, Dst: frametest.Loopback4, Protocol: 17}.Wrap(frametest.UDP(1, header.PortVXLAN, vxlan))
	icmp := frametest.IPv4{Src: frametest.Router4, Dst: frametest.Client4, Protocol: 1}.Wrap(frametest.Cat([]byte{3, 1, 0, 0}, frametest.U32(0), frametest.Hello4()))
	tests := []struct {
		expr         string
		tunnel, icmp bool
	}{
		{"port 80 and vlan 7", true, false},
		{"vlan 8", false, false},
		{"host 10.1.2.3", true, true},
		{"host 198.51.100.1", false, false},
		{"tcp dst port 80", true, true},
	}
	for _, tt := range tests {
		b := newFilterBench(t, tt.expr)
		if got := b.passes(frame.LinkRaw, octets); got != tt.tunnel {
			t.Errorf("%q: tunnel: %v, want %v", tt.expr, got, tt.tunnel)
		}
		if got := b.passes(frame.LinkRaw, icmp); got != tt.icmp {
			t.Errorf("%q: icmp: %v, want %v", tt.expr, got, tt.icmp)
		}
	}
}
