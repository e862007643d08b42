package tlscrypt

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/chacha20poly1305"
)

// octets are those of a text of hexadecimal numbers, with blanks as RFC 8448 prints them.
func octets(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Of the simple handshake of RFC 8448 §3: secrets, the keys that follow from them, and records.
const (
	traceServerHandshake = "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38"
	traceClientHandshake = "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21"
	traceClientTraffic   = "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5"
	traceServerTraffic   = "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643"
	traceFinished        = `17 03 03 00 35 75 ec 4d c2 38 cc e6 0b 29 80 44
		a7 1e 21 9c 56 cc 77 b0 51 7f e9 b9 3c 7a 4b fc 44 d8 7f 38 f8 03 38 ac 98 fc
		46 de b3 84 bd 1c ae ac ab 68 67 d7 26 c4 05 46`
	traceClientData = `17 03 03 00 43 a2 3f 70 54 b6 2c 94 d0 af fa fe 82 28 ba 55 cb ef ac ea
		42 f9 14 aa 66 bc ab 3f 2b 98 19 a8 a5 b4 6b 39 5b d5 4a 9a 20 44 1e 2b
		62 97 4e 1f 5a 62 92 a2 97 70 14 bd 1e 3d ea e6 3a ee bb 21 69 49 15 e4`
	traceServerData = `17 03 03 00 43 2e 93 7e 11 ef 4a c7 40 e5 38 ad
		36 00 5f c4 a4 69 32 fc 32 25 d0 5f 82 aa 1b 36 e3 0e fa f9 7d 90 e6 df fc 60
		2d cb 50 1a 59 a8 fc c4 9c 4b f2 e5 f0 a2 1c 00 47 c2 ab f3 32 54
		0d d0 32 e1 67 c2 95 5d`
)

// TestTraceOfRFC8448 follows the keys and opens the records of the trace. The server's data is its
// record number 1, behind a NewSessionTicket.
func TestTraceOfRFC8448(t *testing.T) {
	suite, ok := SuiteOf(TLS13, 0x1301)
	if !ok {
		t.Fatal("the suite of the trace is not known")
	}
	content := make([]byte, 50)
	for i := range content {
		content[i] = byte(i)
	}
	for _, tt := range []struct {
		secret, key, iv, record string
		number                  uint64
		kind                    ContentType
		starts                  []byte
	}{
		{traceServerHandshake, "3fce516009c21727d0f2e4e86ee403bc", "5d313eb2671276ee13000b30",
			"", 0, 0, nil},
		{traceClientHandshake, "dbfaa693d1762c5b666af5d950258d01", "5bd3c71b836e0b76bb73265f",
			traceFinished, 0, Handshake, []byte{20, 0, 0, 32}},
		{traceClientTraffic, "17422dda596ed5d9acd890e3c63f5051", "5b78923dee08579033e523d9",
			traceClientData, 0, ApplicationData, content},
		{traceServerTraffic, "9f02283b6c9c07efc26bb9f2ac92e356", "cf782b88dd83549aadf1e984",
			traceServerData, 1, ApplicationData, content},
	} {
		k := FromTraffic(suite, octets(t, tt.secret))
		if got := fmt.Sprintf("%x %x", k.key, k.iv); got != tt.key+" "+tt.iv {
			t.Errorf("keys %s, want %s %s", got, tt.key, tt.iv)
		}
		if tt.record == "" {
			continue
		}
		record := octets(t, tt.record)
		got, kind, ok := k.Open(nil, tt.number, record[:HeadSize], record[HeadSize:])
		if !ok || kind != tt.kind || !bytes.HasPrefix(got, tt.starts) {
			t.Errorf("record %s: %x, type %d, %v", tt.record, got, kind, ok)
		}
		if _, _, ok := k.Open(nil, tt.number+1, record[:HeadSize], record[HeadSize:]); ok {
			t.Errorf("record %s is opened under another number", tt.record)
		}
	}
}

// TestKeyUpdate compares with what Botan makes of the same secret, as RFC 8448 updates no key.
func TestKeyUpdate(t *testing.T) {
	suite, _ := SuiteOf(TLS13, 0x1301)
	k := FromTraffic(suite, octets(t, traceClientTraffic)).Next()
	want := "fcdfcc72725aaee48bf64e4fd8b749cdbdbab39d90da0b26e2245ca6ea167207"
	if got := hex.EncodeToString(k.secret); got != want {
		t.Errorf("the next secret is %s, want %s", got, want)
	}
}

// TestPRF has the vectors that the working group's list has for TLS 1.2 with SHA-256.
func TestPRF(t *testing.T) {
	suite, _ := SuiteOf(TLS12, 0xc02f)
	out := make([]byte, 100)
	seed := append([]byte("test label"), octets(t, "a0ba9f936cda311827a6f796ffd5198c")...)
	suite.prf(TLS12, out, octets(t, "9bbe436ba940f017b17652849a71db35"), seed)
	if got := hex.EncodeToString(out[:16]); got != "e3f229ba727be17b8d122620557cd453" {
		t.Errorf("it begins with %s", got)
	}
}

// TestEverySuite seals a record as each suite of each version does, and opens it again: whole, as
// far as it can be read without its tag, and not once an octet is another.
func TestEverySuite(t *testing.T) {
	for _, s := range suites {
		for version := uint16(TLS10); version <= TLS13; version++ {
			suite, ok := SuiteOf(version, s.ID)
			if !ok {
				continue
			}
			for _, etm := range []bool{false, true}[:1+min(1, int(suite.mode)/int(cbc))] {
				t.Run(fmt.Sprintf("%04x/%04x/%v", version, s.ID, etm), func(t *testing.T) {
					checkSuite(t, suite, version, etm)
				})
			}
		}
	}
}

func checkSuite(t *testing.T, s *Suite, version uint16, etm bool) {
	k := testKeys(s, version, etm)
	const number = 7
	content := bytes.Repeat([]byte("content!"), 40)
	head, fragment := seal(k, number, content)
	got, kind, ok := k.Open([]byte("before"), number, head, fragment)
	if !ok || kind != ApplicationData || string(got) != "before"+string(content) {
		t.Fatalf("%q, type %d, %v", got, kind, ok)
	}
	if !k.Plausible(number, fragment) {
		t.Error("the right number is not plausible")
	}
	for i := range fragment {
		fragment[i] ^= 1
		if got, _, ok := k.Open(nil, number, head, fragment); ok || len(got) > 0 {
			t.Errorf("octet %d changed: %q, %v", i, got, ok)
		}
		fragment[i] ^= 1
	}
	for n := range fragment {
		if _, _, ok := k.Open(nil, number, head, fragment[:n]); ok {
			t.Errorf("%d of %d octets are enough", n, len(fragment))
		}
	}
	for _, at := range []int{0, 1, k.explicit(), 63, 64, 65, 200, 319} {
		end := k.explicit() + len(content)
		got, ok := k.Uncover(nil, number, fragment, fragment[at:end], at)
		want := content[max(0, at-k.explicit()):]
		if ok != (s.mode != cbc) || ok && !bytes.Equal(got, want) {
			t.Errorf("from %d on: %q, %v", at, got, ok)
		}
	}
}

// testKeys are the server's keys of a made-up connection.
func testKeys(s *Suite, version uint16, etm bool) *Keys {
	if version == TLS13 {
		return FromTraffic(s, bytes.Repeat([]byte{1}, s.SecretSize()))
	}
	h := &Hellos{Version: version, EncryptThenMAC: etm}
	_, server := FromMaster(s, h, bytes.Repeat([]byte{2}, MasterSize))
	return server
}

// seal protects content as its sender does.
func seal(k *Keys, number uint64, content []byte) (head, fragment []byte) {
	head = []byte{byte(ApplicationData), 3, 3, 0, 0}
	finish := func(fragment []byte) ([]byte, []byte) {
		binary.BigEndian.PutUint16(head[3:], uint16(len(fragment)))
		return head, fragment
	}
	front := bytes.Repeat([]byte{5}, k.explicit())
	if k.suite.mode == cbc {
		return finish(sealCBC(k, number, head, front, content))
	}
	more := head
	if k.version == TLS13 {
		content = append(bytes.Clone(content), byte(ApplicationData), 0, 0)
		binary.BigEndian.PutUint16(head[3:], uint16(len(content)+k.suite.tag))
	} else {
		more = k.covered(number, head, len(content))
	}
	nonce := bytes.Clone(k.nonce(number, front))
	switch k.suite.mode {
	case gcm:
		return finish(must(cipher.NewGCM(k.block)).Seal(front, nonce, content, more))
	case chachaPoly:
		return finish(must(chacha20poly1305.New(k.key)).Seal(front, nonce, content, more))
	}
	c := newCCM(must(aes.NewCipher(k.key)), k.suite.tag)
	sealed := bytes.Clone(content)
	c.authenticate(nonce, sealed, more)
	c.crypt(sealed, nonce, 1)
	c.crypt(c.sum[:], nonce, 0)
	return finish(append(append(front, sealed...), c.sum[:c.tag]...))
}

// sealCBC pads by more than is needed, as is allowed.
func sealCBC(k *Keys, number uint64, head, front, content []byte) []byte {
	sum := func(data []byte) []byte {
		k.mac.Reset()
		k.mac.Write(k.covered(number, head, len(data)))
		k.mac.Write(data)
		return k.mac.Sum(nil)
	}
	plain := bytes.Clone(content)
	if !k.etm {
		plain = append(plain, sum(content)...)
	}
	pad := block - 1 - len(plain)%block + block
	plain = append(plain, bytes.Repeat([]byte{byte(pad)}, pad+1)...)
	iv := k.last[:]
	if len(front) > 0 {
		iv = front
	}
	cipher.NewCBCEncrypter(k.block, iv).CryptBlocks(plain, plain)
	out := append(front, plain...)
	if k.etm {
		out = append(out, sum(out)...)
	}
	return out
}

// TestWrongNumbers counts how many pass for plausible: one in sixty, so that searching is cheap.
func TestWrongNumbers(t *testing.T) {
	suite, _ := SuiteOf(TLS13, 0x1301)
	k := testKeys(suite, TLS13, false)
	_, fragment := seal(k, 1<<20, make([]byte, 1000))
	pass := 0
	const tries = 20_000
	for n := range uint64(tries) {
		if k.Plausible(n, fragment) {
			pass++
		}
	}
	if pass < tries/100 || pass > tries/40 {
		t.Errorf("%d of %d wrong numbers are plausible", pass, tries)
	}
}

// TestNoAllocation opens records of each kind of protection.
func TestNoAllocation(t *testing.T) {
	for _, id := range []uint16{0xc02f, 0xcca8, 0xc0ac} {
		suite, _ := SuiteOf(TLS12, id)
		k := testKeys(suite, TLS12, false)
		head, fragment := seal(k, 3, make([]byte, 5000))
		room := make([]byte, 0, MaxFragment)
		if n := testing.AllocsPerRun(20, func() { k.Open(room, 3, head, fragment) }); n > 0 {
			t.Errorf("%04x: %v allocations", id, n)
		}
	}
}

// FuzzOpen gives records of any octets to keys of any suite: nothing is accepted without a tag.
func FuzzOpen(f *testing.F) {
	f.Add(uint8(0), []byte("\x17\x03\x03\x00\x20 and thirty-two octets of nothing"))
	f.Fuzz(func(t *testing.T, which uint8, record []byte) {
		if len(record) < HeadSize {
			return
		}
		s := suites[int(which)%len(suites)]
		for version := uint16(TLS10); version <= TLS13; version++ {
			suite, ok := SuiteOf(version, s.ID)
			if !ok {
				continue
			}
			k := testKeys(suite, version, false)
			if out, _, ok := k.Open(nil, 0, record[:HeadSize], record[HeadSize:]); ok {
				t.Errorf("%04x: %x opens to %x", s.ID, record, out)
			}
			k.Uncover(nil, 0, record, record[HeadSize:], len(record))
			k.Plausible(0, record)
			k.Follow(record)
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	for _, id := range []uint16{0x1301, 0x1302, 0x1303} {
		for _, size := range []int{100, 1400, 16000} {
			suite, _ := SuiteOf(TLS13, id)
			k := testKeys(suite, TLS13, false)
			head, fragment := seal(k, 3, make([]byte, size))
			room := make([]byte, 0, MaxFragment)
			b.Run(fmt.Sprintf("%04x/%d", id, size), func(b *testing.B) {
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					k.Open(room, 3, head, fragment)
				}
			})
			// the cipher alone, on the same record: what is beyond it is ours
			nonce := bytes.Clone(k.nonce(3, fragment))
			b.Run(fmt.Sprintf("%04x/%d/cipher", id, size), func(b *testing.B) {
				b.SetBytes(int64(size))
				for b.Loop() {
					k.aead.Open(room, nonce, fragment, head)
				}
			})
		}
	}
}
