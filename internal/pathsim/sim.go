// Package pathsim plays TCP transfers on paper, for tests: senders with the windows of Reno, CUBIC
// or BBR, a path that polices, queues or loses at random, and receivers. It gives the segments as
// they pass either end. The same set-up gives the same segments.
package pathsim

import (
	"container/heap"
	"math"
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
}

// Play plays the set-up.
func Play(s Setup) *Played {
	w := &world{Setup: s, random: rand.New(rand.NewSource(s.Seed + 1))}
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

// piece is a segment that has been sent and not acknowledged.
type piece struct {
	seq, len int64
	at       time.Duration
	sacked   bool
	lost     bool
	again    bool
	// delivered when it was sent, and when
	done   int64
	doneAt time.Duration
}

type sender struct {
	c              *conn
	total          int64 // octets to be sent
	una, nxt       int64
	list           []*piece
	cwnd, ssthresh float64
	recover        int64
	inRecovery     bool
	rtt            time.Duration // smoothed
	dev            time.Duration
	backoff        uint
	timer          int
	probed         bool
	ecr            uint32
	heard          int64
	newest         time.Duration // when the latest sent of what has arrived was sent
	// cubic
	wmax  float64
	epoch time.Duration
	// bbr
	bw, full    float64
	fullRounds  int
	filled      bool
	samples     []float64
	delivered   int64
	deliveredAt time.Duration
	round       int64
	phase       int
	next        time.Duration // when pacing lets the next leave
	waiting     bool
	minRTT      time.Duration
}

func (s *sender) init(c *conn) { s.c, s.cwnd, s.ssthresh = c, 10, math.Inf(1) }

func (s *sender) write(n int64) {
	if s.una == s.nxt && s.c.w.now-s.newest > s.rto() && s.c.w.Control != "bbr" {
		s.cwnd = min(s.cwnd, 10)
	}
	s.total += n
	s.pump()
}

func (s *sender) rto() time.Duration { return max(s.rtt+4*s.dev, s.rtt+200*time.Millisecond) }

func (s *sender) flight() (n float64) {
	for _, p := range s.list {
		if !p.sacked && !p.lost {
			n++
		}
	}
	return n
}

func (s *sender) pump() {
	w := s.c.w
	bbr := w.Control == "bbr"
	for flight := s.flight(); flight < s.cwnd; flight++ {
		if bbr && s.bw > 0 && s.next > w.now {
			if !s.waiting {
				s.waiting = true
				w.after(s.next-w.now, func() { s.waiting = false; s.pump() })
			}
			return
		}
		p := s.lostOne()
		if p == nil {
			n := min(MSS, s.total-s.nxt)
			if n <= 0 || s.nxt+n-s.una > w.Window {
				break
			}
			p = &piece{seq: s.nxt, len: n}
			s.list = append(s.list, p)
			s.nxt += n
		} else {
			p.again = true
		}
		s.send(p)
		if bbr && s.bw > 0 {
			s.next = max(s.next, w.now) + time.Duration(float64(p.len+Header)/(s.gain()*s.bw)*1e9)
		}
	}
}

func (s *sender) lostOne() *piece {
	for _, p := range s.list {
		if p.lost {
			return p
		}
	}
	return nil
}

func (s *sender) send(p *piece) {
	p.lost, p.at, p.done, p.doneAt = false, s.c.w.now, s.delivered, s.deliveredAt
	if s.delivered == 0 {
		p.doneAt = s.c.w.now
	}
	g := s.c.stamp(Segment{Seq: p.seq, Len: p.len, Ack: s.heard, TSEcr: s.ecr})
	s.c.w.down(g, s.c.arrived)
	s.arm()
}

func (s *sender) arm() {
	s.timer++
	mine := s.timer
	if len(s.list) == 0 {
		return
	}
	wait := s.rto() << s.backoff
	if !s.probed && !s.inRecovery && s.rtt > 0 && s.backoff == 0 {
		wait = min(wait, 2*s.rtt+2*time.Millisecond)
	}
	if s.rtt == 0 {
		wait = time.Second << s.backoff
	}
	s.c.w.after(wait, func() {
		if s.timer == mine {
			s.expire()
		}
	})
}

func (s *sender) expire() {
	if !s.probed && !s.inRecovery && s.rtt > 0 && s.backoff == 0 {
		s.probed = true
		p := s.list[len(s.list)-1]
		p.again = true
		s.send(p)
		return
	}
	s.probed = false
	if s.c.w.Control != "bbr" {
		s.ssthresh = max(s.cwnd*s.beta(), 2)
		s.wmax, s.epoch = s.cwnd, 0
		s.cwnd = 1
	} else {
		s.cwnd = 4
	}
	s.backoff = min(s.backoff+1, 6)
	s.inRecovery, s.recover = true, s.nxt
	for _, p := range s.list {
		if !p.sacked {
			p.lost = true
		}
	}
	p := s.list[0]
	for _, q := range s.list {
		if q.lost {
			p = q
			break
		}
	}
	p.again = true
	s.send(p)
}

func (s *sender) beta() float64 {
	if s.c.w.Control == "reno" {
		return .5
	}
	return .7
}

func (s *sender) acked(g Segment) {
	if g.Seq+g.Len > s.heard {
		s.heard = g.Seq + g.Len
	}
	s.ecr = g.TSVal
	now := s.c.w.now
	got, gone := 0.0, 0
	take := func(p *piece) {
		if p.sacked {
			return
		}
		p.sacked = true
		got++
		s.delivered += p.len + Header
		s.deliveredAt = now
		s.newest = max(s.newest, p.at)
		if !p.again {
			s.measure(now - p.at)
		}
		if d := (now - p.doneAt).Seconds(); d > 0 && s.minRTT > 0 && now-p.at >= s.minRTT {
			s.sample(float64(s.delivered-p.done)/d, p.done)
		}
	}
	for _, p := range s.list {
		if p.seq+p.len <= g.Ack {
			take(p)
			gone++
			continue
		}
		for _, b := range g.Sack {
			if b[0] <= p.seq && p.seq+p.len <= b[1] {
				take(p)
			}
		}
	}
	s.list = s.list[gone:]
	if g.Ack > s.una {
		s.una, s.backoff, s.probed = g.Ack, 0, false
	}
	s.detect()
	if s.inRecovery && s.una >= s.recover {
		s.inRecovery = false
		if s.c.w.Control != "bbr" && s.cwnd < s.ssthresh && s.epoch > 0 {
			s.cwnd = s.ssthresh
		}
	}
	s.grow(got)
	if got > 0 || gone > 0 {
		s.arm()
	}
	s.pump()
}

func (s *sender) measure(d time.Duration) {
	if s.minRTT == 0 || d < s.minRTT {
		s.minRTT = d
	}
	if s.rtt == 0 {
		s.rtt, s.dev = d, d/2
		return
	}
	s.dev += ((s.rtt - d).Abs() - s.dev) / 4
	s.rtt += (d - s.rtt) / 8
}

// detect marks what was sent well before something that has arrived (RFC 8985).
func (s *sender) detect() {
	marked := false
	after := 0
	for i := len(s.list) - 1; i >= 0; i-- {
		p := s.list[i]
		if p.sacked {
			after++
			continue
		}
		if !p.lost && p.at < s.newest && (after >= 3 && !p.again || s.newest-p.at > s.rtt/4 && after > 0) {
			p.lost, marked = true, true
		}
	}
	if !marked || s.inRecovery {
		return
	}
	s.inRecovery, s.recover = true, s.nxt
	if s.c.w.Control == "bbr" {
		return
	}
	s.wmax, s.epoch = s.cwnd, s.c.w.now
	s.ssthresh = max(s.cwnd*s.beta(), 2)
	s.cwnd = s.ssthresh
}

func (s *sender) grow(got float64) {
	switch {
	case s.c.w.Control == "bbr":
		if s.bw > 0 {
			s.cwnd = max(4, 2*s.bw*s.minRTT.Seconds()/(MSS+Header))
			if !s.filled {
				s.cwnd = max(s.cwnd, 10) * 1.4
			}
		}
	case s.inRecovery && s.cwnd >= s.ssthresh:
	case s.cwnd < s.ssthresh:
		if s.flight()+got >= s.cwnd/2 {
			s.cwnd += got
		}
	case s.c.w.Control == "reno" || s.epoch == 0:
		s.cwnd += got / s.cwnd
	default:
		t := (s.c.w.now - s.epoch).Seconds()
		k := math.Cbrt(s.wmax * .3 / .4)
		want := .4*math.Pow(t-k, 3) + s.wmax
		s.cwnd += max(.01, min(.5, (want-s.cwnd)/s.cwnd)) * got
	}
}

// sample takes a delivery rate (BBR).
func (s *sender) sample(rate float64, done int64) {
	if s.c.w.Control != "bbr" {
		return
	}
	if done >= s.round {
		s.round = s.delivered
		s.phase = (s.phase + 1) % 8
		if len(s.samples) >= 10 {
			s.samples = s.samples[1:]
		}
		s.samples = append(s.samples, rate)
		if s.bw > s.full*1.25 {
			s.full, s.fullRounds = s.bw, 0
		} else if s.fullRounds++; s.fullRounds >= 3 {
			s.filled = true
		}
	} else if n := len(s.samples); n > 0 {
		s.samples[n-1] = max(s.samples[n-1], rate)
	}
	s.bw = 0
	for _, r := range s.samples {
		s.bw = max(s.bw, r)
	}
}

func (s *sender) gain() float64 {
	switch {
	case !s.filled:
		return 2.89
	case s.phase == 0:
		return 1.25
	case s.phase == 1:
		return .75
	}
	return 1
}
