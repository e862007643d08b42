package rule

import (
	"cmp"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// EventKind says what happened.
type EventKind uint8

const (
	ExchangeBegan  EventKind = iota // the first octet of a request
	ExchangeOver                    // the last octet of an exchange
	ExchangeJudged                  // its labels are certain
	ConnClosing                     // the first FIN or RST
	// ConnLacks says that what came after the close shows that octets before it are missing.
	ConnLacks
	// ConnHarmed says that the server's reset threw away a response on its way, or part of a
	// request that was.
	ConnHarmed
	ConnOver // no more segments
	// An attempt begins and is judged at once, when its connection is over: these stand for the
	// first three, so that nobody takes it for something that was asked.
	AttemptBegan
	AttemptJudged
	// ConnDirected says that what a server of HTTP/2 has said of the use of its connection has
	// changed.
	ConnDirected
	// PeriodJudged tells what rules claim of a busy period of a connection that exchanges shared;
	// its exchange is the one with most of the octets.
	PeriodJudged
	// EventKindCount is how many kinds there are.
	EventKindCount
)

// Event is one thing that happened to one connection, in 64 octets without pointers. Workers write
// events; the judge reads all of them in the order of time, so that it can compare connections
// without looking into any worker's state.
type Event struct {
	At     time.Duration // when it became known, in the time of the capture
	U      [5]int64      // numbers, by kind
	Conn   uint32        // the connection's number in this run
	Index  uint32        // of the exchange, within its connection
	Detail uint32        // the place of what is rare or long, in its list of the batch
	Flags  uint16        // by kind
	Kind   EventKind
}

// EventKinds is a set of kinds.
type EventKinds uint16

// Wants is the set of the kinds.
func Wants(kinds ...EventKind) (all EventKinds) {
	for _, k := range kinds {
		all |= 1 << k
	}
	return all
}

// Has reports whether k is in the set.
func (s EventKinds) Has(k EventKind) bool { return s&(1<<k) != 0 }

// compare orders events by time, then connection, then the order in which the connection's worker
// wrote them.
func (e Event) compare(f Event) int {
	return cmp.Or(cmp.Compare(e.At, f.At), cmp.Compare(e.Conn, f.Conn))
}

// Told is an event with what lies beside it.
type Told struct {
	Event
	of *Batch
}

// Began tells the judge of a request, at the moment of its first octet.
type Began struct {
	Pair      report.Pair
	First     bool         // the first exchange of its connection
	ConnStart capture.Mark // the connection's first segment
	Start     capture.Mark
	Need      time.Duration // when the client needed the connection
	Critical  bool          // the request waited for the handshake
	Handshake bool          // the capture shows the connection's start
	LacksSYN  bool          // by its SYN-ACK alone
	Secure    bool
	Name      string // Host or SNI
	Method    string
	Target    string
	Agent     string          // product of User-Agent
	Trail     *exchange.Trail // of the request; nil if nothing of it is known, or yet
	Turn      bool
	Unasked   bool          // there is no request: the first octet is that of a response
	Port      uint16        // of the client
	Far       time.Duration // from the capture to the client and back
	Rtt       time.Duration // the least on its connection so far; 0: not known
	Facts     exchange.Facts
	HostMark  uint32 // see ledger.HostMark
	// its connection carries several requests at a time: HTTP/2
	Multiplexed bool
	Session     Session // of the first exchange of a connection
}

// Session is what a TLS handshake says of sessions.
type Session struct {
	Seen             bool // the hellos of both sides
	Offered, Resumed bool
	Given            bool   // the server gave one, or may have: from TLS 1.3 on that is encrypted
	Program          uint32 // see exchange.TLSOffer
	GivenID          uint32 // of the session, if it has one; see there
}

// Key is what the request and its repetition have in common.
func (e *Began) Key() RetryKey { return RetryKey{e.Pair.Client, e.Name, e.Method, e.Target} }

// Over tells the judge what the end of an exchange means for the connection's further use.
type Over struct {
	End      capture.Mark
	Outcome  exchange.Outcome
	Reusable bool
	Turn     bool
	Foreign  bool // what the connection carries is neither HTTP nor hidden
	// the connection carries several requests at a time: HTTP/2
	Multiplexed bool
	Doubt       bool          // its messages were not all read: the reason rests on what little was
	Reason      string        // why it is not reusable, a cause of missed-reuse
	IdleLimit   time.Duration // from Keep-Alive: timeout=; 0: not given, or notKept
	NotKept     bool          // Keep-Alive: timeout=0
	Bytes       int64         // of the response
	Asked10     bool          // the request was HTTP/1.0 or older
	Unasked     bool          // a response without a request
	Error       bool          // its status says that the request failed (RFC 9110 §15.5, §15.6)
	// the capture lacks some of the connection: how it ended, and why, is not certain
	Gap      bool
	Failure  *Failure        // set if the exchange did not end well
	Products report.Products // seen on the connection so far
}

// Closing tells the judge that a connection carries no further request, and who closed it.
type Closing struct {
	At    capture.Mark
	By    reassembly.Dir
	Reset bool
	Alert bool           // by its TLS alert (RFC 8446 §6.1)
	Fin   reassembly.Dir // who sent the first FIN or RST
	Open  bool           // while an exchange was going on
	Gap   bool           // the capture lacks what came before
	// the server had said GOAWAY: it takes no more streams
	GoneAway bool
	// when the latest copy of the end of the last response passed, if it was sent again; else 0
	Again time.Duration
	// by a RST of the client with ACK, and without more room than before: it had not read
	// everything, or set SO_LINGER to zero
	Abort bool
}

// Directed tells the judge what a server of HTTP/2 has said, so far, of the use of its connection.
type Directed struct {
	// Lossy says that the capture lacks frames of the connection: what else was said, and which
	// streams are open, is not known.
	Lossy   bool
	Heard   bool   // its SETTINGS have been seen: what they do not say has no limit
	Limited bool   // it has said how many streams may be open at a time
	Streams uint32 // valid if limited
	Away    Away
}

// Away is the first GOAWAY of a server (RFC 9113 §6.8), unless its client had said that it goes.
type Away struct {
	At   capture.Mark // no frame: it has said none
	Code exchange.ErrorCode
}

// DirectedBy is what the server has said of the use of c.
func DirectedBy(c *reassembly.Conn) (d Directed) {
	h := c.HTTP2
	if h == nil {
		return d
	}
	s := h.Sides[reassembly.FromServer].Settings.Streams
	d.Lossy, d.Limited, d.Streams = h.Lossy, s.Said, s.Value
	d.Heard = h.Sides[reassembly.FromServer].SettingsSent > 0
	if len(h.GoAways) > 0 && h.GoAways[0].By == reassembly.FromServer {
		d.Away = Away{h.GoAways[0].At, h.GoAways[0].Code}
	}
	return d
}

// Gone hands the judge what remains of a connection.
type Gone struct {
	Pair        report.Pair
	At          capture.Mark
	By          reassembly.Dir
	Reset       bool
	Ended       bool // only because the capture ended
	Info        *report.ConnInfo
	Claims      []Claim
	Established bool            // the handshake was completed
	Products    report.Products // that its two ends said that they are
	Missing     int64           // octets acknowledged that the capture lacks
	MidStream   bool
	Accepted    bool // the capture shows its SYN, its SYN-ACK and data of the server
	Mute        bool // and no acknowledgment of the client without data
	Trace       *report.Trace
	Graph       *report.Graph        // nil unless the connection is to be shown
	Nagle       [2]ledger.NagleTally // by the sender's direction
	IDs         [2][]ledger.IDRun    // IP identifications, by direction
	Delacks     [2][]time.Duration   // how late each side acknowledged small segments
	Broken      *Broken              // this program failed on it; nil: as usual
	Attested    []Attested           // what this machine's kernel says of claims about it
}
