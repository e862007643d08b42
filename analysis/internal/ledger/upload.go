package ledger

import (
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// FirstOfTransfer and lastOfTransfer enclose the labels of what holds a message back while it is
// being sent.
const FirstOfTransfer, lastOfTransfer = report.Serialize, report.RWnd

// transferTimes is time under those labels.
type transferTimes [lastOfTransfer - FirstOfTransfer + 1]time.Duration

// BothWays are the directions of an exchange's messages, the response's first: it is the large one
// more often.
var BothWays = [...]reassembly.Dir{reassembly.FromServer, reassembly.FromClient}

// ofTransfer reports whether l says what holds a message back while it is being sent.
func ofTransfer(l report.Label) bool { return l >= FirstOfTransfer && l <= lastOfTransfer }

// uploading reports whether a wait of label l is the client's while it sends.
func uploading(l report.Label, y *why) bool {
	return ofTransfer(l) && y.ended != nil && y.ended.Dir == reassembly.FromClient
}

// uploaded takes note of such a wait.
func (j *Exchange) uploaded(from, to time.Duration, l report.Label) {
	if to > from {
		j.UpTimes[l-FirstOfTransfer] += to - from
	}
}

// Spent is what the message of dir took under label l, one of a transfer's.
func (j *Exchange) Spent(dir reassembly.Dir, l report.Label) time.Duration {
	up := j.UpTimes[l-FirstOfTransfer]
	if dir == reassembly.FromClient {
		return up
	}
	return max(0, j.Times[l]-up)
}

// RoundsOf are the rounds of dir's message.
func (j *Exchange) RoundsOf(dir reassembly.Dir) []Round {
	if dir == reassembly.FromClient {
		return j.UpRounds
	}
	return j.Rounds
}

// measureRequest fills in what the transfer of a large request showed, if the server waited for its
// end: an answer that came before that was not delayed by it.
func (s *Connection) measureRequest(j *Exchange) {
	m, c := j.Parsed.Request, s.Conn
	if m == nil || !m.Complete ||
		m.To-m.From <= UsualInitial*int64(c.Half[reassembly.FromClient].Eff) {
		return
	}
	if r := j.Parsed.Response; r != nil &&
		r.Start.Time+s.eps(reassembly.FromServer) < m.End.Time+c.Far(reassembly.FromServer) {
		return
	}
	rounds := s.Walk.Send[reassembly.FromClient].rounds
	if len(rounds) > 0 && (rounds[0].seq < m.From || rounds[0].seq >= m.To) {
		return // they are the next request's, which did not wait for the answer
	}
	j.Up = &Flow{Rtt: j.Flow.Rtt, Bytes: m.To - m.From}
	j.UpRounds = append(j.UpRounds[:0], rounds...)
	s.transferred(j.Up, reassembly.FromClient, m)
}

// OfRequest is the cause in the words of a rule: that of a response, or its like of a request.
func OfRequest(dir reassembly.Dir, cause string) string {
	switch {
	case dir == reassembly.FromServer:
		return cause
	case cause == "":
		return "request"
	}
	return cause + "-request"
}

// Message is the exchange's message of dir; nil if there is none.
func (j *Exchange) Message(dir reassembly.Dir) *reassembly.Message {
	if dir == reassembly.FromClient {
		return j.Parsed.Request
	}
	return j.Parsed.Response
}
