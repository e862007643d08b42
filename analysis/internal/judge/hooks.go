package judge

import "tcpwhy/analysis/report"

// Hooks are told of what a capture shows while it goes on. They are called one at a time, between
// segments, and should be quick: meanwhile nothing is read. What they are handed is theirs.
type Hooks struct {
	// Certain is told of an occurrence as soon as it is certain: of its finding with the totals so
	// far, and with this occurrence alone.
	Certain func(*report.Finding)
	// Exchange is told of an exchange, and of whom it was between, when it has been judged,
	// and it is known whether a proxy made it of another.
	Exchange func(between report.Pair, x *report.ExchangeInfo)
	// Connection is told of a connection, and of whom it is between, when its first exchange
	// begins (over is nil), and of every connection when it is over.
	Connection func(id int, between report.Pair, over *report.ConnInfo)
	// Tick is called several times a second. What soFar draws up is the report of what has been
	// judged; exchanges and connections that go on are not in it.
	Tick func(soFar func() *report.Report)
}

// Any reports whether there is a hook.
func (h *Hooks) Any() bool {
	return h.Certain != nil || h.Exchange != nil || h.Connection != nil || h.Tick != nil
}
