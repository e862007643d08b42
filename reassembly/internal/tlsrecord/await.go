package tlsrecord

import (
	"slices"
	"time"

	"tcpwhy/reassembly/exchange"
)

const (
	// maxAwaited and awaitFor cap what is held of a connection whose secrets may come late, and how
	// long: programs that write a key log in pieces do so within seconds.
	maxAwaited = 256 << 10
	awaitFor   = 2 * time.Second
	// maxAllAwaited caps what is held of all connections of a worker.
	maxAllAwaited = 16 << 20
)

// awaited is a record that is held.
type awaited struct {
	dir  exchange.Dir
	head [recordHeader]byte
	record
}

// await holds a record, unless the secrets have come, or are given up: then all are read that were
// held.
func (t *reader) await(s *side, r *record) {
	one := awaited{dir: s.dir, head: [recordHeader]byte(r.head), record: *r}
	one.fragment, one.parts = slices.Clone(r.fragment), slices.Clone(r.parts)
	one.record.head = nil
	t.awaited = append(t.awaited, one)
	t.awaitedOctets += len(r.fragment)
	t.from.awaited += len(r.fragment)
	since := t.awaited[0].arrival.At.Time
	t.recheck(t.awaitedOctets > maxAwaited || t.from.awaited > maxAllAwaited ||
		r.arrival.At.Time-since > awaitFor)
}

// recheck looks whether the secrets have come. If nobody waits any longer, the records are counted.
func (t *reader) recheck(enough bool) {
	now, why := t.keyed()
	if now == waiting && !enough {
		return
	}
	if now == waiting {
		now, why = sealed, exchange.CaveatTLSNoKey
	}
	if t.mode = now; why != "" {
		t.c.Caveats.Add(why)
	}
	t.info.HasSecret = t.c.Shared.Secrets.Has(t.session.random)
	held := t.awaited
	t.from.awaited -= t.awaitedOctets
	t.awaited, t.awaitedOctets = nil, 0
	for i := range held {
		one := &held[i]
		one.record.head = one.head[:]
		t.take(&t.side[one.dir], &one.record)
	}
}
