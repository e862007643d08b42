package sender

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"tcpwhy/reassembly"
)

// Arrival is a segment with data as it came to the slowest place of its path: when it passed the
// capture point, from where or to where it takes the same time each time.
type Arrival struct {
	At     time.Duration
	Octets int32 // on the wire, headers included
	Lost   bool  // it came no further, or had not come as far as the capture point
	// It had not, and was sent after what passed at Since and before what passed at At.
	Unseen bool
	Since  time.Duration
	// when its octets, or their copy, had been acknowledged, selectively or not; 0: that does not
	// show, or another arrival stands for them
	Heard  time.Duration
	Placed bool // the capture lacks it: when it came is between those before and behind it
}

// CompareArrivals orders segments by time: what was lost unseen before what it was sent before.
func CompareArrivals(a, b Arrival) int {
	return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(seen(a), seen(b)))
}

// seen is whether a came as far as the capture point.
func seen(a Arrival) int {
	if a.Unseen {
		return 0
	}
	return 1
}

// The octets of headers before the data of a segment, without options but for timestamps (RFC 7323
// §3.2): Ethernet's, as where a path is slow that is counted more often than not, of both versions
// of IP, and of TCP.
const (
	ethernetHeader = 14
	ipv4Header     = 20
	ipv6Header     = 40
	tcpHeader      = 20
	stampsHeader   = 12
)

// Arrivals are the segments with data that the sender sent between two moments, as far as their
// records are held, in order of time. Which of them were lost is what was sent again and had been
// needed. queue is by how much longer than the least round trips were when one was lost, as a rule;
// false if that does not show.
func (s *State) Arrivals(from, until time.Duration) (
	all []Arrival, queue time.Duration, shown bool) {
	if n, sum, ok := s.passedInOrder(from, until); ok {
		return s.inParts(from, until, n, sum), 0, false
	}
	a := arrivals{state: s}
	for r := range s.sent(from, until) {
		a.add(r)
	}
	a.listen()
	a.fillHoles()
	queue, shown = a.queue()
	return a.all(), queue, shown
}

// sent are the records of segments with data that the sender sent between two moments, probes left
// out.
func (s *State) sent(from, until time.Duration) iter.Seq[*reassembly.Record] {
	return func(yield func(*reassembly.Record) bool) {
		for i := range s.path.Conn.Records {
			r := &s.path.Conn.Records[i]
			if r.Time > until {
				return
			}
			probe := r.Kind == reassembly.KeepAlive || r.Kind == reassembly.ZeroWindowProbe
			if r.Dir == s.dir && r.Len > 0 && r.Time >= from && !probe && !yield(r) {
				return
			}
		}
	}
}

// passedInOrder reports whether each of the segments followed the one before, so that nothing shows
// a loss, and is how many they are, and how many octets they had on the wire.
func (s *State) passedInOrder(from, until time.Duration) (n int, sum int64, ok bool) {
	next := int64(-1)
	for r := range s.sent(from, until) {
		if r.Kind.Retransmitted() || next >= 0 && r.Seq != next {
			return 0, 0, false
		}
		next = r.End()
		n++
		sum += int64(r.Len) + s.headers(r)
	}
	return n, sum, true
}

// inParts are the segments, which passed in order, so many with so many octets, in a few parts.
func (s *State) inParts(from, until time.Duration, n int, sum int64) []Arrival {
	if sum < largeMessage {
		return nil
	}
	p := newParts(n, sum)
	ends := make([]int64, 0, wholeParts+1)
	end := int64(0)
	for r := range s.sent(from, until) {
		octets := int32(int64(r.Len) + s.headers(r))
		end = r.End()
		if p.add(Arrival{At: r.Time, Octets: octets}) {
			ends = append(ends, end)
		}
	}
	if p.finish() {
		ends = append(ends, end)
	}
	s.heard(p.out, ends)
	return p.out
}

// heard notes when each of the parts, which end at those offsets, had been acknowledged.
func (s *State) heard(parts []Arrival, ends []int64) {
	k := 0
	for i := range s.path.Conn.Records {
		r := &s.path.Conn.Records[i]
		if r.Dir == s.dir || !acknowledges(r) {
			continue
		}
		edge := r.Ack + int64(r.SACK)
		for k < len(parts) && ends[k] <= edge && parts[k].At <= r.Time {
			parts[k].Heard = r.Time
			k++
		}
	}
}

// arrivals collects them.
type arrivals struct {
	state  *State
	list   []arrival
	first  []int         // in list, of what was new: in order of offset
	latest map[int64]int // in list, of what was sent again, by its offset
	unseen []Arrival     // lost before the capture point
	// by how much later than a round trip what was lost there came again, and when anything had
	// come again at last
	repairs  []time.Duration
	repaired time.Duration
	acked    int64     // up to where the receiver has acknowledged
	stamps   bool      // segments have timestamps
	carried  []Arrival // which the capture lacks
}

// arrival is one on the list.
type arrival struct {
	Arrival
	from, to int64
}

