package quic

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"testing"
	"time"

	"crypto/aes"
	"crypto/hkdf"

	"tcpwhy/capture"
)

// id is the connection ID of the examples of RFC 9001 appendix A and RFC 9369 appendix A.
var id = []byte("\x83\x94\xc8\xf0\x3e\x51\x57\x08")

// TestKeys compares what keys are made of with the examples of both RFCs.
func TestKeys(t *testing.T) {
	for _, tt := range []struct {
		version     uint32
		key, iv, hp string
	}{
		{
			Version1, "1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c",
			"9f50449e04a0e810283a1e9933adedd2",
		},
		{
			Version2, "8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f",
			"45b95e15235d6f45a6b19cbcb0294ba9",
		},
	} {
		salt, label := saltOf(tt.version)
		secret, err := hkdf.Extract(sha256.New, id, salt)
		if err != nil {
			t.Fatal(err)
		}
		client := expand(secret, "client in", sha256.Size)
		for _, part := range []struct {
			name, want string
			size       int
		}{{"key", tt.key, 16}, {"iv", tt.iv, 12}, {"hp", tt.hp, 16}} {
			got := hex.EncodeToString(expand(client, label+" "+part.name, part.size))
			if got != part.want {
				t.Errorf("version %x: %s is %s, want %s", tt.version, part.name, got, part.want)
			}
		}
	}
}

// protected is an Initial packet of a client with those frames.
func protected(version uint32, dcid []byte, number byte, frames []byte) []byte {
	k := clientKeys(version, dcid)
	first := byte(0xc0)
	if version == Version2 {
		first = 0xd0
	}
	head := binary.BigEndian.AppendUint32([]byte{first}, version)
	head = append(append(head, byte(len(dcid))), dcid...)
	head = append(head, 0, 0) // no ID of its own, no token
	size := 1 + len(frames) + k.aead.Overhead()
	head = binary.BigEndian.AppendUint16(head, 0x4000|uint16(size))
	head = append(head, number)
	nonce := bytes.Clone(k.iv)
	nonce[len(nonce)-1] ^= number
	out := k.aead.Seal(bytes.Clone(head), nonce, frames, head)
	var mask [aes.BlockSize]byte
	at := len(head) - 1
	k.header.Encrypt(mask[:], out[at+4:at+20])
	out[0] ^= mask[0] & 0x0f
	out[at] ^= mask[1]
	return out
}

// crypto is a CRYPTO frame.
func crypto(from int, data []byte) []byte {
	f := binary.BigEndian.AppendUint16([]byte{6}, 0x4000|uint16(from))
	f = binary.BigEndian.AppendUint16(f, 0x4000|uint16(len(data)))
	return append(f, data...)
}

// clientHello asks for a name, and offers h3.
func clientHello(name string) []byte {
	list := append([]byte{0}, byte(len(name)>>8), byte(len(name)))
	list = append(list, name...)
	sni := binary.BigEndian.AppendUint16([]byte{0, 0}, uint16(len(list)+2))
	sni = append(binary.BigEndian.AppendUint16(sni, uint16(len(list))), list...)
	exts := append(sni, 0, 16, 0, 5, 0, 3, 2, 'h', '3')
	body := append([]byte{3, 3}, make([]byte, 32)...)
	body = append(body, 0, 0, 2, 0x13, 1, 1, 0)
	body = append(binary.BigEndian.AppendUint16(body, uint16(len(exts))), exts...)
	return append([]byte{1, 0, byte(len(body) >> 8), byte(len(body))}, body...)
}

// conversation feeds a Follower.
type conversation struct {
	Follower
	at time.Duration
	n  capture.FrameID
}

var (
	client = netip.MustParseAddrPort("10.0.0.1:50000")
	server = netip.MustParseAddrPort("10.0.0.2:443")
)

func (c *conversation) says(up bool, datagram []byte) {
	c.at += 10 * time.Millisecond
	c.n++
	seg := capture.Segment{Kind: capture.Datagram, Src: client, Dst: server,
		Len: uint32(len(datagram)), Payload: datagram}
	seg.Mark = capture.Mark{Time: c.at, Frame: c.n}
	if !up {
		seg.Src, seg.Dst = server, client
	}
	c.Datagram(&seg)
}

// connects is what a SYN of the client would find.
func (c *conversation) connects() *Attempt {
	c.n++
	return c.Connects(client.Addr(), server, capture.Mark{Time: c.at, Frame: c.n})
}

