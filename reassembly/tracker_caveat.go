package reassembly

// The codes of Conn.Caveats: what the capture lacks of a connection, or what is odd about it.
const (
	// its start is not in the capture: MSS, window scale and handshake are unknown
	CaveatMidStream = "mid-stream"
	// it was idle for so long that its state had been dropped
	CaveatContinued = "continued"
	CaveatMissing   = "missing-octets" // the peer acknowledged octets that the capture lacks
	// too many holes at once: the oldest were counted as missing
	CaveatGivenUp = "reordering-cap"
	// too much data waited behind a hole: its content was dropped
	CaveatBuffer   = "buffer-cap"
	CaveatSnapped  = "snapped"   // the capture cut frames: content is missing
	CaveatOneSided = "one-sided" // only one direction was captured
	// two copies of the same range differ; the first was believed
	CaveatConflict = "conflicting-octets"
	// segments with numbers far outside any window were ignored
	CaveatWild = "wild-sequence"
	// the oldest records of a long exchange were released before it ended
	CaveatHistory = "history-cap"
	// octets are in the capture after their acknowledgment: one direction's times are late
	CaveatCrossed    = "late-direction"
	CaveatBadOptions = "bad-options" // a TCP option list was malformed
)
