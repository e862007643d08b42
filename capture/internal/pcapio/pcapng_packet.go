package pcapio

import (
	"fmt"

	"tcpwhy/capture/internal/frame"
)

// packet reads a block that holds a frame. A frame that contradicts its block is handed out as a
// bad one: the block after it can still be found.
func (r *pcapngReader) packet(kind, length uint32, f *frame.Frame) error {
	if length > blockPacket {
		return fmt.Errorf("frame %d claims a block of %d octets", r.number+1, length)
	}
	block, body, err := r.whole(length, true)
	if err != nil {
		return err
	}
	r.number++
	*f = frame.Frame{Number: r.number, Time: r.last, Input: f.Input}
	ok := false
	switch kind {
	case blockEnhanced:
		ok = r.enhanced(body, f)
	case blockSimple:
		ok = r.simple(body, f)
	case blockOldPacket:
		ok = r.oldPacket(body, f)
	}
	f.Bad = !ok
	r.last = f.Time
	r.hand(r.number, block)
	return nil
}

// packetHeader is the length of what precedes the data of an enhanced packet block and of an old
// packet block.
const packetHeader = 20

// enhanced reads an enhanced packet block (§4.3).
func (r *pcapngReader) enhanced(body []byte, f *frame.Frame) bool {
	if len(body) < packetHeader {
		return false
	}
	i := r.stamp(r.order.u32(body), body, f)
	if i == nil {
		return false
	}
	list, ok := r.data(i, body, f)
	if len(list) > 0 {
		r.packetOptions(i, list, f)
	}
	return ok
}

// oldPacket reads a packet block as it was before enhanced ones (§A). 0xffff drops means that they
// are not known.
func (r *pcapngReader) oldPacket(body []byte, f *frame.Frame) bool {
	if len(body) < packetHeader {
		return false
	}
	i := r.stamp(uint32(r.order.u16(body)), body, f)
	if i == nil {
		return false
	}
	if drops := r.order.u16(body[2:]); drops != 0 && drops != 0xffff {
		r.drops(i, i.statistics, addCount(i.dropped, uint64(drops)))
	}
	list, ok := r.data(i, body, f)
	if len(list) > 0 {
		r.packetOptions(nil, list, f)
	}
	return ok
}

// stamp fills in the interface and the time, which are in the same places in both blocks; nil if
// there is no such interface.
func (r *pcapngReader) stamp(id uint32, body []byte, f *frame.Frame) *ngInterface {
	if uint64(id) >= uint64(len(r.interfaces)) {
		return nil
	}
	i := &r.interfaces[id]
	f.Iface, f.Link = i.index, i.link
	f.Time = i.unit.time(uint64(r.order.u32(body[4:]))<<32 | uint64(r.order.u32(body[8:])))
	return i
}

// data fills in the data and gives the options after it.
func (r *pcapngReader) data(i *ngInterface, body []byte, f *frame.Frame) (list []byte, ok bool) {
	captured, wire := r.order.u32(body[12:]), r.order.u32(body[16:])
	if captured > i.limit || uint64(captured) > uint64(len(body)-packetHeader) {
		return nil, false
	}
	f.Data = body[packetHeader : packetHeader+captured]
	f.OrigLen = max(wire, captured)
	padded := min(packetHeader+(int(captured)+3)&^3, len(body))
	return body[padded:], true
}

// packetOptions reads the options of a frame. Those of an old packet block have no drop counter: i
// is nil then.
func (r *pcapngReader) packetOptions(i *ngInterface, list []byte, f *frame.Frame) {
	for {
		code, value, rest, ok := r.order.option(list)
		if !ok {
			return
		}
		switch {
		case code == optPacketFlags && len(value) >= 4:
			// The two lowest bits are the direction; 3 is not defined.
			f.Direction = frame.Direction(r.order.u32(value) & 3 % 3)
		case code == optPacketDrops && len(value) >= 8 && i != nil:
			r.drops(i, i.statistics, addCount(i.dropped, r.order.u64(value)))
		case code == optComment:
			r.account.AddFrameComment(r.number, value)
		}
		list = rest
	}
}

// simple reads a simple packet block (§4.4): no time, and always of the first interface. The frame
// was captured up to the snapshot length, and the block does not say how long that is.
func (r *pcapngReader) simple(body []byte, f *frame.Frame) bool {
	if len(body) < 4 || len(r.interfaces) == 0 {
		return false
	}
	i := &r.interfaces[0]
	f.Iface, f.Link = i.index, i.link
	wire := r.order.u32(body)
	captured := min(wire, uint32(len(body)-4))
	if i.snapLen > 0 {
		captured = min(captured, i.snapLen)
	}
	if captured > i.limit {
		return false
	}
	f.OrigLen = wire
	f.Data = body[4 : 4+captured]
	return true
}
