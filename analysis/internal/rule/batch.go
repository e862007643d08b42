package rule

import (
	"slices"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// Batch is events, and what lies beside them: what is rare or long, in a list by kind. It is plain
// data: workers' batches become one by appending, in any order.
type Batch struct {
	Events   []Event
	began    []Began
	failures []Failure // of exchanges that are over
	judged   []*Judged // each stays where it is when batches become one
	gone     []Gone
}

// Tell adds an event of a kind that has no numbers.
func (b *Batch) Tell(e Event) { b.Events = append(b.Events, e) }

// TellBegan adds the beginning of an exchange.
func (b *Batch) TellBegan(e Event, began Began) {
	e.Kind, e.Detail = ExchangeBegan, uint32(len(b.began))
	b.began = append(b.began, began)
	b.Tell(e)
}

// TellJudged adds an exchange whose labels are certain. What it gets is the batch's.
func (b *Batch) TellJudged(e Event, judged *Judged) {
	e.Kind, e.Detail = ExchangeJudged, uint32(len(b.judged))
	b.judged = append(b.judged, judged)
	b.Tell(e)
}

// TellPeriod adds a busy period of a connection that exchanges shared, with what rules claim of it.
// What it gets is the batch's.
func (b *Batch) TellPeriod(e Event, judged *Judged) {
	b.TellJudged(e, judged)
	b.Events[len(b.Events)-1].Kind = PeriodJudged
}

// TellAttempt adds an attempt: its beginning, and all that became of it.
func (b *Batch) TellAttempt(e Event, began Began, judged *Judged) {
	b.TellBegan(e, began)
	b.TellJudged(e, judged)
	n := len(b.Events)
	b.Events[n-2].Kind, b.Events[n-1].Kind = AttemptBegan, AttemptJudged
}

// TellGone adds the end of a connection.
func (b *Batch) TellGone(e Event, gone Gone) {
	e.Kind, e.Detail = ConnOver, uint32(len(b.gone))
	b.gone = append(b.gone, gone)
	b.Tell(e)
}

// The flags of an exchange that is over.
const (
	overReusable = 1 << iota
	overTurn
	overForeign
	overDoubt
	overNotKept
	overAsked10
	overGap
	overFailed
	overUnasked
	overError
	overMultiplexed
)

// reasons are why a connection cannot carry another request, in the words of missed-reuse, by what
// stands for them in an event.
var reasons = [...]string{"", "request-close", "http10", "response-close", "close-delimited"}

// What of an exchange that is over shares a number: the products of a proxy, then the reason, the
// outcome, and the seconds of Keep-Alive: timeout=.
const (
	reasonShift  = 32
	outcomeShift = 36
	idleShift    = 40
	mostIdle     = 1<<(63-idleShift) - 1 // seconds: 97 days
)

// TellOver adds the end of an exchange.
func (b *Batch) TellOver(e Event, o Over) {
	e.Kind = ExchangeOver
	e.flag(overReusable, o.Reusable)
	e.flag(overTurn, o.Turn)
	e.flag(overForeign, o.Foreign)
	e.flag(overDoubt, o.Doubt)
	e.flag(overNotKept, o.NotKept)
	e.flag(overAsked10, o.Asked10)
	e.flag(overGap, o.Gap)
	e.flag(overFailed, o.Failure != nil)
	e.flag(overUnasked, o.Unasked)
	e.flag(overError, o.Error)
	e.flag(overMultiplexed, o.Multiplexed)
	if o.Failure != nil {
		e.Detail = uint32(len(b.failures))
		b.failures = append(b.failures, *o.Failure)
	}
	reason := int64(max(0, slices.Index(reasons[:], o.Reason)))
	idle := int64(min(o.IdleLimit/time.Second, mostIdle))
	e.U = [5]int64{
		int64(o.End.Time), int64(o.End.Frame), o.Bytes,
		int64(o.Products.Client) | int64(o.Products.Server)<<32,
		int64(o.Products.Proxy) | reason<<reasonShift |
			int64(o.Outcome)<<outcomeShift | idle<<idleShift,
	}
	b.Tell(e)
}

// Over is what an exchange that is over tells.
func (t *Told) Over() Over {
	const nibble = 1<<4 - 1
	o := Over{
		End:       capture.Mark{Time: time.Duration(t.U[0]), Frame: capture.FrameID(t.U[1])},
		Outcome:   exchange.Outcome(t.U[4] >> outcomeShift & nibble),
		Reusable:  t.has(overReusable),
		Turn:      t.has(overTurn),
		Foreign:   t.has(overForeign),
		Doubt:     t.has(overDoubt),
		Reason:    reasons[t.U[4]>>reasonShift&nibble],
		IdleLimit: time.Duration(t.U[4]>>idleShift) * time.Second,
		NotKept:   t.has(overNotKept),
		Unasked:   t.has(overUnasked),
		Error:     t.has(overError),

		Multiplexed: t.has(overMultiplexed),

		Bytes:   t.U[2],
		Asked10: t.has(overAsked10),
		Gap:     t.has(overGap),
		Products: report.Products{
			Client: report.ProductSet(uint32(t.U[3])),
			Server: report.ProductSet(uint32(t.U[3] >> 32)),
			Proxy:  report.ProductSet(uint32(t.U[4])),
		},
	}
	if t.has(overFailed) {
		o.Failure = &t.of.failures[t.Detail]
	}
	return o
}

// The flags of a connection that closes.
const (
	closingByServer = 1 << iota
	closingFinByServer
	closingReset
	closingAlert
	closingOpen
	closingGap
	closingAbort
	closingGoneAway
)

// TellClosing adds the first FIN or RST of a connection.
func (b *Batch) TellClosing(e Event, c Closing) {
	e.Kind = ConnClosing
	e.flag(closingByServer, c.By == reassembly.FromServer)
	e.flag(closingFinByServer, c.Fin == reassembly.FromServer)
	e.flag(closingReset, c.Reset)
	e.flag(closingAlert, c.Alert)
	e.flag(closingOpen, c.Open)
	e.flag(closingGap, c.Gap)
	e.flag(closingAbort, c.Abort)
	e.flag(closingGoneAway, c.GoneAway)
	e.U[0], e.U[1], e.U[2] = int64(c.At.Time), int64(c.At.Frame), int64(c.Again)
	b.Tell(e)
}

// Closing is what a connection that closes tells.
func (t *Told) Closing() Closing {
	side := func(flag uint16) reassembly.Dir {
		if t.has(flag) {
			return reassembly.FromServer
		}
		return reassembly.FromClient
	}
	return Closing{
		At:    capture.Mark{Time: time.Duration(t.U[0]), Frame: capture.FrameID(t.U[1])},
		By:    side(closingByServer),
		Fin:   side(closingFinByServer),
		Reset: t.has(closingReset),
		Alert: t.has(closingAlert),
		Open:  t.has(closingOpen),
		Gap:   t.has(closingGap),
		Abort: t.has(closingAbort),

		GoneAway: t.has(closingGoneAway),
		Again:    time.Duration(t.U[2]),
	}
}

// Flags of what a server directs.
const (
	directedLimit = 1 << iota // a number of streams was announced
	directedLossy
	directedHeard
)

// TellDirected adds what a server of HTTP/2 has said of the use of its connection.
func (b *Batch) TellDirected(e Event, d Directed) {
	e.Kind = ConnDirected
	e.flag(directedLimit, d.Limited)
	e.flag(directedLossy, d.Lossy)
	e.flag(directedHeard, d.Heard)
	e.U[0], e.U[1] = int64(d.Away.At.Time), int64(d.Away.At.Frame)
	e.U[2], e.U[3] = int64(d.Streams), int64(d.Away.Code)
	b.Tell(e)
}

// Directed is what the server has said.
func (t *Told) Directed() Directed {
	return Directed{
		Lossy:   t.has(directedLossy),
		Heard:   t.has(directedHeard),
		Limited: t.has(directedLimit),
		Streams: uint32(t.U[2]),
		Away: Away{
			capture.Mark{Time: time.Duration(t.U[0]), Frame: capture.FrameID(t.U[1])},
			exchange.ErrorCode(t.U[3]),
		},
	}
}

// flag sets a flag if the condition holds.
func (e *Event) flag(flag uint16, condition bool) {
	if condition {
		e.Flags |= flag
	}
}

// has reports whether a flag is set.
func (e *Event) has(flag uint16) bool { return e.Flags&flag != 0 }

// Began, Judged and Gone are what lies beside an event of their kind, valid until the batch is
// emptied.
func (t *Told) Began() *Began   { return &t.of.began[t.Detail] }
func (t *Told) Judged() *Judged { return t.of.judged[t.Detail] }
func (t *Told) Gone() *Gone     { return &t.of.gone[t.Detail] }

// At is the event at that place, with what lies beside it.
func (b *Batch) At(i int) Told { return Told{b.Events[i], b} }

// Append adds the events of another batch, which may be emptied then.
func (b *Batch) Append(o *Batch) {
	for i := range o.Events {
		b.take(o.At(i))
	}
}

// take adds an event of another batch.
func (b *Batch) take(t Told) {
	e := t.Event
	switch e.Kind {
	case ExchangeBegan, AttemptBegan:
		b.TellBegan(e, *t.Began())
		b.Events[len(b.Events)-1].Kind = e.Kind
	case ExchangeJudged, AttemptJudged, PeriodJudged:
		b.TellJudged(e, t.Judged())
		b.Events[len(b.Events)-1].Kind = e.Kind
	case ConnOver:
		b.TellGone(e, *t.Gone())
	case ExchangeOver:
		if e.has(overFailed) {
			e.Detail = uint32(len(b.failures))
			b.failures = append(b.failures, t.of.failures[t.Detail])
		}
		b.Tell(e)
	default:
		b.Tell(e)
	}
}

// Sort puts the events into the order in which the judge reads them. It is stable, so that events
// of one connection, which one worker wrote, keep their order.
func (b *Batch) Sort() { slices.SortStableFunc(b.Events, Event.compare) }

// Due is how many of the events, which are in order, are not later than the given moment.
func (b *Batch) Due(at time.Duration) int {
	n, _ := slices.BinarySearchFunc(b.Events, at, func(e Event, at time.Duration) int {
		if e.At <= at {
			return -1
		}
		return 1
	})
	return n
}

// Empty forgets everything but the room of the lists.
func (b *Batch) Empty() {
	clear(b.began)
	clear(b.failures)
	clear(b.judged)
	clear(b.gone)
	b.Events, b.began, b.failures = b.Events[:0], b.began[:0], b.failures[:0]
	b.judged, b.gone = b.judged[:0], b.gone[:0]
}

// Rest empties b but for the events from the first n on.
func (b *Batch) Rest(n int, room *Batch) {
	for i := n; i < len(b.Events); i++ {
		room.take(b.At(i))
	}
	b.Empty()
	*b, *room = *room, *b
}
