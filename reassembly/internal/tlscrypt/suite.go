// Package tlscrypt opens records of TLS whose secrets are known: cipher suites, key schedules and
// record protection (RFC 8446 §5.2 and §7, RFC 5246 §6.2.3 and §6.3, RFC 4346, RFC 2246). It knows
// nothing of connections: which keys a record needs, and which number it has, others find out.
package tlscrypt

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
)

// Versions of TLS, as they stand in hellos (RFC 8446 §4.1.2).
const (
	TLS10 = 0x0301
	TLS11 = 0x0302
	TLS12 = 0x0303
	TLS13 = 0x0304
)

// mode is how a suite protects records.
type mode uint8

const (
	gcm        mode = iota // AES-GCM (RFC 5288)
	ccm                    // AES-CCM (RFC 6655)
	chachaPoly             // ChaCha20-Poly1305 (RFC 7905)
	cbc                    // AES-CBC with HMAC (RFC 5246 §6.2.3.2)
)

// digest is a hash function.
type digest uint8

const (
	sha1Digest digest = iota
	sha256Digest
	sha384Digest
)

// new is a hash without input.
func (d digest) new() hash.Hash {
	switch d {
	case sha256Digest:
		return sha256.New()
	case sha384Digest:
		return sha512.New384()
	}
	return sha1.New()
}

// size is how many octets its values have.
func (d digest) size() int {
	switch d {
	case sha256Digest:
		return sha256.Size
	case sha384Digest:
		return sha512.Size384
	}
	return sha1.Size
}

// Suite is what a cipher suite says of record protection. Key exchange and signatures do not
// matter to who has the secrets.
type Suite struct {
	ID     uint16
	mode   mode
	key    int    // octets of a key
	tag    int    // octets of an authentication tag, of suites with one
	digest digest // of the key schedule; of CBC that of the HMAC
}

// suites are those that can be opened, the usual ones first.
var suites = [...]Suite{
	{0x1302, gcm, 32, 16, sha384Digest},
	{0x1301, gcm, 16, 16, sha256Digest},
	{0x1303, chachaPoly, 32, 16, sha256Digest},
	{0x1304, ccm, 16, 16, sha256Digest},
	{0x1305, ccm, 16, 8, sha256Digest},

	{0xc02b, gcm, 16, 16, sha256Digest},
	{0xc02c, gcm, 32, 16, sha384Digest},
	{0xc02f, gcm, 16, 16, sha256Digest},
	{0xc030, gcm, 32, 16, sha384Digest},
	{0xcca8, chachaPoly, 32, 16, sha256Digest},
	{0xcca9, chachaPoly, 32, 16, sha256Digest},
	{0xccaa, chachaPoly, 32, 16, sha256Digest},
	{0x009c, gcm, 16, 16, sha256Digest},
	{0x009d, gcm, 32, 16, sha384Digest},
	{0x009e, gcm, 16, 16, sha256Digest},
	{0x009f, gcm, 32, 16, sha384Digest},

	{0x002f, cbc, 16, 0, sha1Digest},
	{0x0033, cbc, 16, 0, sha1Digest},
	{0x0035, cbc, 32, 0, sha1Digest},
	{0x0039, cbc, 32, 0, sha1Digest},
	{0x003c, cbc, 16, 0, sha256Digest},
	{0x003d, cbc, 32, 0, sha256Digest},
	{0x0067, cbc, 16, 0, sha256Digest},
	{0x006b, cbc, 32, 0, sha256Digest},
	{0xc009, cbc, 16, 0, sha1Digest},
	{0xc00a, cbc, 32, 0, sha1Digest},
	{0xc013, cbc, 16, 0, sha1Digest},
	{0xc014, cbc, 32, 0, sha1Digest},
	{0xc023, cbc, 16, 0, sha256Digest},
	{0xc024, cbc, 32, 0, sha384Digest},
	{0xc027, cbc, 16, 0, sha256Digest},
	{0xc028, cbc, 32, 0, sha384Digest},

	{0xc09c, ccm, 16, 16, sha256Digest},
	{0xc09d, ccm, 32, 16, sha256Digest},
	{0xc09e, ccm, 16, 16, sha256Digest},
	{0xc09f, ccm, 32, 16, sha256Digest},
	{0xc0a0, ccm, 16, 8, sha256Digest},
	{0xc0a1, ccm, 32, 8, sha256Digest},
	{0xc0a2, ccm, 16, 8, sha256Digest},
	{0xc0a3, ccm, 32, 8, sha256Digest},
	{0xc0a4, ccm, 16, 16, sha256Digest},
	{0xc0a5, ccm, 32, 16, sha256Digest},
	{0xc0a6, ccm, 16, 16, sha256Digest},
	{0xc0a7, ccm, 32, 16, sha256Digest},
	{0xc0a8, ccm, 16, 8, sha256Digest},
	{0xc0a9, ccm, 32, 8, sha256Digest},
	{0xc0aa, ccm, 16, 8, sha256Digest},
	{0xc0ab, ccm, 32, 8, sha256Digest},
	{0xc0ac, ccm, 16, 16, sha256Digest},
	{0xc0ad, ccm, 32, 16, sha256Digest},
	{0xc0ae, ccm, 16, 8, sha256Digest},
	{0xc0af, ccm, 32, 8, sha256Digest},
}

// SuiteOf is the suite with the given number that a connection of the given version may use; false
// if its records cannot be opened.
func SuiteOf(version, id uint16) (*Suite, bool) {
	if version < TLS10 || version > TLS13 {
		return nil, false
	}
	for i := range suites {
		s := &suites[i]
		if s.ID == id && s.modern() == (version == TLS13) && (s.mode == cbc || version >= TLS12) {
			return s, true
		}
	}
	return nil, false
}

// SuitesFor are the suites of TLS 1.3 whose secrets have n octets, the likeliest first: what 0-RTT
// data is protected with is not said on its connection.
func SuitesFor(n int) []*Suite {
	var out []*Suite
	for i := range suites {
		if s := &suites[i]; s.modern() && s.digest.size() == n {
			out = append(out, s)
		}
	}
	return out
}

// modern reports whether the suite is one of TLS 1.3 (RFC 8446 §B.4).
func (s *Suite) modern() bool { return s.ID>>8 == 0x13 }

// SecretSize is how many octets a traffic secret of TLS 1.3 has.
func (s *Suite) SecretSize() int { return s.digest.size() }
