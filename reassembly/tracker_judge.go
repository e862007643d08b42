package reassembly

import (
	"time"

	"tcpwhy/reassembly/exchange"
)

// When exchanges are handed on, and what history is kept.

const (
	// settleMin is the least time after the end of an exchange until it is handed on. Late copies
	// and acknowledgments take a round trip, a second one is room; where that is nothing, 10 ms
	// cover a kernel's timer tick.
	settleMin = 10 * time.Millisecond
	// idleShare is which part of the limit of records a connection may use while no exchange is
	// open.
	idleShare = 16
	// releaseBatch is how many records are released at a time, or half of them, so that moving the
	// rest costs little.
	releaseBatch = 64
)

// settle hands on the exchanges that are over and settled, in order, and bounds the history.
func (k *track) settle() {
	c := k.c
	k.announce()
	for len(c.Exchanges) > 0 && k.settled(c.Exchanges[0]) {
		k.judge()
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

// announce tells the sink of exchanges that began or ended during this segment. Both happen in
// order.
func (k *track) announce() {
	c := k.c
	if len(c.Exchanges) == 0 || k.ended == c.ExchangeCount {
		return
	}
	first := c.Exchanges[0].Index
	for k.begun < c.ExchangeCount {
		x := c.Exchanges[k.begun-first]
		k.begun++
		k.t.sink.Began(c, x)
	}
	for k.ended < k.begun && c.Exchanges[k.ended-first].Over {
		x := c.Exchanges[k.ended-first]
		k.ended++
		k.t.sink.Over(c, x)
	}
}

// settled reports whether nothing that belongs to the exchange is expected any more: two round
// trips have passed since its end, or the next response has begun, which comes after the
// acknowledgment of this one. A response that has not been acknowledged may have been lost after it
// passed, and then its repair is still to come.
func (k *track) settled(x *exchange.Exchange) bool {
	if !x.Over {
		return false
	}
	if k.unconfirmed(x) {
		return false
	}
	if c := k.c; len(c.Exchanges) > 1 && c.Exchanges[1].Response != nil {
		return true
	}
	return k.now > x.End().Time+max(2*k.roundTrip(), settleMin)
}

// unconfirmed reports whether the client, which is seen to acknowledge, has yet to acknowledge the
// whole response, as long as the longest retransmission timer. The end of the connection ends the
// wait.
func (k *track) unconfirmed(x *exchange.Exchange) bool {
	c := k.c
	m := x.Response
	if m == nil || c.Half[FromClient].Segments == 0 || c.State == Reset || c.State == Closed {
		return false
	}
	next := len(c.Exchanges) > 1 && c.Exchanges[1].Response != nil
	return !next && c.Half[FromServer].Una < m.To && k.now < x.End().Time+rtoMax
}

// judge hands on the oldest exchange and releases the records before it.
func (k *track) judge() {
	c := k.c
	x := c.Exchanges[0]
	k.refresh()
	k.t.sink.Exchange(c, x)
	x.Judged = true
	if len(c.Exchanges) > 32 { // a long pipeline: do not move it for each
		c.Exchanges[0] = nil
		c.Exchanges = c.Exchanges[1:]
	} else {
		n := copy(c.Exchanges, c.Exchanges[1:])
		c.Exchanges[n] = nil
		c.Exchanges = c.Exchanges[:n]
	}
	n := x.FirstRecord - c.Released
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
	k.announce()
	for len(k.c.Exchanges) > 0 {
		k.judge()
	}
	k.refresh()
}