// TestHello has a hello come in pieces, out of order, over packets and datagrams, with padding.
func TestHello(t *testing.T) {
	for _, version := range []uint32{Version1, Version2} {
		h := clientHello("www.example.org")
		padding := make([]byte, 40)
		var c conversation
		c.says(true, protected(version, id, 0, append(crypto(30, h[30:40]), padding...)))
		two := protected(version, id, 1, append(append(padding, 1), crypto(40, h[40:])...))
		two = append(two, protected(version, id, 2, append(crypto(0, h[:30]), padding...))...)
		c.says(true, two)
		a := c.connects()
		if a == nil || a.Name != "www.example.org" || a.ALPN != "h3" || a.Tries != 2 {
			t.Errorf("version %x: %+v", version, a)
		}
	}
}

// TestAnswers has servers answer in each way that there is, and another that does not.
func TestAnswers(t *testing.T) {
	long := func(first byte, version uint32) []byte {
		p := binary.BigEndian.AppendUint32([]byte{first}, version)
		return append(append(p, 0, byte(len(id))), append(id, make([]byte, 30)...)...)
	}
	first := protected(Version1, id, 0, append(crypto(0, clientHello("a.b")), make([]byte, 30)...))
	for _, tt := range []struct {
		name           string
		answer         []byte
		answered, done uint64
	}{
		{"nothing", nil, 0, 0},
		{"retry", long(0xf0, Version1), 1, 0},
		{"versions", long(0x80, 0), 1, 0},
		{"handshake", append(long(0xe0, Version1)[:15], 0x40, 4, 1, 2, 3, 4), 1, 1},
		{"short", append([]byte{0x40}, id...), 1, 1},
	} {
		var c conversation
		c.says(true, first)
		if tt.answer != nil {
			c.says(false, tt.answer)
		}
		got := c.Tally()
		if got.Connections != 1 || got.Answered != tt.answered || got.Done != tt.done {
			t.Errorf("%s: %+v", tt.name, got)
		}
		if a := c.connects(); (a == nil) != (tt.answered == 1) {
			t.Errorf("%s: the connection of TCP comes after %+v", tt.name, a)
		}
	}
}

// TestRetry has the client say its hello again, to the ID that a Retry gave it.
func TestRetry(t *testing.T) {
	var c conversation
	h := clientHello("www.example.org")
	c.says(true, protected(Version1, id, 0, append(crypto(0, h[:20]), make([]byte, 30)...)))
	c.says(true, protected(Version1, []byte("other ID"), 1, append(crypto(20, h[20:]),
		make([]byte, 30)...)))
	if a := c.connects(); a == nil || a.Name != "www.example.org" {
		t.Errorf("behind a Retry: %+v", a)
	}
}

// TestBounds has more hosts try than are followed.
func TestBounds(t *testing.T) {
	var f Follower
	p := protected(Version1, id, 0, append(crypto(0, clientHello("a.b")), make([]byte, 30)...))
	for n := range 2 * maxFlows {
		seg := capture.Segment{Kind: capture.Datagram, Payload: p, Len: uint32(len(p)), Dst: server}
		seg.Src = netip.AddrPortFrom(client.Addr(), uint16(n))
		seg.Mark = capture.Mark{Time: time.Duration(n) * time.Microsecond, Frame: 1}
		f.Datagram(&seg)
	}
	if len(f.flows) > maxFlows || len(f.tried) > 1 {
		t.Errorf("%d flows of %d clients are remembered", len(f.flows), len(f.tried))
	}
}

// FuzzDatagram has any octets follow a client's first packet, from both sides.
func FuzzDatagram(f *testing.F) {
	h := clientHello("www.example.org")
	f.Add(protected(Version1, id, 0, crypto(0, h)))
	f.Add(protected(Version2, id, 0, crypto(0, h)))
	f.Add(crypto(7, h))
	f.Add([]byte{0xf0, 0, 0, 0, 1, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		var c conversation
		c.says(true, data)
		c.says(true, protected(Version1, id, 0, append(crypto(0, h[:9]), make([]byte, 30)...)))
		c.says(true, data)
		c.says(false, data)
		var asked hello
		asked.frames(data)
		if len(asked.octets) > maxHello || len(asked.have) > maxSpans {
			t.Errorf("%d octets in %d stretches are kept", len(asked.octets), len(asked.have))
		}
		c.connects()
	})
}
