package names

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"tcpwhy/capture"
)

// Port is where names are looked up.
const Port = 53

const (
	maxRuns       = 1 << 14 // look-ups that are remembered
	maxRunsOfHost = 1 << 10 // of one client
	maxPerAddress = 64      // look-ups that led to one address
	maxSilent     = 1 << 14 // clients and addresses that were connected to without a look-up
	// sweepEvery is how often what is old is forgotten.
	sweepEvery = 10 * time.Second
	// Candidate is how long after its last answer a look-up may have led to a connection at most:
	// whether the client connected at once is seen once the path to it is known.
	Candidate = time.Second
	// LeastRepeat is after what time in vain a SYN has been repeated (RFC 6298 §2: a second).
	LeastRepeat = 900 * time.Millisecond
	// unaware is how long before a look-up a client may have connected to the same address without
	// one, for that to be a sign that it does not wait for it.
	unaware = time.Second
)

// silent is a client and the address of a server.
type silent struct{ client, server netip.Addr }

// Follower follows the look-ups of all hosts. It is not safe for use by several goroutines.
type Follower struct {
	clients map[netip.Addr][]*run // in the order in which they began
	found   map[netip.Addr][]*run // by address that was answered, in order of the first answer
	silent  map[silent]time.Duration
	runs    int
	swept   time.Duration
	tally   Tally
	keep    bool // names
}

// Tally counts what became of look-ups.
type Tally struct {
	Cut     uint64 // messages of which the capture lacks a part
	Left    uint64 // look-ups that were not followed, or not to their end, because of too many
	Unasked uint64 // answers to queries that the capture does not show
	// Look-ups that found no address, and that no connection followed: of names that there are not,
	// that ended with an error, and without any answer.
	Unknown, Failed, Unanswered uint64
	// the names of those, each once, in order, some at most: only if they are kept
	Names []string
}

// Merge takes in what became of other look-ups.
func (t *Tally) Merge(o *Tally) {
	t.Cut, t.Left, t.Unasked = t.Cut+o.Cut, t.Left+o.Left, t.Unasked+o.Unasked
	t.Unknown, t.Failed = t.Unknown+o.Unknown, t.Failed+o.Failed
	t.Unanswered += o.Unanswered
	t.Names = append(t.Names, o.Names...)
	slices.Sort(t.Names)
	t.Names = slices.Compact(t.Names)
	t.Names = t.Names[:min(len(t.Names), maxNames)]
}

// maxNames is how many names of look-ups that led nowhere are kept.
const maxNames = 64

// KeepNames has the names of look-ups kept that led nowhere.
func (f *Follower) KeepNames() { f.keep = true }

// Tally is what became of look-ups until now.
func (f *Follower) Tally(now time.Duration) Tally {
	t := f.tally
	t.Names = slices.Clone(t.Names)
	for _, all := range f.clients {
		for _, r := range all {
			t.add(r, now, f.keep)
		}
	}
	slices.Sort(t.Names)
	t.Names = slices.Compact(t.Names)
	t.Names = t.Names[:min(len(t.Names), maxNames)]
	return t
}

// add counts a look-up if it led nowhere.
func (t *Tally) add(r *run, now time.Duration, keep bool) {
	if r.taken || len(r.addrs) > 0 {
		return
	}
	last := r.lastAnswered()
	switch {
	case last == nil && now-r.last >= leastTimer:
		t.Unanswered++
	case last == nil:
		return
	case last.Failed():
		t.Failed++
	case last.Code == NXDomain:
		t.Unknown++
	default:
		return // the name has other records
	}
	if keep {
		t.Names = append(t.Names, r.name)
	}
}

// Message takes what is in a datagram, or a segment of TCP, from or to port 53.
func (f *Follower) Message(seg *capture.Segment) {
	each(seg, func(p []byte) { f.message(p, seg) })
}

// Found are the addresses that a datagram, or a segment of TCP, from or to port 53 gives for names.
func Found(seg *capture.Segment) (all []netip.Addr) {
	each(seg, func(p []byte) {
		m, _ := parse(p)
		all = append(all, m.addrs...)
	})
	return all
}

