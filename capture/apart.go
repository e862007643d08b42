package capture

import (
	"encoding/binary"
	"io"
	"net/netip"
	"time"

	"tcpwhy/capture/internal/copies"
	"tcpwhy/capture/internal/decode"
	"tcpwhy/capture/internal/flow"
	"tcpwhy/capture/segment"
)

// A capture may be read in two steps: each recording by itself, and then segments of many of them
// together, of some connections. What needs one recording alone belongs to the first step: records
// out of order, clocks that were set, fragments, filters, checksums. What needs all that show a
// connection belongs to the second: which frames are copies of others.

// Sighting is a segment as a recording shows it, be it a copy of another one or not, and what
// recognises copies.
type Sighting struct {
	Segment
	Hop       uint32 // stands for the link addresses of its frame, in both directions
	Stamp     int64  // the time of its frame, ns since the Unix epoch
	Tunnels   uint32 // in which it was found, a set
	Offloaded bool   // it is larger than its link can carry
}

// Append appends the sighting in octets that Decode reads.
func (s *Sighting) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, s.Hop)
	b = binary.AppendVarint(b, s.Stamp)
	traits := uint64(s.Tunnels) << 1
	if s.Offloaded {
		traits |= 1
	}
	return s.Segment.Append(binary.AppendUvarint(b, traits))
}

// Decode reads a sighting that Append wrote, and gives the octets behind it. The payload is a part
// of the octets.
func (s *Sighting) Decode(octets []byte) (rest []byte, err error) {
	if len(octets) < 4 {
		return nil, segment.ErrWire
	}
	s.Hop = binary.BigEndian.Uint32(octets)
	octets = octets[4:]
	stamp, used := binary.Varint(octets)
	traits, more := binary.Uvarint(octets[max(0, used):])
	if used <= 0 || more <= 0 {
		return nil, segment.ErrWire
	}
	s.Stamp, s.Tunnels, s.Offloaded = stamp, uint32(traits>>1), traits&1 != 0
	return s.Segment.Decode(octets[used+more:])
}

// Sightings gives what one recording shows.
type Sightings struct {
	source *source
	input  int
}

// OpenApart opens a recording that is the capture's input of the given number, from 0. Times count
// from the given moment; if it is zero, from the first frame.
func OpenApart(r Recording, input int, filter *Filter, start time.Time) (*Sightings, error) {
	c := Config{Recordings: []Recording{r}}
	if !start.IsZero() {
		c.Start = func(time.Time) time.Time { return start }
	}
	s, err := openInputs(c)
	if err != nil {
		return nil, err
	}
	s.sorter = newSorter(&s.stats, filter)
	s.sorter.apart = &Sighting{}
	return &Sightings{s, input}, nil
}

// Next gives the next segment, valid until the next call; io.EOF ends the recording. Its interface
// is counted within the recording.
func (s *Sightings) Next() (*Sighting, error) {
	seen := s.source.sorter.apart
	if err := s.source.Next(&seen.Segment); err != nil {
		return nil, err
	}
	seen.Frame = NewFrameID(s.input, seen.Frame.Number())
	return seen, nil
}

// Stats is what became of the frames so far.
func (s *Sightings) Stats() *Stats { return s.source.Stats() }

// Copies is how many of the segments so far were copies of others of the same recording.
func (s *Sightings) Copies() uint64 { return s.source.sorter.again }

// Close ends the reading.
func (s *Sightings) Close() error { return s.source.Close() }

// Account is what became of the recording's frames: what shows only where copies are known is not
// in it.
func (s *Sightings) Account() *Account {
	a := &Account{Stats: *s.source.Stats(), UDP: map[uint16]uint64{}}
	a.Stats.FirstSet = a.Stats.FirstSet.In([]int{s.input})
	if udp := s.source.sorter.udp; udp != nil {
		for port, n := range udp {
			if n > 0 {
				a.UDP[uint16(port)] = uint64(n)
			}
		}
	}
	return a
}

// Account is the account of one recording that is a part of a capture.
type Account struct {
	Stats Stats
	UDP   map[uint16]uint64 // datagrams by the ports that they are from or to
}

// Unread is the account of a recording that cannot be read.
func Unread(name string, why error) *Account {
	return &Account{Stats: Stats{Inputs: []Input{{Name: name, Error: why.Error()}}}}
}

// Whole is the account of a capture that consists of recordings, in the order of their numbers,
// whose times count from the same moment, but for their interfaces.
func Whole(all []*Account) *Stats {
	st, udp := &Stats{}, map[uint16]uint64{}
	var inputs []Input
	var set FrameID
	for _, a := range all {
		own := a.Stats
		if set.Number() == 0 {
			set = own.FirstSet
		}
		own.Inputs, own.UDP, own.FirstSet = nil, PortCount{}, 0
		st, _ = Joined(st, &own)
		inputs = append(inputs, a.Stats.Inputs...)
		for port, n := range a.UDP {
			udp[port] += n
		}
	}
	for port, n := range udp {
		if n > st.UDP.Frames || n == st.UDP.Frames && port < st.UDP.Port {
			st.UDP = PortCount{port, n}
		}
	}
	st.Inputs, st.FirstSet = inputs, set
	return st
}

