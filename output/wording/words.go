package wording

import (
	"net/netip"
	"strings"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/output/mask"
	"tcpwhy/reassembly"
)

// Capital is s with a capital letter at its beginning, unless it begins with a name, such as a
// file's.
func Capital(s string) string {
	first, _, _ := strings.Cut(s, " ")
	if s == "" || strings.ContainsAny(strings.TrimRight(first, ".:;,"), "./\\:_0123456789") {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// Meaning is a cause in a sentence: its message or, where each finding has one of its own, its
// title.
func Meaning(c *report.Cause) string {
	if c.Message == "" && c.Title != "" {
		return Capital(c.Title) + "."
	}
	return c.Message
}

// Client names the client of a finding.
func Client(a netip.Addr) string {
	if !a.IsValid() {
		return "several clients"
	}
	return a.String()
}

// Server names the server of a finding: by its address alone if the finding concerns all its ports.
func Server(a netip.AddrPort) string {
	switch {
	case !a.IsValid():
		return "several servers"
	case a.Port() == 0:
		return a.Addr().String()
	}
	return a.String()
}

// Confidence says how sure a finding is.
func Confidence(c report.Confidence) string {
	if c == report.Proven {
		return "proven"
	}
	return c.String() + " confidence"
}

// Evidence is what a frame is and what can be seen in it.
func Evidence(e *report.Evidence) string {
	if e.Text == "" {
		return e.Role
	}
	return e.Role + ": " + e.Text
}

// Request names an exchange by its request line, masked unless showQuery. The target has at most
// room characters, but all of them where its values are shown: who asks for values wants the whole.
func Request(x *report.ExchangeInfo, showQuery bool, room int) string {
	switch {
	case x.Turn && x.Method == "":
		return "turn"
	case x.Attempt != nil:
		return attempt(x)
	case x.Method == "" && x.Request != nil:
		return "a request that cannot be read"
	case x.Method == "":
		return "a response without its request"
	}
	if x.Target == "" {
		return mask.ASCII(x.Method) + " of an unknown path"
	}
	if showQuery {
		room = mask.WholeTarget
	}
	return mask.ASCII(x.Method) + " " + mask.Target(x.Target, showQuery, room)
}

// attempt names an exchange that never came to a request.
func attempt(x *report.ExchangeInfo) string {
	if x.Attempt.Secure {
		return "TLS handshake"
	}
	return "attempt to connect"
}

// ConnectionEnd says how the connection ended.
func ConnectionEnd(c *report.ConnInfo) string {
	switch {
	case c.State == reassembly.Reset && c.ResetBy != "":
		return "reset by the " + c.ResetBy
	case c.State == reassembly.Closed && c.ClosedBy != "":
		return "closed by the " + c.ClosedBy
	case c.State == reassembly.Established:
		return "open at the end"
	case c.State == reassembly.Connecting:
		return "never answered"
	}
	return c.State.String()
}

// Vantage says where frames were captured.
func Vantage(v reassembly.Vantage) string {
	switch v {
	case reassembly.ClientSide:
		return "at the client"
	case reassembly.ServerSide:
		return "at the server"
	case reassembly.Middle:
		return "between client and server"
	case reassembly.SameHost:
		return "where client and server are too near to tell apart"
	}
	return "at a point that it does not show"
}

// NotAnalysed says what became of frames that were not analysed.
func NotAnalysed(o capture.Outcome) string {
	switch o {
	case capture.OutcomeDuplicate:
		return "second copies of a segment"
	case capture.OutcomeFiltered:
		return "left out by --filter"
	case capture.OutcomeFragment:
		return "IP fragments"
	case capture.OutcomeUDP:
		return "UDP"
	case capture.OutcomeQUIC:
		return "QUIC"
	case capture.OutcomeOtherIP:
		return "other IP protocols"
	case capture.OutcomeNotIP:
		return "not IP"
	case capture.OutcomeUnknownLink:
		return "of a link type that cannot be decoded"
	case capture.OutcomeMalformed:
		return "malformed"
	case capture.OutcomeShort:
		return "cut before the end of the TCP header"
	}
	return o.String()
}
