package reassembly

import "tcpwhy/capture"

// app reads what the two byte streams of one connection say, and makes exchanges of it. newApp
// makes one for each connection, when the first octet of data arrives, so that a connection without
// data costs little.
//
// The Tracker calls it in the order of the capture. The record of the segment that causes a call is
// the last of c.Records at that moment, so that its absolute number is c.Released+len(c.Records)-1.
// A connection's orientation never changes after the first call. Within one direction the offsets
// of Data, Skipped and Gap follow each other without holes or overlap, from 0 on.
type app interface {
	// Data is called with octets of dir's stream, in order, once each. off is the offset of
	// data[0]. seen is the segment that carried them, at the one that made them arrive in order
	// (the same unless they came out of order). data is valid during the call only, and never
	// empty.
	Data(dir Dir, off int64, data []byte, seen, at capture.Mark)
	// Skipped is Data whose content was not kept, because it came out of order and Skip had said
	// that it is not needed.
	Skipped(dir Dir, off, n int64, seen, at capture.Mark)
	// Gap says that the n octets at off will never be seen: the capture lacks them or cut them off.
	// n > 0. They take part in the order of events at the moment of at: that is when they count as
	// arrived.
	Gap(dir Dir, off, n int64, at capture.Mark)
	// Fin is called once, when all of dir's stream before its FIN has been delivered.
	Fin(dir Dir, at capture.Mark)
	// Rst is called for each RST that ends the connection, at once: data before it may still be
	// missing, and may follow.
	Rst(dir Dir, at capture.Mark)
	// Skip is how many octets of dir's stream from its current position on need no content: the
	// rest of a body of known length. 0: the very next octet is needed; math.MaxInt64: none will
	// ever be.
	Skip(dir Dir) int64
	// End is called last, once. ended says that the connection is over only because the capture is.
	End(at capture.Mark, ended bool)
}