// each calls f with each message, or its beginning, in a datagram or a segment of TCP.
func each(seg *capture.Segment, f func(p []byte)) {
	if seg.Kind == capture.Datagram {
		f(seg.Payload)
		return
	}
	const size, questions, least = 2, 4, 12
	for p := seg.Payload; len(p) >= least; {
		// The length before a message (RFC 1035 §4.2.2) may have come in a segment of its own: then
		// this is where the number of questions is, and it is one.
		if binary.BigEndian.Uint16(p[questions:]) == 1 {
			f(p)
			return
		}
		n := min(size+int(binary.BigEndian.Uint16(p)), len(p))
		f(p[size:n])
		p = p[n:]
	}
}

// message takes one message of a segment, perhaps without its end.
func (f *Follower) message(p []byte, seg *capture.Segment) {
	m, ok := parse(p)
	if (m.cut || !ok) && seg.Options.Has(capture.Snapped) {
		f.tally.Cut++
	}
	if !ok {
		return
	}
	if f.clients == nil {
		f.clients, f.found = map[netip.Addr][]*run{}, map[netip.Addr][]*run{}
		f.silent = map[silent]time.Duration{}
	}
	f.sweep(seg.Time)
	switch {
	case m.answer && seg.Src.Port() == Port:
		f.answer(&m, seg)
	case !m.answer && seg.Dst.Port() == Port:
		f.query(&m, seg)
	}
}

// query takes a query: into the look-up that it goes on with, or a new one.
func (f *Follower) query(m *message, seg *capture.Segment) {
	client := seg.Src.Addr().Unmap()
	q := query{port: seg.Src.Port(), id: m.id, Try: Try{
		Name: m.name, Kind: m.kind, Server: seg.Dst.Addr().Unmap(), Sent: seg.Mark,
	}}
	if r := f.goesOn(client, &q); r != nil {
		r.add(q)
		return
	}
	all := f.clients[client]
	if f.runs >= maxRuns {
		f.tally.Left++
		return
	}
	if len(all) >= maxRunsOfHost {
		f.forget(all[0])
		f.tally.Left++
		all = slices.Delete(all, 0, 1)
	}
	r := &run{client: client, name: q.Name}
	r.add(q)
	f.runs++
	f.clients[client] = append(all, r)
}

// goesOn is the look-up of a client that a query belongs to: rather one from the same port.
func (f *Follower) goesOn(client netip.Addr, q *query) (best *run) {
	for _, r := range slices.Backward(f.clients[client]) {
		if !r.joins(q) {
			continue
		}
		if r.queries[len(r.queries)-1].port == q.port {
			return r
		}
		if best == nil {
			best = r
		}
	}
	return best
}

// answer takes an answer, and notes what addresses it has.
func (f *Follower) answer(m *message, seg *capture.Segment) {
	client, server := seg.Dst.Addr().Unmap(), seg.Src.Addr().Unmap()
	for _, r := range slices.Backward(f.clients[client]) {
		if !r.answers(m, seg.Dst.Port(), server, seg.Mark) {
			continue
		}
		for _, a := range r.addrs {
			all := f.found[a]
			if slices.Contains(all, r) {
				continue
			}
			if len(all) >= maxPerAddress {
				all = slices.Delete(all, 0, 1)
			}
			f.found[a] = append(all, r)
		}
		return
	}
	f.tally.Unasked++
}

// Connects is the look-up that a connection may have waited for, which client opens to server with
// the segment at the given moment; nil if there was none.
func (f *Follower) Connects(client, server netip.Addr, at capture.Mark) *Lookup {
	if len(f.clients) == 0 {
		return nil
	}
	to := silent{client, server}
	r := f.leads(client, server, at)
	last, seen := f.silent[to]
	if r == nil || at.Time-r.ready.Time > promptly && !r.givenUp(at.Time) {
		f.noteSilent(to, at.Time)
	}
	if r == nil || seen && last >= r.queries[0].Sent.Time-unaware {
		return nil // it knows the address without asking
	}
	l := f.withUpstream(r)
	if !r.taken && r.givenUp(at.Time) {
		until := *l
		until.Ready, until.GaveUp = at, true
		l = &until
	}
	r.taken = true
	return l
}

