package transfer

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/policing"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const (
	// maxArrivals is how many segments are remembered of one direction of a path between two hosts,
	// maxArrivalsAll of all paths, and maxPoliced how many messages whose cost is still to be
	// settled.
	maxArrivals    = 1 << 13
	maxArrivalsAll = 1 << 20
	maxPoliced     = 1 << 10
	// fitAgain is by how many percent the losses must have become more for the bucket to be looked
	// for again.
	fitAgain = 50
	// queuedParts: a queue that grew to one of so many parts of what the bucket would make is one
	// (reasoning: half, as losses interrupt it), if that is as long as queuedLeast, which no jitter
	// is three times in a row.
	queuedParts = 2
	queuedLeast = 5 * time.Millisecond
	// queuedTrip: a queue that shows the path's rate is one of so many parts of a round trip at
	// least (reasoning: then the path was full for as long).
	queuedTrip = 4
	// tightPercent is how many percent of the most that its rate may be the least must be for a
	// bucket to tell it better than acknowledgments do (reasoning).
	tightPercent = 95
	// measureParts: rates are looked for again once one of so many parts of the segments is new, so
	// that long captures take no longer than short ones for each segment.
	measureParts = 16
	// leastWaits is from how many losses on the queues that they met say whether there was one
	// (reasoning: one may have met any).
	leastWaits = 3
	// togetherPercent of the segments behind a bucket of a few came together with the one before,
	// where a segment takes leastFrame and more.
	togetherPercent = 25
	leastFrame      = time.Millisecond
	// The ceiling of what came out of a queue is its rate: none but so many percent of all
	// stretches come faster than that by these percent (reasoning: what interrupts hand over
	// together), and a bucket that fills no faster than that is none.
	ceilingShare, ceilingPercent = 98, 105
	// A rate holds if so many of all stretches of stretchOctets came at holdsPercent of it, of
	// which there must be leastStretches: half of them, of the rate that nine in ten do not exceed,
	// as behind a standstill some come at once (reasoning: a window that grows, and one that losses
	// cut, is below nine tenths of its most for more than half of the time).
	stretchOctets  = 16 * 1500
	leastStretches = 12
	fastPercent    = 90
	holdsPercent   = 93
	// The same of acknowledgments, which come two segments at a time, and some of them late or
	// never, and where the capture lacks segments, of which it is not known when they came: half of
	// the stretches differ by no more (reasoning: by two of sixteen segments at either end).
	heardPercent = 80
	// A stretch came in bursts, a window each, if its longest pause was one of so many parts of the
	// longest round trip at least, and so many percent of the usual distance of its segments. (A
	// queue lets segments go one by one, or two if the capture shows what their acknowledgments
	// released, and round trips through it are as long as many of them.)
	burstTrip, burstPercent = 2, 150
)

// hosts are two hosts, and the direction between them.
type hosts struct {
	client, server netip.Addr
	dir            reassembly.Dir
}

// policedPaths follows the segments between hosts, of all their connections, and whether a token
// bucket explains which of them were lost.
type policedPaths struct {
	paths map[hosts]*policedPath
	held  int // segments, of all paths
}

// policedPath is one direction between two hosts.
type policedPath struct {
	arrivals []ledger.Arrival // in order of time
	sums     []int64          // octets that had come before each; nil: not added up
	messages []policedMessage // the latest, in the order in which they were judged
	runs     int              // losses when the bucket was last looked for
	waits    []time.Duration  // the queues that losses of its messages met
	met      []time.Duration  // the same of losses that had passed the capture point
	queue    time.Duration    // by how much round trips had grown where what was lost did not show
	queued   bool             // a message met a queue
	shaped   float64          // octets a second that held meanwhile; 0: none did
	echoed   float64          // the same of acknowledgments
	full     bool             // it was full meanwhile
	fresh    int              // arrivals since that was looked at
	trip     time.Duration    // the least round trip
	grew     time.Duration    // by how much round trips were longer, at most
	bucket   policing.Bucket
	known    bool // which explains the losses
	seen     time.Duration
	news     int // messages, the latest, that are not settled
}

// policedMessage is a message that passed the path.
type policedMessage struct {
	report.Interval // of its exchange
	dir             reassembly.Dir
	of              rule.Subject
	conn, exchange  int
	first, last     capture.Mark
	octets          int64
	lossy           bool
	holes           bool // its marks need not be of segments with data
}

