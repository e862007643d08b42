package pcapio

import (
	"errors"

	"tcpwhy/capture/internal/frame"
)

// The codes of pcapng options (draft-ietf-opsawg-pcapng §3.5 and §4).
const (
	optEnd              = 0
	optComment          = 1
	optInterfaceName    = 2
	optResolution       = 9
	optOffset           = 14
	optPacketFlags      = 2
	optPacketDrops      = 4
	optInterfaceDropped = 5
	optSystemDropped    = 7
)

// secretsTLS is the type of secrets in NSS key log format.
const secretsTLS = 0x544c534b

// microseconds is the resolution of an interface that names none.
const microseconds = 6

// nameMax is how many octets of an interface's name are kept: a file may have 65,536 names of
// 65,535 octets.
const nameMax = 256

// option takes the next option off a list; ok is false at the end of the list, and where it is
// malformed.
func (o byteOrder) option(list []byte) (code uint16, value, rest []byte, ok bool) {
	if len(list) < 4 {
		return 0, nil, nil, false
	}
	code = o.u16(list)
	length := int(o.u16(list[2:]))
	list = list[4:]
	if code == optEnd || length > len(list) {
		return 0, nil, nil, false
	}
	padded := min((length+3)&^3, len(list))
	return code, list[:length], list[padded:], true
}

// readSection reads the options of a section header. A minor version other than 0 changes nothing
// that is read here; a major one might.
func (r *pcapngReader) readSection(body []byte) error {
	if len(body) < 16 {
		return errors.New("a section header is too short")
	}
	if r.order.u16(body[4:]) != 1 {
		return errors.New("a section of a major version other than 1")
	}
	list := body[16:]
	for {
		code, value, rest, ok := r.order.option(list)
		if !ok {
			return nil
		}
		if code == optComment {
			r.account.AddComment(string(value))
		}
		list = rest
	}
}

// readInterface reads an interface description.
func (r *pcapngReader) readInterface(body []byte) error {
	if len(body) < 8 {
		return errors.New("an interface description is too short")
	}
	i := ngInterface{link: frame.LinkType(r.order.u16(body)), snapLen: r.order.u32(body[4:])}
	i.limit = frameLimit(i.snapLen)
	resolution, offset := uint8(microseconds), int64(0)
	name := ""
	list := body[8:]
	for {
		code, value, rest, ok := r.order.option(list)
		if !ok {
			break
		}
		switch {
		case code == optInterfaceName:
			name = string(value[:min(len(value), nameMax)])
		case code == optResolution && len(value) >= 1:
			resolution = value[0]
		case code == optOffset && len(value) >= 8:
			offset = int64(r.order.u64(value))
		case code == optComment:
			r.account.AddComment(string(value))
		}
		list = rest
	}
	i.unit = newTickUnit(resolution, offset)
	return r.enter(i, name)
}

// enter adds an interface to the section and to the account.
func (r *pcapngReader) enter(i ngInterface, name string) (err error) {
	i.index, err = r.account.AddInterface(Interface{
		Name: name, Link: i.link, Resolution: i.unit.resolution(), SnapLen: i.snapLen,
	})
	if err == nil {
		r.interfaces = append(r.interfaces, i)
	}
	return err
}

// readStatistics reads how many frames an interface dropped since the start of the capture.
func (r *pcapngReader) readStatistics(body []byte) {
	if len(body) < 12 {
		return
	}
	id := r.order.u32(body)
	if uint64(id) >= uint64(len(r.interfaces)) {
		return
	}
	dropped := uint64(0)
	list := body[12:]
	for {
		code, value, rest, ok := r.order.option(list)
		if !ok {
			break
		}
		if (code == optInterfaceDropped || code == optSystemDropped) && len(value) >= 8 {
			dropped = addCount(dropped, r.order.u64(value))
		}
		list = rest
	}
	i := &r.interfaces[id]
	r.drops(i, max(i.statistics, dropped), i.dropped)
}

// drops notes what is now known about the frames that an interface dropped. Statistics and packet
// blocks count the same frames, so the larger count is taken and not the sum.
func (r *pcapngReader) drops(i *ngInterface, statistics, dropped uint64) {
	before := max(i.statistics, i.dropped)
	i.statistics, i.dropped = statistics, dropped
	r.dropped = addCount(r.dropped, max(statistics, dropped)-before)
	r.account.SetDrops(r.dropped)
}

// addCount adds a count from a file, which may be all ones for one that is not known.
func addCount(sum, count uint64) uint64 {
	if sum+count < sum || count == ^uint64(0) {
		return sum
	}
	return sum + count
}

// readSecrets keeps the secrets of TLS. Those of other protocols are of no use here.
func (r *pcapngReader) readSecrets(body []byte) {
	if len(body) < 8 || r.order.u32(body) != secretsTLS {
		return
	}
	length := r.order.u32(body[4:])
	if uint64(length) <= uint64(len(body)-8) {
		r.account.AddSecrets(body[8 : 8+length])
	}
}
