package analysis

import (
	"slices"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

const (
	// defaultMSS is what a sender assumes without an option (RFC 9293 §3.7.1).
	defaultMSS = 536
	// undecided holds kept per connection, and claimed one by one per exchange
	maxHolds = 64
	// direct observations of an application's second write kept per direction
	maxWaits = 64
	// a later ACK is a delayed one: stacks mean 10 ms at least (Windows), Linux 40 (TCP_ATO_MIN)
	delackFloor = 8 * time.Millisecond
	// RFC 9293 §3.8.6.3: an ACK must not be delayed by half a second or more
	delackCeil = 510 * time.Millisecond
)

// hold is one segment that Nagle's algorithm seems to have held: a small segment that left as soon
// as the ACK of the small segment before was known.
type hold struct {
	dir     reassembly.Dir
	first   capture.Mark // the unacknowledged small segment
	ack     capture.Mark
	second  capture.Mark // the one that was held
	size    [2]uint32    // octets of first and second
	headers bool         // first ends with the header section
	// second is the end of a message behind full segments, and first the last of those
	tail      bool
	from, to  time.Duration
	roundTrip time.Duration // the part that a prompt ACK would have taken
	delayed   time.Duration // the part by which the ACK was late
}

// length is the whole hold.
func (h *hold) length() time.Duration { return h.to - h.from }

// nagleCount counts, for one direction, what happened each time a small segment followed a small
// one in the same message.
type nagleCount struct {
	// left before the ACK could be known: Nagle's algorithm was off then
	prompt int
	held   int // left as soon as the ACK was known
	// by how much the ACKs that ended holds came later than a prompt one, shortest first, up to
	// maxWaits
	delays          []time.Duration
	late            int // left clearly later: the application itself wrote late
	promptAfterHeld int
	// how long the application took between the writes, where that can be seen
	waits []time.Duration
	least time.Duration // shortest hold: the application took no longer than that
}

// opportunity looks whether r is a small segment behind a small one that had not been acknowledged
// when it was sent, and counts what happened. The result is the hold, if it was held.
func (w *walker) opportunity(s *sender, r *reassembly.Record, n int) *hold {
	if r.Len == 0 || r.Trait.Has(reassembly.Full) || r.Flags&capture.FIN != 0 || r.Kind != reassembly.Plain ||
		!s.small.valid ||
		r.Seq < s.small.end ||
		s.small.turn {
		return nil
	}
	count := &w.s.nagle[r.Dir]
	if !s.small.acked {
		if w.ackedWithin(s, r, n) || w.echoesUnseen(r, n) {
			return nil // too close to tell, or the capture lacks what would tell
		}
		if s.maybeProbe(w, r) {
			return nil
		}
		count.prompt++
		if count.held > 0 {
			count.promptAfterHeld++
		}
		return nil
	}
	if !s.small.pure || s.bound(w, r) || w.s.loose(r.Dir) {
		return nil
	}
	return w.judgeOpportunity(s, r, count)
}

// judgeOpportunity tells a hold from an application that wrote late.
func (w *walker) judgeOpportunity(s *sender, r *reassembly.Record, count *nagleCount) *hold {
	c := w.s.conn
	eps := w.s.eps(r.Dir)
	after := r.Time - c.Far(r.Dir) - s.late - s.small.ack.Time
	wait := r.Time - s.small.Time
	switch {
	case after <= eps+2*c.Half[r.Dir].RTT.Jitter:
		count.held++
		if count.least == 0 || wait < count.least {
			count.least = wait
		}
	case after > max(3*eps, 2*time.Millisecond):
		count.late++
		if len(count.waits) < maxWaits {
			count.waits = append(count.waits, wait)
		}
		return nil
	default:
		count.late++ // neither proves anything: what the others are, this one is
	}
	h := &hold{dir: r.Dir, first: s.small.Mark, ack: s.small.ack, second: r.Mark(),
		size: [2]uint32{
			s.small.size,
			r.Len,
		}, headers: s.small.headers, from: max(w.at, s.small.Time), to: r.Time}
	h.roundTrip = min(h.length(), c.RTTMin())
	h.delayed = h.length() - h.roundTrip
	count.ended(h.delayed)
	return h
}

// ended takes note of by how much the ACK that ended a hold came later than a prompt one.
func (n *nagleCount) ended(delay time.Duration) {
	if len(n.delays) < maxWaits {
		i, _ := slices.BinarySearch(n.delays, delay)
		n.delays = slices.Insert(n.delays, i, delay)
	}
}

// delayed is how many of the ACKs a timer made late: those that are apart from the prompt ones by
// the least that stacks mean. Where the path's delay varies, they are late by anything from nothing
// on.
func (n *nagleCount) delayed() int {
	before := time.Duration(0)
	for i, d := range n.delays {
		if d-before >= delackFloor {
			return len(n.delays) - i
		}
		before = max(before, d)
	}
	return 0
}

// loose reports whether all that is known of the way to the sender of dir is how old its word was
// when it sent something of its own accord: by that measure whatever it sends left as soon as it
// could.
func (s *connState) loose(dir reassembly.Dir) bool {
	r := &s.conn.Half[dir].RTT
	return r.Samples > 0 && !r.Firm
}

// maybeProbe reports whether the timer for a tail loss probe may have sent r: it prefers new data,
// which Nagle's algorithm does not hold back then (RFC 8985 §7.3). The timer is two round trips,
// and leaves a delayed acknowledgment its time if only one segment is outstanding. One probe is
// sent at a time: a second without an acknowledgment in between is none.
func (s *sender) maybeProbe(w *walker, r *reassembly.Record) bool {
	c := w.s.conn
	least := max(2*c.RTTMin()*97/100, 2*time.Millisecond)
	if s.trail.sent-s.trail.acked <= 1 {
		least += probeLeast
	}
	if s.small.probe || r.Time-max(s.small.Time, s.view.heard+c.Far(r.Dir)) < least {
		return false
	}
	s.probed = true
	return true
}

// ackedWithin reports whether an ACK of the small segment passed so soon after what the sender of r
// surely knew that it may have known of it.
func (w *walker) ackedWithin(s *sender, r *reassembly.Record, n int) bool {
	c := w.s.conn
	if c.Far(r.Dir) < time.Millisecond {
		// the capture is next to the sender: the order of the frames is the order of events
		return false
	}
	limit := r.Time - c.Far(r.Dir) - s.late + w.s.eps(r.Dir)
	for i := max(s.known, c.Released); i < n; i++ {
		a := &c.Records[i-c.Released]
		if a.Time > limit {
			return false
		}
		if a.Dir != r.Dir && a.Flags&capture.ACK != 0 && a.Ack >= s.small.end {
			return true
		}
	}
	return false
}

// echoesUnseen reports whether the sender of r echoes a timestamp later than all that its peer sent
// as far as the capture shows (RFC 7323 §4): it had received a segment that the capture lacks, the
// acknowledgment perhaps.
func (w *walker) echoesUnseen(r *reassembly.Record, n int) bool {
	c := w.s.conn
	if !r.Trait.Has(reassembly.HasTS) {
		return false
	}
	for i := n - 1; i >= c.Released; i-- {
		if a := &c.Records[i-c.Released]; a.Dir != r.Dir && a.Trait.Has(reassembly.HasTS) {
			return int32(r.TSEcr-a.TSVal) > 0
		}
	}
	return false
}

// bound reports whether a window, not Nagle's algorithm, may have kept r back.
func (s *sender) bound(w *walker, r *reassembly.Record) bool {
	mss := max(int64(w.s.conn.Half[r.Dir].Eff), defaultMSS)
	if w.s.conn.Scaled() && s.view.edge > 0 && r.Seq+int64(r.Len) > s.view.edge {
		return true
	}
	return r.Seq+int64(r.Len)-s.ackPrev > max(10*mss, s.flight)
}

// emitHold tiles a hold and leaves it with its exchange until it is certain.
func (w *walker) emitHold(s *sender, h *hold, until time.Duration) {
	if w.at < h.from {
		w.emit(w.at, h.from, pause(h.dir))
	}
	w.cause = h.ack
	mid := min(until, h.from+h.roundTrip)
	w.emit(w.at, mid, report.NagleRTT)
	w.emit(w.at, until, report.NagleDelack)
	for _, j := range w.s.jobs {
		if !j.settled && j.from <= h.from && (!j.over || h.to <= j.until) {
			j.holds = append(j.holds, *h)
			if w.s.holding++; w.s.holding >= maxHolds {
				w.s.decideNagle()
			}
			return
		}
	}
}

// decideNagle decides, for all undecided holds of the connection, whether they were Nagle's: the
// rules claim those that were, and the time of the others is the application's own.
func (s *connState) decideNagle() {
	for dir := range s.nagle {
		real := s.naglePlausible(reassembly.Dir(dir))
		for _, j := range s.jobs {
			s.decideJob(j, reassembly.Dir(dir), real)
		}
	}
	s.holding = 0
}

// decideJob decides the holds of one direction of one exchange.
func (s *connState) decideJob(j *job, dir reassembly.Dir, real bool) {
	rest := j.holds[:0]
	for _, h := range j.holds {
		switch {
		case h.dir != dir:
			rest = append(rest, h)
		case real || h.tail:
			j.hold(s.decided(&h))
		default:
			if s.alone(&h) {
				j.lone = append(j.lone, s.decided(&h))
			}
			s.relabel(j, &h)
		}
	}
	j.holds = rest
}

// held is a hold that was Nagle's, with what the connection had shown when that was decided.
type held struct {
	hold
	tally nagleTally
	tails int // ends of messages that were held, and those that perhaps were
	// what of the hold the application did not need for itself
	waited report.Cost
	near   bool          // the hosts are too near to each other to tell a hold of one round trip
	behind time.Duration // from the moment at which the ACK could be known until the held piece left
	also   int           // further holds of the exchange, too many to keep each
	others report.Cost   // what of those the application did not need for itself
}

// decided is h with what the connection has shown so far.
func (s *connState) decided(h *hold) held {
	return held{
		hold:   *h,
		tally:  s.nagle[h.dir].tally(),
		tails:  s.tail[h.dir].held + s.tail[h.dir].sizes,
		waited: s.waited(h),
		near:   s.conn.RTTMin() < nearHosts,
		behind: max(0, h.second.Time-h.ack.Time-s.conn.Far(h.dir)),
	}
}

// nearHosts is the least round trip below which a hold of one costs less than it takes to tell it
// from other causes.
const nearHosts = 2 * time.Millisecond

// roundTripOnly reports whether a prompt ACK between hosts that are near ended the hold.
func (h *held) roundTripOnly() bool { return h.near && h.delayed < delackFloor }

// hold keeps a hold, or counts it with the last one: an exchange may have holds without end.
func (j *job) hold(h held) {
	if len(j.held) < maxHolds {
		j.held = append(j.held, h)
		return
	}
	for i := len(j.held) - 1; i >= 0; i-- {
		if k := &j.held[i]; !k.roundTripOnly() {
			k.also, k.others = k.also+1, k.others.Add(h.waited)
			return
		}
	}
}

// waited is what of a hold the application did not need for itself: the hold less the time that the
// application takes between two writes. Where that never shows, the shortest hold bounds it.
func (s *connState) waited(h *hold) report.Cost {
	typical, spread, most, known := s.nagle[h.dir].appDelay(h.length())
	length := h.length()
	if known {
		expected := max(0, length-typical)
		return report.Cost{
			Low:      max(0, expected-2*spread),
			Expected: expected,
			High:     min(length, expected+2*spread),
		}
	}
	low := length - min(most, length)
	if h.headers {
		low = max(low, length/2)
	}
	return report.Cost{Low: low, Expected: length, High: length}
}

// nagleTally is what a connection showed of Nagle's algorithm in one direction.
type nagleTally struct {
	held, prompt, late, delayed int
	least                       time.Duration // shortest hold
}

// tally is what has been counted.
func (n *nagleCount) tally() nagleTally {
	return nagleTally{n.held, n.prompt, n.late, n.delayed(), n.least}
}

// alone reports whether h is the only hold of its connection, nothing speaks against it, and it was
// clearly longer than what a kernel takes to react: the connections of the same client and service
// together may tell whether it was Nagle's.
func (s *connState) alone(h *hold) bool {
	n := &s.nagle[h.dir]
	return n.held == 1 && n.prompt == 0 && n.late == 0 &&
		s.conn.Half[0].Missing+s.conn.Half[1].Missing == 0 &&
		h.length() >= 4*s.eps(h.dir)
}

// relabel gives the time of a hold that was none to the application.
func (s *connState) relabel(j *job, h *hold) {
	s.trace.relabel(h)
	j.line.relabel(h)
	for _, t := range []*[report.LabelCount]time.Duration{&j.times, &s.times} {
		t[report.NagleRTT] -= h.roundTrip
		t[report.NagleDelack] -= h.delayed
		t[pause(h.dir)] += h.length()
	}
}

// naglePlausible reports whether the holds of dir were Nagle's: no small segment ever left with one
// unacknowledged, and most left with the ACK. A single hold must have all of the signature.
func (s *connState) naglePlausible(dir reassembly.Dir) bool {
	n := &s.nagle[dir]
	if n.promptAfterHeld > 0 || n.prompt > 1 || n.prompt == 1 && n.held < 3 {
		return false
	}
	if n.held*10 < (n.held+n.late)*6 {
		return false
	}
	if n.held >= 2 {
		return true
	}
	for _, j := range s.jobs {
		for i := range j.holds {
			if s.singleHold(dir, &j.holds[i]) {
				return true
			}
		}
	}
	return false
}

// singleHold reports whether one hold alone is proof enough: the first segment ended with the
// headers, and the ACK was as late as only a timer makes it.
func (s *connState) singleHold(dir reassembly.Dir, h *hold) bool {
	return h.dir == dir && h.headers && h.delayed >= 20*time.Millisecond &&
		h.delayed <= delackCeil &&
		h.length() >= 10*s.eps(dir)
}

// sooner are those of waits that were shorter than limit.
func sooner(waits []time.Duration, limit time.Duration) (out []time.Duration) {
	for _, w := range waits {
		if w < limit {
			out = append(out, w)
		}
	}
	return out
}

// appDelay estimates how long the application itself took before a write that was held for as long
// as given. known tells that it was observed where the write came after the ACK; else it is at most
// most. What took it longer than the hold now and then was not so here. A few observations say
// little of the spread: it is taken to be a tenth at least.
func (n *nagleCount) appDelay(
	hold time.Duration,
) (typical, spread, most time.Duration, known bool) {
	waits := sooner(n.waits, hold)
	if len(waits) == 0 {
		return 0, 0, n.least, false
	}
	slices.Sort(waits)
	typical = waits[len(waits)/2]
	for i, v := range waits {
		waits[i] = max(v-typical, typical-v)
	}
	slices.Sort(waits)
	spread = waits[len(waits)/2]
	if len(waits) < 4 {
		spread = max(spread, typical/10)
	}
	return typical, spread, 0, true
}
