//go:build linux

package world

import (
	"math/rand"
	"time"

	"tcpwhy/lab/internal/packet"
)

// losses counts segments and applies the rules.
type losses struct {
	rules  []Drop
	seen   map[lossKey]int
	random *rand.Rand
}

type lossKey struct {
	flow     uint32
	toServer bool
	kind     string
}

// fate reports whether the frame is to be lost, and if not, by how much it is to be late.
func (l *losses) fate(data []byte, toServer bool) (lost bool, late time.Duration) {
	if len(l.rules) == 0 {
		return false, 0
	}
	h, ok := packet.ParseTCP(data, toServer)
	if !ok {
		return false, 0
	}
	key := lossKey{h.Flow, toServer, h.Kind()}
	l.seen[key]++
	for _, d := range l.rules {
		if d.ToServer == toServer && d.Kind == key.kind && l.applies(d, l.seen[key]) {
			return d.Late == 0, d.Late
		}
	}
	return false, 0
}

// applies reports whether a rule is about the nth segment of its kind.
func (l *losses) applies(d Drop, n int) bool {
	if d.Share > 0 {
		return l.random.Float64() < d.Share
	}
	return n >= d.First && n < d.First+max(d.Times, 1)
}
