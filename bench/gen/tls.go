package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"
)

// sealedOctets is how much content a record of a response has: it fills a segment.
const sealedOctets = segment - recordHead - 1 - tagSize

const (
	recordHead = 5
	tagSize    = 16
	// content types of TLS 1.3 (RFC 8446 section 5.1)
	alertType     = 21
	handshakeType = 22
	contentType   = 23
)

// sealer protects the records of one direction with AES-128-GCM (RFC 8446 section 5.2).
type sealer struct {
	aead   cipher.AEAD
	iv     []byte
	number uint64
}

// newSealer makes one of a traffic secret (RFC 8446 section 7.3).
func newSealer(secret []byte) (*sealer, error) {
	key, err := expandLabel(secret, "key", 16)
	if err != nil {
		return nil, err
	}
	iv, err := expandLabel(secret, "iv", 12)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	return &sealer{aead: aead, iv: iv}, err
}

// expandLabel is HKDF-Expand-Label without a context (RFC 8446 section 7.1).
func expandLabel(secret []byte, label string, n int) ([]byte, error) {
	info := binary.BigEndian.AppendUint16(nil, uint16(n))
	info = append(append(info, byte(len("tls13 ")+len(label))), "tls13 "+label...)
	return hkdf.Expand(sha256.New, secret, string(append(info, 0)), n)
}

// record is a protected record with the content.
func (s *sealer) record(kind byte, content []byte) []byte {
	head := []byte{contentType, 3, 3}
	head = binary.BigEndian.AppendUint16(head, uint16(len(content)+1+tagSize))
	nonce := append([]byte(nil), s.iv...)
	for i := range 8 {
		nonce[len(nonce)-1-i] ^= byte(s.number >> (8 * i))
	}
	s.number++
	plain := append(append([]byte(nil), content...), kind)
	return s.aead.Seal(append([]byte(nil), head...), nonce, plain, head)
}

// secure is a connection with TLS 1.3 that carries large responses one after the other, a record in
// each segment. Its secrets are in the key log of the generator.
type secure struct {
	*ends
	size, left int64
	state      int
	unacked    int
	random     [32]byte
	secret     [2][2][]byte // of the handshake and behind it, of the client and the server
	seal       [2]*sealer   // of the client, of the server
	name, alpn string       // what is asked for in the hello; "": nothing
}

func newSecure(g *generator, i int, size int64) *secure {
	s := &secure{ends: newEnds(g, i, 4096), size: size}
	s.makeSecrets(g)
	return s
}

// makeSecrets makes the secrets of a connection, and writes them down.
func (s *secure) makeSecrets(g *generator) {
	fill(g, s.random[:])
	labels := [2][2]string{
		{"CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET"},
		{"CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"},
	}
	for stage := range labels {
		for side, label := range labels[stage] {
			secret := make([]byte, sha256.Size)
			fill(g, secret)
			s.secret[stage][side] = secret
			g.keys = fmt.Appendf(g.keys, "%s %x %x\n", label, s.random, secret)
		}
	}
}

// fill makes octets of the generator's seed.
func fill(g *generator, out []byte) {
	for i := range out {
		out[i] = byte(g.random.Uint32())
	}
}

// enter has both sides use the secrets of a stage.
func (s *secure) enter(stage int) (err error) {
	for side := range s.seal {
		if s.seal[side], err = newSealer(s.secret[stage][side]); err != nil {
			return err
		}
	}
	return nil
}

// step writes the next frame.
func (s *secure) step(at time.Duration) (time.Duration, bool, error) {
	s.state++
	switch s.state {
	case 1:
		return roundTrip, false, s.send(at, true, flagSYN, nil)
	case 2:
		return 10 * time.Microsecond, false, s.send(at, false, flagSYN|flagACK, nil)
	case 3:
		return 10 * time.Microsecond, false, s.send(at, true, flagACK, nil)
	case 4:
		return roundTrip, false, s.send(at, true, flagACK|flagPSH, s.hello(true))
	case 5:
		if err := s.enter(0); err != nil {
			return 0, false, err
		}
		flight := append([]byte{8, 0, 0, 2, 0, 0}, finished()...) // EncryptedExtensions
		return 10 * time.Microsecond, false, s.send(at, false, flagACK|flagPSH,
			append(s.hello(false), s.seal[1].record(handshakeType, flight)...))
	case 6:
		last := s.seal[0].record(handshakeType, finished())
		if err := s.enter(1); err != nil {
			return 0, false, err
		}
		return 10 * time.Microsecond, false, s.send(at, true, flagACK|flagPSH, last)
	case 7:
		s.g.truth.Exchanges++
		s.left = s.size
		return roundTrip, false, s.send(at, true, flagACK|flagPSH, s.seal[0].record(contentType,
			[]byte("GET /bulk HTTP/1.1\r\nHost: bulk.example\r\n\r\n")))
	case 8:
		return gap, false, s.send(at, false, flagACK|flagPSH, s.seal[1].record(contentType,
			fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", s.size)))
	}
	return s.transfer(at)
}

// finished is a Finished, as long as one with SHA-256.
func finished() []byte { return append([]byte{20, 0, 0, 32}, make([]byte, 32)...) }

// transfer writes the next frame of a response.
func (s *secure) transfer(at time.Duration) (time.Duration, bool, error) {
	if s.unacked == 2 || s.left == 0 {
		s.unacked = 0
		if s.left == 0 {
			s.state = 6
		}
		return gap, false, s.send(at, true, flagACK, nil)
	}
	n := min(s.left, sealedOctets)
	s.left -= n
	s.unacked++
	if s.left == 0 {
		s.g.truth.Complete++
	}
	return gap, false, s.send(at, false, flagACK, s.seal[1].record(contentType, s.g.body[:n]))
}

// asked are the extensions that name the host and the protocol (RFC 6066 section 3, RFC 7301).
func (s *secure) asked() (exts []byte) {
	if s.name != "" {
		n := byte(len(s.name))
		exts = append(exts, 0, 0, 0, n+5, 0, n+3, 0, 0, n)
		exts = append(exts, s.name...)
	}
	if s.alpn != "" {
		n := byte(len(s.alpn))
		exts = append(exts, 0, 16, 0, n+3, 0, n+1, n)
		exts = append(exts, s.alpn...)
	}
	return exts
}

// hello is a record with the hello of a side (RFC 8446 section 4.1).
func (s *secure) hello(client bool) []byte {
	const suite, versions = 0x1301, 43
	body := append([]byte{3, 3}, s.random[:]...)
	exts := []byte{0, versions, 0, 3, 2, 3, 4}
	kind := byte(1)
	if client {
		body = append(body, 0, 0, 2, suite>>8, suite&0xff, 1, 0)
		exts = append(exts, s.asked()...)
	} else {
		kind, exts = 2, []byte{0, versions, 0, 2, 3, 4}
		body = append(body, 0, suite>>8, suite&0xff, 0)
	}
	body = append(binary.BigEndian.AppendUint16(body, uint16(len(exts))), exts...)
	message := append([]byte{kind, 0, byte(len(body) >> 8), byte(len(body))}, body...)
	return append(
		[]byte{handshakeType, 3, 1, byte(len(message) >> 8), byte(len(message))},
		message...)
}
