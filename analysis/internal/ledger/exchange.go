package ledger

import (
	"time"

	"tcpwhy/analysis/internal/ledger/line"
	"tcpwhy/analysis/internal/ledger/picture"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// Account is what a ledger says of an exchange once it is drawn up: plain data.
type Account struct {
	Index int           // of the exchange within its connection
	From  time.Duration // the moment at which the client needed the connection
	Until time.Duration // valid once it is over

	Times  [report.LabelCount]time.Duration // add up to Until-From once drawn up
	Pieces picture.Pieces                   // the same in order, coarsely

	Start   // how it began
	Company // how it had the connection with others
	// Clock is the part of its connection's time that counts with it, where others went on beside
	// it: of them all, the first has a moment that they share. nil: all of its time does.
	Clock     *[report.LabelCount]time.Duration
	Transfers // what its messages showed; valid once drawn up
	// Losses are busy periods of the connection in which something was lost, if the exchange shared
	// it with others; valid once drawn up
	Losses []Busy
}

// Exchange is the ledger of one exchange: what every nanosecond from From until Until was spent on.
type Exchange struct {
	Account
	Parsed *exchange.Exchange // what was read of it

	over    bool // nothing more belongs to it
	settled bool // its ledger is drawn up: no more time is booked

	Pipelined  // how it waited for others
	LongWaits  // single waits
	NagleHolds // by Nagle's algorithm

	Traced bool // the trace shows it

	booked time.Duration // end of the time that has its labels; 0: none has
	line   line.Line     // while others go on beside it
	busy   [2]busyPart   // of each direction, while others go on beside it
}

// Start is how an exchange began.
type Start struct {
	Critical bool // its request waited for the set-up of the connection
	Doubtful bool // it seems so: it left a little later than at once
	// ConnStart is the first segment of its connection, whose SYN it is if the handshake was seen.
	ConnStart capture.Mark
	Lookup    *reassembly.Lookup // that it began with; nil if it waited for none
	// the QUIC connection that its client had tried first; nil if it did not wait for one
	Tried  *reassembly.QUICAttempt
	Notice CloseNotice // the close that had been announced when it began
	// Flights is what flights of the TLS handshake took beside the time of their senders: they
	// waited for a window, or for the path. It is part of the labels of that.
	Flights time.Duration
}

// Pipelined is how an exchange waited for those before it on the connection, if it was pipelined.
type Pipelined struct {
	// Ahead is the exchange that was not over when this one began; nil if none was.
	Ahead *exchange.Exchange
	// Behind is the wait for the response to that; zero if there was none, To is 0 until it has
	// ended.
	Behind report.Interval
	// Thought is what the server took for the responses before, itself, all together.
	Thought time.Duration
}

// Reset makes j an empty ledger. What room it had is used again.
func (j *Exchange) Reset() {
	waits, holds, transfers := j.LongWaits.reset(), j.NagleHolds.reset(), j.Transfers.reset()
	room, losses := j.line.Empty(), j.Losses[:0]
	*j = Exchange{Account: Account{Transfers: transfers, Losses: losses}, LongWaits: waits,
		NagleHolds: holds}
	j.line = room
}

// Span is from when until when the exchange lasts; until the end of time while it is not over.
func (j *Exchange) Span() (from, until time.Duration) {
	if !j.over {
		return j.From, report.EndOfTime
	}
	return j.From, j.Until
}

// clip is the part of a stretch of time that lies within the exchange; empty if From is not before
// To.
func (j *Exchange) clip(from, to time.Duration) report.Interval {
	start, end := j.Span()
	return report.Interval{From: max(from, start), To: min(to, end)}
}

// overlaps reports whether the exchange, not yet drawn up, has some of a stretch of time.
func (j *Exchange) overlaps(from, to time.Duration) bool {
	start, end := j.Span()
	return !j.settled && start < to && from < end
}

// book adds time with label l. What the exchange spent waiting for the response before is that,
// whatever else went on. byClient says that a segment of the client ended the time.
func (j *Exchange) book(i report.Interval, l report.Label, byClient bool) {
	if i.To <= i.From {
		return
	}
	j.split(i, l, j.put)
	if byClient {
		j.Transfers.upload(i.To-i.From, l)
	}
}

// split divides time with label l by whether the exchange waited for the response before meanwhile.
// Parts may be empty.
func (j *Exchange) split(
	i report.Interval, l report.Label, part func(from, to time.Duration, l report.Label),
) {
	behind := j.waitsBehind()
	start, end := max(i.From, behind.From), min(i.To, behind.To)
	if end <= start {
		part(i.From, i.To, l)
		return
	}
	part(i.From, start, l)
	part(start, end, report.PipelineHOL)
	part(end, i.To, l)
}

// put adds time with one label.
func (j *Exchange) put(from, to time.Duration, l report.Label) {
	if to > from {
		j.Times[l] += to - from
		j.Credited = j.Credited || l == report.H2Window
		j.Pieces.Add(from, to, l)
		j.booked = to
	}
}

// waitsBehind is when the exchange waits for the response before it; until that has ended, there is
// no end to it.
func (j *Exchange) waitsBehind() report.Interval {
	if j.Behind.From == 0 || j.Behind.To > 0 {
		return j.Behind
	}
	open := report.Interval{From: j.Behind.From, To: report.EndOfTime}
	if m := j.Parsed.Request; m != nil && m.Complete {
		open.From = max(open.From, m.End.Time)
	}
	return open
}

// piped reports whether its request began before the exchange before was over.
func (j *Exchange) piped() bool { return j.Behind.From > 0 }

// Sum is the time of the exchange under the labels.
func (j *Account) Sum(labels ...report.Label) time.Duration {
	var t time.Duration
	for _, l := range labels {
		t += j.Times[l]
	}
	return t
}

// Message is the exchange's message of dir; nil if there is none.
func (j *Exchange) Message(dir reassembly.Dir) *exchange.Message {
	if dir == reassembly.FromClient {
		return j.Parsed.Request
	}
	return j.Parsed.Response
}

// streams is from what part of its time, in percent, a response of an unknown protocol was sent as
// things happened (reasoning: a server that works on a response does not pause most of the time).
const streams = 50

// Streams reports whether the server sends the response as things happen: events by their name, or
// messages of its own in a protocol whose messages are not known. The client takes what comes, and
// does not wait for the end.
func (j *Exchange) Streams() bool {
	m := j.Parsed.Response
	return m != nil && m.Facts.Has(exchange.EventStream) || j.Parsed.Unasked() ||
		j.Parsed.RPC != nil && j.Parsed.RPC.Streaming() ||
		j.Parsed.Turn && 100*j.Times[report.AppPaced] > streams*(j.Until-j.From)
}
