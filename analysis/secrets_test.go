package analysis

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"tcpwhy/capture"
)

// keyedFile writes a pcapng file of TLS connections, with key logs between their frames.
type keyedFile struct {
	octets []byte
	ticks  uint32
}

func newKeyedFile() *keyedFile {
	f := &keyedFile{}
	le := binary.LittleEndian
	section := le.AppendUint32(le.AppendUint32(nil, 0x1a2b3c4d), 1)
	f.block(0x0a0d0d0a, le.AppendUint64(section, ^uint64(0)))
	f.block(1, []byte{101, 0, 0, 0, 0, 0, 0, 0}) // IP without a link layer
	return f
}

func (f *keyedFile) block(kind uint32, body []byte) {
	le := binary.LittleEndian
	size := uint32(12 + (len(body)+3)&^3)
	f.octets = append(le.AppendUint32(le.AppendUint32(f.octets, kind), size), body...)
	f.octets = le.AppendUint32(append(f.octets, make([]byte, -len(body)&3)...), size)
}

// log is a decryption secrets block with a secret of the connection.
func (f *keyedFile) log(conn int) {
	line := fmt.Sprintf("CLIENT_RANDOM %x %096x\n", connRandom(conn), 1)
	head := binary.LittleEndian.AppendUint32([]byte("KSLT"), uint32(len(line)))
	f.block(10, append(head, line...))
}

// frame is a segment of the connection. Sequence numbers are 0 for a SYN, else 1.
func (f *keyedFile) frame(conn int, fromServer bool, flags capture.TCPFlags, data string) {
	seq, ack := uint32(1), uint32(1)
	if flags.Has(capture.SYN) {
		seq = 0
	}
	be, le := binary.BigEndian, binary.LittleEndian
	ip := be.AppendUint16([]byte{0x45, 0}, uint16(40+len(data)))
	ip = append(ip, 0, 0, 0x40, 0, 64, 6, 0, 0)
	ends := []byte{10, 0, 0, 1, 10, 0, 0, 2}
	ports := []uint16{uint16(40000 + conn), 443}
	if fromServer {
		ends, ports[0], ports[1] = append(ends[4:8:8], ends[:4]...), ports[1], ports[0]
	}
	ip = be.AppendUint16(be.AppendUint16(append(ip, ends...), ports[0]), ports[1])
	ip = be.AppendUint32(be.AppendUint32(ip, seq), ack)
	ip = append(append(ip, 0x50, byte(flags), 0xff, 0xff, 0, 0, 0, 0), data...)
	f.ticks += 100
	head := le.AppendUint32(le.AppendUint32(le.AppendUint32(nil, 0), 0), f.ticks)
	head = le.AppendUint32(le.AppendUint32(head, uint32(len(ip))), uint32(len(ip)))
	f.block(6, append(head, ip...))
}

func connRandom(conn int) []byte { return bytes.Repeat([]byte{byte(conn)}, 32) }

// TestSecretsReachTheReader has connections whose key logs stand in the file before their first
// encrypted record, or behind it. Who reads them knows the log or does not, however many workers
// there are.
func TestSecretsReachTheReader(t *testing.T) {
	const conns = 60
	f := newKeyedFile()
	for conn := range conns {
		f.frame(conn, false, capture.SYN, "")
		f.frame(conn, true, capture.SYN|capture.ACK, "")
		f.frame(conn, false, capture.ACK, "\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x03"+
			string(connRandom(conn))+"\x00\x00\x02\x13\x01\x01\x00")
	}
	for conn := range conns {
		if conn%2 == 0 {
			f.log(conn)
		}
		f.frame(conn, true, capture.ACK, "\x17\x03\x03\x00\x04data")
		f.log(conn)
	}
	for _, workers := range []int{1, 2, 3, 8} {
		config := capture.Config{Inputs: []string{"-"}, Stdin: bytes.NewReader(f.octets)}
		src, err := capture.Open(config)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Run(t.Context(), src, WithWorkers(workers),
			WithLimits(Limits{Occurrences: NoLimit}))
		if err != nil || len(r.Conns) != conns {
			t.Fatalf("%d connections, error %v", len(r.Conns), err)
		}
		for _, c := range r.Conns {
			conn := int(c.Client.Port()) - 40000
			if c.TLS == nil || c.TLS.HasSecret != (conn%2 == 0) {
				t.Errorf("%d workers: connection %d: %+v", workers, conn, c.TLS)
			}
		}
	}
}
