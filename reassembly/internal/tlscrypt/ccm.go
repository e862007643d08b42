package tlscrypt

import (
	"bytes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
)

// counterBy is how many octets of a block of CCM count: what the nonce and a flag leave
// (RFC 3610 §2.1).
const counterBy = 15 - nonceSize

var errTag = errors.New("the tag is that of other octets")

// ccmMode is CCM (RFC 3610), as far as TLS needs it: nonces of twelve octets, and opening.
type ccmMode struct {
	block  cipher.Block
	tag    int
	sum    [block]byte
	stream [block]byte
}

func newCCM(b cipher.Block, tag int) *ccmMode { return &ccmMode{block: b, tag: tag} }

// Open is that of cipher.AEAD.
func (c *ccmMode) Open(dst, nonce, sealed, additional []byte) ([]byte, error) {
	n, size := len(dst), len(sealed)-c.tag
	dst = append(dst, sealed[:size]...)
	c.crypt(dst[n:], nonce, 1)
	c.authenticate(nonce, dst[n:], additional)
	c.crypt(c.sum[:], nonce, 0)
	if !bytes.Equal(c.sum[:c.tag], sealed[size:]) {
		return dst[:n], errTag
	}
	return dst, nil
}

// authenticate makes the CBC-MAC of RFC 3610 §2.2. Additional data has fewer than 0xff00 octets.
func (c *ccmMode) authenticate(nonce, data, additional []byte) {
	c.sum = [block]byte{byte(0x40 | (c.tag-2)/2<<3 | (counterBy - 1))}
	copy(c.sum[1:], nonce)
	c.sum[13], c.sum[14], c.sum[15] = byte(len(data)>>16), byte(len(data)>>8), byte(len(data))
	c.block.Encrypt(c.sum[:], c.sum[:])
	var head [block]byte
	binary.BigEndian.PutUint16(head[:], uint16(len(additional)))
	rest := additional[copy(head[2:], additional):]
	c.mix(head[:])
	c.mix(rest)
	c.mix(data)
}

// mix takes data into the sum, filled up with zeros to whole blocks.
func (c *ccmMode) mix(data []byte) {
	for len(data) > 0 {
		n := min(block, len(data))
		for i, b := range data[:n] {
			c.sum[i] ^= b
		}
		c.block.Encrypt(c.sum[:], c.sum[:])
		data = data[n:]
	}
}

// crypt encrypts or decrypts data from the given counter on (RFC 3610 §2.3).
func (c *ccmMode) crypt(data, nonce []byte, counter int) {
	for ; len(data) > 0; counter++ {
		c.stream = [block]byte{counterBy - 1}
		copy(c.stream[1:], nonce)
		c.stream[13], c.stream[14] = byte(counter>>16), byte(counter>>8)
		c.stream[15] = byte(counter)
		c.block.Encrypt(c.stream[:], c.stream[:])
		n := min(block, len(data))
		for i := range data[:n] {
			data[i] ^= c.stream[i]
		}
		data = data[n:]
	}
}
