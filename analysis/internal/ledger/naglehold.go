package ledger

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
	DelackFloor = 8 * time.Millisecond
	// RFC 9293 §3.8.6.3: an ACK must not be delayed by half a second or more
	delackCeil = 510 * time.Millisecond
)

// Hold is one segment that Nagle's algorithm seems to have held: a small segment that left as soon
// as the ACK of the small segment before was known.
type Hold struct {
	Dir     reassembly.Dir
	First   capture.Mark // the unacknowledged small segment
	Ack     capture.Mark
	Second  capture.Mark // the one that was held
	Size    [2]uint32    // octets of first and second
	Headers bool         // first ends with the header section
	// second is the end of a message behind full segments, and first the last of those
	Tail      bool
	From, To  time.Duration
	RoundTrip time.Duration // the part that a prompt ACK would have taken
	Delayed   time.Duration // the part by which the ACK was late
}

// Length is the whole hold.
func (h *Hold) Length() time.Duration { return h.To - h.From }

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
func (w *walker) opportunity(s *sender, r *reassembly.Record, n int) *Hold {
	if r.Len == 0 || r.Trait.Has(reassembly.Full) || r.Flags&capture.FIN != 0 ||
		r.Kind != reassembly.Plain ||
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
func (w *walker) judgeOpportunity(s *sender, r *reassembly.Record, count *nagleCount) *Hold {
	c := w.s.Conn
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
	h := &Hold{Dir: r.Dir, First: s.small.Mark, Ack: s.small.ack, Second: r.Mark(),
		Size: [2]uint32{
			s.small.size,
			r.Len,
		}, Headers: s.small.headers, From: max(w.at, s.small.Time), To: r.Time}
	h.RoundTrip = min(h.Length(), c.RTTMin())
	h.Delayed = h.Length() - h.RoundTrip
	count.ended(h.Delayed)
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
		if d-before >= DelackFloor {
			return len(n.delays) - i
		}
		before = max(before, d)
	}
	return 0
}

// loose reports whether all that is known of the way to the sender of dir is how old its word was
// when it sent something of its own accord: by that measure whatever it sends left as soon as it
// could.
func (s *Connection) loose(dir reassembly.Dir) bool {
	r := &s.Conn.Half[dir].RTT
	return r.Samples > 0 && !r.Firm
}

// maybeProbe reports whether the timer for a tail loss probe may have sent r: it prefers new data,
// which Nagle's algorithm does not hold back then (RFC 8985 §7.3). The timer is two round trips,
// and leaves a delayed acknowledgment its time if only one segment is outstanding. One probe is
// sent at a time: a second without an acknowledgment in between is none.
func (s *sender) maybeProbe(w *walker, r *reassembly.Record) bool {
	c := w.s.Conn
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
	c := w.s.Conn
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
	c := w.s.Conn
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
	mss := max(int64(w.s.Conn.Half[r.Dir].Eff), defaultMSS)
	if w.s.Conn.Scaled() && s.view.edge > 0 && r.Seq+int64(r.Len) > s.view.edge {
		return true
	}
	return r.Seq+int64(r.Len)-s.ackPrev > max(10*mss, s.flight)
}

// emitHold tiles a hold and leaves it with its exchange until it is certain.
func (w *walker) emitHold(r *reassembly.Record, h *Hold, until time.Duration) {
	if w.at < h.From {
		w.emit(h.From, Pause(h.Dir), why{ended: r})
	}
	y := why{ended: r, cause: h.Ack}
	mid := min(until, h.From+h.RoundTrip)
	w.emit(mid, report.NagleRTT, y)
	w.emit(until, report.NagleDelack, y)
	for _, j := range w.s.jobs {
		if !j.settled && j.From <= h.From && (!j.over || h.To <= j.Until) {
			j.Holds = append(j.Holds, *h)
			if w.s.holding++; w.s.holding >= maxHolds {
				w.s.decideNagle()
			}
			return
		}
	}
}

// decideNagle decides, for all undecided holds of the connection, whether they were Nagle's: the
// rules claim those that were, and the time of the others is the application's own.
func (s *Connection) decideNagle() {
	for dir := range s.nagle {
		real := s.naglePlausible(reassembly.Dir(dir))
		for _, j := range s.jobs {
			s.decideJob(j, reassembly.Dir(dir), real)
		}
	}
	s.holding = 0
}

// decideJob decides the holds of one direction of one exchange.
func (s *Connection) decideJob(j *Exchange, dir reassembly.Dir, real bool) {
	rest := j.Holds[:0]
	for _, h := range j.Holds {
		switch {
		case h.Dir != dir:
			rest = append(rest, h)
		case real || h.Tail:
			j.hold(s.decided(&h))
		default:
			if s.alone(&h) {
				j.Lone = append(j.Lone, s.decided(&h))
			}
			s.relabel(j, h.toPause())
		}
	}
	j.Holds = rest
}

