package analysis

import (
	"tcpwhy/analysis/internal/judge"
	"tcpwhy/analysis/report"
	"tcpwhy/capture/sockets"
	"tcpwhy/reassembly"
)

// Option chooses something about an analysis. Of two of a kind, the later one counts.
type Option func(*options)

// options are what was chosen.
type options struct {
	only, skip []string        // names of rules
	least      report.Severity // findings below it are left out
	limits     Limits
	workers    int
	trace      *report.TraceOf        // nil: nothing
	graphs     map[int]report.GraphOf // by connection
	pieces     bool                   // of all that are listed
	span       Span
	hooks      judge.Hooks
	showNames  bool
	panics     bool
	keys       *KeyLog // nil: none
	partial    *Partial
	partBy     PartBy
	sockets    sockets.Witness
}

// WithRules has only the rules run that are named in only, or all if it is empty, and none of those
// in skip. [Rules] has their names; Run refuses others.
func WithRules(only, skip []string) Option {
	return func(o *options) { o.only, o.skip = only, skip }
}

// WithMinSeverity leaves findings below a severity out.
func WithMinSeverity(least report.Severity) Option {
	return func(o *options) { o.least = least }
}

// WithLimits sets what a report lists and what the analysis keeps.
func WithLimits(limits Limits) Option {
	return func(o *options) { o.limits = limits }
}

// WithWorkers has n goroutines follow connections: one per processor unless it is set, or if n is
// 0. The report does not depend on it.
func WithWorkers(n int) Option {
	return func(o *options) { o.workers = n }
}

// WithSpan has only what lies in a part of the capture counted.
func WithSpan(s Span) Option {
	return func(o *options) { o.span = s }
}

// WithTrace has the report show one connection or exchange in full: see [report.Report.Trace].
func WithTrace(of report.TraceOf) Option {
	return func(o *options) { o.trace = &of }
}

// WithGraphs has the report show the segments of some connections: see [report.Report.Graphs].
// Which of them are worth it is known by a report without.
func WithGraphs(of ...report.GraphOf) Option {
	return func(o *options) {
		o.graphs = map[int]report.GraphOf{}
		for _, g := range of {
			o.graphs[g.Connection] = g
		}
	}
}

// WithPieces has the time in order of every exchange that is listed, not of the slowest alone.
func WithPieces() Option {
	return func(o *options) { o.pieces = true }
}

// WithNames has the report say which names were looked up that no connection followed. Without it
// they are only counted.
func WithNames() Option {
	return func(o *options) { o.showNames = true }
}

// WithPanics has panics end the program, as they show where it has a defect. Without it one costs
// the connection that it was about, or the comparison of connections: what was judged before stays,
// and a caveat tells of it.
func WithPanics() Option {
	return func(o *options) { o.panics = true }
}

// KeyLog is what is known of key logs of TLS (RFC 9850): by it, what connections carry is
// decrypted. What a file holds is written to one of its writers.
type KeyLog = reassembly.KeyLog

// KeyLogWriter takes the octets of one key log.
type KeyLogWriter = reassembly.KeyLogWriter

// WithKeys has connections decrypted whose secrets are in a key log, or in the capture itself. A
// log may grow while a source listens to an interface; of a file, all is to be there before.
func WithKeys(log *KeyLog) Option {
	return func(o *options) { o.keys = log }
}

// WithSockets has the ends of connections looked up that are sockets of this machine: whose they
// are, and what their kernel counted (report.ConnInfo.Ends). It is for a source that listens here
// ([capture.Live]), or beside which somebody did. A watch is not closed.
func WithSockets(w sockets.Witness) Option {
	return func(o *options) { o.sockets = w }
}

// OnFinding has f told of an occurrence as soon as it is certain: of its finding with the totals so
// far, and with this occurrence alone. WithMinSeverity holds for it as well.
//
// Calls of f, and of the functions of OnExchange, OnConnection and OnProgress, come one at a time
// and from any goroutine, and none after Run has returned. They should be quick: meanwhile nothing
// is read. What they are handed is theirs.
func OnFinding(f func(*report.Finding)) Option {
	return func(o *options) { o.hooks.Certain = f }
}

// OnExchange has f told of each exchange, and of whom it was between, when it has been judged. When
// it may be called, and how often at a time, is as with OnFinding.
func OnExchange(f func(between report.Pair, x *report.ExchangeInfo)) Option {
	return func(o *options) { o.hooks.Exchange = f }
}

// OnConnection has f told of a connection, and of whom it is between, when its first exchange
// begins (over is nil), and of every connection when it is over. When it may be called is as with
// OnFinding.
func OnConnection(f func(id int, between report.Pair, over *report.ConnInfo)) Option {
	return func(o *options) { o.hooks.Connection = f }
}

// OnProgress has f called several times a second while a source listens to an interface
// ([capture.Live]), also in silence; while a file is read, it is not called. What soFar draws up,
// if it is called before f returns, is the report of what has been judged: exchanges and
// connections that go on are not in it.
func OnProgress(f func(soFar func() *report.Report)) Option {
	return func(o *options) { o.hooks.Tick = f }
}
