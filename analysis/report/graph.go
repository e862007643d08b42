package report

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// GraphOf names a connection whose segments are to be shown.
type GraphOf struct {
	Connection int               // ConnInfo.ID
	Most       int               // segments, about; what is beyond is thinned out
	Keep       []capture.FrameID // these are shown whatever else is not
}

// Graph is one connection to be looked at: its time, its segments, its round trips. Where there is
// too much of it, it is coarse; what is rare, such as a retransmission, goes last.
type Graph struct {
	Of       GraphOf
	Pieces   []Piece  // the ledger of the connection, in order
	Strokes  []Stroke // in the order of time
	Trips    []Trip   // likewise
	LeftOut  int      // segments of which no stroke tells
	Coarsely bool     // some strokes are several segments
}

// Stroke is a segment, or several of one direction that follow each other in octets, so near in
// time that they look like one. It has the moment, frame and first octet of the first, the
// acknowledgment and window of the last, and the length of all.
type Stroke struct {
	reassembly.Record
	Segments int
}

// Trip is how long the peer took to acknowledge a segment, as the capture point saw it.
type Trip struct {
	At   time.Duration // of the acknowledgment
	Took time.Duration
	By   reassembly.Dir // who acknowledged
}
