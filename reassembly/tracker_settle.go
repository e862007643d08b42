package reassembly

import (
	"slices"
	"time"

	"tcpwhy/reassembly/exchange"
)

// When exchanges are handed on, and what history is kept.

const (
	// settleMin is the least time after the end of an exchange until it is handed on. Late copies
	// and acknowledgments take a round trip, a second one is room; where that is nothing, 10 ms
	// cover a kernel's timer tick.
	settleMin = 10 * time.Millisecond
	// shutWithin is how soon behind its request the FIN of a client comes that has only finished
	// sending: the next call of the same program.
	shutWithin = 3 * time.Millisecond
	// idleShare is which part of the limit of records a connection may use while no exchange is
	// open.
	idleShare = 16
	// releaseBatch is how many records are released at a time, or half of them, so that moving the
	// rest costs little.
	releaseBatch = 64
)

// overExchange is an exchange to which nothing more will be added, and its last moment.
type overExchange struct {
	*exchange.Exchange
	end time.Duration
}

// settle hands on the exchanges that are over and settled, and bounds the history.
func (k *track) settle() {
	c := k.c
	if k.t.shared.News.Any() {
		k.announce()
	}
	if len(k.over) > 0 {
		k.handOnSettled()
	}
	limit := k.t.limits.Records
	if len(c.Exchanges) == 0 {
		limit = max(64, limit/idleShare)
	}
	if len(c.Records) >= limit {
		if len(c.Exchanges) > 0 {
			c.Caveats.Add(CaveatHistory)
		}
		k.release(len(c.Records) / 2)
	}
}

// announce tells the sink of exchanges that began or ended during this segment.
func (k *track) announce() {
	news := &k.t.shared.News
	for _, x := range news.Began {
		k.streams = k.streams || x.Stream != 0
		k.t.sink.Began(k.c, x)
	}
	for _, x := range news.Over {
		k.streams = k.streams || x.Stream != 0 // a request of HTTP/1 may become a stream
		if x.Stream != 0 {
			k.tellOver(x)
		} else {
			k.tellOverInTurn()
		}
	}
	news.Forget()
}

// tellOver tells the sink that an exchange is over.
func (k *track) tellOver(x *exchange.Exchange) {
	k.judgeLeaving(x)
	k.over = append(k.over, overExchange{x, x.End().Time})
	k.t.sink.Over(k.c, x)
}

// tellOverInTurn does so for all that have no stream of their own, as far as those before them are
// over.
func (k *track) tellOverInTurn() {
	n := 0
	for _, x := range k.c.Exchanges {
		switch {
		case x.Stream != 0:
			continue
		case !x.Over:
			return
		}
		if n++; n > k.inTurn {
			k.inTurn++
			k.tellOver(x)
		}
	}
}

// maxOver caps the exchanges that are over and not settled: streams that are opened and reset again
// and again. Of more, the oldest are handed on as they are.
const maxOver = 512

// handOnSettled hands on what is settled: what has a stream of its own by itself, the rest in
// order.
func (k *track) handOnSettled() {
	for len(k.over) > maxOver {
		k.handOn(0)
	}
	waits := false // one without a stream
	for i := 0; i < len(k.over); {
		inTurn := k.over[i].Stream == 0
		if inTurn && waits || !k.settled(&k.over[i]) {
			waits = waits || inTurn
			i++
			continue
		}
		k.handOn(i)
	}
}

// settled reports whether nothing that belongs to the exchange is expected any more: two round
// trips have passed since its end, or the next response has begun, which comes after the
// acknowledgment of this one. A response that has not been acknowledged may have been lost after it
// passed, and then its repair is still to come.
func (k *track) settled(x *overExchange) bool {
	return k.nextAnswered(x) ||
		k.now > x.end+max(2*k.roundTrip(), settleMin) && !k.unconfirmed(x) && !k.undecided(x)
}

