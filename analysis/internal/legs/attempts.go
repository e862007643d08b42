package legs

import (
	"net/netip"
	"slices"
	"time"
)

// A proxy that finds nobody has nothing to say to anybody: of such an attempt nothing tells what it
// was for but its moment. Each waits until those are settled for which it may have been.

const (
	// keptFronts of a host are remembered for attempts that become known, the latest.
	keptFronts = 256
	// maxHosts have that, the first that turn out to be proxies.
	maxHosts = 64
)

// Attempt is an attempt to connect that came to nothing.
type Attempt struct {
	Client      netip.Addr
	Server      netip.AddrPort
	From, Until time.Duration
	Input       int  // of the capture
	ClientLocal bool // the capture was taken on the host of the client
}

// keep remembers an exchange for which its server may have tried to connect to others in vain.
func (l *Links[T]) keep(f *leg[T]) {
	if !f.gatewayError() && len(f.legs) == 0 {
		return
	}
	f.fronts, f.ups, f.passed, f.keys = nil, nil, nil, nil
	l.keepAt(f.Server.Addr(), f)
	if f.ServerLocal {
		l.keepAt(netip.Addr{}, f)
	}
}

// keepAt remembers it under a host; none stands for that of the capture.
func (l *Links[T]) keepAt(host netip.Addr, f *leg[T]) {
	all, known := l.kept[host]
	if !known && len(l.kept) >= maxHosts {
		return
	}
	if len(all) == keptFronts {
		all = slices.Delete(all, 0, keptFronts/2)
	}
	l.kept[host] = append(all, f)
}

// trying is an attempt that waits for exchanges to be settled.
type trying[T any] struct {
	Attempt
	of    T
	waits int // how many of them
}

const (
	// maxServing exchanges of a server are known that are not settled; while there are more,
	// attempts of its host are nobody's.
	maxServing = 256
	// maxTrying attempts wait for one exchange; while so many do, others that might be for it are
	// nobody's.
	maxTrying = 256
)

// serves makes x one that is not settled: of its server's host, and perhaps of that of the capture.
func (l *Links[T]) serves(x *leg[T]) {
	x.hosts = append(x.hosts, x.Server.Addr())
	if x.ServerNear {
		x.hosts = append(x.hosts, netip.Addr{})
	}
	for i, host := range x.hosts {
		x.place[i] = len(l.serving[host])
		l.serving[host] = append(l.serving[host], x)
	}
}

// served takes x off those, and attempts off it.
func (l *Links[T]) served(x *leg[T]) {
	for i, host := range x.hosts {
		all := l.serving[host]
		last := all[len(all)-1]
		all[x.place[i]], last.place[i] = last, x.place[i]
		all[len(all)-1] = nil
		if l.serving[host] = all[:len(all)-1]; len(all) == 1 {
			delete(l.serving, host)
		}
	}
	waiting := x.trying
	x.hosts, x.trying = nil, nil
	for _, t := range waiting {
		if t.waits--; t.waits == 0 {
			l.try(t)
		}
	}
}

// Attempted takes in an attempt that came to nothing.
func (l *Links[T]) Attempted(a Attempt, of T) {
	waiting, ok := l.mayBeFor(&a)
	if !ok {
		l.settled(of, Link[T]{})
		return
	}
	t := &trying[T]{Attempt: a, of: of, waits: len(waiting)}
	for _, x := range waiting {
		x.trying = append(x.trying, t)
	}
	l.trying[a.Client] = append(l.trying[a.Client], t)
	if t.waits == 0 {
		l.try(t)
	}
}

// Trying reports whether it is not known yet what attempts of a host were for that it made between
// two moments.
func (l *Links[T]) Trying(client netip.Addr, from, until time.Duration) bool {
	return slices.ContainsFunc(l.trying[client], func(t *trying[T]) bool {
		return t.From > from && t.From < until
	})
}

// mayBeFor are the exchanges, not settled yet, for which an attempt may have been; not ok if there
// are too many exchanges or attempts to tell.
func (l *Links[T]) mayBeFor(a *Attempt) (all []*leg[T], ok bool) {
	hosts := []netip.Addr{a.Client}
	if a.ClientLocal {
		hosts = append(hosts, netip.Addr{})
	}
	l.round++
	for _, host := range hosts {
		if len(l.serving[host]) > maxServing {
			return nil, false
		}
		for _, x := range l.serving[host] {
			if x.Start > a.From || !x.firstIn(l.round) {
				continue
			}
			if len(x.trying) >= maxTrying {
				return nil, false
			}
			all = append(all, x)
		}
	}
	return all, true
}

// try settles an attempt: it was for the one exchange that it can have been for, or for none.
func (l *Links[T]) try(t *trying[T]) {
	a := &t.Attempt
	all := l.trying[a.Client]
	i := slices.Index(all, t)
	if l.trying[a.Client] = slices.Delete(all, i, i+1); len(all) == 1 {
		delete(l.trying, a.Client)
	}
	f := only(l.kept[a.Client], a)
	if f == nil && a.ClientLocal {
		f = only(l.kept[netip.Addr{}], a)
	}
	if f == nil {
		l.settled(t.of, Link[T]{})
		return
	}
	f.tried = append(f.tried, *a)
	until := min(a.Until, f.waitsFor())
	share := max(0, min(until-max(a.From, f.RequestEnd), f.Think))
	l.settled(t.of, Link[T]{Behind: true, Front: f.of, Share: share})
}

// only is the one of the exchanges for which an attempt may have been; nil if there is none, or
// another one.
func only[T any](all []*leg[T], a *Attempt) (found *leg[T]) {
	for _, f := range all {
		if !f.mayTry(a) {
			continue
		}
		if found != nil {
			return nil
		}
		found = f
	}
	return found
}

// mayTry reports whether the attempt may have been for f: f waited, for nobody else, and it came as
// soon as it could, or was followed at once by what the proxy did next.
func (f *leg[T]) mayTry(a *Attempt) bool {
	apart := f.Inputs[0] == f.Inputs[1] && f.Inputs[0] != a.Input // with a clock of its own
	if apart || a.From < f.RequestEnd || a.From >= f.waitsFor() {
		return false
	}
	follows := within(f.RequestEnd, a.From) || f.Answer > 0 && within(a.Until, f.Answer)
	for _, u := range f.legs {
		if u.From < a.From && a.From < u.Until {
			return false // it is being answered
		}
		follows = follows || within(a.Until, u.From) || within(u.Until, a.From)
	}
	for i := range f.tried {
		follows = follows || f.tried[i].Server == a.Server || within(f.tried[i].Until, a.From)
	}
	return follows && (f.gatewayError() || f.triesAgain(a))
}

// waitsFor is until when somebody waited for f, and had no answer.
func (f *leg[T]) waitsFor() time.Duration {
	if f.Answer > 0 {
		return f.Answer
	}
	return f.Until
}

// triesAgain reports whether the proxy went on to another server after the attempt.
func (f *leg[T]) triesAgain(a *Attempt) bool {
	return slices.ContainsFunc(f.legs, func(u *leg[T]) bool {
		return u.From >= a.Until && (u.Client == a.Client || u.ClientLocal && a.ClientLocal)
	})
}

// within reports whether the second moment is promptly behind the first.
func within(before, after time.Duration) bool {
	return before <= after && after-before <= promptly
}
