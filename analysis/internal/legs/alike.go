package legs

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// Of requests for the same that a proxy has at the same time nothing tells which leg belongs to
// which. Where one may be that of either, all counts and sums are the same: so each exchange is
// given one of the legs that began, and were answered with the same, while it waited. The exchanges
// are taken in the order in which they were answered, and of the legs that each can have, the one
// that began first: those answered later can have any that began later, so that as many as possible
// have one. All that this takes is over when an exchange is: nothing waits until the proxy is idle.

// maxNobodys legs of one service are kept that may still be somebody's; of more, the earliest are
// nobody's.
const maxNobodys = maxKnown / 2

// service is what is asked for, and where.
type service struct {
	asked  key
	server netip.AddrPort
}

// alike are exchanges of one service that went on at once, and legs that a proxy there may have
// made of them.
type alike[T any] struct {
	service
	of       *openLegs[T]        // that ask for the same
	open     []*leg[T]           // fronts that are not over
	proxies  map[netip.Addr]bool // whose requests were taken for legs
	fronts   []*leg[T]           // in the order in which they began; some may be settled
	waiting  int                 // how many of them are not
	clients  map[netip.Addr]int
	answered []*leg[T] // judged, and not settled, in the order in which they were answered
	ups      []*leg[T] // legs, judged, and nobody's so far, in the order in which they began
	begun    []*leg[T] // legs in the order in which they began, from the first on that is not judged
	legs     int       // that are not settled
	over     []*leg[T] // what is over, from the first on that is not judged
}

// turn is a moment at which what was judged promptly before is looked at.
type turn[T any] struct {
	at time.Duration
	of *alike[T]
}

// joins makes x, if it may be a leg of several exchanges of one service, one of alike ones. It
// reports whether by what it asks for it can be nobody else's.
func (l *Links[T]) joins(x *leg[T]) bool {
	fronts, services := l.mayBeOf(x)
	known := func(s service) bool { return l.alike[s] != nil }
	switch {
	case len(services) != 1:
		return slices.ContainsFunc(services, known) // of which, nobody guesses
	case known(services[0]):
		l.alike[services[0]].addLeg(x)
		return true
	}
	return len(fronts) > 1 && l.pool(services[0], fronts, x)
}

// mayBeOf are the exchanges that x may be a leg of, as it asks for the same, but for those that are
// alike, and the services of all: those at its own address, if there are any.
func (l *Links[T]) mayBeOf(x *leg[T]) (fronts []*leg[T], services []service) {
	o := l.open[x.asked]
	if o == nil || o.missing > 0 {
		return nil, nil
	}
	for _, f := range o.legs {
		s := service{x.asked, f.Server}
		if f.Conn == x.Conn || f.Server == x.Server || !x.mayFollow(f) {
			continue
		}
		fronts = append(fronts, f)
		if !slices.Contains(services, s) {
			services = append(services, s)
		}
	}
	for _, p := range o.alike {
		may := func(f *leg[T]) bool { return p.mayFollow(x, f) }
		if p.server != x.Server && slices.ContainsFunc(p.open, may) {
			services = append(services, p.service)
		}
	}
	elsewhere := func(s netip.AddrPort) bool { return s.Addr() != x.Client }
	if !slices.ContainsFunc(services, func(s service) bool { return !elsewhere(s.server) }) {
		return fronts, services
	}
	return slices.DeleteFunc(fronts, func(f *leg[T]) bool { return elsewhere(f.Server) }),
		slices.DeleteFunc(services, func(s service) bool { return elsewhere(s.server) })
}

