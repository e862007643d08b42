package tlsrecord

import "tcpwhy/reassembly/internal/tlscrypt"

// maxSpareBuffers caps how many buffers are kept for other records.
const maxSpareBuffers = 64

// buffers have room for a record each. They are used again.
type buffers struct{ spare [][]byte }

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

// give takes a buffer back.
func (b *buffers) give(buffer []byte) {
	if len(b.spare) < maxSpareBuffers {
		b.spare = append(b.spare, buffer)
	}
}
