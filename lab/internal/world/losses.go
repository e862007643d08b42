//go:build linux

package world

import "tcpwhy/lab/internal/packet"

// losses counts segments and applies the rules.
type losses struct {
	rules []Drop
	seen  map[lossKey]int
}

type lossKey struct {
	flow     uint32
	toServer bool
	kind     string
}

// lose reports whether the frame is to be lost.
func (l *losses) lose(data []byte, toServer bool) bool {
	if len(l.rules) == 0 {
		return false
	}
	h, ok := packet.ParseTCP(data, toServer)
	if !ok {
		return false
	}
	key := lossKey{h.Flow, toServer, h.Kind()}
	l.seen[key]++
	n := l.seen[key]
	for _, d := range l.rules {
		if d.ToServer == toServer && d.Kind == key.kind && n >= d.First &&
			n < d.First+max(d.Times, 1) {
			return true
		}
	}
	return false
}
