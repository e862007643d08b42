package main

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// generator interleaves the frames of connections by their time, each of which a script makes one
// after the other.
type generator struct {
	write  frameWriter
	random *rand.Rand
	limit  int64 // octets of the file
	most   int   // frames; 0: no limit
	queue  queue
	frame  []byte
	option []byte
	body   []byte

	truth truth
	keys  []byte // the key log, of connections with TLS
}

// recordOverhead is what a pcap record adds to a frame.
const recordOverhead = 16

// newGenerator makes a generator whose output depends on seed alone.
func newGenerator(w frameWriter, seed uint64, limit int64, most int) *generator {
	g := &generator{write: w, random: rand.New(rand.NewPCG(seed, 1)), limit: limit, most: most}
	g.frame, g.option = make([]byte, 0, 2048), make([]byte, 0, 40)
	g.body = make([]byte, 2048)
	for i := range g.body {
		g.body[i] = 'a' + byte(i%26)
	}
	return g
}

// full reports whether the file has the size that was asked for.
func (g *generator) full() bool {
	return g.truth.Octets >= g.limit || g.most > 0 && g.truth.Frames >= g.most
}

// kinds are what can be generated.
var kinds = [...]string{"few", "many", "crowd", "pair", "idle", "one", "synflood", "tls", "web"}

// generate writes one capture.
func (g *generator) generate(kind string) error {
	switch kind {
	case "few":
		return g.replay(64, func(i int) script { return newBulk(g, i, 200<<10) })
	case "tls":
		return g.replay(64, func(i int) script { return newSecure(g, i, 200<<10) })
	case "web":
		return g.replay(256, func(i int) script { return newVisit(g, i) })
	case "one":
		return g.replay(1, func(i int) script { return newBulk(g, i, 1<<50) })
	case "many":
		return g.replay(256, func(i int) script { return newShort(g, i, 4096) })
	case "crowd":
		return g.replay(256, func(i int) script { return newShort(g, i, 1<<24) })
	case "pair":
		return g.replay(256, func(i int) script { return newShort(g, i, 1) })
	case "idle":
		return g.idle()
	case "synflood":
		return g.flood()
	}
	return fmt.Errorf("-kind %q: want one of %s", kind, strings.Join(kinds[:], ", "))
}

// script makes the frames of one connection, one at each call of step. It returns the pause until
// the next one; done tells that the connection is over.
type script interface {
	step(at time.Duration) (pause time.Duration, done bool, err error)
}

// waiting is a script and the moment of its next frame.
type waiting struct {
	at    time.Duration
	order int
	script
}

// queue orders scripts by time.
type queue []waiting

// Len implements heap.Interface.
func (q queue) Len() int { return len(q) }

// Less implements heap.Interface.
func (q queue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].order < q[j].order
}

// Swap implements heap.Interface.
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push implements heap.Interface.
func (q *queue) Push(x any) { *q = append(*q, x.(waiting)) }

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	old := *q
	w := old[len(old)-1]
	*q = old[:len(old)-1]
	return w
}

// replay keeps n connections going until the file is full; a connection that is over is followed by
// another. Those that are going then are left as they are, as a capture that is stopped leaves
// them.
func (g *generator) replay(n int, next func(i int) script) error {
	for i := range n {
		heap.Push(&g.queue, waiting{time.Duration(i) * 50 * time.Microsecond, i, next(i)})
	}
	g.truth.Connections = n
	for !g.full() {
		w := &g.queue[0]
		pause, done, err := w.step(w.at)
		if err != nil {
			return err
		}
		w.at += pause
		if done {
			w.script = next(g.truth.Connections)
			w.order = g.truth.Connections
			g.truth.Connections++
		}
		heap.Fix(&g.queue, 0)
	}
	return nil
}

// idle opens connections one after the other, lets each serve one exchange, and leaves it open.
// What is asked for is a number of connections, or a size.
func (g *generator) idle() error {
	at, most := time.Duration(0), g.most
	g.most = 0
	for !g.full() && (most == 0 || g.truth.Connections < most) {
		s := newShort(g, g.truth.Connections, 4096)
		s.stay = true
		g.truth.Connections++
		for done := false; !done; {
			var pause time.Duration
			var err error
			if pause, done, err = s.step(at); err != nil {
				return err
			}
			// a million of them within the hour after which a connection is given up
			at += pause / 10
		}
	}
	return nil
}

// flood writes SYNs that nobody answers.
func (g *generator) flood() error {
	for i := 0; !g.full(); i++ {
		c := newEnds(g, i, 1<<24)
		g.truth.Connections++
		if err := c.send(time.Duration(i)*time.Microsecond, true, flagSYN, nil); err != nil {
			return err
		}
	}
	return nil
}
