// Package redact decides what may be shown of what connections carry, so that a capture can be
// handed out and diagnosed: the framing of HTTP/1, HTTP/2 and TLS, the words of the protocols, and
// other words in the place of names. All else is zero: what a reader does not know is not shown.
//
// A capture is read twice. The first time (Add) each direction of each connection is followed in
// the order of its octets, and what is to be shown of it is made; the second time (TCP) it is
// looked up by connection and sequence number. What is looked up was made to be shown, whatever the
// segment holds that it is written into.
package redact

import (
	"net/netip"

	"tcpwhy/capture"
	"tcpwhy/capture/anonym"
)

// The limits of what is kept.
const (
	maxShown  = 64 << 20 // octets to be shown of all connections
	maxHalves = 1 << 17  // directions that are followed at a time
	maxFlows  = 1 << 20  // directions of which something is shown
	maxHeld   = 1 << 20  // octets of a direction that wait for what is missing before them
	maxAll    = 32 << 20 // of all directions
)

// flow is one direction of a connection.
type flow struct{ src, dst netip.AddrPort }

// place is where something shown is looked up: octets of a direction, pageSize at a time.
type place struct {
	flow uint32
	page uint32
}

const pageSize = 1 << 11

// piece are octets to be shown, from a sequence number on.
type piece struct {
	seq    uint32
	octets []byte
}

// Plan is what may be shown of a capture. It is for one goroutine.
type Plan struct {
	words  words
	flows  map[flow]uint32
	halves map[flow]*half
	pages  map[place][]piece
	shown  int  // octets
	held   int  // octets that wait, of all directions
	full   bool // something was left out
}

// NewPlan makes a plan that names things by a mapper.
func NewPlan(m *anonym.Mapper) *Plan {
	return &Plan{
		words: words{m}, flows: map[flow]uint32{}, halves: map[flow]*half{},
		pages: map[place][]piece{},
	}
}

// Add takes the next segment of the capture.
func (p *Plan) Add(seg *capture.Segment) {
	if seg.Kind != capture.TCP {
		return
	}
	of := flow{seg.Src, seg.Dst}
	if seg.Flags.Has(capture.SYN) {
		p.forget(of)
	}
	h := p.half(of)
	if h == nil {
		return
	}
	if other := p.halves[flow{seg.Dst, seg.Src}]; other != nil && seg.Flags.Has(capture.ACK) {
		other.acknowledged(seg.Ack)
	}
	seq := seg.Seq
	if seg.Flags.Has(capture.SYN) {
		seq++
		h.begin(seq)
	}
	h.take(seq, seg.Payload, int(seg.Len)-len(seg.Payload))
	if seg.Flags.Has(capture.RST) || seg.Flags.Has(capture.FIN) && len(h.waiting) == 0 {
		h.finish()
		delete(p.halves, of)
	}
}

// Finish ends the capture: what is missing will not come.
func (p *Plan) Finish() {
	for _, h := range p.halves {
		h.finish()
	}
	p.halves = map[flow]*half{}
}

// forget ends what is known of an older connection of the same two ends.
func (p *Plan) forget(of flow) {
	if h := p.halves[of]; h != nil {
		h.finish()
		delete(p.halves, of)
	}
}

// half is what is followed of a direction; nil if there are too many. Both directions of a
// connection know of each other by what they share.
func (p *Plan) half(of flow) *half {
	if h := p.halves[of]; h != nil {
		return h
	}
	number, known := p.flows[of]
	if len(p.halves) >= maxHalves || !known && len(p.flows) >= maxFlows {
		p.full = true
		return nil
	}
	if !known {
		number = uint32(len(p.flows))
		p.flows[of] = number
	}
	both := &asked{}
	if other := p.halves[flow{of.dst, of.src}]; other != nil {
		both = other.reader.asked
	}
	h := &half{plan: p, number: number}
	h.reader = reader{words: p.words, asked: both, show: h.show}
	p.halves[of] = h
	return h
}

// keep notes octets to be shown, if there is still room for them.
func (p *Plan) keep(number, seq uint32, octets []byte) {
	p.full = p.full || p.shown >= maxShown
	for len(octets) > 0 && p.shown < maxShown {
		n := min(len(octets), pageSize-int(seq%pageSize))
		at := place{number, seq / pageSize}
		p.pages[at] = append(p.pages[at], piece{seq, append([]byte(nil), octets[:n]...)})
		p.shown += n + 64
		seq, octets = seq+uint32(n), octets[n:]
	}
}

// TCP implements anonym.Payload.
func (p *Plan) TCP(src, dst netip.AddrPort, seq uint32, data, out []byte) {
	number, known := p.flows[flow{src, dst}]
	if !known {
		return
	}
	for at := 0; at < len(data); {
		from := seq + uint32(at)
		n := min(len(data)-at, pageSize-int(from%pageSize))
		for _, piece := range p.pages[place{number, from / pageSize}] {
			begin := int(int32(piece.seq - from))
			octets := piece.octets
			if begin < 0 {
				octets = octets[min(-begin, len(octets)):]
				begin = 0
			}
			if begin < n {
				copy(out[at+begin:at+n], octets)
			}
		}
		at += n
	}
}
