package analysis

import (
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// firstOfTransfer and lastOfTransfer enclose the labels of what holds a message back while it is
// being sent.
const firstOfTransfer, lastOfTransfer = report.Serialize, report.RWnd

// transferTimes is time under those labels.
type transferTimes [lastOfTransfer - firstOfTransfer + 1]time.Duration

// bothWays are the directions of an exchange's messages, the response's first: it is the large one
// more often.
var bothWays = [...]reassembly.Dir{reassembly.FromServer, reassembly.FromClient}

// ofTransfer reports whether l says what holds a message back while it is being sent.
func ofTransfer(l report.Label) bool { return l >= firstOfTransfer && l <= lastOfTransfer }

// uploading reports whether the wait in hand, of label l, is the client's while it sends.
func (w *walker) uploading(l report.Label) bool {
	return ofTransfer(l) && w.ending != nil && w.ending.Dir == reassembly.FromClient
}

// uploaded takes note of such a wait.
func (j *job) uploaded(from, to time.Duration, l report.Label) {
	if to > from {
		j.upTimes[l-firstOfTransfer] += to - from
	}
}

// spent is what the message of dir took under label l, one of a transfer's.
func (j *job) spent(dir reassembly.Dir, l report.Label) time.Duration {
	up := j.upTimes[l-firstOfTransfer]
	if dir == reassembly.FromClient {
		return up
	}
	return max(0, j.times[l]-up)
}

// roundsOf are the rounds of dir's message.
func (j *job) roundsOf(dir reassembly.Dir) []round {
	if dir == reassembly.FromClient {
		return j.upRounds
	}
	return j.rounds
}

// measureRequest fills in what the transfer of a large request showed, if the server waited for its
// end: an answer that came before that was not delayed by it.
func (s *connState) measureRequest(j *job) {
	m, c := j.x.Request, s.conn
	if m == nil || !m.Complete ||
		m.To-m.From <= usualInitial*int64(c.Half[reassembly.FromClient].Eff) {
		return
	}
	if r := j.x.Response; r != nil &&
		r.Start.Time+s.eps(reassembly.FromServer) < m.End.Time+c.Far(reassembly.FromServer) {
		return
	}
	rounds := s.walk.send[reassembly.FromClient].rounds
	if len(rounds) > 0 && (rounds[0].seq < m.From || rounds[0].seq >= m.To) {
		return // they are the next request's, which did not wait for the answer
	}
	j.up = &flowFacts{rtt: j.flow.rtt, bytes: m.To - m.From}
	j.upRounds = append(j.upRounds[:0], rounds...)
	s.transferred(j.up, reassembly.FromClient, m)
}

// ofRequest is the cause in the words of a rule: that of a response, or its like of a request.
func ofRequest(dir reassembly.Dir, cause string) string {
	switch {
	case dir == reassembly.FromServer:
		return cause
	case cause == "":
		return "request"
	}
	return cause + "-request"
}

// message is the exchange's message of dir; nil if there is none.
func (j *job) message(dir reassembly.Dir) *reassembly.Message {
	if dir == reassembly.FromClient {
		return j.x.Request
	}
	return j.x.Response
}
