package quic

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
)

// The versions that Initial packets are opened of (RFC 9000, RFC 9369).
const (
	Version1 = 1
	Version2 = 0x6b3343cf
)

// kind is what sort of packet one is.
type kind uint8

const (
	initial kind = iota
	zeroRTT
	handshake
	retry
	negotiation // the server knows no version that the client offers (RFC 9000 §17.2.1)
	short       // a packet of the connection itself
	unreadable
)

// packet is one of those that a datagram holds.
type packet struct {
	kind    kind
	version uint32
	dcid    []byte
	head    []byte // up to the packet number, of an Initial packet
	body    []byte // from the packet number on, likewise
}

const maxID = 20 // octets of a connection ID (RFC 9000 §17.2)

// next reads the first packet of p, and what is left behind it.
func next(p []byte) (packet, []byte) {
	const long = 0x80
	r := reader{b: p}
	first := r.uint8()
	if r.bad {
		return packet{kind: unreadable}, nil
	}
	if first&long == 0 {
		return packet{kind: short}, nil
	}
	k := packet{version: r.uint32()}
	k.dcid = r.take(r.uint8())
	scid := r.take(r.uint8())
	switch {
	case r.bad || len(k.dcid) > maxID || len(scid) > maxID:
		k.kind = unreadable
		return k, nil
	case k.version == 0:
		k.kind = negotiation
		return k, nil
	}
	if k.kind = kindOf(k.version, first); k.kind == retry || k.kind == unreadable {
		return k, nil
	}
	if k.kind == initial {
		r.take(r.varint())
	}
	n := r.varint()
	k.head = p[:len(p)-len(r.b)]
	if k.body = r.take(n); r.bad {
		k.kind = unreadable
	}
	return k, r.b
}

// kindOf is the kind of a packet with a long header (RFC 9000 §17.2, RFC 9369 §3.2).
func kindOf(version uint32, first int) kind {
	n := first >> 4 & 3
	switch version {
	case Version1:
		return kind(n)
	case Version2:
		return [4]kind{retry, initial, zeroRTT, handshake}[n]
	}
	return unreadable
}

// keys protect the Initial packets that a client sends.
type keys struct {
	aead   cipher.AEAD
	iv     []byte
	header cipher.Block
}

// clientKeys are those that follow from the connection ID to which a client sends at first (RFC
// 9001 §5.2, RFC 9369 §3.3); nil if the version is not known.
func clientKeys(version uint32, dcid []byte) *keys {
	salt, label := saltOf(version)
	if salt == nil {
		return nil
	}
	secret, err := hkdf.Extract(sha256.New, dcid, salt)
	if err != nil {
		return nil
	}
	client := expand(secret, "client in", sha256.Size)
	key, header := expand(client, label+" key", 16), expand(client, label+" hp", 16)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil
	}
	k := &keys{iv: expand(client, label+" iv", 12)}
	if k.aead, err = cipher.NewGCM(block); err != nil {
		return nil
	}
	if k.header, err = aes.NewCipher(header); err != nil {
		return nil
	}
	return k
}

// saltOf is what the secrets of a version begin with, and what their labels do.
func saltOf(version uint32) (salt []byte, label string) {
	switch version {
	case Version1:
		return []byte(
				"\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a",
			),
			"quic"
	case Version2:
		return []byte(
				"\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9",
			),
			"quicv2"
	}
	return nil, ""
}

// expand is HKDF-Expand-Label without a context (RFC 8446 §7.1).
func expand(secret []byte, label string, n int) []byte {
	info := binary.BigEndian.AppendUint16(nil, uint16(n))
	info = append(info, byte(len("tls13 ")+len(label)))
	info = append(append(info, "tls13 "...), label...)
	out, err := hkdf.Expand(sha256.New, secret, string(append(info, 0)), n)
	if err != nil {
		return make([]byte, n)
	}
	return out
}

// open opens an Initial packet (RFC 9001 §5.3, §5.4); false if it is not one under the keys. The
// datagram stays as it is.
func (k *keys) open(p *packet) ([]byte, bool) {
	const sampleAt, sampleSize = 4, 16
	if len(p.body) < sampleAt+sampleSize {
		return nil, false
	}
	var mask [aes.BlockSize]byte
	k.header.Encrypt(mask[:], p.body[sampleAt:sampleAt+sampleSize])
	first := p.head[0] ^ mask[0]&0x0f
	size := int(first&3) + 1
	head := append(append(make([]byte, 0, len(p.head)+size), p.head...), p.body[:size]...)
	head[0] = first
	number := uint64(0)
	for i := range size {
		head[len(p.head)+i] ^= mask[1+i]
		number = number<<8 | uint64(head[len(p.head)+i])
	}
	nonce := append([]byte(nil), k.iv...)
	for i := range 8 {
		nonce[len(nonce)-1-i] ^= byte(number >> (8 * i))
	}
	plain, err := k.aead.Open(nil, nonce, p.body[size:], head)
	return plain, err == nil
}

// reader cuts fields from octets. After their end bad is set and all fields are empty.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.b, r.bad = nil, true
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) uint8() int {
	if b := r.take(1); b != nil {
		return int(b[0])
	}
	return 0
}

func (r *reader) uint16() int {
	if b := r.take(2); b != nil {
		return int(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *reader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// varint is an integer of variable length (RFC 9000 §16); -1 if it is larger than any datagram.
func (r *reader) varint() int {
	if len(r.b) == 0 {
		r.bad = true
		return 0
	}
	b := r.take(1 << (r.b[0] >> 6))
	if b == nil {
		return 0
	}
	n := uint64(b[0] & 0x3f)
	for _, c := range b[1:] {
		n = n<<8 | uint64(c)
	}
	if n > 1<<16 {
		return -1
	}
	return int(n)
}