// SettledHold is a hold that was Nagle's, with what the connection had shown when that was decided.
type SettledHold struct {
	Hold
	Tally NagleTally
	Tails int // ends of messages that were held, and those that perhaps were
	// what of the hold the application did not need for itself
	Waited report.Cost
	near   bool // the hosts are too near to each other to tell a hold of one round trip
	// from the moment at which the ACK could be known until the held piece left
	Behind time.Duration
	Also   int         // further holds of the exchange, too many to keep each
	Others report.Cost // what of those the application did not need for itself
}

// decided is h with what the connection has shown so far.
func (s *Connection) decided(h *Hold) SettledHold {
	return SettledHold{
		Hold:   *h,
		Tally:  s.nagle[h.Dir].tally(),
		Tails:  s.tail[h.Dir].held + s.tail[h.Dir].sizes,
		Waited: s.waited(h),
		near:   s.Conn.RTTMin() < nearHosts,
		Behind: max(0, h.Second.Time-h.Ack.Time-s.Conn.Far(h.Dir)),
	}
}

// nearHosts is the least round trip below which a hold of one costs less than it takes to tell it
// from other causes.
const nearHosts = 2 * time.Millisecond

// RoundTripOnly reports whether a prompt ACK between hosts that are near ended the hold.
func (h *SettledHold) RoundTripOnly() bool { return h.near && h.Delayed < DelackFloor }

// hold keeps a hold, or counts it with the last one: an exchange may have holds without end.
func (j *Exchange) hold(h SettledHold) {
	if len(j.Held) < maxHolds {
		j.Held = append(j.Held, h)
		return
	}
	for i := len(j.Held) - 1; i >= 0; i-- {
		if k := &j.Held[i]; !k.RoundTripOnly() {
			k.Also, k.Others = k.Also+1, k.Others.Add(h.Waited)
			return
		}
	}
}

// waited is what of a hold the application did not need for itself: the hold less the time that the
// application takes between two writes. Where that never shows, the shortest hold bounds it.
func (s *Connection) waited(h *Hold) report.Cost {
	typical, spread, most, known := s.nagle[h.Dir].appDelay(h.Length())
	length := h.Length()
	if known {
		expected := max(0, length-typical)
		return report.Cost{
			Low:      max(0, expected-2*spread),
			Expected: expected,
			High:     min(length, expected+2*spread),
		}
	}
	low := length - min(most, length)
	if h.Headers {
		low = max(low, length/2)
	}
	return report.Cost{Low: low, Expected: length, High: length}
}

// NagleTally is what a connection showed of Nagle's algorithm in one direction.
type NagleTally struct {
	Held, Prompt, Late, Delayed int
	Least                       time.Duration // shortest hold
}

// tally is what has been counted.
func (n *nagleCount) tally() NagleTally {
	return NagleTally{n.held, n.prompt, n.late, n.delayed(), n.least}
}

// alone reports whether h is the only hold of its connection, nothing speaks against it, and it was
// clearly longer than what a kernel takes to react: the connections of the same client and service
// together may tell whether it was Nagle's.
func (s *Connection) alone(h *Hold) bool {
	n := &s.nagle[h.Dir]
	return n.held == 1 && n.prompt == 0 && n.late == 0 &&
		s.Conn.Half[0].Missing+s.Conn.Half[1].Missing == 0 &&
		h.Length() >= 4*s.eps(h.Dir)
}

// relabel changes labels of time of j wherever they have been written so far.
func (s *Connection) relabel(j *Exchange, r Relabelling) {
	r.Sums(&j.Times)
	r.Sums(&s.Times)
	j.Line.relabel(&r)
	if s.Trace != nil {
		r.Tiles(s.Trace.Out.Tiles)
	}
}

// naglePlausible reports whether the holds of dir were Nagle's: no small segment ever left with one
// unacknowledged, and most left with the ACK. A single hold must have all of the signature.
func (s *Connection) naglePlausible(dir reassembly.Dir) bool {
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
		for i := range j.Holds {
			if s.singleHold(dir, &j.Holds[i]) {
				return true
			}
		}
	}
	return false
}

// singleHold reports whether one hold alone is proof enough: the first segment ended with the
// headers, and the ACK was as late as only a timer makes it.
func (s *Connection) singleHold(dir reassembly.Dir, h *Hold) bool {
	return h.Dir == dir && h.Headers && h.Delayed >= 20*time.Millisecond &&
		h.Delayed <= delackCeil &&
		h.Length() >= 10*s.eps(dir)
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

// Tally is the connection's evidence.
func (s *Connection) Tally() (out [2]NagleTally) {
	for d := range out {
		out[d] = s.nagle[d].tally()
	}
	return out
}

// Add adds another connection's evidence.
func (t *NagleTally) Add(o NagleTally) {
	t.Held, t.Prompt, t.Late, t.Delayed = t.Held+o.Held, t.Prompt+o.Prompt, t.Late+o.Late, t.Delayed+o.Delayed
	if o.Held > 0 && (t.Least == 0 || o.Least < t.Least) {
		t.Least = o.Least
	}
}
