package tlsrecord

// kinds is a hash of what the ClientHellos of one program have in common: its suites, and which
// extensions it sends, in any order, as some shuffle them. Values that only keep servers honest
// (RFC 8701) differ each time, and some extensions come with a session or with the length.
type kinds uint32

// The primes of FNV-1a with 32 bits.
const (
	hashBasis kinds = 2166136261
	hashPrime kinds = 16777619
)

func newKinds() kinds { return hashBasis }

// suites adds those of a hello, in their order.
func (k *kinds) suites(list []byte) {
	r := cutter{b: list}
	for len(r.b) > 1 {
		if n := r.uint16(); !isGrease(n) {
			*k = k.with(n)
		}
	}
}

// extension adds the number of one, whatever its place.
func (k *kinds) extension(kind int) {
	const padding, cookie = 21, 44
	switch kind {
	case extSessionTicket, extPreSharedKey, extEarlyData, extServerName, padding, cookie:
		return
	}
	if !isGrease(kind) {
		basis := hashBasis
		*k += basis.with(kind)
	}
}

// with is the hash of what k is of, and n.
func (k kinds) with(n int) kinds {
	k = (k ^ kinds(n>>8)) * hashPrime
	return (k ^ kinds(n&0xff)) * hashPrime
}

// isGrease reports whether n is one of the values of RFC 8701: 0x0a0a, 0x1a1a, ... 0xfafa.
func isGrease(n int) bool { return n>>8 == n&0xff && n&0x0f == 0x0a }

// idHash stands for a session ID; 0 for none.
func idHash(id []byte) uint32 {
	if len(id) == 0 {
		return 0
	}
	k := newKinds()
	for _, b := range id {
		k = (k ^ kinds(b)) * hashPrime
	}
	return max(1, uint32(k))
}
