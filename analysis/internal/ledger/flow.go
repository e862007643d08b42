package ledger

import (
	"time"

	"tcpwhy/analysis/internal/ledger/sender"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// What the ledger gives of senders is in its own words, so that nobody above needs theirs.
type (
	// Round is what was sent within one round trip.
	Round = sender.Round
	// Idle is what an idle period before a message did.
	Idle = sender.Idle
	// ReceiveWindow is what the receive window was when it kept a sender back.
	ReceiveWindow = sender.ReceiveWindow
	// SegmentCounts are the segments of a message, in numbers.
	SegmentCounts = sender.SegmentCounts
	// Arrival is a segment as it came to the slowest place of its path.
	Arrival = sender.Arrival
	// Hold is one segment that Nagle's algorithm seems to have held.
	Hold = sender.Hold
	// NagleTally is what a connection showed of Nagle's algorithm in one direction.
	NagleTally = sender.NagleTally
	// IDRun is packets of one connection with consecutive IP identifications.
	IDRun = sender.IDRun
	// IDGap is IP identifications that are missing on one connection.
	IDGap = sender.IDGap
	// Deafness is why nothing was heard for a while.
	Deafness = sender.Deafness
)

// CompareArrivals orders segments by time.
func CompareArrivals(a, b Arrival) int { return sender.CompareArrivals(a, b) }

const (
	// UsualInitial is the initial window of RFC 6928, in segments.
	UsualInitial = sender.InitialWindow
	// DelackFloor is from how late on an acknowledgment is a delayed one.
	DelackFloor = sender.DelackFloor

	// AcksLost: a host repeated what had arrived and been acknowledged.
	AcksLost = sender.AcksLost
	// HeldUp: what came after a while in which nothing did had been on its way since.
	HeldUp = sender.HeldUp
	// Unanswered: a host repeated what had arrived, or was on its way, and nothing came.
	Unanswered = sender.Unanswered
	// AllLost: a host repeated what was lost, as several segments were, and nothing came.
	AllLost = sender.Lost
	// OwnLost: what came then repaired what had been repeated in vain.
	OwnLost = sender.OwnLost
)

// QueueShows is from how much longer than the least round trips must be, or an acknowledgment or a
// segment late, for a queue to be told from what hosts take: on any path RFC 9406 section 4.2 takes
// 16 ms (MAX_RTT_THRESH) for one. Less would be worth no finding either.
const QueueShows = 20 * time.Millisecond

// Flow is what the transfer of a message showed of its sender.
type Flow struct {
	Bytes         int64            // of the message, header included
	MSS           int64            // effective
	Initial       int64            // octets of the first round
	Window        int64            // the receive window in force at the end; 0: not known
	RTT           time.Duration    // least round trip between client and server
	Measured      time.Duration    // the message's first octet to its last
	LargestBefore int64            // octets of the largest message before, of the same side
	MostInFlight  int64            // the most octets that were in flight on the connection so far
	Rate          float64          // octets per second that the path carries; 0: not known
	ReceiveWindow ReceiveWindow    // when it kept the sender back
	OwnLimit      int64            // octets that the sender keeps in flight by itself; 0: no limit
	Idle          Idle             // before the message
	Later         bool             // the connection had carried an exchange before
	Paces         bool             // the sender spreads what it sends, whatever comes back
	Stamped       bool             // timestamps tell by how much the path held up its first octet
	Queue         time.Duration    // the most by which round trips grew above the least
	Segments      [2]SegmentCounts // of both messages, by direction
	Allowed       []Allowed        // by flow control of HTTP/2, where that kept back frames
	// the segments of a message, if it is large or some of them were lost
	Arrivals []Arrival
	// LossQueue is by how much round trips had grown when a segment was lost, if that shows
	LossQueue      time.Duration
	LossQueueShown bool
}

// Transfers are what the messages of an exchange showed.
type Transfers struct {
	Flow   Flow // of the response
	Rounds []Round
	// of a request larger than an initial window, if the server waited for its end
	Upload       *Flow
	UploadRounds []Round
	UploadTimes  transferTimes // the part of the exchange's times that the request took
}

// FirstOfTransfer and lastOfTransfer enclose the labels of what holds a message back while it is
// being sent.
const FirstOfTransfer, lastOfTransfer = report.Serialize, report.RWnd

// transferTimes is time under those labels.
type transferTimes [lastOfTransfer - FirstOfTransfer + 1]time.Duration

// BothWays are the directions of an exchange's messages, the response's first: it is the large one
// more often.
var BothWays = [...]reassembly.Dir{reassembly.FromServer, reassembly.FromClient}

// reset is the room of t, empty.
func (t *Transfers) reset() Transfers {
	return Transfers{Rounds: t.Rounds[:0], UploadRounds: t.UploadRounds[:0]}
}

// upload takes note of a wait of the client that lasted for took, if its label is one of a
// transfer.
func (t *Transfers) upload(took time.Duration, l report.Label) {
	if l >= FirstOfTransfer && l <= lastOfTransfer {
		t.UploadTimes[l-FirstOfTransfer] += took
	}
}

// RoundsOf are the rounds of dir's message.
func (t *Transfers) RoundsOf(dir reassembly.Dir) []Round {
	if dir == reassembly.FromClient {
		return t.UploadRounds
	}
	return t.Rounds
}

// FlowOf are what the transfer of dir's message showed; nil if it was too small to tell.
func (t *Transfers) FlowOf(dir reassembly.Dir) *Flow {
	if dir == reassembly.FromClient {
		return t.Upload
	}
	return &t.Flow
}