// Before is the connection that the client opened to another address of the same look-up, on the
// same port, before it opened c, and the look-up; nil if it did not. From now on it is c.
func (f *Follower) Before(client netip.Addr, c Opened) (before Opened, l *Lookup) {
	for _, r := range slices.Backward(f.found[c.Server.Addr()]) {
		if r.client != client && !r.client.IsLoopback() && r.client.Is4() == client.Is4() ||
			!r.taken || c.First.Time-r.ready.Time > maxAge {
			continue
		}
		before, r.opened = r.opened, c
		if before.First.Frame == 0 || before.Server.Addr() == c.Server.Addr() ||
			before.Server.Port() != c.Server.Port() {
			return Opened{}, nil
		}
		return before, r.made()
	}
	return Opened{}, nil
}

// noteSilent notes that a client connected to an address without having asked for it.
func (f *Follower) noteSilent(s silent, at time.Duration) {
	if _, known := f.silent[s]; known || len(f.silent) < maxSilent {
		f.silent[s] = at
	}
}

// leads is the latest look-up of the host that found the address just before. What another resolver
// on the host asked in its name ended before its own answer did; one that was asked from another
// address counts if no other host was told the same.
func (f *Follower) leads(client, server netip.Addr, at capture.Mark) (best *run) {
	var other *run
	others := 0
	for _, r := range f.found[server] {
		since := at.Time - r.ready.Time
		if since < 0 || since > Candidate && !r.givenUp(at.Time) ||
			!slices.Contains(r.addrs, server) {
			continue
		}
		switch {
		case r.client == client || r.client.IsLoopback():
			if best == nil || r.ready.Time >= best.ready.Time {
				best = r
			}
		case r.client.Is4() != client.Is4():
			if other == nil || other.client != r.client {
				others++
			}
			other = r
		}
	}
	if best == nil && others == 1 {
		return other
	}
	return best
}

// withUpstream is the look-up with what a resolver on the same host asked on its behalf.
func (f *Follower) withUpstream(r *run) *Lookup {
	l := r.made()
	if !r.client.IsLoopback() {
		return l
	}
	stubbed := *l
	stubbed.Tries = slices.Clone(l.Tries)
	for _, u := range f.upstream(r) {
		for i := range u.queries {
			try := u.queries[i].Try
			try.Stub = true
			stubbed.Tries = append(stubbed.Tries, try)
		}
		if len(stubbed.Tries) >= 2*maxTries {
			break
		}
	}
	slices.SortFunc(stubbed.Tries, func(a, b Try) int {
		return cmp.Or(cmp.Compare(a.Sent.Time, b.Sent.Time),
			cmp.Compare(a.Sent.Frame, b.Sent.Frame))
	})
	return &stubbed
}

// upstream are the look-ups for the same address that went on within another one, from addresses
// that are not the loopback's.
func (f *Follower) upstream(r *run) (within []*run) {
	for _, a := range r.addrs {
		for _, u := range f.found[a] {
			if !u.client.IsLoopback() && u.queries[0].Sent.Time >= r.queries[0].Sent.Time &&
				u.ready.Time <= r.ready.Time && !slices.Contains(within, u) {
				within = append(within, u)
			}
		}
	}
	return within
}

// sweep forgets what is old, now and then.
func (f *Follower) sweep(now time.Duration) {
	if now-f.swept < sweepEvery {
		return
	}
	f.swept = now
	for client, all := range f.clients {
		all = slices.DeleteFunc(all, func(r *run) bool {
			old := now-r.last > maxAge
			if old {
				f.forget(r)
			}
			return old
		})
		if f.clients[client] = all; len(all) == 0 {
			delete(f.clients, client)
		}
	}
	for s, at := range f.silent {
		if now-at > 2*maxAge {
			delete(f.silent, s)
		}
	}
}

// forget takes a look-up off the addresses that it found.
func (f *Follower) forget(r *run) {
	f.runs--
	f.tally.add(r, r.last+maxAge, f.keep && len(f.tally.Names) < maxNames)
	for _, a := range r.addrs {
		all := slices.DeleteFunc(f.found[a], func(o *run) bool { return o == r })
		if f.found[a] = all; len(all) == 0 {
			delete(f.found, a)
		}
	}
}
