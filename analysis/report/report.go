package report

import (
	"net/netip"
	"slices"
	"time"

	"tcpwhy/capture"
	"tcpwhy/capture/sockets"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// Side is who can cure, or who caused, a fault.
type Side uint8

const (
	SideUnknown Side = iota
	SideClient
	SideServer
	SideProxy
	SideNetwork
)

var sideNames = [...]string{"unknown", "client", "server", "proxy", "network"}

// String is the side's name in reports.
func (s Side) String() string { return sideNames[s] }

// ParseSide is the side of that name in reports; false if there is none.
func ParseSide(name string) (Side, bool) {
	i := slices.Index(sideNames[:], name)
	return Side(max(i, 0)), i >= 0
}

// Severity grades a finding.
type Severity uint8

const (
	Info Severity = iota
	Low
	Medium
	High
	Critical
)

var severityNames = [...]string{"info", "low", "medium", "high", "critical"}

// String is the severity's name in reports and flags.
func (s Severity) String() string { return severityNames[s] }

// ParseSeverity is the severity of that name in reports; false if there is none.
func ParseSeverity(name string) (Severity, bool) {
	i := slices.Index(severityNames[:], name)
	return Severity(max(i, 0)), i >= 0
}

// Confidence grades how sure a finding is.
type Confidence uint8

const (
	ConfidenceLow Confidence = iota
	ConfidenceMedium
	ConfidenceHigh
	Proven
)

var confidenceNames = [...]string{"low", "medium", "high", "proven"}

// String is the confidence's name in reports.
func (c Confidence) String() string { return confidenceNames[c] }

// ParseConfidence is the confidence of that name in reports; false if there is none.
func ParseConfidence(name string) (Confidence, bool) {
	i := slices.Index(confidenceNames[:], name)
	return Confidence(max(i, 0)), i >= 0
}

// Cost is what a fix would save: the least, the likely and the most.
type Cost struct{ Low, Expected, High time.Duration }

// Add is the sum of two costs.
func (c Cost) Add(d Cost) Cost {
	return Cost{c.Low + d.Low, c.Expected + d.Expected, c.High + d.High}
}

// Evidence is one frame that proves a finding.
type Evidence struct {
	capture.Mark
	Role string // fixed per rule, short: "first piece", "late ACK"
	Side Side   // who sent the frame
	Text string // what the frame shows
	// what of the text can be looked up in the packets; not in reports that were read back
	Asserts []Asserted
}

// Occurrence is one place where a finding shows.
type Occurrence struct {
	Connection int // Conn.ID
	Exchange   int // ExchangeInfo.ID; -1 if it concerns the connection as a whole
	Start, End time.Duration
	Cost       Cost
	Evidence   []Evidence
	Elsewhere  bool // some of the evidence is on other connections
}

// Finding is one cause between one client address and one server, with all its occurrences.
type Finding struct {
	Rule, Cause string // as --list-rules and --explain name them; Cause may be ""
	Title       string
	Severity    Severity
	Confidence  Confidence
	Side        Side
	Client      netip.Addr
	Server      netip.AddrPort
	Host        string // Host or SNI, if all occurrences agree
	Message     string // the story in one or two plain sentences
	// what of the message can be looked up in the packets; not in reports that were read back
	Asserts []Asserted
	Count   int  // occurrences, also those not listed
	Cost    Cost // union over all occurrences
	// Wall is what of the expected cost the client waited for with nothing else under way: less
	// than Cost.Expected where exchanges without this finding ran in parallel.
	Wall time.Duration
	// Shared is what of the expected cost is more than the finding cost by the clock, where
	// exchanges with it went on side by side on a connection.
	Shared      time.Duration
	Within      time.Duration // the part of the expected cost that lies within exchanges
	Broken      bool          // data was lost or in danger
	Counted     bool          // its cost is part of Report.Lost
	Affected    int           // exchanges
	When        When          // what is regular about when it was
	Remedies    []Remedy
	References  []string
	Occurrences []Occurrence // the costliest first, then by frame; capped
	Known       *Known       // nil if it is news
}

// Known says why a finding is none of those that somebody has to hear of, and how long that holds.
type Known struct{ Reason, Until string } // Until: the last day, as 2026-11-30

// KnownStory is what is known of a story all findings of which are known: that of the first; nil if
// one of them is news, or not listed.
func (r *Report) KnownStory(s *Story) *Known {
	count := 0
	for _, i := range s.Findings {
		if i >= len(r.Findings) || r.Findings[i].Known == nil {
			return nil
		}
		count += r.Findings[i].Count
	}
	if count == 0 || count < s.Count {
		return nil
	}
	return r.Findings[s.Findings[0]].Known
}

// Broke reports whether a finding is about more than time: data, or what is severe without a cost.
func (f *Finding) Broke() bool {
	return f.Severity >= High && (f.Broken || f.Cost.Expected == 0)
}

// LabelTime is the time that one label of the ledger got.
type LabelTime struct {
	Label Label
	Time  time.Duration
}

// ConnInfo is one connection of the report.
type ConnInfo struct {
	ID                                      int
	Client, Server                          netip.AddrPort
	Start, Duration                         time.Duration
	State                                   reassembly.State
	History                                 string
	Protocol                                exchange.Protocol
	Vantage                                 reassembly.Vantage
	Handshake, RTTMin, ClientRTT, ServerRTT time.Duration // 0: not known
	MSS                                     [2]uint16     // options sent, by Dir
	Bytes                                   [2]int64      // by Dir of the sender
	Segments                                [2]uint32
	Retransmissions                         [2]uint32
	Ended
	TLS *exchange.TLSInfo
	Spoken
	// what this machine knows of its own ends, by Dir; nil for ends of others, and where nobody
	// asked
	Ends      [2]*SocketEnd
	Exchanges []int
	// tiles Duration exactly, in the order of Labels
	Times   []LabelTime
	Caveats []string
}

// Ended is who closed a connection first, and who reset it: "client", "server" or "".
type Ended struct{ ClosedBy, ResetBy string }

// SocketEnd is what this machine knows of one end of a connection: whose it is, and what its kernel
// counted.
type (
	SocketEnd     = sockets.End
	SocketProcess = sockets.Process
	SocketAccount = sockets.Account
	SocketReason  = sockets.Reason
)

// The reasons why nobody knows whose an end is.
const (
	SocketEnded   = sockets.Ended
	SocketHidden  = sockets.Hidden
	SocketMissing = sockets.Missing
	SocketUnasked = sockets.Unasked
)

// ParseSocketReason is the reason of that name in reports; false if there is none.
func ParseSocketReason(name string) (SocketReason, bool) { return sockets.ParseReason(name) }

// Spoken is what protocols above TCP and TLS showed beside exchanges.
type Spoken struct {
	HTTP2      *exchange.H2Info // nil if it is not HTTP/2
	WebSockets []exchange.WebSocket
}

// MessageInfo is one message of an exchange.
type MessageInfo struct {
	Start, End             capture.Mark
	HeaderBytes, BodyBytes int64
	Complete               bool
}

// AttemptInfo is where the capture shows an attempt to connect, or a TLS handshake, that failed or
// was cut.
type AttemptInfo struct {
	Start, End capture.Mark // the connection's first segment, and the one that ended the attempt
	Secure     bool         // it came as far as a TLS handshake
}

// ExchangeInfo is one exchange of the report.
type ExchangeInfo struct {
	ID, Connection                int
	Index                         int    // within its connection, from 0
	Method, Target, Host, Version string // Target as sent, query included: output masks it
	Status                        int
	Interim                       []int
	Outcome                       exchange.Outcome
	Turn                          bool
	Request, Response             *MessageInfo
	Attempt                       *AttemptInfo // set if it never came to a request
	OnStream                      exchange.OnStream
	Start, Duration               time.Duration
	Times                         []LabelTime // tiles Duration exactly
	// its time in order; only of the slowest exchanges, else nil
	Pieces []Piece
	Legs
	// what the request's header says of its way; nil if it says nothing; not in reports that were
	// read back
	Trail *exchange.Trail
}

// Legs is what an exchange has to do with others: a proxy makes an exchange of its own of one that
// it is asked for, or several if that fails.
type Legs struct {
	Upstream []int         // what its server made of it, by ID, the earliest first
	Waited   time.Duration // that its server waited for those before it answered
	Behind   bool          // it was made of another
	Front    int           // of that one, by ID
	// others for the same went on at once, and which of them belongs to which does not show: with
	// any other choice all counts and sums are the same
	Alike bool
}

// Caveat is something that the capture could not show.
type Caveat struct {
	Code    string
	Message string
	Count   uint64
	Weakens []string // rules
}

// Tally is what became of all exchanges, also of those not listed.
type Tally struct {
	Failures   []Failures // by outcome; those without any are left out
	Unfinished Failures   // the capture ended first, or lacks their end
	Statuses   []StatusCount
	Endpoints  []Endpoint // the one on which most time was spent first; capped
	Streams    StreamEnds // of HTTP/2, that did not end well
	Over       Steps      // the time of the capture
	Proxied    Proxied
	// Scanned are attempts to connect of hosts that only look what is there: they are among the
	// failures that were refused, or never connected.
	Scanned int
}

// Clock is what exchanges took, and lost, where a moment counts once, however many exchanges and
// connections were under way: never more than sums over exchanges, or than the capture lasted. It
// is zero where no exchanges shared a connection.
type Clock struct {
	Shared     int // exchanges that had others beside them on their connection
	Time, Lost time.Duration
	// what connections waited for meanwhile, of no label more than exchanges did one by one
	Times []LabelTime
}

// ByClock is what exchanges took and lost by the clock: the sums over exchanges
// where none shared a connection.
func (r *Report) ByClock() Clock {
	if r.Clock.Shared == 0 {
		return Clock{Time: r.ExchangeTime, Lost: r.Lost, Times: r.Times}
	}
	return r.Clock
}

// Report is the outcome of an analysis: all that output writes.
type Report struct {
	Capture                    *capture.Stats
	Caveats                    []Caveat
	Connections, ExchangeCount int           // all, also those not listed
	ExchangeTime               time.Duration // sum over exchanges
	// union of the findings' costs, per exchange
	Lost  time.Duration
	Times []LabelTime // over all exchanges
	Clock Clock       // where exchanges shared connections
	Tally
	Stories   []Story                    // gravest first, then by cost
	Findings  []Finding                  // likewise; capped
	Found     int                        // findings, also those not listed
	LeftOut   int                        // findings that are not as grave as was asked for
	Conns     []ConnInfo                 // by ID; capped
	Exchanges []ExchangeInfo             // by ID; capped
	Checked   []string                   // rules that ran, in order
	Blind     []string                   // of those, the ones that could look at nothing
	Vantages  map[reassembly.Vantage]int // connections by vantage
	QUIC      QUIC                       // what there was of it
	// The capture goes on: failures that may still be repeated, and what rules that compare
	// connections say at the end, are not in it.
	GoesOn bool
	// exchanges that have begun, and are not judged or not counted yet; valid if GoesOn
	Pending int
	// Parts are how many parts it was made of that were analysed apart; 0: it is of one analysis.
	Parts int
	// what Options.Trace asked for; nil if there is no such thing
	Trace *Trace
	// what analysis.WithGraphs asked for, by connection
	Graphs []Graph
}