// pool makes exchanges of one service alike, with x and what else was taken for a leg of one of
// them; false if one of those may belong to others.
func (l *Links[T]) pool(s service, fronts []*leg[T], x *leg[T]) bool {
	var ups []*leg[T]
	for _, f := range fronts {
		for _, u := range f.ups {
			if slices.ContainsFunc(u.fronts,
				func(g *leg[T]) bool { return !slices.Contains(fronts, g) }) {
				return false
			}
			if !slices.Contains(ups, u) {
				ups = append(ups, u)
			}
		}
	}
	o := l.open[s.asked]
	p := &alike[T]{
		service: s, of: o, clients: map[netip.Addr]int{}, proxies: map[netip.Addr]bool{},
	}
	l.alike[s] = p
	o.alike = append(o.alike, p)
	a := o.at(s.server)
	a.began, a.users = len(fronts), len(fronts)
	for _, f := range fronts {
		f.ups = nil
		l.unlist(f, func(k key) bool { return k == f.asked || k == f.tail })
		p.addFront(f)
	}
	slices.SortFunc(ups, func(a, b *leg[T]) int {
		return cmp.Or(cmp.Compare(a.ended, b.ended), cmp.Compare(a.ID, b.ID))
	})
	for _, u := range append(ups, x) {
		u.fronts = nil
		p.addLeg(u)
		if u.told != nil {
			l.group(u)
		}
	}
	return true
}

// addFront adds an exchange that goes on.
func (p *alike[T]) addFront(f *leg[T]) {
	if len(p.fronts) > 2*(p.waiting+maxTogether) { // one that began before goes on
		p.fronts = slices.DeleteFunc(p.fronts, func(f *leg[T]) bool { return f.below != p })
	}
	f.below = p
	p.fronts = append(p.fronts, f)
	p.waiting++
	p.open = append(p.open, f)
	p.clients[f.Client]++
}

// addLeg adds what may be a leg of one of the exchanges.
func (p *alike[T]) addLeg(u *leg[T]) {
	u.above = p
	p.legs++
	p.proxies[u.Client] = true
	switch {
	case u.told != nil:
		p.addJudged(u)
	case u.isOver:
		p.over = append(p.over, u)
	}
	if u.told == nil {
		i, _ := slices.BinarySearchFunc(p.begun, u, (*leg[T]).began)
		p.begun = slices.Insert(p.begun, i, u)
	}
}

// isOver takes in that nothing more will be added to one of the exchanges, or to a leg.
func (p *alike[T]) isOver(x *leg[T]) {
	p.over = append(p.over, x)
	if x.below == p {
		i := slices.Index(p.open, x)
		p.open = slices.Delete(p.open, i, i+1)
	}
}

// mayFollow reports whether the client of u may be the server of f: one that has asked for others
// is. How near a host is shows less well while it is busy.
func (p *alike[T]) mayFollow(u, f *leg[T]) bool {
	return u.mayFollow(f) || p.proxies[u.Client] && u.Client != f.Client
}

// addJudged adds a leg of which all is known.
func (p *alike[T]) addJudged(u *leg[T]) {
	i, _ := slices.BinarySearchFunc(p.ups, u, (*leg[T]).began)
	p.ups = slices.Insert(p.ups, i, u)
}

// began compares exchanges by when they began.
func (x *leg[T]) began(y *leg[T]) int {
	return cmp.Or(cmp.Compare(x.Start, y.Start), cmp.Compare(x.ID, y.ID))
}

// wasAnswered compares exchanges by until when somebody waited for them.
func (x *leg[T]) wasAnswered(y *leg[T]) int {
	return cmp.Or(cmp.Compare(x.waitsFor(), y.waitsFor()), cmp.Compare(x.ID, y.ID))
}

// judgedAlike takes in that all is known of one of alike exchanges, or of a leg. A leg may end
// promptly after its exchange.
func (l *Links[T]) judgedAlike(x *leg[T]) {
	if p := x.below; p != nil {
		i, _ := slices.BinarySearchFunc(p.answered, x, (*leg[T]).wasAnswered)
		p.answered = slices.Insert(p.answered, i, x)
		x.due = l.now + promptly
		l.turns = append(l.turns, turn[T]{x.due, p})
		l.settleAlike(p)
	}
	if p := x.above; p != nil {
		p.addJudged(x)
		l.settleAlike(p)
	}
}

