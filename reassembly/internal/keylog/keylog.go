// Package keylog keeps the secrets of TLS connections that key logs name. It knows the format of
// such logs, and nothing of what the secrets open.
package keylog

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

// secret is one line of a key log.
type secret struct {
	label  Label
	octets string
}

// layer holds the secrets of some connections, those of each in the order of the log.
type layer map[Random][]secret

// Secrets are those known at some moment of the capture. They never change, so that any goroutine
// may hold them for as long as it likes. nil are none.
type Secrets struct {
	// latest last; each is more than twice as large as the next, so that there are few of them, and
	// that adding a secret copies few others
	layers []layer
}

// With are the secrets and those of more lines of a key log.
func (s *Secrets) With(log []byte) *Secrets {
	added := parse(log)
	if len(added) == 0 {
		return s
	}
	out := &Secrets{}
	if s != nil {
		out.layers = append(out.layers, s.layers...)
	}
	for n := len(out.layers); n > 0 && len(out.layers[n-1]) <= 2*len(added); n-- {
		added = merged(out.layers[n-1], added)
		out.layers = out.layers[:n-1]
	}
	out.layers = append(out.layers, added)
	return out
}

// merged is a layer of the secrets of two.
func merged(older, newer layer) layer {
	out := make(layer, len(older)+len(newer))
	for _, l := range [...]layer{older, newer} {
		for random, list := range l {
			for _, one := range list {
				out.add(random, one)
			}
		}
	}
	return out
}

// add puts a secret behind the others of its connection, in place of the oldest of its label if
// there are too many.
func (l layer) add(random Random, one secret) {
	list, same, oldest := l[random], 0, -1
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
	if same == kept {
		list = append(list[:oldest:oldest], list[oldest+1:]...)
	}
	l[random] = append(list, one)
}

// Has reports whether any secret of a connection is known.
func (s *Secrets) Has(random Random) bool {
	if s == nil {
		return false
	}
	for _, l := range s.layers {
		if len(l[random]) > 0 {
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
		list := s.layers[i][random]
		for j := len(list) - 1; j >= 0 && len(out) < kept; j-- {
			if list[j].label == label {
				out = append(out, list[j].octets)
			}
		}
	}
	return out
}
