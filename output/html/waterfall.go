package html

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/output/sentence"
	"tcpwhy/output/wording"
	"tcpwhy/reassembly/exchange"
)

// waterfall is the exchanges that are worth a look, in their connections.
type waterfall struct {
	Lanes   []lane
	Ticks   []tick
	Aligned bool // each bar begins at its own beginning
	Shown   string
	Cards   []filter
}

// filter is a control that shows the exchanges of one story alone.
type filter struct {
	N     int
	Title string
}

// lane is one connection.
type lane struct {
	ID          int
	Ends, Facts string
	Took        string
	X, W        string
	Life        []bit
	Rows        []exchangeRow
	Open        bool
	Single      bool // it has but one exchange, which stands for it
}

// exchangeRow is one exchange.
type exchangeRow struct {
	ID                      int
	Name, Status            string
	Bad                     bool // its status, or how it ended
	Took                    string
	X, W                    string // of its bar, on the clock or aligned
	Bits                    []bit
	Marks                   []badge
	Of                      string // numbers of stories, each between spaces
	Detail, Frames, Service string
	Start, Duration, Lost   int64 // ns, to be sorted by
}

// badge is the number of a story, which stands wherever that is to be seen.
type badge struct {
	N        int
	Severity string
}

const (
	// onClock is up to how long what is shown lasts where bars stand at their time.
	onClock = time.Minute
	// fewLanes are open from the beginning.
	fewLanes = 6
	// leastBar is how wide the bar of an exchange is at least, as a share: one can see that.
	leastBar = 0.003
	// leastDetail is the share of an exchange's time that its details name.
	leastDetail = 200
)

// waterfall draws the exchanges.
func (b *builder) waterfall() *waterfall {
	rows := b.chosen()
	if len(rows) == 0 {
		return nil
	}
	from, to, longest := rows[0].Start, rows[0].Start+rows[0].Duration, time.Duration(0)
	for _, x := range rows {
		from, to = min(from, x.Start), max(to, x.Start+x.Duration)
		longest = max(longest, x.Duration)
	}
	w := &waterfall{Aligned: to-from > onClock && longest < (to-from)/20}
	s := spanOf(from, to)
	if w.Aligned {
		s = spanOf(0, longest)
	}
	w.Ticks = s.ticks(0, 6)
	w.Lanes = b.lanes(rows, s, w.Aligned)
	if n := len(rows); n < b.r.ExchangeCount {
		w.Shown = wording.Grouped(
			n,
		) + " of " + wording.Count(
			b.r.ExchangeCount,
			"exchange",
			"exchanges",
		) +
			": those of findings, then those that lost most, then the slowest"
	}
	for i, c := range b.cards {
		w.Cards = append(w.Cards, filter{i + 1, text(c.Title)})
	}
	return w
}

// chosen are the exchanges that are shown: of findings, then what lost most, then what took
// longest; in the order of their beginning.
func (b *builder) chosen() []*report.ExchangeInfo {
	var all []*report.ExchangeInfo
	for i := range b.r.Exchanges {
		all = append(all, &b.r.Exchanges[i])
	}
	slices.SortStableFunc(all, func(x, y *report.ExchangeInfo) int {
		return cmp.Or(cmp.Compare(b.lost[y.ID], b.lost[x.ID]),
			cmp.Compare(len(b.numbers[y.ID]), len(b.numbers[x.ID])),
			cmp.Compare(y.Duration, x.Duration), cmp.Compare(x.ID, y.ID))
	})
	var rows []*report.ExchangeInfo
	lanes := map[int]bool{}
	for _, x := range all {
		if len(rows) == maxRows {
			break
		}
		if !lanes[x.Connection] && len(lanes) == maxLanes {
			continue
		}
		lanes[x.Connection] = true
		rows = append(rows, x)
	}
	slices.SortStableFunc(rows, func(x, y *report.ExchangeInfo) int {
		return cmp.Or(cmp.Compare(x.Start, y.Start), cmp.Compare(x.ID, y.ID))
	})
	return rows
}

// lanes puts the exchanges into their connections.
func (b *builder) lanes(rows []*report.ExchangeInfo, s scale, aligned bool) []lane {
	var order []int
	of := map[int][]*report.ExchangeInfo{}
	for _, x := range rows {
		if of[x.Connection] == nil {
			order = append(order, x.Connection)
		}
		of[x.Connection] = append(of[x.Connection], x)
	}
	lanes := make([]lane, 0, len(order))
	for _, id := range order {
		l := lane{ID: id, Open: len(order) <= fewLanes}
		l.Single = !l.Open && len(of[id]) == 1
		if c := b.conns[id]; c != nil {
			l.Ends = c.Client.String() + " → " + c.Server.String()
			if len(order) <= fewLanes {
				l.Facts = text(sentence.ConnectionFacts(c))
			}
			l.Took = spaced(wording.Duration(c.Duration))
			b.life(&l, c, of[id], s, aligned)
		}
		for _, x := range of[id] {
			l.Rows = append(l.Rows, b.exchangeRow(x, s, aligned))
		}
		lanes = append(lanes, l)
	}
	return lanes
}