// Settle takes over from sources of segments that were read apart what became of them.
func (s *Stats) Settle(all []*Stats) {
	for _, o := range Outcomes() {
		if o.IsHandedOut() || o == OutcomeDuplicate {
			s.Count[o] = 0
		}
	}
	for _, part := range all {
		for o, n := range part.Count {
			s.Count[o] += n
		}
		s.Snapped, s.Offloaded = s.Snapped+part.Snapped, s.Offloaded+part.Offloaded
		s.Tunnels = sums(s.Tunnels, part.Tunnels)
	}
}

// Order is where a segment stands in a capture.
type Order struct {
	Latest time.Duration
	Input  int
}

func (o Order) before(p Order) bool {
	return o.Latest < p.Latest || o.Latest == p.Latest && o.Input < p.Input
}

// Known is what is known of a capture as a whole when some of its segments are read.
type Known struct {
	Start      time.Time
	End        time.Duration // of its latest frame
	Gaps       []Gap
	Interfaces []Interface // of all recordings, in the order in which they begin
	First      []int       // of Interfaces, by input: the first of its own
	Ends       []time.Duration
	Secrets    []Secret // in order
}

// Secret is a key log within a recording, and where.
type Secret struct {
	Order
	Log []byte
}

// Together leaves out of sightings what are copies of others: it is the source of some connections
// of a capture. Its Stats count segments, and copies.
type Together struct {
	next    func() (*Sighting, error)
	known   *Known
	at      Order
	stats   Stats
	copies  *copies.Table
	gaps    int // that have been told
	secrets int
}

// NewTogether makes a source of sightings that come in the order of Latest and Frame.
func NewTogether(next func() (*Sighting, error), known *Known) *Together {
	t := &Together{next: next, known: known}
	t.stats = Stats{Start: known.Start, Tunnels: map[string]uint64{}}
	t.copies = copies.New(t.continues)
	return t
}

// Stats implements Source.
func (t *Together) Stats() *Stats { return &t.stats }

// Close implements Source.
func (t *Together) Close() error { return nil }

// Next implements Source.
func (t *Together) Next(seg *Segment) error {
	for {
		seen, err := t.next()
		if err == io.EOF {
			t.stats.End, t.stats.Gaps = t.known.End, t.known.Gaps
			t.tellSecrets(len(t.known.Secrets))
		}
		if err != nil {
			return err
		}
		t.pass(Order{seen.Latest, seen.Frame.Input()})
		seen.Iface += uint32(t.known.First[t.at.Input])
		if !t.isCopy(seen) {
			*seg = seen.Segment
			return nil
		}
	}
}

// pass tells what lies before a segment.
func (t *Together) pass(to Order) {
	t.at = to
	t.stats.End = max(t.stats.End, to.Latest)
	for t.gaps < len(t.known.Gaps) && t.known.Gaps[t.gaps].To <= to.Latest {
		t.gaps++
	}
	t.stats.Gaps = t.known.Gaps[:t.gaps]
	n := t.secrets
	for n < len(t.known.Secrets) && !to.before(t.known.Secrets[n].Order) {
		n++
	}
	t.tellSecrets(n)
}

// tellSecrets makes the first n key logs known.
func (t *Together) tellSecrets(n int) {
	for ; t.secrets < n; t.secrets++ {
		t.stats.Secrets = append(t.stats.Secrets, t.known.Secrets[t.secrets].Log)
	}
}

// continues reports whether an interface is the same as an earlier one, in the next file of a ring.
func (t *Together) continues(iface, earlier uint32) bool {
	all := t.known.Interfaces
	if int(max(iface, earlier)) >= len(all) {
		return false
	}
	heir, before := &all[iface], &all[earlier]
	ended := Order{t.known.Ends[before.Input], before.Input}.before(t.at)
	return ended && before.Name == heir.Name && before.LinkType == heir.LinkType
}

// isCopy reports whether a sighting is a copy of one before, and counts it.
func (t *Together) isCopy(seen *Sighting) bool {
	ends := flow.Ends{Src: addressOf(seen.Src.Addr()), Dst: addressOf(seen.Dst.Addr())}
	if t.copies.Duplicate(&seen.Segment, &ends, seen.Hop, seen.Stamp) {
		t.stats.Count[OutcomeDuplicate]++
		return true
	}
	switch {
	case seen.Kind == ICMPError:
		t.stats.Count[OutcomeICMP]++
		return false
	case seen.Kind == Datagram && (seen.Src.Port() == dnsPort || seen.Dst.Port() == dnsPort):
		t.stats.Count[OutcomeDNS]++
		return false
	case seen.Kind == Datagram:
		t.stats.Count[OutcomeQUIC]++
		return false
	}
	t.stats.Count[OutcomeSegment]++
	decode.Tunnels(seen.Tunnels).Count(t.stats.Tunnels)
	if uint32(len(seen.Payload)) < seen.Len {
		t.stats.Snapped++
	}
	if seen.Offloaded {
		t.stats.Offloaded++
	}
	return false
}

// dnsPort is where names are looked up (RFC 1035 §4.2).
const dnsPort = 53

// addressOf is an address as the decoder reads it out of a header.
func addressOf(a netip.Addr) flow.Address {
	if a.Is4() {
		octets := a.As4()
		return flow.Address4(octets[:])
	}
	octets := a.As16()
	return flow.Address6(octets[:])
}