// judged takes note of the messages of an exchange, and tells how much of their time the path's
// rate leaves to whatever else held them up.
func (p *policedPaths) judged(d rule.Desk, m *rule.Conn, x *rule.Judged) {
	for _, dir := range ledger.BothWays {
		f, info := x.FlowOf(dir), x.Message(dir)
		if f == nil || info == nil || len(f.Arrivals) == 0 {
			continue
		}
		w := p.of(hosts{m.Pair.Client, m.Pair.Server.Addr(), dir}, x.Until)
		if w == nil {
			continue
		}
		p.held -= len(w.arrivals)
		w.add(f, policedMessage{
			Interval: report.Interval{From: x.From, To: x.Until},
			dir:      dir,
			of:       m.Of(x),
			conn:     m.Id,
			exchange: x.Info.ID,
			first:    info.Start,
			last:     info.End,
			octets:   f.Bytes,
			holes:    x.MessageFacts[dir].Has(exchange.HasGap),
		})
		p.held += len(w.arrivals)
		w.news = min(w.news+1, maxPoliced)
	}
}

// settle says what of the time of a client's exchanges was the path's, once all are known that
// overlapped.
func (p *policedPaths) settle(d rule.Desk, client netip.Addr) {
	for h, w := range p.paths {
		if h.client == client && w.news > 0 {
			w.fit(fitAgain)
			w.measure()
			w.bound(d)
			w.pages(d)
			w.news = 0
		}
	}
}

// of is a path, made if need be; nil if there are too many.
func (p *policedPaths) of(h hosts, now time.Duration) *policedPath {
	w := p.paths[h]
	if w == nil {
		if p.held >= maxArrivalsAll || len(p.paths) >= rule.MaxPaths {
			p.forget(now)
		}
		if p.held >= maxArrivalsAll || len(p.paths) >= rule.MaxPaths {
			return nil
		}
		if p.paths == nil {
			p.paths = map[hosts]*policedPath{}
		}
		w = &policedPath{}
		p.paths[h] = w
	}
	w.seen = now
	return w
}

// forget forgets the paths that have been silent.
func (p *policedPaths) forget(now time.Duration) {
	for h, w := range p.paths {
		if now-w.seen > rule.PairSilence && !w.known {
			p.held -= len(w.arrivals)
			delete(p.paths, h)
		}
	}
}

// add adds the segments of a message.
func (w *policedPath) add(f *ledger.Flow, m policedMessage) {
	m.lossy = slices.ContainsFunc(f.Arrivals, func(a ledger.Arrival) bool { return a.Lost })
	if f.LossQueueShown && len(w.waits) < maxPoliced {
		w.waits = append(w.waits, f.LossQueue)
		if !slices.ContainsFunc(f.Arrivals, unseenLoss) {
			w.met = append(w.met, f.LossQueue)
		}
	}
	if m.lossy && slices.ContainsFunc(f.Arrivals, unseenLoss) {
		w.queue = max(w.queue, f.Queue)
	}
	if w.trip == 0 || f.RTT < w.trip {
		w.trip = f.RTT
	}
	w.grew = max(w.grew, f.Queue)
	w.queued = w.queued || f.Queue >= max(queuedLeast, f.RTT/queuedTrip)
	if len(w.messages) == maxPoliced {
		w.messages = slices.Delete(w.messages, 0, 1)
	}
	w.messages = append(w.messages, m)
	w.insert(f.Arrivals)
	w.fresh += len(f.Arrivals)
	if n := len(w.arrivals) - maxArrivals; n > 0 {
		w.sums = nil
		w.arrivals = append(w.arrivals[:0], w.arrivals[max(n, maxArrivals/4):]...)
	}
}

// insert puts segments, which are in order, in their places. Those that were before the first of
// them stay where they are: a path has thousands, and a message a few.
func (w *policedPath) insert(arrivals []ledger.Arrival) {
	w.sums = nil
	i, j := len(w.arrivals)-1, len(arrivals)-1
	w.arrivals = append(w.arrivals, arrivals...)
	for k := len(w.arrivals) - 1; j >= 0; k-- {
		if i >= 0 && ledger.CompareArrivals(w.arrivals[i], arrivals[j]) > 0 {
			w.arrivals[k] = w.arrivals[i]
			i--
		} else {
			w.arrivals[k] = arrivals[j]
			j--
		}
	}
}

// plateau is how fast segments came, in octets a second, if that held over most of the time and was
// not the pace of windows, one each round trip, of which the longest is given; else 0.
func plateau(all []ledger.Arrival, trip time.Duration) float64 {
	rates, bursts := stretches(all, trip)
	if slices.ContainsFunc(all, func(a ledger.Arrival) bool { return a.Placed }) {
		return holdsRoughly(rates, bursts)
	}
	return holds(rates, bursts)
}

