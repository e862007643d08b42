package reassembly

// The codes of Conn.Caveats: what the capture lacks of a connection, or what is odd about it.
const (
	// its start is not in the capture: MSS, window scale and handshake are unknown
	CaveatMidStream = "mid-stream"
	// it was idle for so long that its state had been dropped
	CaveatContinued = "continued"
	// it was set up, as its SYN and what follows show, but the SYN-ACK is missing
	CaveatSetup = "missing-syn-ack"
	// one side acknowledges only with data, though it got so much that it must have done so at once
	CaveatAcks    = "missing-acks"
	CaveatMissing = "missing-octets" // the peer acknowledged octets that the capture lacks
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

// acksOwed is how many full segments one side must have got before it sent anything to have
// acknowledged some of them at once, whatever it delays: it does so for every second one (RFC 9293
// §3.8.6.3, RFC 5681 §4.2), and one is room.
const acksOwed = 3

// debt is what a side got since it sent anything, in octets, and whether that was once so much that
// acknowledgments of it must be missing, if it shows none at all.
type debt struct {
	owed  int64
	owing bool
}

// owe follows what each side got and has not answered.
func (k *track) owe(e *segment) {
	own, peer := &k.side[e.dir].debt, &k.side[e.dir.Peer()].debt
	if eff := k.c.Half[e.dir.Peer()].Eff; eff > 0 && own.owed >= acksOwed*int64(eff) {
		own.owing = true
	}
	own.owed = 0
	if e.end > k.c.Half[e.dir].Max {
		peer.owed += int64(e.seg.Len)
	}
}

// noticeMissing adds what a connection, now that it is over, shows to be missing of it, though no
// octet is.
func (k *track) noticeMissing() {
	c := k.c
	if min(c.Half[0].Segments, c.Half[1].Segments) == 0 || c.State == Connecting ||
		c.State == Refused {
		return
	}
	if len(c.SYNs) > 0 && len(c.SYNACKs) == 0 && !c.MidStream {
		c.Caveats.Add(CaveatSetup)
	}
	for dir := range c.Half {
		if c.Half[dir].Bare == 0 && k.side[dir].debt.owing {
			c.Caveats.Add(CaveatAcks)
		}
	}
}
