//go:build linux

package own

import "strings"

// About describes the client for scenario.txt.
func (c Client) About() string {
	l := c.Sockopts.Words()
	l.If(c.TLS, "TLS 1.3")
	l.If(true, "%d request(s)", max(c.Count, 1)*max(c.Parallel, 1))
	l.If(c.Body > 0, "body of %d octets", c.Body)
	l.If(c.Version != "", "%s", c.Version)
	l.If(c.Header != "", "%s", inLine(c.Header))
	l.If(c.Split, "header and body in two writes")
	l.If(c.Gap > 0, "%v apart", c.Gap)
	l.If(c.Piece > 0, "body in writes of %d octets, %v apart", c.Piece, c.PieceGap)
	l.If(c.Uneven, "up to five times as long")
	l.If(c.Interval > 0, "%v between a response and the next request", c.Interval)
	l.If(c.Fresh && !c.KeepOld, "a new connection for every request, the old one closed")
	l.If(c.Fresh && c.KeepOld,
		"a new connection for every request, the old ones left open and idle")
	l.If(c.Preconnect > 0, "connects %v before the first request", c.Preconnect)
	l.If(c.Rotate > 0, "%d connections used in turn", c.Rotate)
	l.If(c.Parallel > 1, "%d connections at the same time", c.Parallel)
	l.If(c.SlowRead > 0 && c.ReadSize == 0, "pauses %v between reads of 64 KiB", c.SlowRead)
	l.If(c.ReadSize > 0, "pauses %v between reads of %d octets", c.SlowRead, c.ReadSize)
	l.If(c.AbortAfter > 0, "aborts after %d octets of the body", c.AbortAfter)
	l.If(c.ResetEnd, "closes with SO_LINGER 0")
	l.If(c.Blind, "does not look whether the server closed the connection")
	l.If(c.HalfClose, "shuts its sending side after the last request")
	l.If(c.Retry, "sends a failed request once more on a new connection")
	l.If(c.Pipeline, "all requests sent before the first response is read")
	l.If(c.Short > 0, "the last %d octets of the announced body never sent", c.Short)
	l.If(c.GiveUp > 0, "gives up when nothing came for %v", c.GiveUp)
	l.If(c.Spare > 0 && c.SpareFor == 0,
		"%d more connections, opened first and never used", c.Spare)
	l.If(c.Spare > 0 && c.SpareFor > 0,
		"%d more connections, each opened, left %v without a request, and closed",
		c.Spare, c.SpareFor)
	l.If(c.AwaitClose > 0,
		"after a response that says close, waits up to %v for the server to close", c.AwaitClose)
	l.If(c.IgnoreClose, "uses a connection again whose close was announced")
	l.If(c.Path != "", "asks below %s", c.Path)
	l.If(c.Raw != "", "sends %q in place of a request", c.Raw)
	l.If(c.Patience > 0, "gives up a connection that is not there after %v", c.Patience)
	l.If(c.Linger > 0, "closes %v after the last response", c.Linger)
	return l.String()
}

// About describes the server for scenario.txt.
func (s Server) About() string {
	l := s.Sockopts.Words()
	l.If(s.TLS, "TLS 1.3")
	l.If(s.Names > 0, "a certificate with %d names", s.Names+1)
	l.If(s.Think > 0, "thinks %v", s.Think)
	l.If(s.LongThink > 0, "thinks %v over request 1 and every %d after it",
		s.LongThink, s.LongEvery)
	l.If(true, "body of %d octets", s.Body)
	l.If(len(s.Statuses) > 0, "answers %s in turn", strings.Join(s.Statuses, ", "))
	l.If(s.Excess > 0, "and %d octets that it does not announce", s.Excess)
	l.If(s.Large > 0, "of %d octets below /large", s.Large)
	l.If(s.Split, "header and body in two writes")
	l.If(s.Gap > 0, "%v apart", s.Gap)
	l.If(s.Cork, "TCP_CORK around the response")
	l.If(s.KeepCork, "TCP_CORK set once and never taken away")
	l.If(s.Piece > 0, "body in writes of %d octets, %v apart", s.Piece, s.PieceGap)
	l.If(s.Version != "", "%s", s.Version)
	l.If(s.Header != "", "%s", inLine(s.Header))
	l.If(s.Chunked, "chunked")
	l.If(s.CloseDelimited, "no Content-Length")
	l.If(s.CloseAfter > 0, "closes %v after the last octet", s.CloseAfter)
	l.If(s.Continue, "answers Expect with 100 Continue")
	l.If(s.Twice, "sends every response a second time, 60 ms later")
	l.If(s.HangUp, "takes the end of the client's data for the end of its interest, and closes")
	l.If(s.CutHead, "closes in the middle of the response's header")
	l.If(s.Requests > 0, "closes after %d request(s)", s.Requests)
	l.If(s.Idle > 0, "closes after %v idle", s.Idle)
	l.If(s.Refuse > 0 && !s.Drain,
		"answers %d after the header and closes without reading the body", s.Refuse)
	l.If(s.Refuse > 0 && s.Drain,
		"answers %d after the header, shuts its sending side, reads to the end, closes", s.Refuse)
	l.If(s.AbortAfter > 0, "resets after %d octets of the body", s.AbortAfter)
	l.If(s.CutAfter > 0, "closes after %d octets of the body", s.CutAfter)
	l.If(s.CutStream > 0,
		"closes after %d octets, in the middle of a TLS record and without an alert", s.CutStream)
	l.If(s.Linger, "SO_LINGER 0, closes after the response")
	l.If(s.LingerAfter > 0, "SO_LINGER 0, closes after %v idle", s.LingerAfter)
	l.If(s.SlowRead > 0, "pauses %v between reads of the request's body", s.SlowRead)
	l.If(s.ReadSize > 0, "reads %d octets at once", s.ReadSize)
	l.If(s.AcceptAfter > 0, "listen backlog %d, accepts after %v", s.Backlog, s.AcceptAfter)
	l.If(s.AcceptEvery > 0, "listen backlog %d, accepts one every %v", s.Backlog, s.AcceptEvery)
	return l.String()
}

// inLine is header lines with commas between them.
func inLine(header string) string {
	return strings.ReplaceAll(strings.TrimSpace(header), "\r\n", ", ")
}
