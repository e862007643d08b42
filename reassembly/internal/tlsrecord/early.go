package tlsrecord

import (
	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

// sendsEarly takes note of a record of 0-RTT data.
func (t *reader) sendsEarly(at capture.Mark) {
	if t.info.EarlyAt.Frame == 0 {
		t.info.EarlyAt = at
	}
	t.judgeEarly()
}

// judgeEarly takes note of what became of 0-RTT data, if there was some and that is known.
func (t *reader) judgeEarly() {
	if t.info.EarlyAt.Frame == 0 || t.info.Early != exchange.EarlyUnknown {
		return
	}
	switch t.early {
	case taken:
		t.info.Early = exchange.EarlyAccepted
	case refused:
		t.info.Early = exchange.EarlyRejected
	}
}

// finishesEarly takes note that the client, of whose records nobody could read more than the size,
// ends its early data, or goes on to its Finished without: it ends only what the server takes (RFC
// 8446 §4.5).
func (t *reader) finishesEarly(ends bool) {
	if t.early != unanswered || t.mode == opened {
		return
	}
	t.early = refused
	if ends {
		t.early = taken
	}
	t.judgeEarly()
}

// answersEarly reports whether a record of the server, before the client's Finished, is an answer
// to early data: where a session is resumed the server's flight has no certificate, and what is
// larger than a ticket is none of it. One that has not taken early data has nothing to say by then.
func (t *reader) answersEarly(size int) bool {
	return t.info.EarlyAt.Frame != 0 && t.info.Resumed && !t.info.HelloRetry && size > maxTicket
}
