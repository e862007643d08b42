package sender

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

const (
	// stampsTicks is over how many ticks the pace of a timestamp clock is measured at least, and
	// stampsLeast and stampsKept are by how many timestamps, at least and at most.
	stampsTicks = 10
	stampsLeast = 4
	stampsKept  = 64
	// stampsFresh is how long the least delay that was seen counts: clocks drift by a tick in 20 s
	// and more.
	stampsFresh = 10 * time.Second
	// stampsWrap is how long a silence may last across which timestamps compare: 2^31 ticks of the
	// fastest clock are a day longer.
	stampsWrap = 24 * 24 * time.Hour
	// lateTicks is from how many ticks on a segment is late: both ends of the time that its
	// timestamp measures may have been about to tick.
	lateTicks = 2
	// learnAgain: the pace is looked for again after one of so many parts of the time since the
	// first timestamp (reasoning: often enough to know it early, seldom enough to cost nothing).
	learnAgain = 8
)

// A pace is believed if so many percent of the segments came within lateTicks of the soonest by it.
// Behind a queue each segment takes another time, and only the whole stretch tells: it must last
// stretchTimes as long as needed otherwise, and as long as the pace has it within so many percent.
// All of these rest on reasoning: the usual paces are 2.5 times apart and more.
const (
	togetherPercent = 50
	stretchTimes    = 10
	stretchLeast    = 90
	stretchMost     = 110
)

// stampRates are the rates of timestamp clocks in use, ticks a second (RFC 7323 §5.4 allows 1 to
// 1000).
var stampRates = [...]time.Duration{1000, 250, 100}

// stamps follows the clock by which a sender stamps what it sends (RFC 7323 §3). A segment that
// comes later than its timestamp says was held up on the way: its sender did not pause, and knew
// less than it would have known later.
type stamps struct {
	val   uint32 // that of at: the timestamp with which others are compared
	at    time.Duration
	any   bool             // a timestamp came
	tick  time.Duration    // 0: not known
	known time.Duration    // since when that is known
	least [2]time.Duration // the least lag since at, and in the stretch of time before
	began time.Duration    // when the first timestamp came
	next  time.Duration    // when the pace is to be measured next, if it is not known
	late  [3]time.Duration // of the latest segments with data, latest first

	latest latestStamp // of all of the sender's segments
}

// latestStamp is a sender's latest segment, and its timestamp.
type latestStamp struct {
	capture.Mark
	val uint32
	any bool // it has a timestamp
}

// sent takes note of by how much longer than the least a segment with data was under way.
func (p *stamps) sent(late time.Duration) {
	p.late = [3]time.Duration{late, p.late[0], p.late[1]}
}

// queue is by how much longer than the least the latest segments with data were under way. A single
// one may have been held up; a queue holds all of them up.
func (p *stamps) queue() time.Duration { return min(p.late[0], p.late[1], p.late[2]) }

// add takes note of r and tells by how much longer than the least it was under way; 0 if that does
// not show.
func (p *stamps) add(c *reassembly.Conn, r *reassembly.Record) time.Duration {
	p.latest = latestStamp{r.Mark(), r.TSVal, r.Trait.Has(reassembly.HasTS)}
	switch {
	case !r.Trait.Has(reassembly.HasTS):
		return 0
	case !p.any:
		p.any, p.val, p.at, p.began = true, r.TSVal, r.Time, r.Time
	}
	if p.tick == 0 {
		p.learn(c, r.Dir)
	}
	lag := p.lag(r)
	if r.Time-p.at > stampsFresh {
		lag = p.move(r, lag)
	}
	p.least[0] = min(p.least[0], lag)
	if p.tick == 0 {
		return 0
	}
	late := lag - min(p.least[0], p.least[1]) - p.tick // a tick may have been about to end
	if late < lateTicks*p.tick {
		return 0
	}
	return late
}

