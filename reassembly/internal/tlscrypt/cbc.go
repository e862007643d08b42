package tlscrypt

import (
	"bytes"
	"crypto/cipher"
)

// openCBC opens a record of AES-CBC: MAC-then-encrypt, or the other way round (RFC 7366).
func (k *Keys) openCBC(dst []byte, number uint64, head, fragment []byte) ([]byte, bool) {
	n, size := len(dst), k.suite.digest.size()
	if k.etm {
		sealed := len(fragment) - size
		if !k.authentic(number, head, fragment[:sealed], fragment[sealed:]) {
			return dst, false
		}
		fragment = fragment[:sealed]
	}
	iv, sealed := k.last[:], fragment[k.explicit():]
	if k.version != TLS10 {
		iv = fragment[:block]
	}
	if len(sealed) == 0 || len(sealed)%block != 0 {
		return dst, false
	}
	dst = append(dst, sealed...)
	cipher.NewCBCDecrypter(k.block, iv).CryptBlocks(dst[n:], sealed)
	plain, ok := unpadded(dst[n:])
	if k.etm || !ok {
		return dst[:n+len(plain)], ok
	}
	content := len(plain) - size
	if content < 0 || !k.authentic(number, head, plain[:content], plain[content:]) {
		return dst, false
	}
	return dst[:n+content], true
}

// unpadded is data without its padding, each octet of which says how many there are beside the last
// (RFC 5246 §6.2.3.2).
func unpadded(data []byte) ([]byte, bool) {
	pad := data[len(data)-1]
	rest := len(data) - 1 - int(pad)
	if rest < 0 {
		return nil, false
	}
	for _, b := range data[rest:] {
		if b != pad {
			return nil, false
		}
	}
	return data[:rest], true
}

// authentic reports whether sum is the HMAC of data. How long that takes tells nobody anything:
// the secrets are those of a log.
func (k *Keys) authentic(number uint64, head, data, sum []byte) bool {
	k.mac.Reset()
	k.mac.Write(k.covered(number, head, len(data)))
	k.mac.Write(data)
	return bytes.Equal(k.mac.Sum(k.scratch.sum[:0]), sum)
}

// Follow tells which fragment the next record follows: in TLS 1.0 the end of one is the beginning
// of the next (RFC 2246 §6.2.3.2). It reports whether the next can be opened.
func (k *Keys) Follow(fragment []byte) bool {
	if k.suite.mode != cbc || k.version != TLS10 {
		return true
	}
	if k.etm {
		fragment = fragment[:max(0, len(fragment)-k.suite.digest.size())]
	}
	if len(fragment) < block {
		return false
	}
	copy(k.last[:], fragment[len(fragment)-block:])
	return true
}
