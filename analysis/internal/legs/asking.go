package legs

import (
	"net/netip"
	"slices"
)

// Where client, proxy and server are one host, addresses do not tell which service is behind which,
// and of exchanges that go on at once some lie within others by chance. What tells is that each
// request to the one behind needs one that goes on before it.

// mayBeBehind reports whether f, by where it was, may just as well be a leg of u.
func (f *leg[T]) mayBeBehind(u *leg[T]) bool {
	return u.Server.Addr() == f.Client || f.ClientLocal && u.ServerLocal
}

// asking is how often a server was asked for the same.
type asking struct {
	server netip.AddrPort
	open   int // when the latest request began
	began  int
	// while no more requests for it went on at any other server: of somebody who is no proxy there
	users int
}

// maxAsking servers that are asked for the same are told apart; nothing is known of others.
const maxAsking = 64

// began takes in a request for the same, while some are alike.
func (o *openLegs[T]) began(x *leg[T]) {
	if len(o.alike) == 0 {
		return
	}
	for i := range o.asking {
		o.asking[i].open = 0
	}
	for _, f := range o.legs {
		o.at(f.Server).open++
	}
	for _, p := range o.alike {
		o.at(p.server).open += len(p.open)
	}
	own := o.at(x.Server)
	users := 1
	for i := range o.asking {
		if a := &o.asking[i]; a.server != x.Server && a.open > own.open {
			users = 0
		}
	}
	own.began, own.users = own.began+1, own.users+users
}

// at is what is known of a server.
func (o *openLegs[T]) at(server netip.AddrPort) *asking {
	i := slices.IndexFunc(o.asking, func(a asking) bool { return a.server == server })
	if i >= 0 {
		return &o.asking[i]
	}
	if len(o.asking) == maxAsking {
		return &asking{}
	}
	o.asking = append(o.asking, asking{server: server})
	return &o.asking[len(o.asking)-1]
}

// byUsers reports whether most requests to a server are no legs of others for the same.
func (o *openLegs[T]) byUsers(server netip.AddrPort) bool {
	a := o.at(server)
	return 2*a.users > a.began
}