// move makes r the one with which others are compared, before timestamps wrap against the one
// before. The result is its lag.
func (p *stamps) move(r *reassembly.Record, lag time.Duration) time.Duration {
	p.least = [2]time.Duration{0, p.least[0] - lag}
	if r.Time-p.at > stampsWrap {
		p.least[1] = 0
	}
	p.val, p.at = r.TSVal, r.Time
	return 0
}

// lag is how much later than its timestamp says r came, compared with the one that is kept.
func (p *stamps) lag(r *reassembly.Record) time.Duration {
	return r.Time - p.at - time.Duration(int32(r.TSVal-p.val))*p.tick
}

// learn takes the clock's pace from what is held of dir: that by which the most segments were under
// way for the same time. It looks again when what is held reaches a tick of the fastest clock
// further, and a part of the time since the first timestamp: a clock that stands still, or a burst
// that fills what is held, is not gone over for each segment.
func (p *stamps) learn(c *reassembly.Conn, dir reassembly.Dir) {
	now := c.Records[len(c.Records)-1].Time
	if now < p.next {
		return
	}
	p.next = now + max(time.Second/stampRates[0], (now-p.began)/learnAgain)
	var room [stampsKept]*reassembly.Record
	held := recentStamps(&room, c, dir)
	n := len(held)
	if n < stampsLeast || int32(held[0].TSVal-held[n-1].TSVal) < stampsTicks {
		return
	}
	p.next = now + (now - p.began) // the pace may be none of the usual ones
	ticks := time.Duration(held[0].TSVal - held[n-1].TSVal)
	took := held[0].Time - held[n-1].Time
	best := 0
	for _, rate := range stampRates {
		tick := time.Second / rate
		near := together(held, tick)
		stretch := ticks >= stretchTimes*stampsTicks &&
			took*100 >= ticks*tick*stretchLeast && took*100 <= ticks*tick*stretchMost
		if near > best && (near*100 >= n*togetherPercent || stretch) {
			best, p.tick, p.known, p.least = near, tick, now, [2]time.Duration{}
		}
	}
}

// recentStamps are the records of dir with timestamps, evenly out of those that are held, latest
// first.
func recentStamps(
	room *[stampsKept]*reassembly.Record, c *reassembly.Conn, dir reassembly.Dir,
) []*reassembly.Record {
	n := 0
	step := len(c.Records)/(2*stampsKept) + 1 // both directions
	for i := len(c.Records) - 1; i >= 0 && n < len(room); i-- {
		r := &c.Records[i]
		if r.Dir != dir || !r.Trait.Has(reassembly.HasTS) {
			continue
		}
		room[n] = r
		n++
		i -= step - 1
	}
	return room[:n]
}

// together is how many of the segments came within lateTicks of the soonest, measured by timestamps
// of the given tick.
func together(held []*reassembly.Record, tick time.Duration) int {
	lag := func(r *reassembly.Record) time.Duration {
		return r.Time - held[0].Time - time.Duration(int32(r.TSVal-held[0].TSVal))*tick
	}
	least, near := time.Duration(0), 0
	for _, r := range held {
		least = min(least, lag(r))
	}
	for _, r := range held {
		if lag(r) <= least+lateTicks*tick {
			near++
		}
	}
	return near
}

// pace is the tick of the clock; 0 if it is not known. A few segments tell as much as is needed
// here: they make it near one of the usual ticks.
func (p *stamps) pace() time.Duration {
	ticks, took := time.Duration(int32(p.latest.val-p.val)), p.latest.Time-p.at
	if p.tick > 0 || ticks < stampsTicks {
		return p.tick
	}
	for _, rate := range stampRates {
		if all := ticks * time.Second / rate; took*100 >= all*stretchLeast &&
			took*100 <= all*stretchMost {
			return time.Second / rate
		}
	}
	return 0
}

// skip takes out of the times that timestamps are compared with by how long their clock stood.
func (p *stamps) skip(stood time.Duration) { p.at += stood }
