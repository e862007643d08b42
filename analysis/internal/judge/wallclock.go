package judge

import (
	"cmp"
	"iter"
	"net/netip"
	"slices"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

const (
	// maxCluster is how many exchanges of one client are held until all that overlap them have been
	// judged. Beyond it those that are judged are settled with what is known.
	maxCluster = 1024
	// maxHeld is how many are held of all clients; what comes on top counts as if nothing had run
	// beside it.
	maxHeld = 1 << 15
	// smallClient is up to how many exchanges at a time the room of a client is used again for
	// another.
	smallClient = 16
	// maxSpareClocks is how many emptied rooms are kept for other clients.
	maxSpareClocks = 1024
)

// wallClock tells what findings cost by the clock on the wall: what a slice of one exchange's time
// costs a client that waits for others in the meantime is nothing. It follows the exchanges of each
// client for as long as some of them overlap.
type wallClock struct {
	clients map[netip.Addr]*clientClock
	held    int
	claimed claimedTimes
	spare   []*clientClock // of clients that have nothing open: most have again, soon
}

// clientClock is one client's exchanges that overlap others, and have not been settled.
type clientClock struct {
	items []clockItem // by the number of the exchange: that is the order in which they began
	open  int         // not judged
	found int         // slices
}

// clockItem is one exchange.
type clockItem struct {
	id              int // of the exchange
	report.Interval     // to is valid once judged
	judged          bool
	stream          bool // the client does not wait for its end
	transferred
	slices []clockSlice
	bounded
	page *page // of exchanges that share its path; nil: that is not known
}

// clockSlice is what a finding claims of an exchange's time.
type clockSlice struct {
	report.Interval
	clock []report.Interval // of what all exchanges lost together; nil: the interval
	group rule.Key
	cost  time.Duration
	high  time.Duration
	start time.Duration // of the occurrence
	kind  rule.Kinds
	dir   reassembly.Dir // of the message
	path  bool           // other transfers may use the path meanwhile
	// nothing is promised of it: it does not count as lost
	doubtful bool
	fewer    bool // its cure is to send less
}

// began takes note of an exchange.
func (w *wallClock) began(client netip.Addr, id int, from time.Duration) {
	c := w.clients[client]
	if w.held >= maxHeld {
		return
	}
	if c == nil {
		if w.clients == nil {
			w.clients = map[netip.Addr]*clientClock{}
		}
		c = w.newClient()
		w.clients[client] = c
	}
	c.items = append(c.items, clockItem{id: id, Interval: report.Interval{From: from}})
	c.open++
	w.held++
}

// judged takes in an exchange's claims, and settles what no longer overlaps anything that is still
// to be judged.
func (w *wallClock) judged(j *Judge, p report.Pair, job *rule.Judged, claims []rule.Claim,
	combined time.Duration) {
	c := w.clients[p.Client]
	if c == nil {
		return
	}
	item := c.item(job.Info.ID)
	if item == nil {
		return
	}
	item.Interval = report.Interval{From: job.From, To: job.Until}
	item.judged, item.stream = true, job.Streams
	for i := range claims {
		k := &claims[i]
		s := clockSlice{
			Interval: lostSlice(k, job),
			clock:    slices.Clone(k.Clock),
			group:    rule.Key{Rule: k.Rule, Cause: k.Cause, Pair: p},
			cost:     k.Occ.Cost.Expected,
			high:     k.Occ.Cost.High,
			start:    k.Occ.Start,
			kind:     k.Kind,
			dir:      k.Window.Dir,
			path:     j.sharesPath(k),
			doubtful: isDoubtful(*k),
			fewer:    k.Kind.Has(rule.FewerOctets),
		}
		if s.To > s.From || s.high > 0 {
			item.slices = append(item.slices, s)
		}
	}
	item.transferred = transferred{p.Server.Addr(), job.Flow.Bytes, job.Flow.Rate}
	item.info, item.lost = job.Info, combined
	c.found += len(item.slices)
	if c.open--; c.open == 0 || len(c.items)-c.open >= maxCluster {
		j.settleClient(p.Client)
		w.held -= c.settle(j, p.Client)
	}
	if len(c.items) == 0 {
		delete(w.clients, p.Client)
		if len(w.spare) < maxSpareClocks && cap(c.items) <= smallClient {
			w.spare = append(w.spare, c)
		}
	}
}

// newClient is a client without exchanges.
func (w *wallClock) newClient() *clientClock {
	if n := len(w.spare); n > 0 {
		c := w.spare[n-1]
		w.spare = w.spare[:n-1]
		return c
	}
	return &clientClock{}
}

// item is an exchange by its number; nil if there is none.
func (c *clientClock) item(id int) *clockItem {
	at, found := slices.BinarySearchFunc(c.items, id,
		func(i clockItem, id int) int { return cmp.Compare(i.id, id) })
	if !found {
		return nil
	}
	return &c.items[at]
}

// lostSlice is the stretch of the exchange's time that the claim would save.
func lostSlice(c *rule.Claim, job *rule.Judged) report.Interval {
	from := c.Occ.Start
	if len(c.Lost) > 0 {
		from = c.Lost[0].From
	}
	from = max(from, job.From)
	return report.Interval{From: from, To: min(from+c.Occ.Cost.Expected, job.Until)}
}

// byClock is when the slice was lost by the clock of all exchanges: of what is known no more than
// it cost.
func (s *clockSlice) byClock() []report.Interval {
	if s.clock == nil {
		return []report.Interval{s.Interval}
	}
	left := s.cost
	for i := range s.clock {
		k := &s.clock[i]
		k.To = min(k.To, k.From+left)
		left -= k.To - k.From
	}
	return s.clock
}

// finish settles what is left.
func (w *wallClock) finish(j *Judge) {
	for client, c := range w.clients {
		j.settleClient(client)
		w.held -= c.settle(j, client)
	}
}

// settle books the wall-clock cost of everything that is judged, and forgets it. What is not yet
// judged covers the time since it began, as if it had no finding: so the result errs on the low
// side. The result is how many were forgotten.
func (c *clientClock) settle(j *Judge, client netip.Addr) int {
	c.bound(j)
	if c.found > 0 {
		c.relieve(j)
		c.boundPages(j)
	}
	j.own(client)
	if c.found > 0 {
		c.showLost(j)
		c.bookWall(j)
	}
	n := len(c.items) - c.open
	c.items = slices.DeleteFunc(c.items, func(i clockItem) bool { return i.judged })
	return n
}

// bookWall adds what the slices cost by the clock on the wall to their findings.
func (c *clientClock) bookWall(j *Judge) {
	found := c.found
	c.found = 0
	if len(c.items) == 1 && found == 1 { // nothing ran beside it, as mostly
		only := c.items[0].slices[0]
		j.addWall(only.group, only.cost, only.cost)
		return
	}
	groups := map[rule.Key][]report.Interval{}
	alone, cost := map[rule.Key]time.Duration{}, map[rule.Key]time.Duration{}
	shares, clocked := map[rule.Key]bool{}, map[rule.Key]time.Duration{}
	for i := range c.items {
		item := &c.items[i]
		for key, own := range item.claimed() {
			own.lost = spread(own.lost, item.Interval, own.cost)
			groups[key] = append(groups[key], own.lost...)
			alone[key] += max(0, own.cost-uncovered(own.lost, nil))
			cost[key] += own.cost
			clocked[key] += own.clocked
			shares[key] = shares[key] || own.shares
		}
	}
	for key, lost := range groups {
		wall := min(uncovered(lost, c.without(key))+alone[key], cost[key])
		if shares[key] {
			wall = min(wall, c.spare(key.Pair.Server.Addr()))
		}
		j.addWall(key, wall+clocked[key], cost[key]+clocked[key])
	}
}

// claimed is what each finding claims of the exchange. What its slices do not show, as they overlap
// or end with the exchange, has nothing to do with others.
func (c *clockItem) claimed() iter.Seq2[rule.Key, claimedTime] {
	return func(yield func(rule.Key, claimedTime) bool) {
		for i := range c.slices {
			key := c.slices[i].group
			same := func(s clockSlice) bool { return s.group == key }
			if !slices.ContainsFunc(c.slices[:i], same) && !yield(key, c.claimedBy(key)) {
				return
			}
		}
	}
}

// claimedBy is what one finding claims of the exchange.
func (c *clockItem) claimedBy(key rule.Key) (own claimedTime) {
	for i := range c.slices {
		s := &c.slices[i]
		switch {
		case s.group != key:
		case c.page != nil && c.page.cut && s.path && s.dir == reassembly.FromServer:
			own.clocked += s.cost
		default:
			own.lost = append(own.lost, s.Interval)
			own.clock = append(own.clock, s.byClock()...)
			own.cost += s.cost
			own.shares = own.shares || s.path && s.dir == reassembly.FromServer
		}
	}
	return own
}

// claimedTime is what one finding claims of one exchange.
type claimedTime struct {
	lost   []report.Interval
	clock  []report.Interval // the same by the clock of all exchanges
	cost   time.Duration
	shares bool // other transfers go on meanwhile
	// what is no part of that, as it is by the clock already
	clocked time.Duration
}

// addWall books what a part of a finding's cost is by the clock on the wall.
func (j *Judge) addWall(key rule.Key, wall, cost time.Duration) {
	if g := j.groups[key]; g != nil {
		g.wall += wall
		g.walled += cost
	}
}

// without are the stretches of the exchanges that do not have the finding.
func (c *clientClock) without(key rule.Key) []report.Interval {
	var out []report.Interval
	has := func(s clockSlice) bool { return s.group == key }
	for i := range c.items {
		item := &c.items[i]
		switch {
		case slices.ContainsFunc(item.slices, has), item.stream:
		case item.judged:
			out = append(out, item.Interval)
		default:
			out = append(out, report.Interval{From: item.From, To: report.EndOfTime})
		}
	}
	return out
}

// wallCost is what the finding cost by the clock on the wall; what did not belong to a single
// exchange, or was not followed, counts in full.
func (g *group) wallCost() time.Duration {
	rest := max(0, g.cost.Expected-g.walled-g.late.cost)
	if g.late.cost > 0 { // what is not listed went on as what is
		rest = share(rest, g.late.wall(), g.late.cost)
	}
	return min(g.wall+g.late.wall()+rest, g.cost.Expected)
}