// life is what a connection did: idle, but for its exchanges.
func (b *builder) life(
	l *lane,
	c *report.ConnInfo,
	rows []*report.ExchangeInfo,
	s scale,
	aligned bool,
) {
	start := c.Start
	if aligned {
		return
	}
	l.X = pct(s.moment(start))
	l.W = pct(s.moment(start+c.Duration) - s.moment(start))
	at := start
	for _, x := range rows {
		from, to := max(x.Start, at), x.Start+x.Duration
		if to <= from || len(l.Life) >= 2*maxBits {
			continue
		}
		at = to
		for _, p := range spent(x, from, to) {
			l.Life = append(l.Life, bit{
				X: pct(s.moment(p.From)), W: pct(s.moment(p.To) - s.moment(p.From)),
				Class: labelClass(p.Label), Fill: labelFill(p.Label),
			})
		}
	}
}

// spent is what an exchange spent a span of its time on, in few pieces; of one whose pieces are not
// known, what it spent most time on.
func spent(x *report.ExchangeInfo, from, to time.Duration) []report.Piece {
	const most = 4
	if pieces := fewer(x.Pieces, scale{float64(from), float64(to)}, most); len(pieces) > 0 {
		return pieces
	}
	label := report.RoundTrip
	if parts := sentence.ByTime(x.Times); len(parts) > 0 {
		label = parts[0].Label
	}
	return []report.Piece{{Label: label, From: from, To: to}}
}

// exchangeRow is the row of an exchange.
func (b *builder) exchangeRow(x *report.ExchangeInfo, s scale, aligned bool) exchangeRow {
	r := exchangeRow{
		ID: x.ID, Name: b.request(x), Took: spaced(wording.Duration(x.Duration)),
		Detail: b.detail(x), Frames: frames(x),
		Start: int64(x.Start), Duration: int64(x.Duration), Lost: b.lost[x.ID],
	}
	for _, n := range b.numbers[x.ID] {
		r.Marks = append(r.Marks, badge{n, b.cards[n-1].Severity.String()})
		r.Of += " " + strconv.Itoa(n) + " "
	}
	if x.Status > 0 {
		r.Status = strconv.Itoa(x.Status)
	}
	if x.Outcome != exchange.Complete && x.Outcome != exchange.Upgraded {
		r.Status, r.Bad = joined(r.Status, x.Outcome.String()), x.Outcome != exchange.Incomplete
	}
	const firstError = 400 // RFC 9110 §15.5
	r.Bad = r.Bad || x.Status >= firstError
	if c := b.conns[x.Connection]; c != nil {
		r.Service = c.Server.String()
	}
	from := x.Start
	if aligned {
		from = 0
	}
	left := s.moment(from)
	r.X, r.W = pct(min(left, 1-leastBar)), pct(max(s.moment(from+x.Duration)-left, leastBar))
	r.Bits = bits(x.Pieces, spanOf(x.Start, x.Start+x.Duration), maxBits, 0)
	if len(r.Bits) == 0 {
		r.Bits = bits(inOrder(x), spanOf(x.Start, x.Start+x.Duration), maxBits, 0)
	}
	return r
}

// inOrder are the parts of an exchange of which the order is not known, as if they had followed
// each other in the order of labels.
func inOrder(x *report.ExchangeInfo) (out []report.Piece) {
	at := x.Start
	for _, t := range x.Times {
		out = append(out, report.Piece{Label: t.Label, From: at, To: at + t.Time})
		at += t.Time
	}
	return out
}

// detail says what an exchange spent its time on.
func (b *builder) detail(x *report.ExchangeInfo) string {
	s := ""
	for _, t := range sentence.ByTime(x.Times) {
		if leastDetail*t.Time < x.Duration {
			break
		}
		s = joined(s, t.Label.Title()+" "+wording.Duration(t.Time)+" ("+
			wording.Percent(t.Time, x.Duration)+")")
	}
	return text(joined(s, b.Legs(x, b.byID)))
}

// frames says which frames are the messages of an exchange, and how large they are.
func frames(x *report.ExchangeInfo) string {
	s := ""
	if x.OnStream.Stream != 0 {
		s = "stream " + strconv.FormatInt(int64(x.OnStream.Stream), 10)
	}
	for _, m := range []struct {
		name string
		of   *report.MessageInfo
	}{{"request", x.Request}, {"response", x.Response}} {
		if m.of == nil {
			continue
		}
		part := m.name + ": frame " + strconv.FormatUint(m.of.Start.Frame.Number(), 10)
		if m.of.End.Frame != m.of.Start.Frame {
			part += " to " + strconv.FormatUint(m.of.End.Frame.Number(), 10)
		}
		s = joined(s, part+", "+octets(float64(m.of.HeaderBytes+m.of.BodyBytes)))
	}
	return joined(s, "begins at "+spaced(wording.Duration(x.Start)))
}
