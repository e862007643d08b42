// Package pathsim plays TCP transfers on paper, for tests: senders with the windows of Reno, CUBIC
// or BBR, a path that polices, queues or loses at random, and receivers. It gives the segments as
// they pass either end. The same set-up gives the same segments.
package pathsim

import (
	"container/heap"
	"math/rand"
	"time"
)

// Setup says what is played.
type Setup struct {
	RTT     time.Duration
	Rate    float64 // octets a second to the client; 0: no limit
	Bucket  float64 // octets that a policer lets pass at once; 0: no policer
	Queue   float64 // octets that may wait for the rate, without a policer
	AQM     bool    // the queue drops at random once 15 ms wait, more the more wait
	Loss    float64 // share of data segments lost at random
	Jitter  time.Duration
	Control string // reno, cubic, bbr
	Conns   int
	Count   int           // responses on each connection
	Body    int64         // octets of each
	Pause   time.Duration // between a response and the next request
	Window  int64         // receive window, octets; 0: 4 MB
	Seed    int64
	Bare    bool // no timestamps
}

// MSS is the octets of a full segment, Header what the wire has besides.
const MSS, Header = 1448, 66

// Segment is one as it passes an end.
type Segment struct {
	At         time.Duration
	Conn       int
	FromServer bool
	Syn        bool
	Fin        bool
	Seq, Len   int64
	Ack        int64
	Sack       [][2]int64
	Lost       bool // on the way
	TSVal      uint32
	TSEcr      uint32
	Window     int64
}

// Played is what passed the ends, in order of time.
type Played struct {
	Client, Server []Segment
	Done           []time.Duration // of each exchange: how long it took
	setup          Setup
}

// Play plays the set-up.
func Play(s Setup) *Played {
	w := &world{Setup: s, random: rand.New(rand.NewSource(s.Seed + 1))}
	w.out.setup = s
	if w.Window == 0 {
		w.Window = 4 << 20
	}
	w.tokens = max(s.Bucket, MSS+Header)
	for i := range max(s.Conns, 1) {
		c := &conn{w: w, id: i}
		c.snd.init(c)
		w.conns = append(w.conns, c)
		w.after(time.Duration(i)*3*time.Millisecond, c.open)
	}
	for w.events.Len() > 0 && w.now < time.Hour {
		e := heap.Pop(&w.events).(event)
		w.now = e.at
		e.do()
	}
	return &w.out
}

type event struct {
	at time.Duration
	n  int
	do func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].n < e[j].n
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	old := *e
	x := old[len(old)-1]
	*e = old[:len(old)-1]
	return x
}

type world struct {
	Setup
	now    time.Duration
	n      int
	events events
	conns  []*conn
	random *rand.Rand
	tokens float64
	filled time.Duration
	free   time.Duration // when the queue is empty
	out    Played
}

func (w *world) after(d time.Duration, do func()) {
	w.n++
	heap.Push(&w.events, event{w.now + d, w.n, do})
}

// down carries a segment to the client.
func (w *world) down(s Segment, arrive func(Segment)) {
	s.At, s.FromServer = w.now, true
	delay, ok := w.pass(float64(s.Len+Header), s.Len > 0)
	s.Lost = !ok
	w.out.Server = append(w.out.Server, s)
	if !ok {
		return
	}
	if w.Jitter > 0 {
		delay += time.Duration(w.random.Int63n(int64(w.Jitter)))
	}
	w.after(w.RTT/2+delay, func() {
		s.At = w.now
		w.out.Client = append(w.out.Client, s)
		arrive(s)
	})
}

// up carries a segment to the server.
func (w *world) up(s Segment, arrive func(Segment)) {
	s.At = w.now
	w.out.Client = append(w.out.Client, s)
	w.after(w.RTT/2, func() {
		s.At = w.now
		w.out.Server = append(w.out.Server, s)
		arrive(s)
	})
}

