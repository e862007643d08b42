package rule

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/whatif"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// First is the first connection between a client and a service, with its one exchange, in so few
// octets that it can be kept of each pair: what comparisons between connections make of it they
// make when a second one comes, if ever one does (Comparison.Late). It holds what they read, and
// takes nothing that it could not tell again as it was.
type First struct {
	conn    uint32
	port    uint16
	flags   uint16
	kinds   [keptKinds]EventKind // in the order in which they came
	n       uint8
	began   firstBegan
	over    Event
	closing Event
	judged  firstJudged
	gone    firstGone
	seen    report.Products // at the end
}

// keptKinds is how many events there are of a connection with one exchange, of each kind one.
const keptKinds = 5

// The flags of a First.
const (
	firstCritical = 1 << iota
	firstHandshake
	firstLacksSYN
	firstSecure
	firstTurn
	firstUnread // what its request's header names is not known
	firstRepeats
	firstEnded
	firstEstablished
	firstMidStream
	firstReset
	firstByServer
)

// firstBegan is what is kept of its beginning.
type firstBegan struct {
	at, need, far    time.Duration
	connStart, start capture.Mark
	name, agent      string
	session          Session
}

// firstJudged is what is kept of its ledger.
type firstJudged struct {
	at, until time.Duration
	Late
}

// Late is what is known of an exchange that is told late, beside its number and its end.
type Late struct {
	Rtt     time.Duration  // the least round trip
	Windows [2]whatif.Kept // what each side had behind it for its next message, by sender
}

// firstGone is what is kept of its end.
type firstGone struct {
	at time.Duration
	by capture.Mark
}

// FirstOf is the beginning of the first connection of a pair; false if more has to be known of it.
// Repeats says that it was opened to repeat a request that had failed.
func FirstOf(t *Told, repeats bool) (f First, ok bool) {
	if t.Kind != ExchangeBegan || t.Index > 0 {
		return f, false
	}
	b := t.Began()
	if !b.First || b.Unasked || b.Multiplexed {
		return f, false
	}
	f = First{conn: t.Conn, port: b.Port, began: firstBegan{
		at: t.At, need: b.Need, far: b.Far, connStart: b.ConnStart, start: b.Start,
		name: b.Name, agent: b.Agent, session: b.Session,
	}}
	f.flag(firstCritical, b.Critical)
	f.flag(firstHandshake, b.Handshake)
	f.flag(firstLacksSYN, b.LacksSYN)
	f.flag(firstSecure, b.Secure)
	f.flag(firstTurn, b.Turn)
	f.flag(firstUnread, b.Facts&ledger.UnreadFacts != 0)
	f.flag(firstRepeats, repeats)
	f.came(ExchangeBegan)
	return f, true
}

// flag sets a flag if the condition holds.
func (f *First) flag(flag uint16, condition bool) {
	if condition {
		f.flags |= flag
	}
}

// has reports whether a flag is set.
func (f *First) has(flag uint16) bool { return f.flags&flag != 0 }

// came notes that an event of that kind came.
func (f *First) came(k EventKind) {
	f.kinds[f.n] = k
	f.n++
}

// Take takes in the next event of the connection; false if it cannot be told again as it is.
func (f *First) Take(t *Told) bool {
	for _, k := range f.kinds[:f.n] {
		if k == t.Kind {
			return false
		}
	}
	switch t.Kind {
	case ExchangeOver:
		if t.Index > 0 || t.has(overFailed) || t.has(overUnasked) || t.has(overMultiplexed) {
			return false
		}
		f.over = t.Event
	case ConnClosing:
		f.closing = t.Event
	case ExchangeJudged:
		x := t.Judged()
		if x.Index > 0 || x.Unjudged || x.Info.Attempt != nil || len(x.Waits) > 0 {
			return false
		}
		f.judged = firstJudged{at: t.At, until: x.Until, Late: Late{x.Flow.RTT, x.Windows()}}
	case ConnOver:
		return f.over.Kind == ExchangeOver && f.end(t)
	default:
		return false
	}
	f.came(t.Kind)
	return true
}

