// Package legs finds out which exchanges a proxy made of those that it was asked for: the legs of
// one exchange. It looks at exchanges alone, compares them by what was asked, by when, and by what
// requests say of their way, and rather links none than the wrong one. What it holds is bounded.
package legs

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tcpwhy/reassembly/exchange"
)

const (
	// maxOpen exchanges that ask for the same are known at a time; while there are more, none that
	// asks for it is linked by that alone.
	maxOpen = 1024
	// maxTogether exchanges wait for each other until all of them are over; where more hang
	// together, as there are always several under way, none of them is linked.
	maxTogether = 64
	// maxKnown exchanges are known at a time.
	maxKnown = 1 << 15
)

// Asked is an exchange when its request begins.
type Asked struct {
	ID, Conn int
	Client   netip.Addr
	Server   netip.AddrPort
	Start    time.Duration // its first octet
	// What is asked for; without a method, it is nothing that a proxy forwards.
	Method, Target string
	Trail          *exchange.Trail // nil if nothing of it is known, or yet
	// The capture may have been taken on the host of the client, or of the server.
	ClientNear, ServerNear bool
}

// Ended is what is known of an exchange in the end.
type Ended struct {
	From, Until time.Duration // all of its time
	RequestEnd  time.Duration // the last octet of the request, or of what there is of it
	Answer      time.Duration // the first octet of the response; 0 if there is none
	Think       time.Duration // that the server took before it answered
	Agent       string
	Trail       *exchange.Trail
	Status      int  // 0 without a response
	Whole       bool // there is a whole response
	// What Content-Length announces of the request, and of the response; negative where it does
	// not.
	Sent, Length int64
	Body         int64 // octets of its body, with the framing of chunks
	Chunked      bool  // it is framed so
	// Inputs of the capture that have its first octet, and its last: a recording of one place may
	// be cut into files.
	Inputs [2]int
	// The capture was taken on the host of the client, or of the server.
	ClientLocal, ServerLocal bool
}

// Link is what an exchange has to do with others, in whose place the caller has given a T each.
type Link[T any] struct {
	Behind bool // it is what a proxy made of another
	Front  T    // that one
	// Share is how much of the time that the proxy took to answer passed while it waited for this
	// one, and for none before.
	Share    time.Duration
	Upstream []T // what a proxy made of it, the earliest first
	// Waited is how much of the time that the proxy took to answer passed while it waited for
	// those.
	Waited time.Duration
	// Alike: others for the same went on at once, and which leg belongs to which does not show. Any
	// other choice has the same counts and sums.
	Alike bool
}

// Links links exchanges. Each goes through Began, Over and Judged, in the order in which things
// happened.
type Links[T any] struct {
	known    map[int]*leg[T]      // by ID, until settled
	open     map[key]*openLegs[T] // not over
	unknown  map[int]struct{}     // open ones that are beyond maxKnown
	settled  func(T, Link[T])
	together []*leg[T] // room
	round    int       // of looking at legs, each once
	// By host, of those whose server it is: what is not settled, and what is, and for which it may
	// have tried to connect in vain.
	serving, kept map[netip.Addr][]*leg[T]
	trying        map[netip.Addr][]*trying[T] // attempts that wait, by the host that made them
	alike         map[service]*alike[T]       // of which several went on at once
	turns         []turn[T]                   // of those, the first one first
	now           time.Duration               // all that happened before is known
}

// key is the hash of what an exchange has in common with its other leg, by its kind.
type key struct {
	kind keyKind
	hash uint64
}

type keyKind uint8

const (
	byAsked keyKind = iota
	byRequestID
	byTrace
	byTail // of the path: what is left of it where a proxy puts another beginning before the rest
)

// openLegs are the exchanges with one key that are not over.
type openLegs[T any] struct {
	legs    []*leg[T]
	room    [1]*leg[T]  // where they begin
	missing int         // those that are not listed
	alike   []*alike[T] // of which some go on, and are not listed
	asking  []asking    // since some are alike
}

// leg is one exchange.
type leg[T any] struct {
	Asked
	*told[T] // nil until it is judged
	trail    *exchange.Trail
	asked    key
	tail     key
	keys     []key        // under which it is open
	room     [2]key       // where they begin: mostly there are no more
	unlisted []key        // under which it is, and not listed
	fronts   []*leg[T]    // that it may be made of
	ups      []*leg[T]    // that may be made of it
	trying   []*trying[T] // attempts that may have been for it
	hosts    []netip.Addr // under which it is one that is not settled
	place    [2]int       // in the list of each
	round    int          // in which it was looked at last
	apart    bool         // more hung together than can be told apart
	// Those alike that it is one of, and that it may be a leg of; nil if there are none, or that is
	// settled.
	below, above *alike[T]
	isOver       bool
	ended        time.Duration // when it was over
	due          time.Duration // when its legs are known, if it is one of alike ones and judged
	grouped      bool          // it is settled what it has to do with others that are not alike
}