// add takes in r.
func (a *arrivals) add(r *reassembly.Record) {
	if r.Kind.Retransmitted() {
		if r.Kind != reassembly.SpuriousRetransmission {
			a.lose(r)
		}
		a.repaired = r.Time
	}
	a.stamps = r.Trait.Has(reassembly.HasTS)
	n := len(a.list)
	octets := int64(r.Len) + a.state.headers(r)
	a.list = append(a.list, arrival{Arrival{At: r.Time, Octets: int32(octets)}, r.Seq, r.End()})
	switch {
	case r.Kind.Retransmitted():
		if a.latest == nil {
			a.latest = map[int64]int{}
		}
		a.latest[r.Seq] = n
	case len(a.first) == 0 || a.list[a.first[len(a.first)-1]].from < r.Seq:
		a.first = append(a.first, n)
	}
}

// lose marks the latest copy of r's octets before it as lost.
func (a *arrivals) lose(r *reassembly.Record) {
	if n, ok := a.latest[r.Seq]; ok {
		a.list[n].Lost = true
		return
	}
	k, _ := slices.BinarySearchFunc(a.first, r.Seq,
		func(n int, seq int64) int { return cmp.Compare(a.list[n].from, seq+1) })
	if k > 0 {
		if g := &a.list[a.first[k-1]]; g.to > r.Seq {
			a.part(a.first[k-1], r)
			return
		}
	}
	if k < len(a.first) {
		a.loseUnseen(r, k)
	}
}

// part marks what of arrival n is in r as lost: a segment that a network card was to cut into
// several may arrive in part.
func (a *arrivals) part(n int, r *reassembly.Record) {
	g := &a.list[n]
	left := min(r.End(), g.to) - max(r.Seq, g.from)
	whole := g.to - g.from
	if left >= whole || g.Octets <= int32(left) {
		g.Lost = true
		return
	}
	g.Octets -= int32(left)
	a.unseen = append(a.unseen, Arrival{At: g.At, Octets: int32(left), Lost: true})
}

// loseUnseen adds what was lost before the capture point, of which r is the copy that came, and
// behind which the k-th new segment was sent.
func (a *arrivals) loseUnseen(r *reassembly.Record, k int) {
	a.repair(r, k)
	at := a.list[a.first[k]].At
	since := at
	if k > 0 {
		since = a.list[a.first[k-1]].At
	}
	a.unseen = append(a.unseen, Arrival{
		At:     at,
		Octets: int32(int64(r.Len) + a.state.headers(r)),
		Lost:   true,
		Unseen: true,
		Since:  since,
	})
}

// lossShownBy is how many segments behind a loss show it to its sender (RFC 5681 §3.2).
const lossShownBy = 3

// repair takes note of how much later than a round trip r came, the copy of what was lost before
// the capture point and behind which the k-th new segment was sent: it left as soon as its sender
// knew, or when its pace let it, and joined the queue that had just been full. Only the first of
// several holes is filled as soon as that.
func (a *arrivals) repair(r *reassembly.Record, k int) {
	if len(a.first)-k < lossShownBy || a.repaired >= a.list[a.first[k]].At {
		return
	}
	shown := a.list[a.first[k+lossShownBy-1]].At
	pace := shown - a.list[a.first[k+lossShownBy-2]].At
	late := r.Time - shown - pace - a.state.path.Conn.RTTMin()
	a.repairs = append(a.repairs, max(0, late))
}

// queueBefore is how many segments before a loss tell of the queue: all that wait in one are late,
// and of several at least one is acknowledged at once.
const queueBefore = 4

// repairParts: one of so many parts of all repairs came as soon as the queue let them; others were
// lost again, or waited for a timer (reasoning: a quarter).
const repairParts = 4

// queue is how long what passed just before a loss waited, as a rule: the median of all losses
// behind the capture point. Of those before it what came again shows it.
func (a *arrivals) queue() (time.Duration, bool) {
	each := a.waited()
	if n := len(a.repairs); n > len(each) {
		slices.Sort(a.repairs)
		return a.repairs[n/repairParts], true
	}
	if len(each) == 0 {
		return 0, false
	}
	slices.Sort(each)
	return each[len(each)/2], true
}

// waited is how long what passed just before each loss behind the capture point waited.
func (a *arrivals) waited() (each []time.Duration) {
	for k, n := range a.first {
		if !a.list[n].Lost {
			continue
		}
		least, some := time.Duration(0), false
		for j := k - 1; j >= 0 && j >= k-queueBefore; j-- {
			g := &a.list[a.first[j]]
			if g.Lost || g.Heard == 0 {
				continue
			}
			if late := g.Heard - g.At; !some || late < least {
				least, some = late, true
			}
		}
		if some {
			each = append(each, max(0, least-a.state.path.Conn.Far(a.state.dir.Peer())))
		}
	}
	return each
}

