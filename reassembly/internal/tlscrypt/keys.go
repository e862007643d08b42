package tlscrypt

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"encoding/binary"
	"hash"

	"golang.org/x/crypto/chacha20poly1305"
)

const (
	// HeadSize is how many octets a record has before its fragment (RFC 8446 §5.1).
	HeadSize = 5
	// MaxFragment is how many a protected one has at most: 2,048 beyond its plaintext's 16,384 up
	// to TLS 1.2 (RFC 5246 §6.2.3), 256 later (RFC 8446 §5.2).
	MaxFragment = 1<<14 + 2048
	// explicitNonce is how many octets of the nonce a record of GCM or CCM carries up to TLS 1.2
	// (RFC 5288 §3, RFC 6655 §3).
	explicitNonce = 8
	nonceSize     = 12
	block         = aes.BlockSize
)

// ContentType is what a record holds (RFC 8446 §5.1, RFC 6520).
type ContentType uint8

const (
	ChangeCipherSpec ContentType = 20
	Alert            ContentType = 21
	Handshake        ContentType = 22
	ApplicationData  ContentType = 23
	Heartbeat        ContentType = 24
)

// Keys open the records of one direction that were protected with the same keys. They hold scratch
// memory: one goroutine at a time may use them.
type Keys struct {
	suite   *Suite
	version uint16
	secret  []byte // the traffic secret, from TLS 1.3 on
	key, iv []byte
	aead    opener // nil of CBC
	block   cipher.Block
	mac     hash.Hash // of CBC
	etm     bool      // RFC 7366
	last    [block]byte
	scratch scratch
}

// opener is the part of cipher.AEAD that opens.
type opener interface {
	Open(dst, nonce, sealed, additional []byte) ([]byte, error)
}

// scratch is what a record needs while it is opened.
type scratch struct {
	nonce [nonceSize]byte
	more  [13]byte // additional data, or what an HMAC covers before the fragment
	sum   [64]byte
	pad   [block]byte
}

// newKeys are keys of the given octets.
func newKeys(s *Suite, h *Hellos, mac, key, iv []byte) *Keys {
	k := &Keys{suite: s, version: h.Version, key: key, iv: iv, etm: h.EncryptThenMAC}
	if s.mode == chachaPoly {
		k.aead = must(chacha20poly1305.New(key))
		return k
	}
	k.block = must(aes.NewCipher(key))
	switch s.mode {
	case gcm:
		k.aead = must(cipher.NewGCM(k.block))
	case ccm:
		k.aead = newCCM(k.block, s.tag)
	case cbc:
		k.mac = hmac.New(s.digest.new, mac)
		copy(k.last[:], iv)
	}
	return k
}

// must is v: suites have only lengths that ciphers allow.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// explicit is how many octets stand before the ciphertext.
func (k *Keys) explicit() int { return k.suite.explicit(k.version) }

func (s *Suite) explicit(version uint16) int {
	switch {
	case version == TLS13 || s.mode == chachaPoly:
		return 0
	case s.mode != cbc:
		return explicitNonce
	case version == TLS10:
		return 0
	}
	return block
}

// Overhead is how many octets a fragment has beside the content of its record, without padding:
// the least of CBC.
func (k *Keys) Overhead() int { return k.suite.Overhead(k.version) }

// Overhead is the same where only the suite is known, and the version that uses it.
func (s *Suite) Overhead(version uint16) int {
	switch {
	case version == TLS13:
		return s.tag + 1
	case s.mode == cbc:
		return s.explicit(version) + s.digest.size() + 1
	}
	return s.explicit(version) + s.tag
}

// ContentRange is where the content of a record stands in its fragment of n octets, if it is not
// padded.
func (k *Keys) ContentRange(n int) (from, to int) {
	from = k.explicit()
	return from, max(from, n-(k.Overhead()-from))
}

// Open appends to dst what the record with the given number holds, and tells which type of content
// that is. False if it was not protected with these keys, or not under this number: then dst has
// got nothing. head are the record's first five octets, fragment the others; dst and fragment do
// not overlap.
func (k *Keys) Open(dst []byte, number uint64, head, fragment []byte) ([]byte, ContentType, bool) {
	n := len(dst)
	if len(head) != HeadSize || len(fragment) < k.Overhead() || len(fragment) > MaxFragment {
		return dst, 0, false
	}
	var ok bool
	if k.suite.mode == cbc {
		dst, ok = k.openCBC(dst, number, head, fragment)
	} else {
		dst, ok = k.openAEAD(dst, number, head, fragment)
	}
	if !ok {
		return dst[:n], 0, false
	}
	if k.version != TLS13 {
		return dst, ContentType(head[0]), true
	}
	// The type follows the content, and padding of zeros follows that (RFC 8446 §5.2, §5.4).
	end := len(dst)
	for end > n && dst[end-1] == 0 {
		end--
	}
	if end == n {
		return dst[:n], 0, false
	}
	return dst[:end-1], ContentType(dst[end-1]), true
}

// openAEAD opens a record of a cipher with a tag.
func (k *Keys) openAEAD(dst []byte, number uint64, head, fragment []byte) ([]byte, bool) {
	nonce := k.nonce(number, fragment)
	more := head
	if sealed := fragment[k.explicit():]; k.version != TLS13 {
		more = k.covered(number, head, len(sealed)-k.suite.tag)
	}
	out, err := k.aead.Open(dst, nonce, fragment[k.explicit():], more)
	if err != nil {
		return dst, false
	}
	return out, true
}

// nonce is that of a record (RFC 8446 §5.3, RFC 5288 §3, RFC 7905 §2).
func (k *Keys) nonce(number uint64, fragment []byte) []byte {
	nonce := k.scratch.nonce[:]
	copy(nonce, k.iv)
	if k.explicit() > 0 {
		copy(nonce[nonceSize-explicitNonce:], fragment[:explicitNonce])
		return nonce
	}
	tail := nonce[nonceSize-8:]
	binary.BigEndian.PutUint64(tail, binary.BigEndian.Uint64(tail)^number)
	return nonce
}

// covered is what is authenticated beside a fragment up to TLS 1.2 (RFC 5246 §6.2.3.3): the number,
// the head, and in it the length of the content.
func (k *Keys) covered(number uint64, head []byte, length int) []byte {
	more := k.scratch.more[:]
	binary.BigEndian.PutUint64(more, number)
	copy(more[8:], head[:3])
	binary.BigEndian.PutUint16(more[11:], uint16(length))
	return more
}
