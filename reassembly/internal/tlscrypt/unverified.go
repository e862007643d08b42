package tlscrypt

import (
	"encoding/binary"

	"golang.org/x/crypto/chacha20"
)

// What of a record can be read without its tag: GCM, CCM and ChaCha20 are streams of keys that can
// be entered at any octet.

// Uncover appends to dst what the octets of a record's fragment that begin at the offset at hold,
// whose nonce, if it stands before the ciphertext, is in front. Nothing shows that they are what
// was sent: who asks must know by another record that the keys and the number are right. False if
// the suite does not allow it.
func (k *Keys) Uncover(dst []byte, number uint64, front, octets []byte, at int) ([]byte, bool) {
	if k.suite.mode == cbc || len(front) < k.explicit() {
		return dst, false
	}
	if skip := k.explicit() - at; skip > 0 {
		octets, at = octets[min(skip, len(octets)):], k.explicit()
	}
	n := len(dst)
	dst = append(dst, octets...)
	k.keystream(dst[n:], k.nonce(number, front), at-k.explicit())
	return dst, true
}

// keystream decrypts data, which begins at the offset at of a ciphertext.
func (k *Keys) keystream(data, nonce []byte, at int) {
	if k.suite.mode == chachaPoly {
		c := must(chacha20.NewUnauthenticatedCipher(k.key, nonce))
		const unit = 64
		c.SetCounter(uint32(1 + at/unit)) // RFC 8439 §2.8: the first block makes the tag's key
		var skipped [unit]byte
		c.XORKeyStream(skipped[:at%unit], skipped[:at%unit])
		c.XORKeyStream(data, data)
		return
	}
	pad := k.scratch.pad[:]
	for len(data) > 0 {
		k.counter(pad, nonce, at/block)
		k.block.Encrypt(pad, pad)
		n := min(block-at%block, len(data))
		for i := range data[:n] {
			data[i] ^= pad[at%block+i]
		}
		data, at = data[n:], at+n
	}
}

// counter makes the block whose encryption covers block number i of a ciphertext: of GCM those from
// 2 on (NIST SP 800-38D §7.1), of CCM those from 1 on (RFC 3610 §2.3).
func (k *Keys) counter(out, nonce []byte, i int) {
	if k.suite.mode == gcm {
		copy(out, nonce)
		binary.BigEndian.PutUint32(out[nonceSize:], uint32(i+2))
		return
	}
	out[0] = counterBy - 1
	copy(out[1:], nonce)
	out[13], out[14], out[15] = byte((i+1)>>16), byte((i+1)>>8), byte(i+1)
}

// Plausible reports, without regard to the size of a record, whether it may have the given number:
// of TLS 1.3 its last octet before the tag must be a type of content, or padding. One wrong number
// in sixty passes. Of what cannot be judged so cheaply, all are plausible.
func (k *Keys) Plausible(number uint64, fragment []byte) bool {
	if k.version != TLS13 || len(fragment) < k.Overhead() {
		return k.version != TLS13
	}
	end := len(fragment) - k.suite.tag
	var room [1]byte
	last, _ := k.Uncover(room[:0], number, nil, fragment[end-1:end], end-1)
	kind := ContentType(last[0])
	return kind == 0 || kind >= Alert && kind <= ApplicationData
}