// end takes in the end of the connection.
func (f *First) end(t *Told) bool {
	e := t.Gone()
	if e.Broken != nil || e.Info.Bytes == [2]int64{} {
		return false
	}
	f.gone, f.seen = firstGone{t.At, e.At}, e.Products
	f.flag(firstEnded, e.Ended)
	f.flag(firstEstablished, e.Established)
	f.flag(firstMidStream, e.MidStream)
	f.flag(firstReset, e.Reset)
	f.flag(firstByServer, e.By == reassembly.FromServer)
	f.came(ConnOver)
	return true
}

// Of is the connection, which is over.
func (f *First) Of(p report.Pair) *Conn {
	o := (&Told{Event: f.over}).Over()
	return &Conn{
		Id: int(f.conn), Pair: p, Port: f.port, Start: f.began.connStart, Far: f.began.far,
		Rtt: f.judged.Rtt, Served: 1, IdleSince: o.End, AnsweredAt: o.End.Time,
		Repeats: f.has(firstRepeats), Seen: f.seen, Foreign: o.Foreign,
	}
}

// Tell writes its events, as they came, as far as anything is kept of them.
func (f *First) Tell(p report.Pair, b *Batch) {
	told := func(at time.Duration) Event { return Event{At: at, Conn: f.conn} }
	for _, k := range f.kinds[:f.n] {
		switch k {
		case ExchangeBegan:
			b.TellBegan(told(f.began.at), f.begins(p))
		case ExchangeOver:
			b.Tell(f.over)
		case ConnClosing:
			b.Tell(f.closing)
		case ExchangeJudged:
			x := &Judged{Late: &f.judged.Late, Info: &report.ExchangeInfo{Connection: int(f.conn)}}
			x.Until = f.judged.until
			b.TellJudged(told(f.judged.at), x)
		case ConnOver:
			b.TellGone(told(f.gone.at), f.ends(p))
		}
	}
}

// begins is the beginning of its exchange.
func (f *First) begins(p report.Pair) Began {
	b := Began{
		Pair: p, First: true, ConnStart: f.began.connStart, Start: f.began.start,
		Need: f.began.need, Far: f.began.far, Name: f.began.name, Agent: f.began.agent,
		Session: f.began.session, Port: f.port,
		Critical: f.has(firstCritical), Handshake: f.has(firstHandshake),
		LacksSYN: f.has(firstLacksSYN), Secure: f.has(firstSecure), Turn: f.has(firstTurn),
	}
	if f.has(firstUnread) {
		b.Facts = ledger.UnreadFacts
	}
	return b
}

// ends is its end.
func (f *First) ends(p report.Pair) Gone {
	e := Gone{
		Pair: p, At: f.gone.by, By: reassembly.FromClient, Reset: f.has(firstReset),
		Ended: f.has(firstEnded), Established: f.has(firstEstablished),
		MidStream: f.has(firstMidStream), Products: f.seen,
		Info: &report.ConnInfo{
			ID: int(f.conn), Server: p.Server, Start: f.began.connStart.Time,
			Bytes: [2]int64{1, 1}, Exchanges: []int{0},
		},
	}
	if f.has(firstByServer) {
		e.By = reassembly.FromServer
	}
	return e
}

// Windows are what each side would have behind the exchange, the first on its connection, for its
// next message, by sender.
func (j *Judged) Windows() (kept [2]whatif.Kept) {
	for _, dir := range ledger.BothWays {
		kept[dir] = j.WindowAfter(whatif.Kept{}, dir)
	}
	return kept
}

// WindowAfter is what dir's sender, which had k, has behind the exchange for its next message.
func (j *Judged) WindowAfter(k whatif.Kept, dir reassembly.Dir) whatif.Kept {
	f := j.FlowOf(dir)
	if f == nil || f.MSS <= 0 {
		return k
	}
	return k.After(f, j.Spent(dir, report.RecoveryCwnd) > 0 || f.LossQueueShown)
}
