package http2_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"golang.org/x/net/http2/hpack"

	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
	"tcpwhy/reassembly/internal/readertest"
)

// Types and flags of frames, once more: what is tested should not say what they are.
const (
	data, headers, priority, rst, settings, promise, ping, goAway, update, continuation = 0, 1, 2, 3, 4,
		5, 6, 7, 8, 9
	endStream, ack, endHeaders, padded, weighed = 1, 1, 4, 8, 0x20
)

const (
	client  = exchange.FromClient
	server  = exchange.FromServer
	preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
)

// frame is a frame as octets.
func frame(kind, flags byte, stream uint32, payload string) string {
	n := len(payload)
	h := []byte{byte(n >> 16), byte(n >> 8), byte(n), kind, flags}
	return string(binary.BigEndian.AppendUint32(h, stream)) + payload
}

// number is a number of four octets.
func number(n uint32) string { return string(binary.BigEndian.AppendUint32(nil, n)) }

// setting is one of SETTINGS.
func setting(id uint16, value uint32) string {
	return string(binary.BigEndian.AppendUint16(nil, id)) + number(value)
}

// talk is a conversation in HTTP/2: a client, a server, and who listens.
type talk struct {
	*readertest.Script
	encoders [2]*hpack.Encoder
	blocks   [2]bytes.Buffer
	chop     func(n int) int // into which pieces what is said is cut; nil: none
	log      []readertest.Write
}

func newTalk() *talk {
	k := &talk{Script: readertest.New()}
	for dir := range k.encoders {
		k.encoders[dir] = hpack.NewEncoder(&k.blocks[dir])
	}
	return k
}

// block is a header block of dir: names and values by turns.
func (k *talk) block(dir exchange.Dir, fields ...string) string {
	b := &k.blocks[dir]
	b.Reset()
	for i := 0; i < len(fields); i += 2 {
		if err := k.encoders[dir].WriteField(hpack.HeaderField{
			Name: fields[i], Value: fields[i+1]}); err != nil {
			panic(err)
		}
	}
	return b.String()
}

// say is one segment of dir.
func (k *talk) say(dir exchange.Dir, octets ...string) capture.Mark {
	at := k.Next()
	all := ""
	for _, o := range octets {
		all += o
	}
	k.log = append(k.log, readertest.Write{Dir: dir, Data: all})
	for all != "" {
		n := len(all)
		if k.chop != nil {
			n = min(max(k.chop(n), 1), n)
		}
		k.Octets(dir, all[:n], at)
		all = all[n:]
	}
	return at
}

// get is a request for a path, the whole of it.
func (k *talk) get(stream uint32, path string, more ...string) string {
	fields := append(
		[]string{":method", "GET", ":scheme", "http", ":authority", "h", ":path", path},
		more...)
	return frame(headers, endHeaders|endStream, stream, k.block(client, fields...))
}

// ok is a response without its body.
func (k *talk) ok(stream uint32, flags byte, more ...string) string {
	return frame(headers, endHeaders|flags, stream,
		k.block(server, append([]string{":status", "200"}, more...)...))
}

// begin is what both sides say first.
func (k *talk) begin() {
	k.say(client, preface, frame(settings, 0, 0, setting(4, 1<<20)))
	k.say(server, frame(settings, 0, 0, setting(3, 100)), frame(settings, ack, 0, ""))
}

// expect compares what was read with what Describe should write.
func (k *talk) expect(t *testing.T, want string) {
	t.Helper()
	if got := readertest.Describe(k.Script); got != want {
		t.Errorf("got\n%swant\n%s(caveats %v)", got, want, k.Caveats)
	}
}
