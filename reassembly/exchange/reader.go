package exchange

import "tcpwhy/capture"

// Reader reads what the two octet streams of one connection say, and makes exchanges of it. It is
// made when the first octet arrives, so that a connection without data costs little.
//
// It is called in the order of the capture. Within one direction the offsets of Data, Skipped and
// Gap follow each other without holes or overlap, from 0 on. Who calls keeps the Arrivals: a Reader
// that needs one later copies it.
type Reader interface {
	// Data is called with octets of dir's stream, in order, once each. off is the offset of
	// data[0]. data is valid during the call only, and never empty.
	Data(dir Dir, off int64, data []byte, a *Arrival)
	// Skipped is Data whose content was not kept, because it came out of order and Skip had said
	// that it is not needed.
	Skipped(dir Dir, off, n int64, a *Arrival)
	// Gap says that the n octets at off will never be seen: the capture lacks them or cut them off.
	// n > 0. They take part in the order of events at the moment of a: that is when they count as
	// arrived.
	Gap(dir Dir, off, n int64, a *Arrival)
	// Fin is called once, when all of dir's stream before its FIN has been delivered.
	Fin(dir Dir, at capture.Mark)
	// Rst is called for each RST that ends the connection, at once: data before it may still be
	// missing, and may follow.
	Rst(dir Dir, at capture.Mark)
	// Skip is how many octets of dir's stream from its current position on need no content: the
	// rest of a body of known length. 0: the very next octet is needed; math.MaxInt64: none will
	// ever be.
	Skip(dir Dir) int64
	// End is called last, once: it finishes all exchanges. Afterwards the Reader may be used for
	// another connection. ended says that the connection is over only because the capture is.
	End(at capture.Mark, ended bool)
}

// Arrival is how octets came.
type Arrival struct {
	Seen capture.Mark // the segment that carried them
	// the segment that made them arrive in order: Seen, unless they came out of order
	At capture.Mark
	// the moment at which the first of them could be read, and the frame of that moment: the later
	// of the two
	Start capture.Mark
	// absolute number of the segment's Record in the history of the connection
	Record int
	// what the sender had acknowledged of the other stream when it sent them
	Heard Heard
	// Unit is set where a Reader hands on what it made of the octets of the connection, such as the
	// plaintext of an encrypted record: where that unit stands in the stream.
	Unit Range
}

// Heard is what a sender had acknowledged of the other stream when it sent something.
type Heard struct {
	To     int64 // how far; 0: not known, or nothing
	Unseen bool  // some of it had not been captured by then
}

// Range is a stretch of a stream: the offsets of its first octet, and of the one after its last.
type Range struct{ From, To int64 }

// Arrived is the arrival of what seen carried and at made arrive in order.
func Arrived(seen, at capture.Mark, record int) Arrival {
	a := Arrival{Seen: seen, At: at, Start: seen, Record: record}
	if at.Time > seen.Time {
		a.Start = at
	}
	return a
}

// From is the place in the connection's stream of the octet at off, or of the unit that it came in.
// Messages have places in the stream of the connection, whatever they were wrapped in, so that they
// can be compared with segments.
func (a *Arrival) From(off int64) int64 {
	if a.Unit.To > 0 {
		return a.Unit.From
	}
	return off
}

// To is the same of the octet before off: where it ends.
func (a *Arrival) To(off int64) int64 {
	if a.Unit.To > 0 {
		return a.Unit.To
	}
	return off
}

// Verdict is what the beginning of a stream tells of a protocol.
type Verdict uint8

const (
	Foreign Verdict = iota // it is another
	Unsure                 // more octets are needed
	Certain                // it is this one
)

// Recogniser knows one protocol by what is said, as a port proves nothing, and makes its Readers.
// It serves the connections of one Tracker, so that they may use each other's memory.
type Recogniser interface {
	// Protocol is what it recognises.
	Protocol() Protocol
	// Opening judges the beginning of dir's stream, of which there is at least one octet.
	Opening(dir Dir, data []byte) Verdict
	// Resumes reports whether data, which begins a segment in the middle of dir's stream, shows the
	// protocol though nothing before it did: the capture lacks the beginning, or only the answer
	// tells.
	Resumes(dir Dir, data []byte) bool
	// Reader reads a connection from its first octets on, or goes on where from ends.
	Reader(c *Context, from *Takeover) Reader
}

// Takeover is what the Reader so far leaves to the one that goes on.
type Takeover struct {
	Closing
	// Over says that a RST has ended the connection.
	Over bool
	// Turn is the turn that goes on; nil if there is none. It belongs to the new Reader, which also
	// ends it.
	Turn *Parts
	// Asked is a request that was read in whole, and that the new Reader's protocol answers, or by
	// which it was asked for; nil if there is none.
	Asked *Parts
	// Settings are the client's, if Asked asks for HTTP/2: what a frame of them would hold (RFC
	// 7540 §3.2.1).
	Settings []byte
	// Speaker is whose octets come next.
	Speaker Dir
	// Unseen says that the capture lacks octets before them. Otherwise those octets were none of
	// the protocol.
	Unseen bool
}
