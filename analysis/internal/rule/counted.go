package rule

import (
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// Counter is one of the figures that a kernel keeps of a socket that sends.
type Counter uint8

const (
	Resent       Counter = iota // segments that it sent again
	HeldByWindow                // nanoseconds in which the receive window left nothing to send
	HeldByBuffer                // nanoseconds in which its send buffer was full, and all in it sent
)

// isTime reports whether a figure is a time.
func (c Counter) isTime() bool { return c != Resent }

// of is the figure in an account; false if that does not hold it.
func (c Counter) of(a *report.SocketAccount) (n int64, ok bool) {
	switch c {
	case HeldByWindow:
		return int64(a.RwndLimited), a.Counted
	case HeldByBuffer:
		return int64(a.SndbufLimited), a.Counted
	}
	return int64(a.Retransmissions), true
}

// Counted is what the kernel of a sender has counted, at least, if a claim is right.
type Counted struct {
	What Counter
	Dir  reassembly.Dir // of what it sent
	N    int64
}

// expected is what all claims of a connection that are of one finding say that a kernel counted.
type expected struct {
	rule, cause string
	Counted
}

// Expect says what the sender's kernel has counted if a claim that the rule reports is right. Where
// that kernel is this machine's, it is asked when the connection is over; the rule has no part in
// it.
func (p *Pass) Expect(c *Claim, k Counted) {
	for i := range p.State.expected {
		e := &p.State.expected[i]
		if e.rule == c.Rule && e.cause == c.Cause && e.What == k.What && e.Dir == k.Dir {
			e.N += k.N
			return
		}
	}
	p.State.expected = append(p.State.expected, expected{c.Rule, c.Cause, k})
}

// Attested is what a kernel says of the claims of one finding on one connection.
type Attested struct {
	Rule, Cause string
	What        Counter
	Claimed, N  int64 // what it has counted if they are right, and what it has
	Agrees      bool
}

const (
	// jiffies is how long the ticks are, at most, in which kernels count such times (CONFIG_HZ of
	// 100): a wait is counted to within one.
	jiffies = 10 * time.Millisecond
	// leastTime is the least time of which a count in ticks tells anything.
	leastTime = 4 * jiffies
	// within is by how many percent what was claimed may be more than what the kernel counted: a
	// capture shows when segments passed, and not when the kernel would have sent them.
	within = 20
)

// Attest asks the accounts of a connection's ends, by the Dir of what they send, about what was
// claimed of it. One that is not the last tells of claims that are right, and not of those that are
// wrong: more may have been counted since.
func (f *Followed) Attest(ends *[2]*report.SocketEnd) (all []Attested) {
	for _, e := range f.expected {
		end := ends[e.Dir]
		if end == nil || end.Account == nil || e.What.isTime() && e.N < int64(leastTime) {
			continue
		}
		n, ok := e.What.of(end.Account)
		if !ok {
			continue
		}
		a := Attested{
			Rule:    e.rule,
			Cause:   e.cause,
			What:    e.What,
			Claimed: e.N,
			N:       n,
			Agrees:  n >= e.N,
		}
		if e.What.isTime() {
			a.Agrees = n >= e.N-e.N*within/100-int64(jiffies)
		}
		if a.Agrees || end.Account.Final {
			all = append(all, a)
		}
	}
	return all
}