// listen notes when each of what was new had been acknowledged, as far as records are held.
func (a *arrivals) listen() {
	k := 0
	for i := range a.state.path.Conn.Records {
		r := &a.state.path.Conn.Records[i]
		if r.Dir == a.state.dir || !acknowledges(r) {
			continue
		}
		edge := r.Ack + int64(r.SACK)
		a.acked = max(a.acked, r.Ack)
		for k < len(a.first) && a.list[a.first[k]].to <= edge && a.list[a.first[k]].At <= r.Time {
			a.list[a.first[k]].Heard = r.Time
			k++
		}
	}
}

// maxHole is how many segments may lack at once: what lacks more tells nothing of a path's rate
// (reasoning).
const maxHole = 64

// fillHoles adds what the capture lacks, though it was acknowledged, between the new segments
// before and behind each hole: the path has carried it, and as evenly as not.
func (a *arrivals) fillHoles() {
	if !a.holes() {
		return
	}
	all := make([]int, len(a.list))
	for n := range all {
		all[n] = n
	}
	slices.SortStableFunc(all,
		func(n, m int) int { return cmp.Compare(a.list[n].from, a.list[m].from) })
	edge, k := int64(0), 0
	for i, n := range all {
		from := a.list[n].from
		for k < len(a.first) && a.list[a.first[k]].from < from {
			k++
		}
		if i > 0 && edge < from && from <= a.acked && 0 < k && k < len(a.first) {
			a.fill(from-edge, a.list[a.first[k-1]].At, a.list[a.first[k]].At)
		}
		edge = max(edge, a.list[n].to)
	}
}

// holes reports whether there are some between what was new, which copies may have filled.
func (a *arrivals) holes() bool {
	for k := 1; k < len(a.first); k++ {
		if a.list[a.first[k]].from > a.list[a.first[k-1]].to {
			return true
		}
	}
	return false
}

// fill adds so many octets of data that came between two moments.
func (a *arrivals) fill(octets int64, from, to time.Duration) {
	mss := int64(a.state.mss())
	if mss <= 0 || octets > maxHole*mss {
		return
	}
	n := (octets + mss - 1) / mss
	for i := range n {
		size := min(mss, octets-i*mss)
		a.carried = append(a.carried, Arrival{
			At:     from + (to-from)*time.Duration(i+1)/time.Duration(n+1),
			Octets: int32(size + a.state.headersOf(uint32(size), a.stamps)),
			Placed: true,
		})
	}
}

const (
	// largeMessage is from how many octets on a message in which nothing was lost tells of the path
	// (reasoning: what is less is a burst or two).
	largeMessage = 1 << 13
	// wholeParts is in how many parts such a message is told of at most.
	wholeParts = 128
)

// all are those on the list with those that were not seen.
func (a *arrivals) all() []Arrival {
	if len(a.unseen)+len(a.carried) == 0 &&
		!slices.ContainsFunc(a.list, func(g arrival) bool { return g.Lost }) {
		return a.whole()
	}
	out := make([]Arrival, 0, len(a.list)+len(a.unseen)+len(a.carried))
	for i := range a.list {
		out = append(out, a.list[i].Arrival)
	}
	out = append(append(out, a.unseen...), a.carried...)
	slices.SortStableFunc(out, CompareArrivals)
	return out
}

// whole are those on the list in a few parts, if nothing was lost and they are many.
func (a *arrivals) whole() []Arrival {
	var sum int64
	for i := range a.list {
		sum += int64(a.list[i].Octets)
	}
	if sum < largeMessage {
		return nil
	}
	p := newParts(len(a.list), sum)
	for i := range a.list {
		p.add(a.list[i].Arrival)
	}
	p.finish()
	return p.out
}

// parts makes a few of many segments.
type parts struct {
	size int32   // octets of each, at least
	next Arrival // being made
	out  []Arrival
}

// newParts is for n segments with so many octets.
func newParts(n int, sum int64) parts {
	return parts{size: int32(sum / wholeParts), out: make([]Arrival, 0, min(n, wholeParts+1))}
}

// add adds a segment, and reports whether that ends a part.
func (p *parts) add(g Arrival) bool {
	p.next = Arrival{At: g.At, Octets: p.next.Octets + g.Octets, Heard: g.Heard}
	return p.next.Octets >= p.size && p.finish()
}

// finish ends the part that is being made, if there is one.
func (p *parts) finish() bool {
	if p.next.Octets == 0 {
		return false
	}
	p.out, p.next = append(p.out, p.next), Arrival{}
	return true
}

// headers are the octets of headers of r, which may be cut into several on the wire.
func (s *State) headers(r *reassembly.Record) int64 {
	return s.headersOf(r.Len, r.Trait.Has(reassembly.HasTS))
}

// headersOf are the octets of headers of so many octets of data, with timestamps or without.
func (s *State) headersOf(octets uint32, stamps bool) int64 {
	one := int64(ethernetHeader + ipv4Header + tcpHeader)
	if s.path.Conn.Client.Addr().Unmap().Is6() {
		one += ipv6Header - ipv4Header
	}
	if stamps {
		one += stampsHeader
	}
	if mss := s.mss(); mss > 0 && octets > mss {
		one *= int64((octets + mss - 1) / mss)
	}
	return one
}