// told is what has become known of an exchange.
type told[T any] struct {
	Ended
	of T
	resolved[T]
}

// New links exchanges; settled is called once for each, when it is known.
func New[T any](settled func(T, Link[T])) *Links[T] {
	return &Links[T]{
		known:   map[int]*leg[T]{},
		open:    map[key]*openLegs[T]{},
		unknown: map[int]struct{}{},
		serving: map[netip.Addr][]*leg[T]{},
		kept:    map[netip.Addr][]*leg[T]{},
		trying:  map[netip.Addr][]*trying[T]{},
		alike:   map[service]*alike[T]{},
		settled: settled,
	}
}

// Began takes in the beginning of an exchange.
func (l *Links[T]) Began(a Asked) {
	if a.Method == "" || a.Target == "" || a.Method == "CONNECT" {
		return
	}
	if len(l.known) >= maxKnown {
		l.unknown[a.ID] = struct{}{}
		return
	}
	x := &leg[T]{
		Asked: a, trail: a.Trail,
		asked: askedKey(a.Method, a.Target), tail: tailKey(a.Method, a.Target),
	}
	x.Method, x.Target = "", "" // the hash is enough
	x.keys = x.room[:0]
	l.known[a.ID] = x
	l.serves(x)
	l.relate(x)
	if o := l.open[x.asked]; o != nil {
		o.began(x)
	}
	for _, k := range idKeys(a.Trail) {
		l.list(x, k)
	}
	if p := l.alike[service{x.asked, x.Server}]; p != nil {
		p.addFront(x)
	} else {
		l.list(x, x.asked)
		l.list(x, x.tail)
	}
}

// askedKey is the key of what is asked for.
func askedKey(method, target string) key {
	return targetKey(byAsked, method, path(target))
}

// tailKey is the key of the last part of what is asked for, with its query. Proxies put other
// beginnings before it, or take them off: nginx proxy_pass with a path, HAProxy set-path.
func tailKey(method, target string) key {
	target = path(target)
	before, _, _ := strings.Cut(target, "?")
	return targetKey(byTail, method, target[strings.LastIndexByte(before, '/')+1:])
}

func targetKey(kind keyKind, method, target string) key {
	h := exchange.Hash(exchange.HashStart, method)
	return key{kind, exchange.Hash(exchange.Hash(h, " "), target)}
}

// path is a target without scheme and host. A request to a proxy by name may have all of a URL
// (RFC 9112 §3.2.2), of which it forwards the path.
func path(target string) string {
	_, rest, ok := strings.Cut(target, "://")
	if !ok || strings.HasPrefix(target, "/") {
		return target
	}
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		return rest[i:]
	}
	return "/"
}

// idKeys are the keys of the identifiers that a request carries.
func idKeys(t *exchange.Trail) (keys []key) {
	if t == nil {
		return nil
	}
	if t.RequestID != 0 {
		keys = append(keys, key{byRequestID, t.RequestID})
	}
	if t.TraceID != [16]byte{} {
		keys = append(keys, key{byTrace, exchange.Hash(exchange.HashStart, t.TraceID[:])})
	}
	return keys
}

// list makes x one that is open.
func (l *Links[T]) list(x *leg[T], k key) {
	o := l.open[k]
	if o == nil {
		o = &openLegs[T]{}
		o.legs = o.room[:0]
		l.open[k] = o
	}
	if len(o.legs) >= maxOpen {
		o.missing++
		x.unlisted = append(x.unlisted, k)
		return
	}
	o.legs = append(o.legs, x)
	x.keys = append(x.keys, k)
}

// Over says that nothing more will be added to an exchange.
func (l *Links[T]) Over(id int) {
	delete(l.unknown, id)
	x := l.known[id]
	if x == nil || x.isOver {
		return
	}
	x.isOver, x.ended = true, l.now
	l.unlist(x, func(key) bool { return true })
	for _, p := range [...]*alike[T]{x.above, x.below} {
		if p != nil {
			p.isOver(x)
		}
	}
}

// unlist makes x, by some keys, one that is not open.
func (l *Links[T]) unlist(x *leg[T], by func(key) bool) {
	x.keys = slices.DeleteFunc(x.keys, func(k key) bool {
		if !by(k) {
			return false
		}
		o := l.open[k]
		i := slices.Index(o.legs, x)
		o.legs = slices.Delete(o.legs, i, i+1)
		l.drop(k)
		return true
	})
	x.unlisted = slices.DeleteFunc(x.unlisted, func(k key) bool {
		if by(k) {
			l.open[k].missing--
			l.drop(k)
		}
		return by(k)
	})
}

// drop forgets a key without exchanges.
func (l *Links[T]) drop(k key) {
	if o := l.open[k]; len(o.legs) == 0 && o.missing == 0 && len(o.alike) == 0 {
		delete(l.open, k)
	}
}