// stretches are how fast each stretch came, in octets a second, the slowest first, and how many
// came in bursts.
func stretches(all []ledger.Arrival, trip time.Duration) (rates []float64, bursts int) {
	var now stretch
	for i := range all {
		if !now.add(&all[i]) {
			continue
		}
		rates = append(rates, float64(now.octets)/(now.last-now.from).Seconds())
		if now.inBursts(trip) {
			bursts++
		}
		now = stretch{from: now.last, last: now.last}
	}
	slices.Sort(rates)
	return rates, bursts
}

// holds is the rate of most of the stretches, if that is one and they did not come in bursts; else
// 0.
func holds(rates []float64, bursts int) float64 {
	if len(rates) < leastStretches || bursts > len(rates)/2 {
		return 0
	}
	fast, usual := rates[len(rates)*fastPercent/100], rates[len(rates)/2]
	if usual*100 < fast*holdsPercent {
		return 0
	}
	return fast
}

// holdsRoughly is the same where the stretches are known with some segments more or less only.
func holdsRoughly(rates []float64, bursts int) float64 {
	n := len(rates)
	if n < leastStretches || bursts > n/2 || rates[n/4]*100 < rates[n*3/4]*heardPercent {
		return 0
	}
	return rates[n*3/4]
}

// ceiling reports whether the rate that held is the most that ever came, and the bucket fills no
// faster: then what came was let go by a queue. What a policer lets pass exceeds its rate for as
// long as its bucket lasts.
func (w *policedPath) ceiling() bool {
	rates, bursts := stretches(w.arrivals, w.trip+w.grew)
	held := holds(rates, bursts)
	if held == 0 || w.bucket.Depth < stretchOctets {
		return false
	}
	most := rates[len(rates)*ceilingShare/100]
	usual := rates[len(rates)/2]
	return most*100 <= usual*ceilingPercent && w.bucket.Rate*100 <= usual*ceilingPercent
}

// stretch is some segments that came one after the other.
type stretch struct {
	from, last time.Duration // of the segment before the first; of the last
	octets     int64
	segments   time.Duration // how many
	pause      time.Duration // the longest between two
}

// add adds a segment, unless it was lost; true if the stretch is long enough then.
func (s *stretch) add(a *ledger.Arrival) bool {
	switch {
	case a.Lost:
		return false
	case s.from == 0:
		s.from, s.last = a.At, a.At
		return false
	}
	s.pause = max(s.pause, a.At-s.last)
	s.last = a.At
	s.octets += int64(a.Octets)
	s.segments++
	return s.octets >= stretchOctets && s.last > s.from
}

// inBursts reports whether the stretch came in bursts, with pauses of a round trip.
func (s *stretch) inBursts(trip time.Duration) bool {
	return s.pause >= trip/burstTrip && s.pause*s.segments*100 >= burstPercent*(s.last-s.from)
}

// unseenLoss reports whether a was lost before the capture point.
func unseenLoss(a ledger.Arrival) bool { return a.Unseen }

// fit looks for the bucket again, if there are so many percent more losses than the last time.
func (w *policedPath) fit(more int) {
	runs := policing.Runs(w.arrivals)
	if runs*100 < w.runs*(100+more) || runs == 0 || runs == w.runs {
		return
	}
	w.runs = runs
	b, ok := policing.Fit(w.arrivals)
	w.bucket, w.known = b, ok && (!b.Shallow || w.atOnce(&b))
}

// atOnce reports whether what passed the bucket, which holds few segments, came together all the
// same, as out of no queue: for so many percent of what had come, more than that may let go at once
// (reasoning), while one segment takes longer than interrupts put together; and a queue as long
// would show.
func (w *policedPath) atOnce(b *policing.Bucket) bool {
	if len(w.waits) == 0 || b.Depth/b.Rate < queuedParts*queuedLeast.Seconds() {
		return false
	}
	together, all := 0, 0
	for i := 1; i < len(w.arrivals); i++ {
		a := &w.arrivals[i]
		if a.Lost || w.arrivals[i-1].Lost {
			continue
		}
		needs := float64(a.Octets) / b.Rate
		if all++; needs >= leastFrame.Seconds() && (a.At-w.arrivals[i-1].At).Seconds() < needs/2 {
			together++
		}
	}
	return together*100 >= togetherPercent*all
}

