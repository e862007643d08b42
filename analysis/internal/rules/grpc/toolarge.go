package grpc

import (
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

const (
	// usualMessage is how large a message libraries take unless told otherwise (grpc-go
	// server.go, defaultServerMaxReceiveMessageSize, and clientconn.go,
	// defaultClientMaxReceiveMessageSize; grpc-java GrpcUtil, DEFAULT_MAX_MESSAGE_SIZE; gRPC core,
	// GRPC_DEFAULT_MAX_RECV_MESSAGE_LENGTH).
	usualMessage = 4 << 20
	// mostComing is how much of it may have come, or be on its way, when the client's CANCEL passes
	// (reasoning: some of the windows of 65,535 octets that connections begin with, RFC 9113
	// section 6.9.2, as libraries widen them while they read).
	mostComing = usualMessage / 16
	// A receiver decides by the prefix, before it reads on (grpc-go rpc_util.go, parser.recvMsg;
	// grpc-java MessageDeframer, processHeader), as soon as it has the frame: in a second round
	// trip, as 16,384 octets (RFC 9113 section 4.2) are more than the first window of TCP (RFC
	// 6928). It is late by as much as timers are on busy hosts.
	decidesTrips = 2
	decidesLate  = timerLate
)

// large is a message that may have been refused as it began; its zero value is none.
type large struct {
	size, came int64        // octets that it announced, and of which so many had come
	begins     capture.Mark // its first octet
}

// refusedAnswer is the answer that a client cancelled as it announced more than clients take unless
// told otherwise, and before it could have read much of it; not as its deadline was over.
func refusedAnswer(job *rule.Judged) (large, bool) {
	x := job.Info
	r, reset := x.OnStream.RPC, x.OnStream.Reset
	if reset == nil || reset.By != exchange.FromClient || reset.Code != exchange.Cancel ||
		r.Timeout > 0 && reset.At.Time-x.Request.Start.Time >= earliest(r.Timeout) {
		return large{}, false
	}
	l := refusedBy(job, &r.Messages[exchange.FromServer], reset.At)
	return l, l.came < l.size && l.came <= mostComing
}

// refusedRequest is the request that a server may have refused as it announced more than servers
// take unless told otherwise: what else it says RESOURCE_EXHAUSTED for, the other calls tell.
func refusedRequest(job *rule.Judged) large {
	r := job.Info.OnStream.RPC
	if r.Status != resourceExhausted || r.Messages[exchange.FromServer].Count > 0 {
		return large{}
	}
	return refusedBy(job, &r.Messages[exchange.FromClient], job.Info.Response.Start)
}

// refusedBy is the message that its receiver refused by what passed at said: it is larger than
// libraries take unless told otherwise, and no more than its prefix had to be looked at.
func refusedBy(job *rule.Judged, m *exchange.RPCMessages, said capture.Mark) large {
	after := said.Time - m.First.Time
	if m.Count != 1 || m.Largest <= usualMessage || m.Owed == exchange.UnknownOwed ||
		after < 0 || after > decidesTrips*job.Flow.RTT+decidesLate {
		return large{}
	}
	return large{m.Largest, m.Largest - m.Owed, m.First}
}

// take takes note of messages that the receiver of either side took though they are larger than
// libraries take unless told otherwise.
func (a *answers) take(c *rule.Conn, x *report.ExchangeInfo) {
	r := x.OnStream.RPC
	if r.Status != okayStatus || x.OnStream.Reset != nil {
		return
	}
	asked, answered := &r.Messages[exchange.FromClient], &r.Messages[exchange.FromServer]
	if asked.Owed == 0 && asked.Largest > usualMessage {
		a.asked = max(a.asked, asked.Largest)
	}
	client := c.Pair.Client
	if answered.Owed != 0 || answered.Largest <= max(usualMessage, a.taken[client]) ||
		len(a.taken) >= maxRuns {
		return
	}
	a.taken[client] = answered.Largest
}

// refuses makes it the claim of a call that failed as a message was too large, or perhaps so; of
// its answer if the client reset it for that.
func (f *failure) refuses(l large, reset *exchange.StreamReset) {
	if f.size = l.size; l.size == 0 {
		return
	}
	message := rule.Shows(l.begins, report.SideClient, announcesMuch, l.size, l.came)
	end := f.Occ.Proof[1]
	if f.Cause == tooLargeCause {
		f.Confidence = report.ConfidenceMedium
		f.Occ.End = reset.At.Time
		message.Side = report.SideServer
		end = rule.Shows(reset.At, report.SideClient, cancelsLarge)
	}
	f.Occ.Proof = []rule.Evidence{f.Occ.Proof[0], message, end}
}

// sized is the cause of failures of a method: all that its server refused by RESOURCE_EXHAUSTED may
// have been too large for it. They were if it took none as large, and refused none that was small.
func (a *answers) sized(cause string, f *failures) string {
	if cause == exhaustedCause && f.large == f.n && f.least > a.asked {
		return askedTooMuchCause
	}
	return cause
}
