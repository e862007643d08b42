package pcapio

import (
	"encoding/binary"
	"math"
	"net/netip"
	"slices"
)

// Head is what stands at the beginning of a file that is written: none of it is needed.
type Head struct {
	Program  string   // that wrote the file
	Comments []string // on the capture as a whole
	Names    []HostName
}

// HostName is the name of a host, as the capture shows it.
type HostName struct {
	Addr netip.Addr
	Name string // at most 255 octets
}

// The name resolution block (draft-ietf-opsawg-pcapng §4.5), and its records.
const (
	blockNames = 4
	nameEnd    = 0
	nameIPv4   = 1
	nameIPv6   = 2
)

// options are the options of one block, being made.
type options struct {
	order binary.AppendByteOrder
	list  []byte
}

// add adds an option. A value that is too long for one is cut.
func (o *options) add(code uint16, value string) {
	value = value[:min(len(value), optionMax)]
	o.list = o.order.AppendUint16(o.list, code)
	o.list = o.order.AppendUint16(o.list, uint16(len(value)))
	o.list = appendPadded(o.list, value)
}

// appendPadded appends octets, and fills up to a multiple of four, counted from where they begin.
func appendPadded(b []byte, octets string) []byte {
	b = append(b, octets...)
	return append(b, make([]byte, -len(octets)&3)...)
}

// makeBlock puts a block together: its type, its body, which is a multiple of four octets long, and
// its length around them.
func makeBlock(order binary.AppendByteOrder, kind uint32, body []byte) []byte {
	length := uint32(len(body) + blockLeast)
	block := order.AppendUint32(make([]byte, 0, length), kind)
	block = append(order.AppendUint32(block, length), body...)
	return order.AppendUint32(block, length)
}

// namesBlock is a name resolution block; nil if there are no names.
func namesBlock(order binary.AppendByteOrder, names []HostName) []byte {
	if len(names) == 0 {
		return nil
	}
	o := options{order: order}
	for _, n := range names {
		kind, address := uint16(nameIPv6), n.Addr.AsSlice()
		if len(address) == 4 {
			kind = nameIPv4
		}
		o.add(kind, string(address)+n.Name[:min(len(n.Name), nameMax)]+"\x00")
	}
	o.add(nameEnd, "")
	return makeBlock(order, blockNames, o.list)
}

// packetDirection is the option of a packet block that tells who sent the frame, of a direction.
func (o *options) packetDirection(direction uint32) {
	if direction != 0 {
		flags := o.order.AppendUint32(nil, direction)
		o.add(optPacketFlags, string(flags))
	}
}

// splitOptions parts a list of options into those that are well-formed and what follows them, and
// gives the values of those with one code.
func splitOptions(order byteOrder, list []byte, code uint16) (formed []byte, values []string) {
	rest := list
	for {
		c, value, after, ok := order.option(rest)
		if !ok {
			return list[:len(list)-len(rest)], values
		}
		if c == code {
			values = append(values, string(value))
		}
		rest = after
	}
}

// withOptions is a block with comments added to its options, which begin at a place in it, behind
// those that are there; a comment that is there already is not added. program is added where no
// program is named. The block is as it was if nothing is added.
func withOptions(order byteOrder, block []byte, at int, comments []string, program string) []byte {
	end := len(block) - 4
	if at > end {
		return block
	}
	formed, there := splitOptions(order, block[at:end], optComment)
	o := options{order: order.appending(), list: slices.Clone(formed)}
	for _, c := range comments {
		if !slices.Contains(there, c[:min(len(c), optionMax)]) {
			o.add(optComment, c)
		}
	}
	if _, programs := splitOptions(order, formed, optApplication); program != "" &&
		len(programs) == 0 {
		o.add(optApplication, program)
	}
	if len(o.list) == len(formed) {
		return block
	}
	o.add(optEnd, "")
	body := append(slices.Clone(block[8:at]), o.list...)
	return makeBlock(order.appending(), order.u32(block), body)
}

// appending is the same order for who writes.
func (o byteOrder) appending() binary.AppendByteOrder {
	if o {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// headed is the header of a section with what stands at the beginning of a file, and the names
// behind it. Its length is no longer told: blocks in it grow.
func headed(order byteOrder, block []byte, h *Head) []byte {
	const lengthAt, optionsAt = 16, 24
	block = slices.Clone(block)
	for i := range 8 {
		block[lengthAt+i] = math.MaxUint8
	}
	block = withOptions(order, block, optionsAt, h.Comments, h.Program)
	return append(block, namesBlock(order.appending(), h.Names)...)
}

// commented is the block of a frame with comments added. One that has no room for any, or that
// contradicts itself, is as it was.
func commented(order byteOrder, block []byte, comments []string) []byte {
	const head = 8
	kind := order.u32(block)
	if len(comments) == 0 || kind != blockEnhanced && kind != blockOldPacket ||
		len(block) < head+packetHeader+4 {
		return block
	}
	captured := uint64(order.u32(block[head+12:]))
	at := head + packetHeader + (captured+3)&^3
	if at > uint64(len(block)-4) {
		return block
	}
	return withOptions(order, block, int(at), comments, "")
}
