package connect

import (
	"net/netip"
	"slices"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

const (
	// fallbackWithin is how soon a connection to another address on the same port follows a refusal
	// if the client had tried several addresses of one name (RFC 8305 asks for 250 ms between
	// attempts).
	fallbackWithin = time.Second
	// alternativeWithin is how soon a program that has another port to try does so after a refusal:
	// within one tick of the kernel, the longest of which is 10 ms (Linux: CONFIG_HZ=100).
	alternativeWithin = 10 * time.Millisecond
	// elsewhereWait is how long after a refusal the first request on such a connection is waited
	// for.
	elsewhereWait = 10 * time.Second
	// othersKnown is how long after an attempt all is known of others that began beside it,
	// whenever the capture ends: the last of six copies of a SYN leaves 63 s after it (Linux:
	// net.ipv4.tcp_syn_retries), silence tells 75 s later that nothing follows, or the end of the
	// capture does, which is taken to be 3 minutes after its last segment.
	othersKnown = 3 * rule.PairSilence
	// proxyRetries is how long proxies wait before they try again (HAProxy: a second, or timeout
	// connect if that is less). In a longer time something else was tried, of which it may not be
	// known yet, as nothing answered.
	proxyRetries = 2 * time.Second
	// bounds of memory: refusals that wait, those given up of a client, its tries, tries of all
	// hosts that look the same
	maxRefusals, keptGiven, keptTries, keptOfAlike = 4096, 32, 64, 128
	// aHabit is how often two addresses must have been tried one right after the other to be those
	// of one host.
	aHabit = 2
	// habitParts: such distances are alike if they differ by one of so many parts, as round trips
	// do, or by a tick of the kernel.
	habitParts = 4
	// scanPorts is how many ports of one host, or hosts on one port, may refuse before that is a
	// scan and no attempt to reach a service.
	scanPorts = 16
	// probePorts is how many ports of one host that each refused once are no services that anybody
	// relies on: somebody looks what is there.
	probePorts = 4
)

// refusals holds attempts that failed until it is known whether the client had another address to
// try.
type refusals struct {
	waiting rule.Agenda[*refusal]
	ports   rule.PairTable[[]uint16]      // refused ports by client and host
	hosts   rule.PairTable[[]netip.Addr]  // hosts that refused, by client and port
	sole    rule.PairTable[soleTry]       // by client: most try once
	tries   rule.PairTable[[]*try]        // of others, the latest by client and port, and host
	kin     rule.PairTable[[]*try]        // the same by the mark of the client's host
	latest  rule.PairTable[time.Duration] // when a client was heard of last
	given   rule.PairTable[[]*refusal]    // the latest that were given up, by client and service
	strangers
}

// refusal is an attempt that failed.
type refusal struct {
	rule.Referred
	end time.Duration
	due time.Duration // when it is booked, by what was known then
	leftToTell
	taken time.Duration // of its cost other claims had so much when it was booked
}

// leftToTell is what is left to tell of an attempt.
type leftToTell uint8

const (
	leftAll     leftToTell = iota
	leftGivenUp            // it is booked, but for whether the client gave up
	leftProxy              // it is booked, but for how long a proxy's client waited
)

// unproven reports whether too few SYNs show that an attempt failed, unless the client gave up.
func unproven(c *rule.Referred) bool {
	return c.Num[refusalDue] != 0 && c.Confidence < report.ConfidenceHigh
}

// Number makes pairs have the numbers that others have for them.
func (r *refusals) Number(n *rule.PairNumbers) {
	// whoever is refused, or made up, is one of many: no more is kept of those than of paths
	for _, most := range []*int{&r.ports.Most, &r.hosts.Most, &r.tries.Most, &r.kin.Most,
		&r.sole.Most, &r.latest.Most, &r.given.Most, &r.vain.Most} {
		*most = rule.MaxPaths
	}
	r.latest.By(n)
	r.sole.By(n)
	r.given.By(n)
	r.askers.By(n)
}

// Event takes note of a connection that came about.
func (r *refusals) Event(_ rule.Desk, c *rule.Conn, e *rule.Told) {
	data := e.Began()
	r.asks(data.Pair.Client, e.At)
	r.heardOf(data.Pair.Client, data.Start.Time)
	if data.First && data.Handshake {
		r.note(data.Pair, &try{data.Pair.Client, data.Pair.Server.Addr(), data.Pair.Server.Port(),
			data.ConnStart, true, c.Id, e.At, data.HostMark, false})
	}
}

// Refer keeps an attempt that failed until it is known whether the client went elsewhere.
func (r *refusals) Refer(d rule.Desk, c rule.Referred) {
	wait := elsewhereWait
	if c.Num[refusalLone] != 0 || unproven(&c) {
		wait = othersKnown // what the client does meanwhile, and usually, takes others to tell
	}
	w := &refusal{Referred: c, end: c.Occ.End, due: max(c.At, c.Occ.End+wait)}
	if c.Cause == givenUpCause {
		w.due = report.EndOfTime // where all is silent, attempts beside it are known no sooner
	}
	first := c.Occ.Proof[0].Mark
	r.note(c.Pair, &try{c.Pair.Client, c.Pair.Server.Addr(), c.Pair.Server.Port(), first, false,
		c.Occ.Connection, c.At,
		uint32(c.Num[refusalMark]), c.Num[refusalLone] != 0})
	r.heardOf(c.Pair.Client, first.Time)
	r.await(d, w)
}

// await lets an attempt wait until it is due. Of too many the first one waits no longer.
func (r *refusals) await(d rule.Desk, w *refusal) {
	r.waiting.Add(w.due, w)
	if r.waiting.Len() > maxRefusals {
		if w, ok := r.waiting.Next(); ok {
			r.tell(d, w, true)
		}
	}
}

// tell tells what can be told of an attempt that is due; at last, all.
func (r *refusals) tell(d rule.Desk, w *refusal, last bool) {
	if w.leftToTell == leftProxy {
		r.prolong(d, w, last)
		return
	}
	r.book(d, w, last)
}

// Advance books the refusals that no request elsewhere can still explain.
func (r *refusals) Advance(d rule.Desk, now time.Duration) {
	for w, ok := r.waiting.Due(now); ok; w, ok = r.waiting.Due(now) {
		r.tell(d, w, false)
	}
}

// Finish books what is left, and takes the weight from what looks for open ports.
func (r *refusals) Finish(d rule.Desk) {
	for w, ok := r.waiting.Next(); ok; w, ok = r.waiting.Next() {
		r.tell(d, w, true)
	}
	r.ports.Each(func(host report.Pair, ports *[]uint16) { markProbes(d, host, *ports) })
	r.tries.Each(func(port report.Pair, tries *[]*try) { unlistSweep(d, port, *tries) })
	r.given.Each(func(p report.Pair, given *[]*refusal) { r.tellNext(d, p, *given) })
	r.strangers.finish(d)
}

// heardOf takes note of when a client did something.
func (r *refusals) heardOf(client netip.Addr, at time.Duration) {
	if latest := r.latest.Of(rule.Alone(client), at); latest != nil {
		*latest = max(*latest, at)
	}
}

// gaveUp reports whether the client did something else when another SYN would have been due.
func (r *refusals) gaveUp(w *refusal) bool {
	latest := r.latest.Has(rule.Alone(w.Pair.Client))
	due := time.Duration(w.Num[refusalDue])
	return latest != nil && due > 0 && *latest > due
}

// markOf stands for all clients with one mark, the MTU left out: families may have their own, as
// where one is tunnelled.
func markOf(mark uint32) netip.Addr {
	return netip.AddrFrom4([4]byte{2: byte(mark >> 8), 3: byte(mark)})
}

// note takes note of a connection, or of an attempt at one, in all lists that it belongs to.
func (r *refusals) note(p report.Pair, t *try) {
	if s := r.sole.Of(rule.Alone(p.Client), t.at.Time); s == nil || !s.takes(t) {
		if s != nil && s.try != nil {
			r.list(s.try)
			s.try = nil
		}
		r.list(t)
	}
	if t.mark == 0 {
		return
	}
	if s := r.kin.Of(portOf(markOf(t.mark), p), t.at.Time); s != nil {
		*s = appendLatest(*s, t, keptOfAlike)
	}
}

// beside are the other tries of the client of w that may be for the same, as far as they were known
// by the given moment: on the same port, by another address of its host, too, which tried at once
// when w was refused, or does so again and again.
func (r *refusals) beside(w *refusal, by time.Duration) (out []*try) {
	late := func(t *try) bool { return t.known > by }
	out = slices.DeleteFunc(slices.Clone(r.triesOf(portOf(w.Pair.Client, w.Pair))), late)
	mark := uint32(w.Num[refusalMark])
	if s := r.kin.Has(portOf(markOf(mark), w.Pair)); s != nil && mark != 0 {
		all := slices.DeleteFunc(slices.Clone(*s), late)
		for _, t := range all {
			after := t.at.Time - w.end
			answers := w.Cause == refusedCause && after >= 0 && after <= alternativeWithin &&
				t.mark == mark
			if t.client.Is4() != w.Pair.Client.Is4() &&
				(answers || oneHost(all, w.Pair.Client, t.client)) {
				out = append(out, t)
			}
		}
	}
	return slices.DeleteFunc(out, func(t *try) bool { return t.conn == w.Occ.Connection })
}

// next is what the client tried next while it had no answer; false if it did not.
func (r *refusals) next(w *refusal) (first try, found bool) {
	return earliest(r.meanwhile(w))
}

// meanwhile are the tries of the client that began while it had no answer to w.
func (r *refusals) meanwhile(w *refusal) []*try {
	return slices.DeleteFunc(r.beside(w, report.EndOfTime), func(t *try) bool {
		return t.at.Time <= w.Occ.Start || t.at.Time > w.end
	})
}

// elsewhere is the connection that the client opened to another address on the same port, or to
// another port of the host, right after the refusal; false if it did not.
func (r *refusals) elsewhere(w *refusal) (to try, found bool) {
	for _, t := range r.beside(w, w.due) {
		// one of a race may have begun before, and still been under way
		meanwhile := t.at.Time >= w.Occ.Start ||
			t.at.Time >= w.Occ.Start-fallbackWithin && t.known > w.Occ.Start
		soon := t.at.Time <= max(w.end+fallbackWithin, time.Duration(w.Num[refusalNext]))
		if t.came && t.server != w.Pair.Server.Addr() && meanwhile && soon {
			return *t, true
		}
	}
	if w.Cause == refusedCause {
		for _, t := range r.triesOf(hostOf(w.Pair)) {
			if t.came && t.at.Time >= w.end && t.at.Time-w.end <= alternativeWithin {
				return *t, true
			}
		}
	}
	return try{}, false
}

// lostRace reports whether the client had an answer from another address before that of w came.
func (r *refusals) lostRace(w *refusal) bool {
	for _, t := range r.beside(w, w.due) {
		if t.came && t.at.Time >= w.Occ.Start-fallbackWithin && t.at.Time < w.end {
			return true
		}
	}
	return false
}

// markProbes takes the weight from refusals of a host that a client asked once on each of several
// ports, all in vain; of many it is a scan.
func markProbes(d rule.Desk, host report.Pair, ports []uint16) {
	var probes []rule.Found
	for _, port := range ports {
		probes = append(probes, askedOnce(d, report.Pair{
			Client: host.Client, Server: netip.AddrPortFrom(host.Server.Addr(), port),
		})...)
	}
	switch {
	case len(probes) >= scanPorts:
		unlist(probes)
	case len(probes) >= probePorts:
		for _, f := range probes {
			f.Grade(report.Info, report.Info)
			f.Further(rule.Say(manyPortsAsked))
		}
	}
}

// unlistSweep takes out the findings of a client that asked many hosts once each on one port, all
// in vain: who relies on a service asks again.
func unlistSweep(d rule.Desk, port report.Pair, tries []*try) {
	asked := map[netip.Addr]int{}
	for _, t := range tries {
		asked[t.server]++
		if t.came || asked[t.server] > 1 {
			return
		}
	}
	if len(asked) < scanPorts {
		return
	}
	for host := range asked {
		unlist(askedOnce(d, report.Pair{
			Client: port.Client, Server: netip.AddrPortFrom(host, port.Server.Port()),
		}))
	}
}

// askedOnce are the findings of a client that asked a service once, in vain.
func askedOnce(d rule.Desk, p report.Pair) (once []rule.Found) {
	for _, cause := range [...]string{refusedCause, filteredCause} {
		f := d.Found(connectionRefusedRule, cause, p)
		if f != nil && f.Count() == 1 && !knownPair(d, p) {
			once = append(once, f)
		}
	}
	return once
}

// unlist counts the findings as a scan's.
func unlist(all []rule.Found) {
	for _, f := range all {
		f.Unlist()
	}
}

// addWay adds what the client waits for the RST beside what the capture shows: a round trip.
func (w *refusal) addWay(rtt time.Duration) {
	if far := rtt - time.Duration(w.Num[refusalAnswer]); far > 0 {
		w.Occ.Cost = w.Occ.Cost.Add(report.Cost{Low: 0, Expected: far, High: far})
	}
}

// failed reports whether w, whose client may still have asked again, is to be booked now. That it
// gave up may be known much later than the attempt is to be compared with others.
func (r *refusals) failed(d rule.Desk, w *refusal) bool {
	over := r.gaveUp(w)
	if over {
		d.Failed(w.Occ.Connection, exchange.Filtered)
	}
	if w.leftToTell == leftGivenUp || unproven(&w.Referred) {
		return over && w.leftToTell == leftAll // two SYNs without an answer may be lost
	}
	if !over {
		later := *w
		later.leftToTell = leftGivenUp
		r.waiting.Add(w.end+othersKnown, &later)
	}
	return true
}

// book books an attempt, unless it is one of a scan.
func (r *refusals) book(d rule.Desk, w *refusal, last bool) {
	if w.Num[refusalLone] != 0 {
		r.bookLone(d, w)
		return
	}
	if w.Num[refusalDue] != 0 && !r.failed(d, w) {
		return
	}
	p := w.Pair
	if !seen(r.ports.Of(hostOf(p), w.end), p.Server.Port()) ||
		!seen(r.hosts.Of(portOf(p.Client, p), w.end), p.Server.Addr()) ||
		r.strangers.scans(w) {
		d.Unlisted()
		return
	}
	all, known := d.Pair(p)
	to, went := r.elsewhere(w)
	switch {
	case w.Cause == givenUpCause:
		r.giveUp(w)
	case went:
		w.Least, w.Most = report.Info, rule.AtMost(report.Info)
		w.Says = []rule.Said{rule.Say(wentElsewhere)}
		if to.server == p.Server.Addr() {
			w.Says = []rule.Said{rule.Say(wentToOtherPort)}
		}
		w.lastUntil(to.at)
	}
	if !went && !known && d.Found(w.Rule, w.Cause, p) != nil {
		w.Least = max(w.Least, min(report.High, w.Most.Severity())) // again and again, never served
	}
	if known && w.Cause == refusedCause {
		w.addWay(all.Rtt)
	}
	cost := w.Occ.Cost.Expected
	bookLost(d, &w.Referred, &w.Claim)
	w.taken, w.leftToTell = cost-w.Occ.Cost.Expected, leftProxy
	if d.Enabled(w.Rule) {
		r.prolong(d, w, last)
	}
}

// prolong makes an attempt last until a proxy did what came next for its client. What that was may
// be known much later than the attempt: it takes others to be over, of whomever.
func (r *refusals) prolong(d rule.Desk, w *refusal, last bool) {
	leg := d.Proxied(w.Occ.Exchange)
	more := leg.Next != nil && leg.Next.At.Time > w.end+proxyRetries && w.due < w.end+othersKnown
	if !last && (leg.Open || more) {
		w.due += elsewhereWait
		r.await(d, w)
		return
	}
	longer := w.Referred
	if goesOn(&longer, leg.Next, w.taken) {
		d.Prolong(&w.Referred, &longer)
	}
}

// lastUntil makes an attempt without answer last until the client tried another address: it had
// waited for one until then.
func (w *refusal) lastUntil(other capture.Mark) {
	if w.Cause == refusedCause || other.Time <= w.Occ.End {
		return
	}
	took := other.Time - w.Occ.Start
	w.Occ.End = other.Time
	w.Occ.Cost.Expected, w.Occ.Cost.High = took, max(took, w.Occ.Cost.High)
}

// goesOn makes an attempt of a proxy last until that did what came next for its client; false if it
// is none. Of its cost others have what was taken.
func goesOn(w *rule.Referred, next *rule.Next, taken time.Duration) bool {
	if next == nil || next.At.Time <= w.Occ.End {
		return false
	}
	took := next.At.Time - w.Occ.Start
	w.Occ.End, w.Took = next.At.Time, next.Waited
	w.Occ.Cost.Expected, w.Occ.Cost.High = took-taken, max(took, w.Occ.Cost.High)
	if next.Leg {
		w.Occ.Elsewhere = true
		w.Occ.Proof = append(slices.Clip(w.Occ.Proof),
			rule.Shows(next.At, report.SideClient, proxyGoesOn, int64(next.Conn), rule.Ns(took)))
	}
	return true
}

// giveUp tells the story of an attempt that was given up before its answer came.
func (r *refusals) giveUp(w *refusal) {
	if r.lostRace(w) {
		w.Least, w.Most = report.Info, rule.AtMost(report.Info)
		w.Says = []rule.Said{rule.Say(otherWasFaster)}
		return
	}
	booked := slices.DeleteFunc(r.meanwhile(w), func(t *try) bool { return t.came || t.lone })
	if t, found := earliest(booked); found {
		// the rest of the wait is that attempt's, which failed, too, and has a cost of its own
		cost, after := &w.Occ.Cost, t.at.Time-w.Occ.Start
		*cost = report.Cost{Low: min(cost.Low, after), Expected: min(cost.Expected, after),
			High: min(cost.High, after)}
	}
	if given := r.given.Of(w.Pair, w.end); given != nil {
		*given = appendLatest(*given, w, keptGiven)
	}
}

// tellNext tells what the client tried next when it gave up, as far as it is remembered. That may
// be an address that does not answer, either, so that it is known at the end only. Once it shows
// that it does not wait for the RST, an attempt of which that is not seen may have been given up at
// any moment: what is not known makes no cost surer.
func (r *refusals) tellNext(d rule.Desk, p report.Pair, given []*refusal) {
	f := d.Found(connectionRefusedRule, givenUpCause, p)
	if f == nil {
		return
	}
	var low time.Duration
	told := false
	for _, w := range given {
		t, found := r.next(w)
		if !found {
			continue
		}
		after := t.at.Time - w.Occ.Start
		low += min(after, w.Occ.Cost.Low)
		if !told {
			told = true
			f.Further(rule.Say(triedNext, rule.Ns(after), int64(t.at.Frame.Number())))
			f.Sure(report.ConfidenceHigh)
		}
	}
	if told && f.Count() >= len(given) {
		f.Low(low)
	}
}

// bookLone books a single SYN without an answer if it was given up for another address, which was
// tried next and answered: nothing else shows that nobody waits for it any more.
func (r *refusals) bookLone(d rule.Desk, w *refusal) {
	for _, t := range r.beside(w, w.due) {
		after := t.at.Time - w.Occ.Start
		if !t.came || after <= 0 || after > fallbackWithin || t.server == w.Pair.Server.Addr() {
			continue
		}
		w.Least, w.Most = report.Low, rule.AtMost(report.Low)
		w.Alone = rule.AtMost(report.Info)
		w.Says = []rule.Said{rule.Say(triedNext, rule.Ns(after), int64(t.at.Frame.Number()))}
		w.Occ.End = t.at.Time
		w.Occ.Cost = report.Cost{High: after} // the time of no exchange
		if d.Enabled(w.Rule) {
			d.Book(w.Subject, &w.Claim)
		}
		return
	}
}

// seen notes one of several, and reports whether it is among the first scanPorts.
func seen[T comparable](all *[]T, one T) bool {
	switch {
	case all == nil:
		return false
	case slices.Contains(*all, one):
		return true
	case len(*all) >= scanPorts:
		return false
	}
	*all = append(*all, one)
	return true
}
