package tlscrypt

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"hash"
)

const (
	// MasterSize is how many octets a master secret has (RFC 5246 §8.1).
	MasterSize = 48
	// Labels of the key expansion up to TLS 1.2 (RFC 5246 §6.3), and of TLS 1.3 (RFC 8446 §7.2,
	// §7.3).
	expansionLabel = "key expansion"
	keyLabel       = "key"
	ivLabel        = "iv"
	updateLabel    = "traffic upd"
)

// Hellos are what the key expansion up to TLS 1.2 takes from the hellos of a connection.
type Hellos struct {
	Version        uint16 // that was negotiated
	Client, Server [32]byte
	// EncryptThenMAC says that both sides agreed on it (RFC 7366).
	EncryptThenMAC bool
}

// FromMaster are the keys of both directions, the client's first, that follow from a master secret
// up to TLS 1.2.
func FromMaster(s *Suite, h *Hellos, master []byte) (client, server *Keys) {
	mac, iv := 0, 4 // RFC 5288 §3, RFC 6655 §3
	switch {
	case s.mode == chachaPoly:
		iv = 12 // RFC 7905 §2
	case s.mode == cbc && h.Version == TLS10:
		mac, iv = s.digest.size(), 16
	case s.mode == cbc:
		mac, iv = s.digest.size(), 0
	}
	block := make([]byte, 2*(mac+s.key+iv))
	seed := append(append([]byte(expansionLabel), h.Server[:]...), h.Client[:]...)
	s.prf(h.Version, block, master, seed)
	cut := func(n int) (a, b []byte) {
		a, b, block = block[:n], block[n:2*n], block[2*n:]
		return a, b
	}
	macs, macs2 := cut(mac)
	keys, keys2 := cut(s.key)
	ivs, ivs2 := cut(iv)
	return newKeys(s, h, macs, keys, ivs), newKeys(s, h, macs2, keys2, ivs2)
}

// prf fills out (RFC 5246 §5; before TLS 1.2 RFC 4346 §5).
func (s *Suite) prf(version uint16, out, secret, seed []byte) {
	switch {
	case version >= TLS12 && s.digest == sha384Digest:
		expand(sha512.New384, out, secret, seed)
	case version >= TLS12:
		expand(sha256.New, out, secret, seed)
	default:
		half := (len(secret) + 1) / 2
		other := make([]byte, len(out))
		expand(md5.New, out, secret[:half], seed)
		expand(sha1.New, other, secret[len(secret)-half:], seed)
		for i, b := range other {
			out[i] ^= b
		}
	}
}

// expand is P_hash (RFC 5246 §5).
func expand(h func() hash.Hash, out, secret, seed []byte) {
	mac := hmac.New(h, secret)
	sum := func(parts ...[]byte) []byte {
		mac.Reset()
		for _, p := range parts {
			mac.Write(p)
		}
		return mac.Sum(nil)
	}
	for a := sum(seed); len(out) > 0; a = sum(a) {
		out = out[copy(out, sum(a, seed)):]
	}
}

// FromTraffic are the keys that follow from a traffic secret of TLS 1.3 (RFC 8446 §7.3); nil if it
// is none of the suite's.
func FromTraffic(s *Suite, secret []byte) *Keys {
	if len(secret) != s.SecretSize() {
		return nil
	}
	key := s.expandLabel(secret, keyLabel, s.key)
	k := newKeys(s, &Hellos{Version: TLS13}, nil, key, s.expandLabel(secret, ivLabel, 12))
	k.secret = secret
	return k
}

// Next are the keys after a KeyUpdate of the same direction (RFC 8446 §7.2); nil before TLS 1.3.
func (k *Keys) Next() *Keys {
	if k.secret == nil {
		return nil
	}
	return FromTraffic(k.suite, k.suite.expandLabel(k.secret, updateLabel, len(k.secret)))
}

// expandLabel is HKDF-Expand-Label without context (RFC 8446 §7.1).
func (s *Suite) expandLabel(secret []byte, label string, n int) []byte {
	const prefix = "tls13 "
	info := binary.BigEndian.AppendUint16(nil, uint16(n))
	info = append(info, byte(len(prefix)+len(label)))
	info = append(append(append(info, prefix...), label...), 0)
	out, err := hkdf.Expand(s.digest.new, secret, string(info), n)
	if err != nil {
		// n is a key's or a hash's length, and no hash allows as little as that
		panic(err)
	}
	return out
}