// queues reports whether what found no room had a queue before it: then the path delays first, and
// polices nothing. It is as long as what the bucket would make, or as a good part of a round trip.
// What several losses met tells that better than how late acknowledgments came otherwise, which
// their host may have delayed.
func (w *policedPath) queues() bool {
	full := time.Duration(w.bucket.Depth / w.bucket.Rate * 1e9)
	queue, n := w.queue, len(w.waits)
	if slices.Sort(w.waits); n >= leastWaits {
		queue = w.waits[n/2]
	} else if n > 0 {
		queue = max(queue, w.waits[n/2])
	}
	return queue >= max(min(full/queuedParts, w.trip/queuedTrip), queuedLeast)
}

// rate is how fast the path carries octets, a second; 0: not known. It never says less than is
// likely, but for a bucket of which the rate is known in bounds only, where nothing else tells.
func (w *policedPath) rate() float64 {
	b := &w.bucket
	switch {
	case w.polices():
		return b.Least
	case w.shaped > 0:
		return w.shaped
	case w.known && b.Least*100 >= b.Most*tightPercent:
		return b.Least
	case w.echoed > 0 && w.lossesMet():
		return w.echoed // what was lost had found the queue full
	case w.known:
		return b.Least
	}
	return 0
}

// polices reports whether a bucket explains what was lost, and no queue does.
func (w *policedPath) polices() bool { return w.known && !w.queues() && !w.ceiling() }

// bound tells the desk how much of the time of each exchange the path was not needed for what
// passed it meanwhile.
func (w *policedPath) bound(d rule.Desk) {
	rate := w.rate()
	if rate <= 0 {
		return
	}
	for i := range w.messages {
		m := &w.messages[i]
		octets := max(m.octets, w.between(m.Interval))
		needs := time.Duration(float64(octets) / rate * 1e9)
		d.Bound(m.of.Pair.Client, m.exchange, max(0, m.To-m.From-needs))
	}
}

// between is how many octets came in a stretch of time.
func (w *policedPath) between(at report.Interval) int64 {
	if w.sums == nil {
		w.sums = w.passed()
	}
	return w.sums[w.after(at.To)] - w.sums[w.after(at.From-1)]
}

// before is for how long what came at the end of a stretch of time may have waited behind what the
// path, whose rate is known, carried in it; but no longer than its queue ever was.
func (p *policedPaths) before(h hosts, within report.Interval) time.Duration {
	w := p.paths[h]
	if w == nil {
		return 0
	}
	rate := w.rate()
	if rate <= 0 {
		return 0
	}
	longest := w.longest()
	return min(time.Duration(float64(w.between(within))/rate*1e9), longest+longest*queueVaries/100)
}

// after is how many of the segments came no later than at.
func (w *policedPath) after(at time.Duration) int {
	n, _ := slices.BinarySearchFunc(w.arrivals, at+1,
		func(a ledger.Arrival, at time.Duration) int { return cmp.Compare(a.At, at) })
	return n
}

// finish tells of the paths that are policed.
func (p *policedPaths) finish(d rule.Desk) {
	if !d.Enabled(bandwidthRule) {
		return
	}
	for _, w := range p.paths {
		w.fit(0)
		if !w.polices() {
			continue
		}
		for i := range w.messages {
			if m := &w.messages[i]; m.lossy {
				c := w.claim(m)
				d.Book(m.of, &c)
			}
		}
	}
}

// claim is that of one message.
func (w *policedPath) claim(m *policedMessage) rule.Claim {
	b := &w.bucket
	says := rule.Say(bucketExplains,
		int64(b.Rate), int64(b.Holds()), int64(b.Met), int64(b.Runs))
	if b.Loose {
		says = rule.Say(bucketHolds, int64(b.Holds()), int64(b.Met), int64(b.Runs), int64(b.Rate))
	}
	return rule.Claim{
		Rule:       bandwidthRule,
		Cause:      "policer",
		Confidence: report.ConfidenceHigh,
		Least:      report.Low,
		Says:       []rule.Said{says},
		Occ: rule.Occurrence{
			Connection: m.conn,
			Exchange:   m.exchange,
			Start:      m.first.Time,
			End:        m.last.Time,
			Proof:      m.proof(int64(b.Rate)),
		},
	}
}

// proof is where the message is, with what it was policed at, in octets a second.
func (m *policedMessage) proof(rate int64) []rule.Evidence {
	side := rule.SideOf(m.dir)
	if m.holes {
		return []rule.Evidence{rule.Shows(m.first, side, policedInPart, m.octets, rate)}
	}
	return []rule.Evidence{
		rule.Shows(m.first, side, policedAt, m.octets, rate),
		rule.Shows(m.last, side, endsMessage[m.dir]),
	}
}
