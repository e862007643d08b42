//go:build linux

package world

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"tcpwhy/lab/internal/packet"
	"tcpwhy/lab/internal/phrase"
)

// A Stack is how IPv4 packets look that another kernel than this sends. It is a matter of captures
// alone: the other end gets what was sent.
type Stack struct {
	// identifications are one sequence over all flows, as those of Windows and BSD are, beginning
	// with so many; 0 leaves them to the kernel
	FirstID uint16
	Stride  int // of that sequence; 0 is one
	// this often the host sends to somebody else, whom no capture here sees; 0 is never
	Elsewhere time.Duration
	// segments without data that are shorter than Ethernet's least are filled up with zeros within
	// the length of IP
	Pad bool
}

// leastPayload is what Ethernet carries at least.
const leastPayload = 46

// words describe the stack of the end that is named.
func (s Stack) words(end string) (l phrase.List) {
	l.If(s.FirstID > 0, "the %s's IP identifications are one sequence over all flows, by %d",
		end, max(s.Stride, 1))
	l.If(s.Elsewhere > 0, "which moves on every %v for packets to others", s.Elsewhere)
	l.If(s.Pad, "the %s's ACKs are padded within the length of IP", end)
	return l
}

// dress makes the packets of both hosts look as those of their stacks do.
func (c *Captures) dress(stacks [2]Stack, hosts [2]Station) {
	own := [2][]packet.Frame{c.Client, c.Server}
	for end, stack := range stacks {
		if stack == (Stack{}) {
			continue
		}
		ids := stack.number(sentBy(hosts[end], own[end]))
		for _, frames := range [][]packet.Frame{c.Client, c.Server, c.Middle} {
			for i, f := range frames {
				if id, sent := ids[look(f)]; sent {
					frames[i] = stack.dress(f, id)
				}
			}
		}
	}
}

// sentBy are the IPv4 packets of a host, in the order of time.
func sentBy(host Station, captured []packet.Frame) []packet.Frame {
	var sent []packet.Frame
	for _, f := range captured {
		if packet.IsIPv4(f.Data) && bytes.Equal(f.Data[6:12], host.MAC) {
			sent = append(sent, f)
		}
	}
	slices.SortStableFunc(sent, func(a, b packet.Frame) int { return cmp.Compare(a.At, b.At) })
	return sent
}

// number gives identifications to what a host sent, by what it looked like.
func (s Stack) number(sent []packet.Frame) map[string]uint16 {
	ids := make(map[string]uint16)
	next, others := s.FirstID, 0 // others are packets to somebody else so far
	for _, f := range sent {
		if s.Elsewhere > 0 {
			due := int((f.At - sent[0].At) / int64(s.Elsewhere))
			next += uint16((due - others) * max(s.Stride, 1))
			others = due
		}
		ids[look(f)] = next
		next += uint16(max(s.Stride, 1))
	}
	return ids
}

// look is what tells a packet from all others and no router changes: the identification that the
// kernel gave it, the addresses, and the header of TCP.
func look(f packet.Frame) string {
	if !packet.IsIPv4(f.Data) {
		return ""
	}
	return string(f.Data[18:20]) + string(f.Data[26:min(len(f.Data), 80)])
}

// dress is the packet as the host's captures have it.
func (s Stack) dress(f packet.Frame, id uint16) packet.Frame {
	f.Data = bytes.Clone(f.Data)
	if s.Pad && f.Wire < 14+leastPayload {
		f.Data = packet.Padded(f.Data, leastPayload)
		f.Wire = len(f.Data)
	}
	if s.FirstID > 0 {
		packet.SetID(f.Data, id)
	}
	return f
}