// undecided reports whether a copy of the response has just been acknowledged, so that a report
// that it was not needed may still come: a D-SACK follows with the copy itself (RFC 2883).
func (k *track) undecided(x *overExchange) bool {
	m := x.Response
	if m == nil {
		return false
	}
	return slices.ContainsFunc(k.side[FromServer].resends, func(r resend) bool {
		return r.covered != 0 && r.seq < m.To && m.From < r.end &&
			k.now-r.covered < 2*k.roundTrip()+jiffies
	})
}

// nextAnswered reports whether the response to the exchange that follows x has begun.
func (k *track) nextAnswered(x *overExchange) bool {
	if x.Stream != 0 {
		return false
	}
	found := false
	for _, next := range k.c.Exchanges {
		if found && next.Stream == 0 {
			return next.Response != nil
		}
		found = found || next == x.Exchange
	}
	return false
}

// unconfirmed reports whether the client, which is seen to acknowledge, has yet to acknowledge the
// whole response, as long as the longest retransmission timer. The next response ends the wait, and
// so does the end of the connection.
func (k *track) unconfirmed(x *overExchange) bool {
	c := k.c
	m := x.Response
	if m == nil || c.Half[FromClient].Segments == 0 || c.State == Reset || c.State == Closed {
		return false
	}
	return c.Half[FromServer].Una < m.To && k.now < x.end+rtoMax && !k.nextAnswered(x)
}

// handOn hands on an exchange that is over, and releases the records that only it needed.
func (k *track) handOn(i int) {
	x := k.over[i].Exchange
	n := copy(k.over[i:], k.over[i+1:])
	k.over[i+n] = overExchange{}
	k.over = k.over[:i+n]
	if x.Stream == 0 {
		k.inTurn--
	}
	k.judgeDelivery(x)
	k.refresh()
	k.t.sink.Exchange(k.c, x)
	k.forget(x)
	k.releaseBefore(x)
}

// LeftAfter is from how long after its request on a client that closes without an answer has given
// up: one that only shuts its direction has done so before, and still listens.
func LeftAfter(c *Conn) time.Duration { return max(Impatience, c.RTTMin()) }

// judgeLeaving makes an exchange without an answer, or without all of it, one that its client gave
// up, if the client closed long after its request, which had arrived, and after whatever came last.
// The server need not have closed: it may never do.
func (k *track) judgeLeaving(x *exchange.Exchange) {
	c, up, down := k.c, &k.c.Half[FromClient], &k.c.Half[FromServer]
	m := x.Request
	if x.Outcome != exchange.Incomplete || m == nil || !up.FinSeen ||
		c.FirstClose != FromClient || c.MidStream || !m.Complete || up.Una < m.To ||
		down.Missing != 0 || x.EndUnseen {
		return
	}
	heard := m.End.Time
	if r := x.Response; r != nil {
		if r.Complete || x.Turn || down.LastData.Time > up.Fin.Time {
			return
		}
		heard = max(heard, down.LastData.Time)
	}
	if up.Fin.Time-heard >= LeftAfter(c) {
		x.Outcome = exchange.Aborted
	}
}

// judgeDelivery takes back that an exchange is complete if the client, which is seen to
// acknowledge, surely never had the whole of a response that passed here: part of it was sent again
// without being acknowledged, or the client reset the connection and, by its own word, lacked it.
// Of turns nobody knows how much of them the client wanted.
func (k *track) judgeDelivery(x *exchange.Exchange) {
	up, down := &k.c.Half[FromClient], &k.c.Half[FromServer]
	m := x.Response
	if m == nil || x.Outcome != exchange.Complete || down.Una >= m.To || up.Segments == 0 ||
		k.nextAnswered(&overExchange{Exchange: x}) {
		return
	}
	tx := k.side[FromServer].sent.find(max(down.Una, m.From))
	switch {
	case tx != nil && tx.times > 1:
		m.Facts |= exchange.Undelivered
	case x.Turn || !up.RstSeen || !up.RstActive && !k.gone(x):
		return
	}
	x.Outcome, m.Complete = k.cutShort(), false
}

