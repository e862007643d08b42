package legs

import (
	"cmp"
	"slices"
	"time"
)

// promptly is how soon a proxy acts on what has happened on its other leg: what a program takes to
// notice (reasoning, as for closes).
const promptly = 50 * time.Millisecond

// resolved is which of the exchanges that hang together is made of which.
type resolved[T any] struct {
	front  *leg[T]
	sure   bool      // by what the requests say of their way, or as any other would do as well
	alike  bool      // as any other would
	legs   []*leg[T] // that are made of it, the earliest first
	tried  []Attempt
	doubt  bool      // what is linked by what was asked alone may be another's
	passed []*leg[T] // that it could have been made of, had those not been answered by others
}

// resolve links exchanges of which all are judged that may have to do with each other.
func resolve[T any](all []*leg[T]) {
	slices.SortFunc(all, func(a, b *leg[T]) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.ID, b.ID))
	})
	for _, u := range all {
		u.choose()
	}
	for _, f := range all {
		f.confirm()
	}
	for again := true; again; {
		again = false
		for _, u := range all {
			if u.front != nil && !u.sure && slices.ContainsFunc(u.passed, (*leg[T]).dropped) {
				u.front.dropLegs()
				again = true
			}
		}
	}
}

// choose finds the exchange of which u is made: the only one that it can be.
func (u *leg[T]) choose() {
	var named, asked []*leg[T]
	for _, f := range u.fronts {
		switch {
		case !f.waits(u):
		case sameRequestID(f, u), sameTrace(f, u):
			named = append(named, f)
		case f.mayAsk(u) && f.Agent == u.Agent && !contradict(f, u):
			asked = append(asked, f)
		}
	}
	if len(named) > 0 {
		if f := u.nearest(named); f != nil {
			u.front, u.sure = f, true
			f.legs = append(f.legs, u)
		}
		return
	}
	asked = narrow(asked, func(f *leg[T]) bool { return forwards(u.trail, f.Client) })
	var free []*leg[T]
	for _, f := range asked {
		if f.free(u) {
			free = append(free, f)
		} else {
			u.passed = append(u.passed, f)
		}
	}
	switch len(free) {
	case 0:
		free = asked // one of them must have a leg that is none
	case 1:
		u.front = free[0]
		u.front.legs = append(u.front.legs, u)
		return
	}
	for _, f := range free {
		f.doubt = true
	}
}

// mayAsk reports whether u asks for what f does, perhaps by another path: then both name the
// program that asks.
func (f *leg[T]) mayAsk(u *leg[T]) bool {
	return f.asked == u.asked || f.tail == u.tail && u.Agent != ""
}

// waits reports whether f was still to be answered when u began. Clocks of several inputs differ.
func (f *leg[T]) waits(u *leg[T]) bool {
	until := f.waitsFor()
	return f.Inputs[0] != u.Inputs[0] && (sameRequestID(f, u) || sameTrace(f, u)) ||
		f.Start <= u.Start && u.Start < until
}

// recordedApart reports whether another place, with a clock of its own, recorded u: an input that
// has nothing of f, while f went on in its own. Else one recording was cut into several.
func (f *leg[T]) recordedApart(u *leg[T]) bool {
	return f.Inputs[0] == f.Inputs[1] && f.Inputs[0] != u.Inputs[0] &&
		max(f.RequestEnd, f.Answer) > u.Start
}

// nearest is the one of several with the identifiers of u that is its other leg; nil if that does
// not show.
func (u *leg[T]) nearest(named []*leg[T]) *leg[T] {
	for _, only := range [...]func(*leg[T]) bool{
		func(f *leg[T]) bool { return sameRequestID(f, u) },
		func(f *leg[T]) bool { return f.asked == u.asked },
		func(f *leg[T]) bool { return f.Server.Addr() == u.Client },
		func(f *leg[T]) bool { return forwards(u.trail, f.Client) },
		func(f *leg[T]) bool { return sameTrace(f, u) && f.trail.ParentID == u.trail.ParentID },
	} {
		named = narrow(named, only)
	}
	if len(named) != 1 {
		return nil
	}
	return named[0]
}

// narrow is those of which something holds; all if it holds of none.
func narrow[T any](all []*leg[T], only func(*leg[T]) bool) (some []*leg[T]) {
	for _, f := range all {
		if only(f) {
			some = append(some, f)
		}
	}
	if len(some) == 0 {
		return all
	}
	return some
}

// free reports whether the proxy may have made u of f: all that it had made of it before had failed
// by then.
func (f *leg[T]) free(u *leg[T]) bool {
	for _, v := range f.legs {
		if v.sure || v.Until > u.Start || v.Whole && v.Status < leastError {
			return false
		}
	}
	return true
}

// leastError is the least status behind which a proxy may ask elsewhere.
const leastError = 400

// confirm drops what is linked to f by what was asked alone if the last leg, which became the
// response, contradicts it.
func (f *leg[T]) confirm() {
	n := len(f.legs)
	if n == 0 {
		return
	}
	u := f.legs[n-1]
	if f.doubt || f.apart || !u.sure && !(f.tells(u) && f.shows(u)) {
		f.dropLegs()
	}
}

// shows reports whether it shows that the proxy made u, the last of the legs of f, of it. The same
// path says much of it; another one must have been asked for as soon as the request had come, or
// have brought the same.
func (f *leg[T]) shows(u *leg[T]) bool {
	if f.asked == u.asked {
		return f.known(u) || f.twin(u) || f.echoes(u) && (f.Chunked || u.Chunked) || f.reacts(u)
	}
	return f.twin(u) ||
		f.prompt(f.RequestEnd, f.legs[0].Start) && (f.echoes(u) || f.reacts(u))
}

