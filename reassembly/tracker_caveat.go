package reassembly

// The codes of Conn.Caveats: what the capture lacks of a connection, or what is odd about it.
const (
	CaveatMidStream  = "mid-stream"         // its start is not in the capture: MSS, window scale and handshake are unknown
	CaveatContinued  = "continued"          // it was idle for so long that its state had been dropped
	CaveatMissing    = "missing-octets"     // the peer acknowledged octets that the capture lacks
	CaveatGivenUp    = "reordering-cap"     // too many holes at once: the oldest were counted as missing
	CaveatBuffer     = "buffer-cap"         // too much data waited behind a hole: its content was dropped
	CaveatSnapped    = "snapped"            // the capture cut frames: content is missing
	CaveatOneSided   = "one-sided"          // only one direction was captured
	CaveatConflict   = "conflicting-octets" // two copies of the same range differ; the first was believed
	CaveatWild       = "wild-sequence"      // segments with numbers far outside any window were ignored
	CaveatHistory    = "history-cap"        // the oldest records of a long exchange were released before it ended
	CaveatCrossed    = "late-direction"     // octets are in the capture after their acknowledgment: one direction's times are late
	CaveatBadOptions = "bad-options"        // a TCP option list was malformed
)

// caveat adds a code once. There are few codes, so that the list needs no other bound.
func (c *Conn) caveat(code string) {
	for _, have := range c.Caveats {
		if have == code {
			return
		}
	}
	c.Caveats = append(c.Caveats, code)
}
