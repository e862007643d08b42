package pathsim

import (
	"math"
	"time"
)

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
	bbr   bbr
}

// bbr is what BBR knows of the path, and its pace.
type bbr struct {
	bw, full    float64 // octets a second: of the path, and when that grew last
	fullRounds  int
	filled      bool
	samples     []float64
	delivered   int64
	deliveredAt time.Duration
	round       int64
	phase       int
	next        time.Duration // when the next segment may leave
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
	paced := w.Control == "bbr" && s.bbr.bw > 0
	for flight := s.flight(); flight < s.cwnd; flight++ {
		if paced && s.bbr.next > w.now {
			if !s.bbr.waiting {
				s.bbr.waiting = true
				w.after(s.bbr.next-w.now, func() { s.bbr.waiting = false; s.pump() })
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
		if paced {
			took := float64(p.len+Header) / (s.gain() * s.bbr.bw)
			s.bbr.next = max(s.bbr.next, w.now) + time.Duration(took*1e9)
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
	p.lost, p.at, p.done, p.doneAt = false, s.c.w.now, s.bbr.delivered, s.bbr.deliveredAt
	if s.bbr.delivered == 0 {
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
		s.bbr.delivered += p.len + Header
		s.bbr.deliveredAt = now
		s.newest = max(s.newest, p.at)
		if !p.again {
			s.measure(now - p.at)
		}
		if d := (now - p.doneAt).Seconds(); d > 0 && s.bbr.minRTT > 0 && now-p.at >= s.bbr.minRTT {
			s.sample(float64(s.bbr.delivered-p.done)/d, p.done)
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
	if s.bbr.minRTT == 0 || d < s.bbr.minRTT {
		s.bbr.minRTT = d
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
		late := after >= 3 && !p.again || s.newest-p.at > s.rtt/4 && after > 0
		if !p.lost && p.at < s.newest && late {
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
		if s.bbr.bw > 0 {
			s.cwnd = max(4, 2*s.bbr.bw*s.bbr.minRTT.Seconds()/(MSS+Header))
			if !s.bbr.filled {
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
	if done >= s.bbr.round {
		s.bbr.round = s.bbr.delivered
		s.bbr.phase = (s.bbr.phase + 1) % 8
		if len(s.bbr.samples) >= 10 {
			s.bbr.samples = s.bbr.samples[1:]
		}
		s.bbr.samples = append(s.bbr.samples, rate)
		if s.bbr.bw > s.bbr.full*1.25 {
			s.bbr.full, s.bbr.fullRounds = s.bbr.bw, 0
		} else if s.bbr.fullRounds++; s.bbr.fullRounds >= 3 {
			s.bbr.filled = true
		}
	} else if n := len(s.bbr.samples); n > 0 {
		s.bbr.samples[n-1] = max(s.bbr.samples[n-1], rate)
	}
	s.bbr.bw = 0
	for _, r := range s.bbr.samples {
		s.bbr.bw = max(s.bbr.bw, r)
	}
}

func (s *sender) gain() float64 {
	switch {
	case !s.bbr.filled:
		return 2.89
	case s.bbr.phase == 0:
		return 1.25
	case s.bbr.phase == 1:
		return .75
	}
	return 1
}