// pass is how long a frame waits for the path's rate; false if it is lost.
func (w *world) pass(size float64, data bool) (time.Duration, bool) {
	if data && w.Loss > 0 && w.random.Float64() < w.Loss {
		return 0, false
	}
	switch {
	case w.Rate == 0:
		return 0, true
	case w.Bucket > 0:
		depth := max(w.Bucket, MSS+Header)
		w.tokens = min(depth, w.tokens+w.Rate*(w.now-w.filled).Seconds())
		w.filled = w.now
		if w.tokens < size {
			return 0, false
		}
		w.tokens -= size
		return 0, true
	}
	start := max(w.now, w.free)
	waits := (start - w.now).Seconds()
	if waits*w.Rate > w.Queue {
		return 0, false
	}
	if over := waits - .015; w.AQM && over > 0 && w.random.Float64() < over*.5 {
		return 0, false
	}
	w.free = start + time.Duration(size/w.Rate*1e9)
	return w.free - w.now, true
}

// conn is a connection: the client's side, and the sender at the server.
type conn struct {
	w     *world
	id    int
	snd   sender
	asked int
	began time.Duration
	next  int64 // octets that the client has in order
	held  map[int64]int64
	sent  int64 // octets of requests
	late  int   // segments not acknowledged
	ecr   uint32
}

const request = 100

func (c *conn) stamp(s Segment) Segment {
	s.Conn, s.TSVal = c.id, uint32(c.w.now/time.Millisecond)+1000
	if s.Window == 0 {
		s.Window = c.w.Window
	}
	return s
}

func (c *conn) open() {
	c.held = map[int64]int64{}
	c.began = c.w.now
	c.w.up(c.stamp(Segment{Syn: true}), func(s Segment) {
		c.w.down(c.stamp(Segment{Syn: true, Ack: 1, TSEcr: s.TSVal}), func(s Segment) {
			c.ecr = s.TSVal
			c.w.up(c.stamp(Segment{TSEcr: c.ecr}), func(Segment) {})
			c.ask()
		})
	})
}

func (c *conn) ask() {
	if c.asked == max(c.w.Count, 1) {
		return
	}
	c.asked++
	from := c.sent
	c.sent += request
	if c.asked > 1 {
		c.began = c.w.now
	}
	c.w.up(c.stamp(Segment{Seq: from, Len: request, Ack: c.next, TSEcr: c.ecr}), func(s Segment) {
		c.snd.ecr = s.TSVal
		c.snd.heard = s.Seq + s.Len
		c.snd.write(c.w.Body)
	})
}

func (c *conn) arrived(s Segment) {
	order := s.Seq <= c.next
	if s.Seq+s.Len > c.next {
		c.held[s.Seq] = max(c.held[s.Seq], s.Len)
	}
	if order {
		c.ecr = s.TSVal
	}
	for {
		n, ok := c.held[c.next]
		if !ok {
			break
		}
		delete(c.held, c.next)
		c.next += n
	}
	c.late++
	if c.next == int64(c.asked)*c.w.Body {
		c.ack()
		c.w.out.Done = append(c.w.out.Done, c.w.now-c.began)
		done := c.asked
		c.w.after(c.w.Pause+100*time.Microsecond, func() {
			if c.asked == done {
				c.ask()
			}
		})
		return
	}
	if c.late >= 2 || !order || len(c.held) > 0 {
		c.ack()
		return
	}
	mark := c.next
	c.w.after(40*time.Millisecond, func() {
		if c.late > 0 && c.next == mark {
			c.ack()
		}
	})
}

func (c *conn) ack() {
	c.late = 0
	s := c.stamp(Segment{Seq: c.sent, Ack: c.next, TSEcr: c.ecr, Sack: c.blocks()})
	c.w.up(s, c.snd.acked)
}

// blocks are all ranges that the client holds out of order.
func (c *conn) blocks() (out [][2]int64) {
	keys := make([]int64, 0, len(c.held))
	for k := range c.held {
		keys = append(keys, k)
	}
	sortInt64(keys)
	for _, k := range keys {
		if n := len(out); n > 0 && out[n-1][1] == k {
			out[n-1][1] = k + c.held[k]
			continue
		}
		out = append(out, [2]int64{k, k + c.held[k]})
	}
	return out
}

func sortInt64(a []int64) {
	for i := 1; i < len(a); i++ {
		for j := i; j > 0 && a[j-1] > a[j]; j-- {
			a[j-1], a[j] = a[j], a[j-1]
		}
	}
}
