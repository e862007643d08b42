// Package keylog keeps the secrets of TLS connections that key logs name. It knows the format of
// such logs, and nothing of what the secrets open.
package keylog

import "iter"

// Random is what a client made up for its ClientHello: a key log calls connections by it.
type Random [32]byte

// Label is what a secret is for.
type Label uint8

const (
	MasterSecret            Label = iota // up to TLS 1.2; the other labels are of TLS 1.3
	ClientEarlySecret                    // what the client sends before the server answers (0-RTT)
	ClientHandshakeSecret                // of the client until its Finished
	ServerHandshakeSecret                // of the server until its Finished
	ClientApplicationSecret              // of the client from there on
	ServerApplicationSecret              // of the server from there on
	labels
)

// names are those of RFC 9850 §2, by Label.
var names = [labels]string{
	"CLIENT_RANDOM",
	"CLIENT_EARLY_TRAFFIC_SECRET",
	"CLIENT_HANDSHAKE_TRAFFIC_SECRET",
	"SERVER_HANDSHAKE_TRAFFIC_SECRET",
	"CLIENT_TRAFFIC_SECRET_0",
	"SERVER_TRAFFIC_SECRET_0",
}

// kept is how many secrets of one label and connection are kept, the latest ones: a program whose
// log is wrong at first is right at last.
const kept = 2

const (
	// maxConnections and maxOctets cap of how many connections secrets are kept, and what they
	// take: beyond that, those that were read first go.
	maxConnections = 1 << 20
	maxOctets      = 64 << 20
	// What keeping a connection and one secret takes, beside the octets of the secret (measured, as
	// a map of lists is laid out).
	connectionCost, secretCost = 120, 32
)

// secret is one line of a key log.
type secret struct {
	label  Label
	octets string
}

// layer holds the secrets of some connections, those of each in the order of the log.
type layer struct {
	of    map[Random][]secret
	order []Random // as they came first
	cost  int      // octets, about
}

func newLayer(room int) *layer {
	return &layer{of: make(map[Random][]secret, room), order: make([]Random, 0, room)}
}

// Secrets are those known at some moment of the capture. They never change, so that any goroutine
// may hold them for as long as it likes. nil are none.
type Secrets struct {
	// latest last; each is more than twice as large as the next, so that there are few of them, and
	// that adding a secret copies few others
	layers []*layer
	tally  Tally
}

// Tally is what became of the lines of key logs.
type Tally struct {
	Used    uint64 // lines with a secret that may open something
	Ignored uint64 // lines of the format, with labels of no use
	Bad     uint64 // lines that are none of a key log; comments and empty ones are not counted
	Dropped uint64 // connections whose secrets went, as there were too many
}

// Merge takes in what became of the lines of other logs.
func (t *Tally) Merge(o *Tally) {
	t.Used, t.Ignored = t.Used+o.Used, t.Ignored+o.Ignored
	t.Bad, t.Dropped = t.Bad+o.Bad, t.Dropped+o.Dropped
}

// Tally is what became of all lines so far.
func (s *Secrets) Tally() Tally {
	if s == nil {
		return Tally{}
	}
	return s.tally
}

// With are the secrets and those of more lines of a key log.
func (s *Secrets) With(log []byte) *Secrets {
	out := &Secrets{}
	if s != nil {
		out.layers, out.tally = append(out.layers, s.layers...), s.tally
	}
	added := out.tally.parse(log)
	if len(added.of) == 0 {
		if s != nil && out.tally == s.tally {
			return s
		}
		return out
	}
	for n := len(out.layers); n > 0 && len(out.layers[n-1].of) <= 2*len(added.of); n-- {
		added = merged(out.layers[n-1], added)
		out.layers = out.layers[:n-1]
	}
	out.layers = append(out.layers, added)
	out.bound(maxConnections, maxOctets)
	return out
}

// merged is a layer of the secrets of two.
func merged(older, newer *layer) *layer {
	out := newLayer(len(older.of) + len(newer.of))
	for _, l := range [...]*layer{older, newer} {
		out.addAll(l, 0)
	}
	return out
}

// addAll adds the secrets of another layer, without its first few connections.
func (l *layer) addAll(other *layer, from int) {
	for _, random := range other.order[from:] {
		for _, one := range other.of[random] {
			l.add(random, one)
		}
	}
}

// bound drops the oldest connections if there are too many: an eighth more than is needed, so that
// it is done seldom.
func (s *Secrets) bound(connections, octets int) {
	count, cost := 0, 0
	for _, l := range s.layers {
		count, cost = count+len(l.order), cost+l.cost
	}
	if count <= connections && cost <= octets {
		return
	}
	over := max(count-connections*7/8, (cost-octets*7/8)/max(1, cost/count))
	for ; over > 0; s.layers = s.layers[1:] {
		oldest := s.layers[0]
		n := min(over, len(oldest.order))
		over -= n
		s.tally.Dropped += uint64(n)
		if n < len(oldest.order) {
			rest := newLayer(len(oldest.order) - n)
			rest.addAll(oldest, n)
			s.layers[0] = rest
			return
		}
	}
}

// add puts a secret behind the others of its connection, in place of the oldest of its label if
// there are too many.
func (l *layer) add(random Random, one secret) {
	list, same, oldest := l.of[random], 0, -1
	for i, have := range list {
		if have == one {
			return
		}
		if have.label == one.label {
			if same++; oldest < 0 {
				oldest = i
			}
		}
	}
	switch {
	case same == kept:
		list = append(list[:oldest:oldest], list[oldest+1:]...)
	case len(list) == 0:
		l.order = append(l.order, random)
		l.cost += connectionCost
	}
	if same < kept {
		l.cost += secretCost + len(one.octets)
	}
	l.of[random] = append(list, one)
}

// Empty reports whether there are none at all.
func (s *Secrets) Empty() bool { return s == nil || len(s.layers) == 0 }

// Has reports whether any secret of a connection is known.
func (s *Secrets) Has(random Random) bool {
	if s == nil {
		return false
	}
	for _, l := range s.layers {
		if len(l.of[random]) > 0 {
			return true
		}
	}
	return false
}

// Of are the secrets of a connection that have the label: none, one, or two of which one is wrong.
// The latest comes first.
func (s *Secrets) Of(random Random, label Label) []string {
	var out []string
	if s == nil {
		return out
	}
	for i := len(s.layers) - 1; i >= 0; i-- {
		list := s.layers[i].of[random]
		for j := len(list) - 1; j >= 0 && len(out) < kept; j-- {
			if list[j].label == label {
				out = append(out, list[j].octets)
			}
		}
	}
	return out
}

// Masters are the master secrets of all connections, the latest first: a session that is resumed up
// to TLS 1.2 has that of the connection on which it began, and no line of its own.
func (s *Secrets) Masters() iter.Seq[string] {
	return func(yield func(string) bool) {
		if s == nil {
			return
		}
		for i := len(s.layers) - 1; i >= 0; i-- {
			if !s.layers[i].masters(yield) {
				return
			}
		}
	}
}

// masters hands on those of one layer, until that is enough.
func (l *layer) masters(yield func(string) bool) bool {
	for i := len(l.order) - 1; i >= 0; i-- {
		list := l.of[l.order[i]]
		for j := len(list) - 1; j >= 0; j-- {
			if list[j].label == MasterSecret && !yield(list[j].octets) {
				return false
			}
		}
	}
	return true
}
