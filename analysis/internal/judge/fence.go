package judge

import (
	"net/netip"
	"strings"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly/exchange"
)

// fences are the limits of what this program's own defects spoil: of a connection that it failed
// on, what was judged before stays; a comparison that it failed in ends.
type fences struct {
	across  comparisons
	broken  uint64       // connections
	first   *rule.Broken // of them
	conn    int          // its number
	between report.Pair
	given   map[int]bool // connections that the judge failed on, of which events may still come
}

// readFrom takes in events from the i-th on up to the n-th, or to the first at which it panics, and
// returns where to go on.
func (j *Judge) readFrom(events *rule.Batch, i, n int) (next int) {
	var e rule.Told // one for all: comparisons are told by pointer, and keep none
	defer func() {
		if j.limits.Panics {
			return
		}
		if broke := recover(); broke != nil {
			next = i + 1
			j.giveUp(&e, rule.DefectOf(broke))
		}
	}()
	for ; i < n; i++ {
		if e = events.At(i); len(j.fences.given) == 0 || !j.passed(&e) {
			j.event(&e)
		}
	}
	return i
}

// passed reports whether an event is of a connection that was given up.
func (j *Judge) passed(e *rule.Told) bool {
	id := int(e.Conn)
	given := j.fences.given[id]
	if given && e.Kind == rule.ConnOver {
		delete(j.fences.given, id)
	}
	return given
}

// giveUp gives up a connection, at an event of which the judge itself failed to take note. Those
// who compare connections are told of it, and of the end of all that is open: they wait for that.
func (j *Judge) giveUp(e *rule.Told, defect string) {
	id := int(e.Conn)
	m := j.conns[id]
	if m == nil {
		m = newMember(id)
	}
	b := &rule.Broken{Defect: defect, First: m.Start.Frame, Last: m.Start.Frame}
	j.note(id, m.Pair, b)
	if m.held != nil {
		j.fences.across.letGo(j, m.held, m.Pair)
	}
	j.fences.across.tell(j, &m.Conn, e, false)
	if e.Kind != rule.ConnOver {
		j.Total.connections++
		rest := m.rest(e)
		rest.TellGone(rule.Event{At: e.At, Conn: e.Conn}, rule.Gone{
			Pair: m.Pair, Broken: b, Info: &report.ConnInfo{
				ID: id, Server: m.Pair.Server, Start: m.Start.Time,
				Client: netip.AddrPortFrom(m.Pair.Client, m.Port),
			},
		})
		for i := range rest.Events {
			told := rest.At(i)
			j.fences.across.tell(j, &m.Conn, &told, false)
		}
		if j.fences.given == nil {
			j.fences.given = map[int]bool{}
		}
		j.fences.given[id] = true
	}
	delete(j.conns, id)
	j.forgo(m, e.At)
}

// forgo ends the exchanges of a connection on which the judge failed, for those of the same client.
// If it fails again, these are settled at the end of the capture.
func (j *Judge) forgo(m *member, at time.Duration) {
	defer func() { _ = recover() }()
	for _, x := range m.ids {
		j.unjudged(m, unjudged(m.Id, x, at))
	}
}

// rest is the end of all that is open on a connection, at an event.
func (m *member) rest(e *rule.Told) *rule.Batch {
	rest := &rule.Batch{}
	for _, x := range m.ids {
		told := rule.Event{At: e.At, Conn: e.Conn, Index: uint32(x.index)}
		if !x.over {
			rest.TellOver(told, rule.Over{
				Outcome: exchange.Incomplete, Turn: true, Doubt: true, Gap: true, Unasked: true,
			})
		}
		rest.TellJudged(told, unjudged(m.Id, x, e.At))
	}
	return rest
}

// breakOff ends the exchanges of a connection that a worker has given up, before it is gone: others
// are compared with them, and their clients' time is settled when they are.
func (j *Judge) breakOff(m *member, e *rule.Told, b *rule.Broken) {
	rest := m.rest(e)
	j.Read(rest, len(rest.Events))
	j.note(m.Id, m.Pair, b)
}

// note counts a connection that was given up.
func (j *Judge) note(id int, between report.Pair, b *rule.Broken) {
	f := &j.fences
	if f.broken++; f.first == nil {
		f.first, f.conn, f.between = b, id, between
	}
}

// unjudged is an exchange of which nothing is known but that it began.
func unjudged(conn int, x exchangeID, at time.Duration) *rule.Judged {
	at = max(at, x.need)
	e := &rule.Judged{Unjudged: true, Info: &report.ExchangeInfo{
		ID: x.id, Connection: conn, Index: x.index, Start: x.need, Duration: at - x.need,
		Outcome: exchange.Incomplete,
	}}
	e.Index, e.From, e.Until = x.index, x.need, at
	return e
}

// unjudged takes in an exchange that counts nowhere, so that nobody waits for it.
func (j *Judge) unjudged(m *member, job *rule.Judged) {
	j.clock.judged(j, m.Pair, job, nil, 0)
	j.proxied.Judged(job.Info.ID, endedLeg(job), nil)
}

// caveats tells of them.
func (f *fences) caveats(add func(string, uint64, rule.Basis, string, ...any)) {
	if f.broken > 0 {
		b := f.first
		add(
			report.CaveatNotJudged,
			f.broken,
			rule.Connection,
			"this program has a defect, and could not judge %s to the end; the first is connection "+
				"%d of %s with %s, frames %d to %d (%s)",
			rule.Count(f.broken, "connection"),
			f.conn,
			f.between.Client,
			f.between.Server,
			b.First.Number(),
			b.Last.Number(),
			b.Defect,
		)
	}
	for _, e := range f.across.ended {
		add(report.CaveatRuleEnded, 1, 0,
			"this program has a defect: %s did not look at all of the capture (%s)",
			strings.Join(e.names, ", "), e.defect)
	}
}