// Advance settles what has waited for its turn until a moment: all that happened before is known.
func (l *Links[T]) Advance(now time.Duration) {
	l.now = max(l.now, now)
	n := 0
	for n < len(l.turns) && l.turns[n].at < l.now {
		l.settleAlike(l.turns[n].of)
		n++
	}
	l.turns = slices.Delete(l.turns, 0, n)
}

// settleAlike settles those of alike exchanges of whose legs all is known.
func (l *Links[T]) settleAlike(p *alike[T]) {
	for i := 0; i < len(p.answered); {
		f := p.answered[i]
		switch {
		case !p.ready(f, l.now):
			i = len(p.answered)
		case f.Answer == 0 && p.goesOn(f):
			i++ // those answered later may have theirs
		default:
			p.answered = slices.Delete(p.answered, i, i+1)
			l.giveLegs(p, f)
		}
	}
	l.leave(p, maxNobodys)
}

// ready reports whether all that was over when f was, or promptly after it, is judged.
func (p *alike[T]) ready(f *leg[T], now time.Duration) bool {
	for len(p.over) > 0 && p.over[0].told != nil {
		p.over = p.over[1:]
	}
	return f.due < now && (len(p.over) == 0 || p.over[0].ended > f.Until+promptly)
}

// goesOn reports whether a leg that began while somebody waited for f is not judged. Of one that
// the proxy gave up, as its client had left, the server may tell much later that it had it.
func (p *alike[T]) goesOn(f *leg[T]) bool {
	for len(p.begun) > 0 && p.begun[0].told != nil {
		p.begun = p.begun[1:]
	}
	i, _ := slices.BinarySearchFunc(p.begun, f.Start,
		func(u *leg[T], at time.Duration) int { return cmp.Compare(u.Start, at) })
	for _, u := range p.begun[i:] {
		if u.Start >= f.waitsFor() {
			break
		}
		if u.told == nil {
			return true
		}
	}
	return false
}

// giveLegs gives an exchange its legs, and settles them.
func (l *Links[T]) giveLegs(p *alike[T], f *leg[T]) {
	for u := p.legOf(f); u != nil; u = p.failedBefore(f, u) {
		u.front, u.sure = f, true
		f.alike = f.alike || u.alike
		f.legs = slices.Insert(f.legs, 0, u)
		p.remove(u)
	}
	f.below = nil
	p.waiting--
	if p.clients[f.Client]--; p.clients[f.Client] == 0 {
		delete(p.clients, f.Client)
	}
	l.settle(f)
	for _, u := range f.legs {
		l.settle(u)
	}
}

// remove takes out a leg that is known.
func (p *alike[T]) remove(u *leg[T]) {
	i, _ := slices.BinarySearchFunc(p.ups, u, (*leg[T]).began)
	p.ups = slices.Delete(p.ups, i, i+1)
	p.legs--
	u.above = nil
}

// leave settles the legs that can be nobody's any more, and those beyond the latest n; of alike
// exchanges that all are settled nothing is kept.
func (l *Links[T]) leave(p *alike[T], n int) {
	for len(p.fronts) > 0 && p.fronts[0].below != p {
		p.fronts = p.fronts[1:]
	}
	for len(p.ups) > n || len(p.ups) > 0 &&
		(len(p.fronts) == 0 || p.ups[0].Start < p.fronts[0].Start) {
		u := p.ups[0]
		p.remove(u)
		l.settle(u)
	}
	if p.waiting > 0 || p.legs > 0 || l.alike[p.service] != p {
		return
	}
	delete(l.alike, p.service)
	o := l.open[p.asked]
	o.alike = slices.DeleteFunc(o.alike, func(q *alike[T]) bool { return q == p })
	l.drop(p.asked)
}

// finishAlike settles what there is of alike exchanges, as if no more had been.
func (l *Links[T]) finishAlike(p *alike[T]) {
	for _, f := range p.answered {
		l.giveLegs(p, f)
	}
	p.answered = nil
	l.leave(p, 0)
}

