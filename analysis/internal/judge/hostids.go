package judge

import (
	"net/netip"
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
)

const (
	// keptIDRuns is how many runs of identifications are kept of each host: the latest, at least
	// half as many. A gap that may be a loss is of 16 packets at most, and its question comes soon
	// after it, so that of a host that has one counter they reach back beyond it.
	keptIDRuns = 64
	// maxIDQuestions is how many claims wait for other connections of their hosts; those beyond it
	// stand.
	maxIDQuestions = 4096
)

// hostIDs answers whether what is missing on one connection of a host, by its IP identifications,
// was on another one. Systems differ in what they count (RFC 6864 section 4.1), and what stands in
// front of a host may answer in its name: so only the numbers themselves tell. All questions are
// settled at the end, when all that the capture shows is known.
type hostIDs struct {
	hosts   rule.PairTable[[]connRun]
	waiting map[netip.Addr][]*idQuestion // by host
	asked   []*idQuestion                // the same, in the order in which they came
}

// connRun is a run of identifications on one connection.
type connRun struct {
	conn int
	ledger.IDRun
}

// idQuestion is a claim, and what other connections say of the identifications that it rests on.
type idQuestion struct {
	rule.Subject
	rule.Claim
	conns []idAnswer // those that have sent anything meanwhile, at most maxIDAnswers
}

// maxIDAnswers is how many connections are told apart in the time of one gap. Of one counter no
// more can have sent anything than there are identifications missing.
const maxIDAnswers = 16

// idAnswer is what one connection says.
type idAnswer struct {
	conn               int
	fills, contradicts bool
}

// learn takes in what a connection showed of its two hosts.
func (h *hostIDs) learn(c *rule.Conn, ids [2][]ledger.IDRun, now time.Duration) {
	for d, host := range [2]netip.Addr{c.Pair.Client, c.Pair.Server.Addr()} {
		if len(ids[d]) == 0 {
			continue
		}
		kept := h.hosts.Of(rule.Alone(host), now)
		for _, r := range ids[d] {
			run := connRun{c.Id, r}
			for _, q := range h.waiting[host] {
				q.hear(run)
			}
			if kept == nil {
				continue
			}
			if len(*kept) == keptIDRuns {
				*kept = slices.Delete(*kept, 0, keptIDRuns/2)
			}
			*kept = append(*kept, run)
		}
	}
}

// ask takes in a claim that rests on missing identifications; false if too many wait.
func (h *hostIDs) ask(s rule.Subject, c *rule.Claim) bool {
	if len(h.asked) >= maxIDQuestions {
		return false
	}
	if h.waiting == nil {
		h.waiting = map[netip.Addr][]*idQuestion{}
	}
	q := &idQuestion{Subject: s, Claim: *c}
	h.asked = append(h.asked, q)
	h.waiting[c.Asks.Host] = append(h.waiting[c.Asks.Host], q)
	if kept := h.hosts.Has(rule.Alone(c.Asks.Host)); kept != nil {
		for _, run := range *kept {
			q.hear(run)
		}
	}
	return true
}

// hear takes in a run of the host's.
func (q *idQuestion) hear(r connRun) {
	fills, contradicts := q.Asks.Compare(r.IDRun)
	if r.conn == q.Occ.Connection || !fills && !contradicts {
		return
	}
	i := slices.IndexFunc(q.conns, func(a idAnswer) bool { return a.conn == r.conn })
	if i < 0 {
		if len(q.conns) == maxIDAnswers {
			return
		}
		i = len(q.conns)
		q.conns = append(q.conns, idAnswer{conn: r.conn})
	}
	a := &q.conns[i]
	a.fills, a.contradicts = a.fills || fills, a.contradicts || contradicts
}

// refuted reports whether another connection shares the claim's counter.
func (q *idQuestion) refuted() bool {
	return slices.ContainsFunc(q.conns, func(a idAnswer) bool { return a.fills && !a.contradicts })
}

// withdrawRefuted takes back the claims about packets that were on other connections. The others
// are certain now.
func (j *Judge) withdrawRefuted() {
	for _, q := range j.ids.asked {
		k := rule.Key{Rule: q.Rule, Cause: q.Cause, Pair: q.Pair}
		switch g := j.groups[k]; {
		case g == nil:
		case q.refuted():
			j.withdraw(k, g, &q.Subject, &q.Claim)
			j.move(moved{q.Occ.Connection, q.Occ.Exchange, &q.Asks.Otherwise})
		default:
			j.tellCertain(k, g, &q.Claim)
		}
	}
	j.ids.asked, j.ids.waiting = nil, nil
}

// withdraw takes a claim from its finding, and gives back what it cost.
func (j *Judge) withdraw(k rule.Key, g *group, s *rule.Subject, c *rule.Claim) {
	g.drop(c)
	if !j.clock.withdraw(k, s.Pair.Client, c) {
		wall := share(c.Occ.Cost.Expected, g.wall, g.walled)
		g.wall, g.walled = max(0, g.wall-wall), max(0, g.walled-c.Occ.Cost.Expected)
	}
	if !isDoubtful(*c) {
		j.Lose(c.Occ.Start, -c.Occ.Cost.Expected)
	}
	if g.leave(*s, c); g.count <= 0 {
		delete(j.groups, k)
	}
	j.fences.across.ofRule(j.named[c.Rule], func(a *comparing) {
		if w, ok := a.Across.(rule.Recanter); ok {
			w.Withdrawn(s, c)
		}
	})
}

// drop takes a claim's occurrence from those that are listed. It costs what it costs there: others
// may have taken from that.
func (g *group) drop(c *rule.Claim) {
	for i := range g.occurrences {
		o := &g.occurrences[i]
		if o.Connection == c.Occ.Connection && o.Exchange == c.Occ.Exchange &&
			o.Start == c.Occ.Start {
			c.Occ.Cost, c.Occ.Again = o.Cost, o.Again
			g.occurrences = slices.Delete(g.occurrences, i, i+1)
			return
		}
	}
}

// withdraw takes a claim from the exchange that it is about; false if that has been settled.
func (w *wallClock) withdraw(k rule.Key, client netip.Addr, c *rule.Claim) bool {
	clock := w.clients[client]
	if clock == nil {
		return false
	}
	item := clock.item(c.Occ.Exchange)
	if item == nil {
		return false
	}
	had := len(item.slices)
	item.slices = slices.DeleteFunc(item.slices, func(s clockSlice) bool {
		return s.group == k && s.start == c.Occ.Start
	})
	clock.found -= had - len(item.slices)
	if !isDoubtful(*c) {
		item.lost = max(0, item.lost-c.Occ.Cost.Expected)
	}
	return true
}
