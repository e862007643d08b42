package analysis

import (
	"cmp"
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// eventKind orders the events of one connection that carry the same moment.
type eventKind uint8

const (
	exchangeBegan  eventKind = iota // *beganExchange
	exchangeOver                    // *overExchange
	exchangeJudged                  // *job
	connClosing                     // *closingConn: the first FIN or RST
	connOver                        // *overConn: no more segments
)

// event is one thing that happened to one connection. Workers write events; the judge reads all of
// them in the order of time, so that it can compare connections without looking into any worker's
// state.
type event struct {
	at    time.Duration
	conn  int
	index int // of the exchange, within its connection
	kind  eventKind
	data  any // by kind
}

// compare orders events by time, then connection, then the order in which the connection's worker
// wrote them.
func (e event) compare(f event) int {
	return cmp.Or(cmp.Compare(e.at, f.at), cmp.Compare(e.conn, f.conn))
}

// sortEvents puts events into the order in which the judge reads them. It is stable, so that events
// of one connection, which one worker wrote, keep their order.
func sortEvents(events []event) {
	slices.SortStableFunc(events, event.compare)
}

// beganExchange tells the judge of a request, at the moment of its first octet.
type beganExchange struct {
	pair      report.Pair
	first     bool         // the first exchange of its connection
	connStart capture.Mark // the connection's first segment
	start     capture.Mark
	need      time.Duration // when the client needed the connection
	critical  bool          // the request waited for the handshake
	handshake bool          // the capture shows the connection's start
	secure    bool
	name      string // Host or SNI
	method    string
	target    string
	agent     string // product of User-Agent
	turn      bool
	port      uint16        // of the client
	far       time.Duration // from the capture to the client and back
	rtt       time.Duration // the least on its connection so far; 0: not known
	facts     reassembly.Facts
}

// key is what the request and its repetition have in common.
func (e *beganExchange) key() retryKey { return retryKey{e.pair.Client, e.name, e.method, e.target} }

// overExchange tells the judge what the end of an exchange means for the connection's further use.
type overExchange struct {
	end       capture.Mark
	outcome   reassembly.Outcome
	reusable  bool
	turn      bool
	foreign   bool          // what the connection carries is neither HTTP nor hidden
	doubt     bool          // its messages were not all read: the reason rests on what little was
	reason    string        // why it is not reusable, a cause of missed-reuse
	idleLimit time.Duration // from Keep-Alive: timeout=; 0: not given, or notKept
	notKept   bool          // Keep-Alive: timeout=0
	bytes     int64         // of the response
	asked10   bool          // the request was HTTP/1.0 or older
	// the capture lacks some of the connection: how it ended, and why, is not certain
	gap      bool
	failure  *failure        // set if the exchange did not end well
	products report.Products // seen on the connection so far
}

// closingConn tells the judge that a connection carries no further request, and who closed it.
type closingConn struct {
	at    capture.Mark
	by    reassembly.Dir
	reset bool
	alert bool           // by its TLS alert (RFC 8446 §6.1)
	fin   reassembly.Dir // who sent the first FIN or RST
	open  bool           // while an exchange was going on
	gap   bool           // the capture lacks what came before
	again bool           // told already: only gap is new
	// by a RST of the client with ACK: it had not read everything, or set SO_LINGER to zero
	abort bool
}

// overConn hands the judge what remains of a connection.
type overConn struct {
	pair        report.Pair
	at          capture.Mark
	by          reassembly.Dir
	reset       bool
	ended       bool // only because the capture ended
	info        *report.ConnInfo
	claims      []claim
	refusal     *claim // the connection was never set up
	established bool   // the handshake was completed
	names       ledger.Names
	missing     int64 // octets acknowledged that the capture lacks
	midStream   bool
	trace       *report.Trace
	nagle       [2]ledger.NagleTally // by the sender's direction
	delacks     [2][]time.Duration   // how late each side acknowledged small segments
}
