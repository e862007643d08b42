package ledger

import (
	"time"

	"tcpwhy/analysis/internal/ledger/sender"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// measures takes from the senders of a connection what the messages of its exchanges showed.
type measures struct {
	// octets of the largest message so far, by direction; of requests, only of large ones
	largest [2]int64
}

// exchange fills in what the transfer of the messages of j showed, when that is over.
func (m *measures) exchange(p *sender.Path, j *Exchange) {
	x, c := j.Parsed, p.Conn
	s := p.Of(reassembly.FromServer)
	t, f := &j.Transfers, &j.Transfers.Flow
	t.Rounds = append(t.Rounds[:0], s.Rounds()...)
	f.RTT = max(c.RTTMin(), s.FlightPeriod())
	if x.Attempt != nil && !x.Attempt.Secure {
		f.RTT = 0 // of one leg at most
	}
	if j.Shared { // what the senders showed is of several messages
		t.Rounds = t.Rounds[:0]
		return
	}
	f.MSS = int64(c.Half[reassembly.FromServer].Eff)
	f.MostInFlight, f.Initial = s.MostInFlight(), s.FirstRound()
	f.Later = j.Index > 0
	m.request(p, j)
	if x.Response == nil {
		return
	}
	f.Bytes = x.Response.HeaderBytes + x.Response.BodyBytes
	m.message(p, f, reassembly.FromServer, x.Response, j.Until)
	f.Stamped = s.StampedBy(x.Response.Start.Time)
	for dir := range f.Segments {
		f.Segments[dir] = p.Of(reassembly.Dir(dir)).SegmentCounts()
	}
}

// request fills in what the transfer of a large request showed, or of one whose sender keeps little
// in flight, if the server waited for its end:
// an answer that came before that was not delayed by it.
func (m *measures) request(p *sender.Path, j *Exchange) {
	q, c := j.Parsed.Request, p.Conn
	s := p.Of(reassembly.FromClient)
	if q == nil || !q.Complete || s.OwnLimit() == 0 &&
		q.To-q.From <= UsualInitial*int64(c.Half[reassembly.FromClient].Eff) {
		return
	}
	if a := j.Parsed.Response; a != nil && a.Start.Time+p.AtOnce(reassembly.FromServer) <
		q.End.Time+c.Far(reassembly.FromServer) {
		return
	}
	rounds := s.Rounds()
	if len(rounds) > 0 && (rounds[0].From < q.From || rounds[0].From >= q.To) {
		return // they are the next request's, which did not wait for the answer
	}
	j.Upload = &Flow{RTT: j.Flow.RTT, Bytes: q.To - q.From, Later: j.Index > 0}
	j.UploadRounds = append(j.UploadRounds[:0], rounds...)
	m.message(p, j.Upload, reassembly.FromClient, q, j.Until)
}

// nothing is what a message without any length took, in seconds, so that its rate is one.
const nothing = 1e-9

// message fills in what the transfer of x, which dir sent, showed of its sender.
// The exchange lasts until the given moment.
func (m *measures) message(p *sender.Path, f *Flow, dir reassembly.Dir, x *exchange.Message,
	until time.Duration) {
	s := p.Of(dir)
	f.MSS = int64(p.Conn.Half[dir].Eff)
	f.MostInFlight = s.MostInFlight()
	f.LargestBefore = m.largest[dir]
	m.largest[dir] = max(m.largest[dir], f.Bytes)
	f.Measured = x.End.Time - x.Start.Time
	f.Initial = s.FirstRound()
	if rounds := s.Rounds(); len(rounds) > 0 {
		f.Initial = rounds[0].Bytes
	}
	f.Window = s.WindowRoom()
	f.Rate = s.PathRate(float64(f.Bytes) / max(f.Measured.Seconds(), nothing))
	f.ReceiveWindow = s.ReceiveWindow()
	f.OwnLimit, f.Paces = s.OwnLimit(), s.PacesItself()
	f.Queue = s.Queue()
	f.Idle = s.Idle()
	f.Arrivals, f.LossQueue, f.LossQueueShown = s.Arrivals(x.Start.Time, until)
	if h := p.Conn.HTTP2; h != nil {
		f.Allowed = allowedIn(&h.Freed[dir], exchange.Range{From: x.From, To: x.To})
	}
}
