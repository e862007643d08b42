package report

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// TraceOf names what is to be traced.
type TraceOf struct {
	Connection int // ConnInfo.ID
	Exchange   int // ExchangeInfo.Index; -1: the whole connection
}

// Tile is one wait of a ledger. Tiles follow each other without a gap.
type Tile struct {
	Label    Label
	From, To time.Duration
	Before   capture.Mark // the progress event that the wait followed; no frame if there was none
	Cause    capture.Mark // what released the segment that ended it; no frame if that is not known
	End      capture.Mark // that segment; no frame if none ended it
	Waits    int          // short waits with the same label that follow each other are one tile
}

// Trace is one exchange or connection in full, up to a limit: its ledger and its segments.
type Trace struct {
	Of                      TraceOf
	Exchange                *ExchangeInfo // nil for a connection
	Conn                    *ConnInfo
	Tiles                   []Tile
	Segments                []TracedSegment
	MoreTiles, MoreSegments int // beyond the limit
}

// TracedSegment is a segment, and what released it.
type TracedSegment struct {
	reassembly.Record
	Cause capture.Mark // no frame if it waited for nothing that the capture shows
}