// relate finds the exchanges of which x may be made.
func (l *Links[T]) relate(x *leg[T]) {
	l.round++
	var named *alike[T] // one of them has the same identifier
	for _, k := range idKeys(x.trail) {
		x.relateTo(l.open[k], l.round, func(f *leg[T]) bool {
			if f.below != nil {
				named = f.below
			}
			return f.below == nil
		})
	}
	switch {
	case len(x.fronts) > 0 || len(l.unknown) > 0:
	case named != nil:
		named.addLeg(x)
	case !l.joins(x):
		x.relateTo(l.open[x.asked], l.round, x.mayFollow)
		if len(x.fronts) == 0 {
			x.relateTo(l.open[x.tail], l.round, x.mayFollow)
		}
	}
	if len(x.fronts) > 0 && l.gather(x) == nil {
		l.part(x)
	}
}

// relateTo relates x to those of o that may be its other leg, each once in a round.
func (x *leg[T]) relateTo(o *openLegs[T], round int, may func(*leg[T]) bool) {
	if o == nil || o.missing > 0 {
		return
	}
	for _, f := range o.legs {
		if f.Conn != x.Conn && f.Server != x.Server && may(f) && f.firstIn(round) {
			x.fronts, f.ups = append(x.fronts, f), append(f.ups, x)
		}
	}
}

// mayFollow reports whether the client of x may be the server of f.
func (x *leg[T]) mayFollow(f *leg[T]) bool {
	switch {
	case f.Server.Addr() == x.Client, forwards(x.trail, f.Client):
		return true
	case f.Client == x.Client && !x.Client.IsLoopback():
		return false
	}
	return x.ClientNear && f.ServerNear
}

// forwards reports whether a request says that it was made for that client.
func forwards(t *exchange.Trail, client netip.Addr) bool {
	return t != nil && t.Forwarded.IsValid() && t.Forwarded == client.Unmap()
}

// Judged takes in what is known of an exchange in the end. It is settled once those are judged that
// it may have to do with.
func (l *Links[T]) Judged(id int, e Ended, of T) {
	l.Over(id)
	x := l.known[id]
	if x == nil {
		l.settled(of, Link[T]{})
		return
	}
	x.told, x.trail = &told[T]{Ended: e, of: of}, e.Trail
	l.judgedAlike(x)
	l.group(x)
}

// group settles what x, of which all is known, has to do with those that hang together with it, if
// they are judged.
func (l *Links[T]) group(x *leg[T]) {
	if all := l.gather(x); all == nil {
		l.part(x)
	} else if !slices.ContainsFunc(all, func(y *leg[T]) bool { return y.told == nil }) {
		resolve(all)
		for _, y := range all {
			y.grouped = true
			l.settle(y)
		}
	}
}

// settle hands an exchange on of which all is settled.
func (l *Links[T]) settle(x *leg[T]) {
	if !x.grouped || x.above != nil || x.below != nil {
		return
	}
	delete(l.known, x.ID)
	l.settled(x.of, x.link())
	l.keep(x)
	l.served(x)
}

// gather is all that hangs together with x, x first, valid until the next call; nil if that is more
// than maxTogether.
func (l *Links[T]) gather(x *leg[T]) []*leg[T] {
	l.round++
	x.round = l.round
	all := append(l.together[:0], x)
	for i := 0; i < len(all); i++ {
		all = l.withNew(l.withNew(all, all[i].fronts), all[i].ups)
		if len(all) > maxTogether {
			return nil
		}
	}
	l.together = all
	return all
}

// withNew adds to all those of others that are looked at for the first time in this round.
func (l *Links[T]) withNew(all, others []*leg[T]) []*leg[T] {
	for _, y := range others {
		if y.firstIn(l.round) {
			all = append(all, y)
		}
	}
	return all
}

// firstIn reports whether x is looked at for the first time in a round.
func (x *leg[T]) firstIn(round int) bool {
	first := x.round != round
	x.round = round
	return first
}

// part takes apart what hangs together with x: none of that is linked.
func (l *Links[T]) part(x *leg[T]) {
	l.round++
	x.round = l.round
	all := []*leg[T]{x}
	for i := 0; i < len(all); i++ {
		y := all[i]
		all = l.withNew(l.withNew(all, y.fronts), y.ups)
		y.apart, y.fronts, y.ups = true, nil, nil
	}
	for _, y := range all {
		if y.grouped = y.told != nil; y.grouped {
			l.settle(y)
		}
	}
}

// Finish settles what waits for exchanges of which no more became known, as if those had not been.
func (l *Links[T]) Finish() {
	for _, id := range slices.Sorted(maps.Keys(l.known)) {
		x := l.known[id]
		if x == nil {
			continue
		}
		for _, p := range [...]*alike[T]{x.above, x.below} {
			if p != nil {
				l.finishAlike(p)
			}
		}
		if x = l.known[id]; x != nil && x.told != nil {
			l.part(x)
		}
	}
}