// dropLegs leaves f those legs alone that the requests themselves name.
func (f *leg[T]) dropLegs() {
	f.doubt = true
	f.legs = slices.DeleteFunc(f.legs, func(u *leg[T]) bool {
		if !u.sure {
			u.front = nil
		}
		return !u.sure
	})
}

// dropped reports whether what seemed to be made of f was none.
func (f *leg[T]) dropped() bool { return f.doubt }

// The statuses by which a proxy says that a server behind it failed (RFC 9110 §15.6).
const (
	leastServerError = 500
	badGateway       = 502
	gatewayTimeout   = 504
	notModified      = 304
	okay             = 200
)

// gatewayError reports whether f says that a server behind its own failed.
func (f *leg[T]) gatewayError() bool {
	return f.Status >= badGateway && f.Status <= gatewayTimeout
}

// tells reports whether the response to f may be that to u, or what a proxy says in its place.
func (f *leg[T]) tells(u *leg[T]) bool {
	switch {
	case f.Answer == 0:
		return true // nobody waited for it, or it was broken off
	case u.Answer == 0 || u.Answer > f.Answer:
		return f.gatewayError()
	case f.gatewayError():
		return true
	case f.Status != u.Status:
		return min(f.Status, u.Status) == okay && max(f.Status, u.Status) == notModified
	}
	return !f.Whole || !u.Whole || f.Length < 0 || u.Length < 0 || f.Length == u.Length
}

// known reports whether the server of f is the client of u: by its address, unless all three are
// one host, or by what u says.
func (f *leg[T]) known(u *leg[T]) bool {
	return forwards(u.trail, f.Client) && !f.Client.IsLoopback() ||
		f.Server.Addr() == u.Client && f.Client != u.Client
}

// sameHost reports whether the server of f and the client of u are both the host of the capture.
func (f *leg[T]) sameHost(u *leg[T]) bool {
	return f.Server.Addr() == u.Client || !f.recordedApart(u) && f.ServerLocal && u.ClientLocal
}

// twin reports whether both are on one host, and were answered with the same.
func (f *leg[T]) twin(u *leg[T]) bool {
	return f.sameHost(u) && f.Whole && u.Whole && f.Status == u.Status && f.sameBody(u)
}

const (
	// leastChunks is what framing of chunks adds at least, mostChunk what it adds to one (RFC 9112
	// §7.1), of which buffers of proxies and servers have 4 KiB and more.
	leastChunks = 5
	mostChunk   = 12
	chunk       = 4 << 10
)

// sameBody reports whether the bodies of both responses are as long, apart from how they are
// framed.
func (f *leg[T]) sameBody(u *leg[T]) bool {
	plain, chunked := f.Body, u.Body
	switch {
	case plain == chunked:
		return plain > 0
	case f.Chunked == u.Chunked:
		return false
	case f.Chunked:
		plain, chunked = chunked, plain
	}
	least := plain + leastChunks
	return plain > 0 && chunked >= least && chunked <= least+mostChunk*(1+plain/chunk)
}

// reacts reports whether both are on one host, and one ended because the other did: a proxy that
// says that nothing of use came, or whose client has left.
func (f *leg[T]) reacts(u *leg[T]) bool {
	switch {
	case !f.sameHost(u):
		return false
	case f.Answer == 0:
		return f.prompt(f.Until, u.Until) || f.prompt(u.Until, f.Until)
	}
	return f.gatewayError() && (f.prompt(u.Until, f.Answer) || f.prompt(f.Answer, u.Until))
}

// echoes reports whether both are on one host, and a proxy passed on at once what came on one of
// them, whatever its length.
func (f *leg[T]) echoes(u *leg[T]) bool {
	return f.sameHost(u) && f.Whole && u.Whole && f.Status == u.Status &&
		f.prompt(f.RequestEnd, u.Start) &&
		f.prompt(u.Answer, f.Answer) && f.prompt(u.Until, f.Until)
}

// promptParts: what is to be the consequence of something else comes within one of so many parts of
// the exchange behind it, too. By chance one moment in as many does.
const promptParts = 10

// prompt reports whether one moment of f is promptly behind the other.
func (f *leg[T]) prompt(before, after time.Duration) bool {
	return before <= after && after-before <= min(promptly, (f.Until-f.From)/promptParts)
}

// contradict reports whether the requests say that they are not legs of one exchange: by different
// identifiers or lengths. That u was made for another client says nothing: there may have been
// another proxy before, or addresses of the capture are made up.
func contradict[T any](f, u *leg[T]) bool {
	if f.Sent >= 0 && u.Sent >= 0 && f.Sent != u.Sent {
		return true
	}
	if f.trail == nil || u.trail == nil {
		return false
	}
	a, b := f.trail, u.trail
	return a.RequestID != 0 && b.RequestID != 0 && a.RequestID != b.RequestID ||
		a.TraceID != [16]byte{} && b.TraceID != [16]byte{} && a.TraceID != b.TraceID
}

// sameRequestID reports whether both requests have the same X-Request-ID.
func sameRequestID[T any](f, u *leg[T]) bool {
	return f.trail != nil && u.trail != nil && f.trail.RequestID != 0 &&
		f.trail.RequestID == u.trail.RequestID
}

// sameTrace reports whether both requests are part of the same trace.
func sameTrace[T any](f, u *leg[T]) bool {
	return f.trail != nil && u.trail != nil && f.trail.TraceID != [16]byte{} &&
		f.trail.TraceID == u.trail.TraceID
}
