package rule

import (
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// Draft is one exchange on its way into the report: its ledger, and what the rules claim of it.
type Draft struct {
	ledger.Exchange
	Info   *report.ExchangeInfo // what the report says of it; valid once delivered
	Claims []Claim
	// Perhaps are kinds of what its time may belong to, by what its connection alone shows: a
	// comparison settles that.
	Perhaps Kinds
}

// Empty forgets everything but the room of the lists.
func (j *Draft) Empty() {
	j.Reset()
	j.Info, j.Claims, j.Perhaps = nil, nil, 0
}

// LongPause is from how long on a pause in a message is one that comparisons look at: a second
// interrupts whoever waits.
const LongPause = time.Second

// Judged is an exchange whose labels are certain, as the judge and the comparisons see it.
type Judged struct {
	ledger.Account   // without its rounds
	ledger.LongWaits // for repairs, in queues, and pauses of LongPause and more
	Info             *report.ExchangeInfo
	Claims           []Claim
	MessageFacts     [2]exchange.Facts // of its messages, by direction
	FirstRound       int64             // octets of the first round of its response
	RoundCount       int               // how many there were
	Streams          bool              // see ledger.Exchange.Streams
	Perhaps          Kinds             // see Draft
	IDs              [2][]ledger.IDRun // that have ended, by direction
	Agent            string            // product of User-Agent
	Trail            *exchange.Trail   // of the request; nil if it says nothing
	Vantage          reassembly.Vantage
	Session          Session // of its connection
	// Unjudged is an exchange of a connection on which this program failed: it began, and nothing
	// else is known of it. It counts nowhere.
	Unjudged bool
	// Late is set of an exchange that is told late: nothing else is known of it but its Index and
	// Until (First).
	Late *Late
}

// Judge is d as the judge sees it; d may be used again.
func (d *Draft) Judge() Judged {
	j := Judged{
		Account:    d.Account,
		Info:       d.Info,
		Claims:     d.Claims,
		RoundCount: len(d.Rounds),
		Streams:    d.Streams(),
		Perhaps:    d.Perhaps,
		Agent:      d.Parsed.Agent,
		Trail:      d.Parsed.Trail,
	}
	if len(d.Rounds) > 0 {
		j.FirstRound = d.Rounds[0].Bytes
	}
	j.Rounds, j.UploadRounds = nil, nil
	j.Waits = d.WaitsWith(report.FastRetx, report.RTO, report.TLP, report.LostRetx, report.Queue,
		report.AppPaced, report.ReqApp)
	j.Waits = slices.DeleteFunc(j.Waits, func(w ledger.Wait) bool {
		return w.Label == ledger.Pause(w.Dir) && w.Length() < LongPause
	})
	for dir := range j.MessageFacts {
		if m := d.Message(reassembly.Dir(dir)); m != nil {
			j.MessageFacts[dir] = m.Facts
		}
	}
	return j
}

// Kinds are those of all its claims.
func (j *Judged) Kinds() (all Kinds) {
	for i := range j.Claims {
		all |= j.Claims[i].Kind
	}
	return all
}

// Message is what the report says of the message of dir; nil if there is none.
func (j *Judged) Message(dir reassembly.Dir) *report.MessageInfo {
	if dir == reassembly.FromClient {
		return j.Info.Request
	}
	return j.Info.Response
}

// FirstOctet is the beginning of its first message.
func (j *Judged) FirstOctet() capture.Mark {
	if j.Info.Request != nil {
		return j.Info.Request.Start
	}
	if j.Info.Response != nil {
		return j.Info.Response.Start
	}
	return capture.Mark{}
}
