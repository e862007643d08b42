package sockets

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"time"
)

// Numbers of include/uapi/linux: netlink.h, sock_diag.h, inet_diag.h, tcp_states.h.
const (
	typeError     = 2 // NLMSG_ERROR
	typeDone      = 3 // NLMSG_DONE
	typeByFam     = 20
	flagRequest   = 0x1
	flagDump      = 0x300 // NLM_F_ROOT | NLM_F_MATCH
	familyIPv4    = 2
	familyIPv6    = 10
	protoTCP      = 6
	attrInfo      = 2
	attrCong      = 4
	attrCgroup    = 21
	stateTimeWait = 6
	stateListen   = 10
	// states that a socket of a connection may have: not LISTEN, nor TIME-WAIT and SYN-RECEIVED,
	// in which the kernel keeps less than a socket
	connected = 1<<1 | 1<<2 | 1<<3 | 1<<4 | 1<<5 | 1<<7 | 1<<8 | 1<<9 | 1<<11

	headerLen   = 16 // struct nlmsghdr
	requestLen  = 56 // struct inet_diag_req_v2
	diagLen     = 72 // struct inet_diag_msg
	attrHeadLen = 4
	countedLen  = 216 // of struct tcp_info, up to tcpi_bytes_retrans
	leastInfo   = 152 // up to tcpi_min_rtt: Linux 4.6
	mostName    = 16  // TCP_CA_NAME_MAX
)

// errOdd: a message is none that the kernel would send.
var errOdd = errors.New("a netlink message makes no sense")

// told is one socket in an answer.
type told struct {
	tuple
	state   uint8
	cookie  uint64
	uid     uint32
	inode   uint32
	cgroup  uint64 // id; 0: not told
	account *Account
}

// request is the question for one socket; for all of a family if t is zero.
func request(t tuple, family uint8, seq uint32) []byte {
	b := make([]byte, headerLen, headerLen+requestLen)
	flags := uint16(flagRequest)
	if !t.local.IsValid() {
		flags |= flagDump
	}
	native := binary.NativeEndian
	native.PutUint32(b, headerLen+requestLen)
	native.PutUint16(b[4:], typeByFam)
	native.PutUint16(b[6:], flags)
	native.PutUint32(b[8:], seq)
	b = append(b, family, protoTCP, 1<<(attrInfo-1)|1<<(attrCong-1), 0)
	b = native.AppendUint32(b, connected)
	b = binary.BigEndian.AppendUint16(b, t.local.Port())
	b = binary.BigEndian.AppendUint16(b, t.remote.Port())
	b = appendAddr(appendAddr(b, t.local.Addr()), t.remote.Addr())
	b = native.AppendUint32(b, 0)             // any interface
	return native.AppendUint64(b, ^uint64(0)) // no cookie
}

// familyOf is the family of an address.
func familyOf(a netip.Addr) uint8 {
	if a.Unmap().Is4() {
		return familyIPv4
	}
	return familyIPv6
}

// appendAddr appends an address in the sixteen octets of struct inet_diag_sockid.
func appendAddr(b []byte, a netip.Addr) []byte {
	var room [16]byte
	if a.IsValid() {
		copy(room[:], a.Unmap().AsSlice())
	}
	return append(b, room[:]...)
}

// message takes the first of several messages: its type, its number, its body, and what follows.
func message(b []byte) (kind uint16, seq uint32, body, rest []byte, err error) {
	if len(b) < headerLen {
		return 0, 0, nil, nil, errOdd
	}
	n := int64(binary.NativeEndian.Uint32(b))
	if n < headerLen || n > int64(len(b)) {
		return 0, 0, nil, nil, errOdd
	}
	next := min((n+3)&^3, int64(len(b)))
	return binary.NativeEndian.Uint16(b[4:]), binary.NativeEndian.Uint32(b[8:]),
		b[headerLen:n], b[next:], nil
}

// socket reads struct inet_diag_msg and the attributes behind it.
func socket(b []byte) (t told, err error) {
	if len(b) < diagLen {
		return t, errOdd
	}
	native := binary.NativeEndian
	t.state = b[1]
	t.local, err = addrPort(b[0], b[8:24], b[4:6])
	if err != nil {
		return t, err
	}
	if t.remote, err = addrPort(b[0], b[24:40], b[6:8]); err != nil {
		return t, err
	}
	if t.state != stateTimeWait { // that has a cookie of its own
		t.cookie = native.Uint64(b[44:])
	}
	t.uid, t.inode = native.Uint32(b[64:]), native.Uint32(b[68:])
	return t, t.attributes(b[diagLen:])
}

// addrPort reads one end of a socket.
func addrPort(family uint8, addr, port []byte) (netip.AddrPort, error) {
	n := binary.BigEndian.Uint16(port)
	switch family {
	case familyIPv4:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(addr)), n), nil
	case familyIPv6:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(addr)).Unmap(), n), nil
	}
	return netip.AddrPort{}, errOdd
}

// attributes reads what follows a struct inet_diag_msg.
func (t *told) attributes(b []byte) error {
	var congestion string
	for len(b) > 0 {
		if len(b) < attrHeadLen {
			return errOdd
		}
		n, kind := int(binary.NativeEndian.Uint16(b)), binary.NativeEndian.Uint16(b[2:])
		if n < attrHeadLen || n > len(b) {
			return errOdd
		}
		switch value := b[attrHeadLen:n]; {
		case kind == attrInfo:
			t.account = readInfo(value)
		case kind == attrCong:
			congestion = name(value)
		case kind == attrCgroup && len(value) == 8:
			t.cgroup = binary.NativeEndian.Uint64(value)
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	if t.account != nil {
		t.account.Congestion = congestion
	}
	return nil
}

// name is a string that ends with a zero octet, of letters, digits and underscores; "" if it is
// none.
func name(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	for _, c := range b {
		if c != '_' && c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') &&
			(c < 'A' || c > 'Z') {
			return ""
		}
	}
	return string(b[:min(len(b), mostName)])
}

// readInfo reads struct tcp_info, which later kernels append to; nil if it is too short.
func readInfo(b []byte) *Account {
	if len(b) < leastInfo {
		return nil
	}
	u32 := func(at int) uint32 { return binary.NativeEndian.Uint32(b[at:]) }
	micros := func(at int) time.Duration {
		return time.Duration(min(binary.NativeEndian.Uint64(b[at:]), 1<<52)) * time.Microsecond
	}
	a := &Account{
		RTT: time.Duration(
			u32(68),
		) * time.Microsecond, Retransmissions: u32(100), NotSent: u32(144),
	}
	if least := u32(148); least != ^uint32(0) {
		a.MinRTT = time.Duration(least) * time.Microsecond
	}
	if len(b) >= countedLen {
		a.Counted = true
		a.Busy, a.RwndLimited, a.SndbufLimited = micros(168), micros(176), micros(184)
		a.Delivered = u32(192)
		sent, again := binary.NativeEndian.Uint64(b[200:]), binary.NativeEndian.Uint64(b[208:])
		a.Sent = sent - min(again, sent)
	}
	return a
}
