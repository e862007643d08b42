package rule

import (
	"net/netip"
	"strings"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

// RetryKey is what a request and its repetition have in common.
type RetryKey struct {
	client         netip.Addr
	host           string
	Method, target string
}

// Path is what was asked for, without the query.
func (k *RetryKey) Path() string {
	path, _, _ := strings.Cut(k.target, "?")
	return path
}

// Failure is an exchange that did not end well.
type Failure struct {
	Key   RetryKey // no method: a repetition would not be recognised
	Host  string
	Start capture.Mark
	At    time.Duration // when it was over
	Took  time.Duration
	// Outcome is how it ended.
	Outcome exchange.Outcome
	// Refused says that the server never processed the request (RFC 9113 section 8.7), so that
	// clients repeat it by themselves.
	Refused bool
}

// FailureOf is what the judge needs to find the retry of x: the first of its connection that
// failed, or a stream that did by itself.
func FailureOf(s *ledger.Connection, x *exchange.Exchange) *Failure {
	at := s.Ending.FailedAt
	if ledger.StreamFailed(x) {
		at = ledger.StreamEnd(s.Conn, x)
	}
	f := &Failure{
		Start: x.Start(),
		At:    at,
		Host:  x.Host,
		Took:  max(0, at-x.Start().Time),

		Outcome: x.Outcome,
		Refused: x.Refused,
	}
	if s.Conn.TLS != nil {
		f.Host = s.Conn.TLS.SNI
	}
	// All calls of a method ask for the same path: that one comes after another shows no
	// repetition, but where the first was never taken.
	if x.Method != "" && x.Target != "" && !x.Turn && (x.RPC == nil || x.Refused) {
		f.Key = RetryKey{s.Conn.Client.Addr(), f.Host, x.Method, x.Target}
	}
	return f
}
