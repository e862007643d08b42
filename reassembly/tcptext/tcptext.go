// Package tcptext reads TCP written as text, in the manner of packetdrill and tcpdump, for tests
// and scenarios:
//
//	client 10.0.0.1:40000 isn 1000
//	server 10.0.0.2:80 isn 5000
//	0.000 > S  0:0(0) win 64240 <mss 1460,sackOK,TS val 1 ecr 0,wscale 7>
//	0.010 < S. 0:0(0) ack 1 win 65160 <mss 1460>
//	0.010 > .  1:1(0) ack 1
//	0.011 > P. 1 ack 1 "GET / HTTP/1.1\r\n\r\n"
//	0.050 < .  1:1449(1448) ack 19 x*1448    # a comment
//	0.060 > icmp:3/1 0:0(0) from 10.0.0.254
//	0.070 dns 10.0.0.1:5000 10.0.0.53:53 7 A www.example.com
//	0.080 dns 10.0.0.53:53 10.0.0.1:5000 7 A www.example.com 10.0.0.2
//
// > is sent by the client, < by the server. Times are seconds, or +seconds after the line before.
// Numbers are relative to the initial sequence numbers, so that the SYN is 0 and data begins at 1.
// Flags are S F R P U E W and . for ACK. The length may be left out if there is content: a Go
// string, or OCTET*COUNT. Without content the octets are "x". Further words: win N, ack N, ttl N,
// id N, iface N, snap N (the capture cut the payload to N octets), badsum, out, in, mtu N. A message
// of DNS has its ends, its number, the type and the name; an answer also servfail, nxdomain, refused
// or tc, snap N, and addresses. A # or
// // begins a comment, as does any other word after two blanks or more.
package tcptext

import (
	"bufio"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"tcpwhy/capture"
)

// maxPayload caps one segment: what an IP packet can hold, or an offloading stack hands out.
const maxPayload = 1 << 20

// host is one side of the conversation as the lines so far describe it.
type host struct {
	addr netip.AddrPort
	isn  uint32
}

// parser holds what carries over from line to line.
type parser struct {
	hosts [2]host // client, server
	now   time.Duration
	segs  []capture.Segment
}

// Parse reads all lines of text. Frames are numbered from 1 in the order of the lines. Segments
// whose line says nothing else have a window of 65,535 and a TTL of 64.
func Parse(text string) ([]capture.Segment, error) {
	p := parser{hosts: [2]host{
		{netip.MustParseAddrPort("10.0.0.1:40000"), 1000},
		{netip.MustParseAddrPort("10.0.0.2:80"), 5000},
	}}
	sc := bufio.NewScanner(strings.NewReader(text))
	sc.Buffer(nil, maxPayload)
	for n := 1; sc.Scan(); n++ {
		words, err := split(sc.Text())
		if err == nil && len(words) > 0 {
			err = p.line(words)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	return p.segs, sc.Err()
}

// line is one description of a host, or one segment.
func (p *parser) line(words []string) error {
	switch words[0] {
	case "client":
		return p.hosts[0].describe(words[1:])
	case "server":
		return p.hosts[1].describe(words[1:])
	}
	if len(words) < 3 {
		return fmt.Errorf("a segment needs a time, a direction and flags")
	}
	at, err := p.time(words[0])
	if err != nil {
		return err
	}
	if words[1] == "dns" {
		return p.dns(words[2:])
	}
	var from, to *host
	switch words[1] {
	case ">":
		from, to = &p.hosts[0], &p.hosts[1]
	case "<":
		from, to = &p.hosts[1], &p.hosts[0]
	default:
		return fmt.Errorf("direction %q is neither > nor <", words[1])
	}
	seg := capture.Segment{Src: from.addr, Dst: to.addr, Seq: from.isn, Window: 65535, TTL: 64}
	seg.Time = at
	seg.Frame = capture.NewFrameID(0, uint64(len(p.segs)+1))
	l := line{seg: &seg, from: from, to: to, length: -1, snap: -1}
	if err := l.flags(words[2]); err != nil {
		return err
	}
	if err := l.rest(words[3:]); err != nil {
		return err
	}
	p.segs = append(p.segs, seg)
	return nil
}

// describe is ADDRESS [isn N].
func (h *host) describe(words []string) error {
	if len(words) == 0 {
		return fmt.Errorf("an address is missing")
	}
	addr, err := netip.ParseAddrPort(words[0])
	if err != nil {
		return err
	}
	h.addr = addr
	if len(words) == 3 && words[1] == "isn" {
		n, err := strconv.ParseUint(words[2], 10, 32)
		h.isn = uint32(n)
		return err
	}
	if len(words) != 1 {
		return fmt.Errorf("only isn N may follow the address")
	}
	return nil
}

// time is absolute, or relative to the segment before.
func (p *parser) time(word string) (time.Duration, error) {
	delta, relative := strings.CutPrefix(word, "+")
	d, err := time.ParseDuration(delta + "s")
	if err != nil {
		return 0, fmt.Errorf("%q is no time in seconds", word)
	}
	if relative {
		d += p.now
	}
	p.now = d
	return d, nil
}
