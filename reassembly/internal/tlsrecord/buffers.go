package tlsrecord

import "tcpwhy/reassembly/internal/tlscrypt"

// maxSpareBuffers caps how many buffers are kept for other records.
const maxSpareBuffers = 64

// buffers have room for a record each. They are used again.
type buffers struct {
	spare   [][]byte
	records []*record
	awaited int // octets of records whose secrets may come late
}

// take is a buffer without octets.
func (b *buffers) take() []byte {
	n := len(b.spare)
	if n == 0 {
		return make([]byte, 0, tlscrypt.MaxFragment)
	}
	buffer := b.spare[n-1]
	b.spare = b.spare[:n-1]
	return buffer[:0]
}

// record is an empty one.
func (b *buffers) record() *record {
	n := len(b.records)
	if n == 0 {
		return &record{}
	}
	r := b.records[n-1]
	b.records = b.records[:n-1]
	return r
}

// done takes a record back.
func (b *buffers) done(r *record) {
	*r = record{}
	b.records = append(b.records, r)
}

// give takes a buffer back.
func (b *buffers) give(buffer []byte) {
	if len(b.spare) < maxSpareBuffers {
		b.spare = append(b.spare, buffer)
	}
}
