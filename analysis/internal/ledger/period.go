package ledger

import (
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// When busy periods begin and end, and what they carried.

// Periods takes the busy periods that are over, in the order in which they ended.
func (s *Connection) Periods() []*Period {
	all := s.busy.over
	s.busy.over = nil
	return all
}

// restTrips is how many round trips a sender must have sent nothing for, with nothing under way,
// for what it sends next to be another busy period: one that waits for acknowledgments goes on
// within one.
const restTrips = 1

// rested reports whether the sender of r had rested before it: all that it had sent was
// acknowledged, as far as the capture has it, r repairs nothing, and no window of its peer's was
// closed.
func (w *walk) rested(r *reassembly.Record) bool {
	return w.halves.apart && r.Time-w.sent >= restTrips*w.path.Conn.RTTMin() &&
		!w.path.Of(r.Dir).Outstanding() && !closedWindow(w.latest) && !repairs(w.latest)
}

// closedWindow reports whether a label says that a sender waited for room at its peer.
func closedWindow(l report.Label) bool {
	return l == report.RWnd || l == report.ZeroWindow || l == report.H2Window
}

// share begins busy periods: exchanges go on beside each other from now on.
func (w *walk) share() {
	at := w.halves.of[0].at
	var alone *Exchange
	for _, j := range w.book.exchanges {
		if _, until := j.Span(); j.Shared && !j.settled && until > at {
			alone = j
			break
		}
	}
	w.book.busy.begin(at, alone)
}

// divide gives the time up to r to the busy period of its direction. rested says that another one
// begins with r.
func (w *walk) divide(r *reassembly.Record, rested bool) {
	p := &w.book.busy.of[r.Dir]
	if rested {
		w.book.endStretch(r.Dir)
	}
	if rested && p.now != nil {
		at := p.since(r.Time)
		w.endPeriod(r.Dir, at)
		p.start(r.Dir, at)
	}
	p.progress(r)
}

// unshare ends the busy periods of both directions: nothing goes on beside anything.
func (w *walk) unshare() {
	w.book.answers = w.book.answers[:0]
	for dir := range w.book.busy.of {
		w.endPeriod(reassembly.Dir(dir), w.halves.latest())
		w.book.endStretch(reassembly.Dir(dir))
	}
}

// endPeriod ends the busy period of dir, at the given moment if it had carried nothing until then.
func (w *walk) endPeriod(dir reassembly.Dir, at time.Duration) {
	p := &w.book.busy.of[dir]
	n := p.now
	p.now, p.tiles, p.waits = nil, p.tiles[:0], p.waits[:0]
	if n == nil || !n.message.Complete {
		return
	}
	n.Until = max(n.From, min(at, n.message.End.Time))
	if w.whose(n) {
		w.measurePeriod(n)
		w.book.busy.over = append(w.book.busy.over, n)
	}
}

// whose finds out whose octets a period carried. It reports whether that is known.
func (w *walk) whose(n *Period) bool {
	m := &n.message
	octets := map[int]int64{}
	most := exchange.NoExchange
	runs := w.path.Conn.HTTP2.Owners[n.dir].Within(exchange.Range{From: m.From, To: m.To})
	for _, run := range runs {
		if run.Owner < 0 { // the connection's own, or nobody knows whose
			continue
		}
		octets[run.Owner] += min(run.To, m.To) - max(run.From, m.From)
		if o := octets[run.Owner]; most == exchange.NoExchange || o > octets[most] {
			most = run.Owner
		}
	}
	if n.Carried = len(octets); n.Carried == 0 {
		return false
	}
	n.Index = most
	n.Parsed = &exchange.Exchange{Index: most, Outcome: exchange.Complete, Host: w.hostOf(most)}
	m.BodyBytes = m.To - m.From
	// rules about a request look at exchanges that were answered
	n.Parsed.Response = &exchange.Message{Start: m.End, End: m.End, Complete: true}
	if n.dir == reassembly.FromClient {
		n.Parsed.Request = m
	} else {
		n.Parsed.Response = m
	}
	return true
}

// hostOf is what an exchange that is still at hand asks; else what the latest does.
func (w *walk) hostOf(index int) (host string) {
	for _, j := range w.book.exchanges {
		if host = j.Parsed.Host; j.Index == index {
			break
		}
	}
	return host
}

// measurePeriod fills in what the transfer of a period showed.
func (w *walk) measurePeriod(n *Period) {
	s := w.path.Of(n.dir)
	f := &n.Flow
	f.RTT = max(w.path.Conn.RTTMin(), s.FlightPeriod())
	f.MSS = int64(w.path.Conn.Half[n.dir].Eff)
	if n.dir == reassembly.FromClient {
		if s.OwnLimit() == 0 && n.message.BodyBytes <= UsualInitial*f.MSS {
			return
		}
		n.Upload = &Flow{RTT: f.RTT}
		n.UploadRounds = append(n.UploadRounds, s.Rounds()...)
		f = n.Upload
	} else {
		n.Rounds = append(n.Rounds, s.Rounds()...)
	}
	f.Bytes, f.Later = n.message.BodyBytes, n.From > w.path.Conn.Start.Time
	f.Stamped = s.StampedBy(n.message.Start.Time)
	w.measures.message(w.path, f, n.dir, &n.message, n.Until)
}

// settlePeriods ends the busy periods if j, which is drawn up, was the last that went on.
func (w *walk) settlePeriods(j *Exchange) {
	last := j.Until
	for _, k := range w.book.exchanges {
		if k.settled {
			last = max(last, k.Until)
		}
	}
	for _, k := range w.book.exchanges {
		if k != j && !k.settled && k.From <= last {
			return
		}
	}
	if w.halves.apart {
		w.unshare()
	}
}
