//go:build linux

package own

import (
	"context"
	"time"

	"tcpwhy/lab/internal/peer"
)

// Writes is how a message is handed to the kernel; the zero value is one write.
type Writes struct {
	Split    bool          // header and body in two writes
	Gap      time.Duration // between the two
	Piece    int           // the body in writes of so many octets; 0 is one write
	PieceGap time.Duration // between them
}

// Reads is how the other side's body is read.
type Reads struct {
	SlowRead time.Duration // pause between reads
	ReadSize int           // octets read at once; 0 is 64 KiB
}

// readSize is the octets read at once.
func (r Reads) readSize() int {
	if r.ReadSize == 0 {
		return 64 << 10
	}
	return r.ReadSize
}

// eachPiece hands a body to write, piece by piece and gap by gap.
func (w Writes) eachPiece(ctx context.Context, body []byte, write func(piece []byte) error) error {
	size := w.Piece
	if size == 0 {
		size = len(body)
	}
	for len(body) > 0 {
		n := min(size, len(body))
		if err := write(body[:n]); err != nil {
			return err
		}
		if body = body[n:]; len(body) > 0 {
			peer.Pause(ctx, w.PieceGap)
		}
	}
	return nil
}