// gone reports whether the client had closed when the response came, as far as it could know, and
// its host, which acknowledged none of it, had nobody to give it to.
func (k *track) gone(x *exchange.Exchange) bool {
	c, up := k.c, &k.c.Half[FromClient]
	m, left := x.Response, up.Fin.Time
	return x.Request != nil && c.FirstClose == FromClient && up.FinSeen && left <= up.Rst.Time &&
		left-x.Request.End.Time > shutWithin && left < m.Start.Time-c.Far(FromClient) &&
		c.Half[FromServer].Una <= m.From
}

// cutShort is the outcome of an exchange whose response was whole, and never arrived.
func (k *track) cutShort() exchange.Outcome {
	switch c := k.c; {
	case c.FirstCloseAt.Frame != 0 && c.FirstClose == FromClient:
		return exchange.Aborted
	case c.State == Reset:
		return exchange.ResetByPeer
	}
	return exchange.Incomplete
}

// forget takes an exchange off the list of the connection. It is the oldest, or nearly so, except
// where there are streams.
func (k *track) forget(x *exchange.Exchange) {
	c := k.c
	i := slices.Index(c.Exchanges, x)
	if i == 0 && len(c.Exchanges) > 32 { // a long pipeline: do not move it for each
		c.Exchanges[0] = nil
		c.Exchanges = c.Exchanges[1:]
		return
	}
	c.Exchanges = slices.Delete(c.Exchanges, i, i+1)
}

// releaseBefore releases the records before x, which has been handed on, unless they belong to
// exchanges beside it.
func (k *track) releaseBefore(x *exchange.Exchange) {
	c, first := k.c, x.FirstRecord
	if k.streams {
		for _, other := range c.Exchanges {
			first = min(first, other.FirstRecord)
		}
	}
	n := first - c.Released
	if n >= releaseBatch || n > 0 && n >= len(c.Records)/2 {
		k.release(min(n, len(c.Records)))
	}
}

// release gives up the first n records.
func (k *track) release(n int) {
	c := k.c
	k.t.sink.Release(c, n)
	rest := len(c.Records) - n
	if cap(c.Records) > 4*max(rest, releaseBatch) {
		c.Records = append(make([]Record, 0, rest+releaseBatch/4), c.Records[n:]...)
	} else {
		copy(c.Records, c.Records[n:])
		c.Records = c.Records[:rest]
	}
	c.Released += n
	k.forgetOwners()
}

// forgetOwners forgets whose octets those before the records that are left were.
func (k *track) forgetOwners() {
	c := k.c
	after := c.TLS.AfterHandshake()
	if c.HTTP2 == nil && c.Socket == nil && after == nil {
		return
	}
	first := [2]int64{c.Half[0].Max, c.Half[1].Max}
	for i := range c.Records {
		r := &c.Records[i]
		first[r.Dir] = min(first[r.Dir], r.Seq)
	}
	for dir := range first {
		if h := c.HTTP2; h != nil {
			h.Owners[dir].Forget(first[dir])
			h.Freed[dir].Forget(first[dir])
		}
		for _, o := range []*[2]exchange.Owners{c.Socket, after} {
			if o != nil {
				o[dir].Forget(first[dir])
			}
		}
	}
}

// refresh brings up to date what is derived for the sink.
func (k *track) refresh() {
	c := k.c
	c.Vantage = k.vantage()
	if a, b := c.Half[0].Segments, c.Half[1].Segments; min(a, b) == 0 && max(a, b) > 1 &&
		c.State != Connecting &&
		c.State != Refused {
		c.Caveats.Add(CaveatOneSided)
	}
	if len(c.History) != int(k.hist.n) {
		c.History = k.hist.String()
	}
}

// conclude hands on all exchanges that are left when the connection ends.
func (k *track) conclude() {
	k.noticeMissing()
	k.announce()
	for len(k.over) > 0 {
		k.handOn(0)
	}
	k.refresh()
}
