package rule

import (
	"iter"
	"net/netip"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

// Conn is what is known of a connection when one of its events is read. Whatever a rule wants to
// remember of it besides, the rule keeps.
type Conn struct {
	Id        int
	Pair      report.Pair
	Port      uint16        // of the client
	Start     capture.Mark  // its first segment
	Far       time.Duration // the least from the capture to the client and back; 0: not known
	Rtt       time.Duration // the least round trip, by the exchange that was judged last
	Served    int           // exchanges that are over
	IdleSince capture.Mark  // end of the exchange that was over last
	// end of the latest exchange that did not fail
	AnsweredAt  time.Duration
	Repeats     bool // it was opened to repeat a request that had failed
	Seen        report.Products
	Foreign     bool // what it carries is neither HTTP nor hidden
	Multiplexed bool // it carries several requests at a time: HTTP/2
}

// Subject is whom a claim is about, beside its occurrence.
type Subject struct {
	Pair        report.Pair
	Seen        report.Products
	Foreign     bool // the protocol is not HTTP, nor hidden
	Multiplexed bool // it is HTTP/2
	// of the exchange, where its time is part of what all exchanges took
	Known     bool
	Host      string
	Took, Rtt time.Duration
}

// Subject is the connection as one, without an exchange.
func (c *Conn) Subject() Subject {
	return Subject{
		Pair: c.Pair, Seen: c.Seen, Foreign: c.Foreign, Multiplexed: c.Multiplexed, Rtt: c.Rtt,
	}
}

// Of is the connection with one of its exchanges.
func (c *Conn) Of(x *Judged) Subject {
	s := c.Subject()
	s.Known, s.Host, s.Took, s.Rtt = true, x.Info.Host, x.Info.Duration, x.Flow.RTT
	return s
}

// Kinds are kinds of claims, a bit each: precedence is between kinds, not between rules.
type Kinds uint32

const (
	// ColdSetup is a connection that need not have been set up.
	ColdSetup Kinds = 1 << iota
	ColdWindow
	// Repair is waiting for a timer that sends again.
	Repair
	// LateHandshake is a handshake that was answered late.
	LateHandshake
	// DroppedHandshake is one whose end the server dropped, so that data had to be sent again.
	DroppedHandshake
	// UsedPorts is a SYN that met an old connection.
	UsedPorts
	// LostWay is a connection that the way may have forgotten.
	LostWay
	// LostSize is a segment that is too large for the path.
	LostSize
	// LostHello is the beginning of a TLS handshake that does not arrive, again and again.
	LostHello
	// Abandoned is an exchange that its client gave up, whyever.
	Abandoned
	// TimedOut is one that it gave up after the same time as others.
	TimedOut
	// WarmWindow is what the larger window of an older connection would have spared one that need
	// not have been set up, where somebody can keep the older one.
	WarmWindow
	// FewerOctets is what would be saved if less were sent: what the path needs for what was sent
	// does not bound it.
	FewerOctets
	// LateLookup is a look-up of a name that took longer than it need have.
	LateLookup
	// LostSegment is waiting for the repair of a segment that was lost, or seemed to be, or for the
	// window that this cost.
	LostSegment
	// OwnSetup is a connection that need not have been set up, but that its program had to set up,
	// as it runs anew for each request: a remark, which takes the place of no fault of the set-up.
	OwnSetup
	// SlowHandshake is a TLS handshake that is slower than it need be, whatever its connection is
	// for.
	SlowHandshake
)

// Has reports whether all of the kinds are among k.
func (k Kinds) Has(all Kinds) bool { return k&all == all }

// Comparison is the half of a rule, or of several, that compares connections.
type Comparison struct {
	Start func() Across // makes the state of one run
	Wants EventKinds    // the events that it is told of
	// AtLeast is how many connections of one client to one service there must be, at the least, for
	// it to find anything between them; 0: it may find something with one.
	AtLeast int
	// Late says that it may be told of the first connection of a client to a service, as long as
	// that had no more than a plain exchange, when the next one comes, or not at all: what it keeps
	// is of pairs alone, a single such connection leads it to nothing, and it reads no more of the
	// events than a First has.
	Late bool
}

// Across is the state of a comparison. The judge tells it of each event that it wants, in the order
// of time, after it has taken the event in itself, and calls finish once, at the end.
type Across interface {
	Event(d Desk, c *Conn, e *Told)
	Finish(d Desk)
}

// Numbered is an across with tables of pairs that other comparisons have, too. It comes before
// anything else.
type Numbered interface {
	Number(n *PairNumbers)
}

// Hearer is an across that hears of each event that it wants when it happens, before it is told of
// it, then or late.
type Hearer interface {
	Hear(d Desk, c *Conn, e *Told)
}

// Claimer is an across that has something to say of an exchange before it is settled which claims
// about it stand.
type Claimer interface {
	Claims(d Desk, c *Conn, x *Judged)
}

// Settler is an across that has something to say of a client's exchanges once all that overlapped
// have been judged, and before what they cost is settled.
type Settler interface {
	Settle(d Desk, client netip.Addr)
}

// Owner is an across that has to do with claims of others about a client's exchanges, once it is
// settled what those cost.
type Owner interface {
	Own(d Desk, client netip.Addr)
}

// Page is what is known of a path that several exchanges shared.
type Page struct {
	// what all claims about waits for losses and windows cost together at most, of what passed it
	Most  time.Duration
	Rate  float64       // octets a second that it carries; 0: not known
	Queue time.Duration // by how much round trips grew, at most
	Full  bool          // a queue had filled, and what was lost had found no room in it
}

// Referee is an across to which workers refer claims: it books them, or not.
type Referee interface {
	Refer(d Desk, r Referred)
}

// Referred is a claim that its rule's across is to settle.
type Referred struct {
	Subject
	Claim
	At time.Duration // when it became known
	// claims that gave way to it, and would stand if it does not
	Displaced []Claim
}

// Witness is an across that wants to know of each claim of its rules that is booked.
type Witness interface {
	Booked(s *Subject, c *Claim)
}

// Recanter is a witness that wants to know of claims that were booked and turned out to be wrong.
type Recanter interface {
	Withdrawn(s *Subject, c *Claim)
}

// Waiter is an across that waits for something: it is also told how far time has gone, before each
// event and in silence, so that nothing holds up what it knows.
type Waiter interface {
	Advance(d Desk, now time.Duration)
}

// Desk is what a comparison may ask of the judge, and tell it.
type Desk interface {
	// Enabled reports whether the rule runs.
	Enabled(rule string) bool
	// Book adds an occurrence to its finding.
	Book(s Subject, c *Claim)
	// BookMany adds n occurrences that cost so much together, of which samples are listed.
	BookMany(s Subject, samples []Claim, n int, total report.Cost)
	// Lose adds to the time that was lost, at that moment.
	Lose(at, lost time.Duration)
	// Claim adds a claim to the exchange in hand.
	Claim(c Claim)
	// Settle says that the time of the exchange in hand belongs to something of that kind.
	Settle(k Kinds)
	// Standing are the kinds of the claims about the exchange in hand that stand.
	Standing() Kinds
	// Exchange is the number of the connection's exchange with that index; -1 if there is none.
	Exchange(conn, index int) int
	// Pair is what is known of all exchanges of a pair; false if nothing was ever asked between the
	// two.
	Pair(p report.Pair) (Totals, bool)
	// Found is a finding; nil if there is none.
	Found(rule, cause string, p report.Pair) Found
	// Findings are all findings of a rule so far, in no order.
	Findings(rule string) iter.Seq2[Key, Found]
	// Recast gives the occurrences of a finding to another cause of its rule.
	Recast(of Key, cause string)
	// PairHas reports whether there is a finding of that kind between a pair.
	PairHas(k Kinds, p report.Pair) bool
	// Failed sets how the attempt on a connection ended, which the capture did not show there.
	Failed(conn int, o exchange.Outcome)
	// Spare says that no request failed with a TLS handshake, which was an exchange of the
	// connection that failed by what had been seen of that alone.
	Spare(conn, exchange int)
	// Unlisted counts an attempt to connect of which no finding is made: it is one of a scan.
	Unlisted()
	// Uncompared counts a connection that is not compared, as there is too much to compare it with.
	Uncompared()
	// DelayedACKs are how late a host acknowledged small segments, as far as is known so far.
	DelayedACKs(host netip.Addr) []time.Duration
	// Retake books a claim about time that another finding has had, and takes that from it.
	Retake(from Key, s Subject, c *Claim)
	// Bound says that all claims about an exchange of a client cost no more together: for the rest
	// of its time the path carried what passed it, as fast as it does. It comes before all that the
	// client waited for at the same time has been judged, or it comes too late.
	Bound(client netip.Addr, exchange int, most time.Duration)
	// Share says that exchanges of a client share a path, whose rate bounds what claims about them
	// cost together. It comes when Bound does.
	Share(client netip.Addr, exchanges []int, p Page)
	// Page is what is known of the path that an exchange of a client shares with others; false if
	// that is nothing.
	Page(client netip.Addr, exchange int) (Page, bool)
	// Take books a claim in place of all of that kind about the same exchange, and what they cost
	// together it costs; false if there are none. It comes from an Owner.
	Take(k Kinds, s Subject, c *Claim) bool
	// Proxied is what a proxy made of an exchange, as far as that is known so far.
	Proxied(exchange int) Proxied
	// Prolong says that what was booked as a claim lasted longer, and cost more, than was known
	// then.
	Prolong(was, is *Referred)
	// Relabel gives back to a hold the time that went to the application.
	Relabel(r Relabelled)
}

// Proxied is what a proxy made of an exchange: its legs to servers behind it, the earliest first;
// and, of such a leg, what the proxy did next for the same client.
type Proxied struct {
	Legs   []Leg
	Waited time.Duration // for those, of what its server took to answer
	Next   *Next         // nil if the exchange is no leg, or nothing followed it
	// It is not known yet: others go on of which the exchange may be a leg, or of which an attempt
	// to connect between the exchange and Next may be one.
	Open bool
}

// Next is what a proxy did when a leg was over: it went on to the next one, or answered.
type Next struct {
	At     capture.Mark // the beginning of the next leg, or of the response to the client
	Conn   int
	Leg    bool
	Waited time.Duration // by the client, for all of its exchange
}

// Leg is an exchange that a proxy made of another, or its attempt to connect for that.
type Leg struct {
	Client         netip.Addr // the proxy
	Server         netip.AddrPort
	Conn, Exchange int
	Outcome        exchange.Outcome
	Status         int          // 0: there was no response
	Start, End     capture.Mark // its request or its SYN, and its last octet or what ended it
	Answer         capture.Mark // its first octet; no frame without a response
}

// Totals are what all exchanges of a pair took.
type Totals struct {
	Exchanges int
	Time      time.Duration
	Rtt       time.Duration // the least round trip that exchanges showed; 0: none
}

// Key is what one fix cures together: a finding.
type Key struct {
	Rule, Cause string
	Pair        report.Pair
}

// Found is a finding so far.
type Found interface {
	Count() int
	Confidence() report.Confidence
	Rtt() time.Duration // the longest of the exchanges that are affected
	// Doubt takes a level of confidence, sure sets it.
	Doubt()
	Sure(c report.Confidence)
	// Limit narrows the limits of severity, grade sets them.
	Limit(least, most report.Severity)
	Grade(least, most report.Severity)
	// Unlist takes the finding out of the report, and counts it as attempts of a scan.
	Unlist()
	// Low sets the least that it costs.
	Low(d time.Duration)
	// Further is what is to be said of all of it.
	Further(all ...Said)
}

// Relabelled is time of an exchange that had gone to the application, and belongs to a hold.
type Relabelled struct {
	Conn, Exchange int
	ledger.Relabelling
}

// Doubt takes a level of certainty from a finding, if there is one.
func Doubt(f Found) {
	if f != nil {
		f.Doubt()
	}
}