// legOf is the leg that is given to f; nil if it can have none. Where it can have others as well,
// all of those are alike.
func (p *alike[T]) legOf(f *leg[T]) *leg[T] {
	var best fit
	var all []*leg[T] // that fit as well as that, but for the moment
	first := 0
	for _, u := range p.from(f.Start) {
		if u.Start >= f.waitsFor() {
			break
		}
		fits := p.fits(f, u)
		if fits.how > best.how {
			all = all[:0]
		}
		if fits.better(best) {
			best, first = fits, len(all)
		}
		if fits.how > byNothing && fits.how == best.how {
			all = append(all, u)
		}
	}
	if len(all) == 0 {
		return nil
	}
	for _, u := range all {
		u.alike = u.alike || len(all) > 1
	}
	return all[first]
}

// from are the legs that began at a moment or later.
func (p *alike[T]) from(start time.Duration) []*leg[T] {
	i, _ := slices.BinarySearchFunc(p.ups, start,
		func(u *leg[T], at time.Duration) int { return cmp.Compare(u.Start, at) })
	return p.ups[i:]
}

// fit is how well a leg fits to an exchange. The zero value: it is none.
type fit struct {
	how   how
	apart time.Duration // the ends of both, if one ended as the other did
}

// how tells what speaks for a leg, the most last.
type how uint8

const (
	byNothing how = iota
	byEnd         // one ended because the other did
	byStatus
	byBody // and what came is the same
	byName // the requests name each other
)

// better reports whether a fits better than b, which began before.
func (a fit) better(b fit) bool {
	return a.how > b.how || a.how == byEnd && a.how == b.how && a.apart < b.apart
}

// fits is how well u fits to f.
func (p *alike[T]) fits(f, u *leg[T]) fit {
	if !p.mayBelong(f, u) || !f.tells(u) || !f.shows(u) {
		return fit{}
	}
	passed := f.Answer > 0 && u.Answer > 0 && u.Answer <= f.Answer && f.Status == u.Status
	switch {
	case sameRequestID(f, u), sameTrace(f, u):
		return fit{how: byName}
	case passed && f.sameBody(u):
		return fit{how: byBody}
	case passed || f.Answer > 0 && !f.gatewayError():
		return fit{how: byStatus}
	case f.prompt(f.waitsFor(), u.Until), f.prompt(u.Until, f.waitsFor()):
		return fit{byEnd, (u.Until - f.waitsFor()).Abs()}
	}
	return fit{}
}

// mayBelong reports whether nothing that the requests say speaks against that u is a leg of f, and
// it was over when f was.
func (p *alike[T]) mayBelong(f, u *leg[T]) bool {
	if u.Until > f.Until+promptly || !p.mayFollow(u, f) || !f.waits(u) ||
		!f.mayAsk(u) || f.Agent != u.Agent || contradict(f, u) {
		return false
	}
	if f.mayBeBehind(u) && p.of.byUsers(u.Server) {
		return false
	}
	another := u.trail != nil && u.trail.Forwarded.IsValid() && !forwards(u.trail, f.Client)
	return !another || p.clients[u.trail.Forwarded] == 0
}

// failedBefore is the leg that failed right before the proxy made v of f; nil if there is none, or
// it may be that of another exchange that has none yet.
func (p *alike[T]) failedBefore(f, v *leg[T]) (found *leg[T]) {
	for _, w := range p.from(f.Start) {
		if w.Start >= v.Start {
			break
		}
		failed := w.Answer == 0 || w.Status >= leastServerError
		if failed && within(w.Until, v.Start) && p.mayBelong(f, w) &&
			(found == nil || w.Until > found.Until) &&
			!slices.ContainsFunc(p.answered, func(g *leg[T]) bool { return p.fits(g, w).how > 0 }) {
			found = w
		}
	}
	return found
}
