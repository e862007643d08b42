package capture

import (
	"math"

	"tcpwhy/capture/internal/copies"
	"tcpwhy/capture/internal/decode"
	"tcpwhy/capture/internal/frame"
)

// outcomeOf is what a frame counts as by what decoding made of it.
var outcomeOf = [...]Outcome{
	decode.Segment:     OutcomeSegment,
	decode.ICMPError:   OutcomeICMP,
	decode.Fragment:    OutcomeFragment,
	decode.UDP:         OutcomeUDP,
	decode.QUIC:        OutcomeQUIC,
	decode.DNS:         OutcomeDNS,
	decode.OtherIP:     OutcomeOtherIP,
	decode.NotIP:       OutcomeNotIP,
	decode.UnknownLink: OutcomeUnknownLink,
	decode.Malformed:   OutcomeMalformed,
	decode.Short:       OutcomeShort,
}

// sorter decides what becomes of each frame: it decodes it, leaves out what the user did not ask
// for and what was seen before, and counts.
type sorter struct {
	stats   *Stats
	decoder *decode.Decoder
	filter  *Filter // nil matches everything
	copies  *copies.Table
	udp     *portCounts // nil until there is UDP
	// what is handed out as it was seen, be it a copy or not; nil: copies are left out
	apart  *Sighting
	isCopy bool   // the latest of those is one
	again  uint64 // how many were
}

// portCounts are how many datagrams were from or to each port.
type portCounts [1 << 16]uint32

// newSorter makes a sorter that counts into stats. A nil filter matches everything.
func newSorter(stats *Stats, filter *Filter) *sorter {
	if stats.UnknownLinks == nil {
		stats.UnknownLinks = make(map[string]uint64)
	}
	if stats.Tunnels == nil {
		stats.Tunnels = make(map[string]uint64)
	}
	return &sorter{
		stats:   stats,
		decoder: decode.New(&stats.FragmentsLost),
		filter:  filter,
		copies:  copies.New(stats.continues),
	}
}

// sort reads one frame and fills seg, all but its Mark, which the caller has set. Only of what is
// handed out is seg valid; its Payload is valid until the next call. The caller counts the outcome.
func (s *sorter) sort(f *frame.Frame, seg *Segment) Outcome {
	outcome := outcomeOf[s.decoder.Decode(f, seg)]
	switch outcome {
	case OutcomeSegment, OutcomeICMP:
		if s.filter != nil && !s.filter.Match(seg, s.decoder.VLANs()) {
			return OutcomeFiltered
		}
	case OutcomeUDP, OutcomeQUIC, OutcomeDNS:
		s.countPorts(s.decoder.UDPPorts())
	case OutcomeUnknownLink:
		s.stats.UnknownLinks[f.Link.String()]++
	}
	if !outcome.IsHandedOut() {
		return outcome
	}
	isCopy := s.copies.Duplicate(seg, s.decoder.Ends(), s.decoder.Hop(), f.Time)
	if s.apart != nil {
		s.see(f, outcome, isCopy)
		return outcome
	}
	if isCopy {
		return OutcomeDuplicate
	}
	if outcome == OutcomeSegment {
		s.account(seg)
	}
	return outcome
}

// see notes what recognises a segment that may be a copy of others.
func (s *sorter) see(f *frame.Frame, outcome Outcome, isCopy bool) {
	seen := s.apart
	seen.Hop, seen.Stamp = s.decoder.Hop(), f.Time
	seen.Tunnels, seen.Offloaded = 0, false
	if s.isCopy = isCopy; isCopy {
		s.again++
	}
	if outcome == OutcomeSegment {
		of := s.decoder.Inspect()
		seen.Tunnels, seen.Offloaded = uint32(of.Tunnels), of.Offloaded
	}
}

// countPorts counts the ports of a datagram. The port of a service has the datagrams of all who use
// it; of two that have as many, the lower is more likely that of a service.
func (s *sorter) countPorts(src, dst uint16) {
	if s.udp == nil {
		s.udp = new(portCounts)
	}
	s.countPort(src)
	if dst != src {
		s.countPort(dst)
	}
}

func (s *sorter) countPort(port uint16) {
	if s.udp[port] < math.MaxUint32 {
		s.udp[port]++
	}
	most, n := &s.stats.UDP, uint64(s.udp[port])
	if port == most.Port || n > most.Frames || n == most.Frames && port < most.Port {
		*most = PortCount{port, n}
	}
}

// account counts what Stats tells about segments that are handed out.
func (s *sorter) account(seg *Segment) {
	seen := s.decoder.Inspect()
	if seen.Tunnels != 0 {
		seen.Tunnels.Count(s.stats.Tunnels)
	}
	if uint32(len(seg.Payload)) < seg.Len {
		s.stats.Snapped++
	}
	if seen.Offloaded {
		s.stats.Offloaded++
	}
}

// finish ends the capture: what the decoder still waits for will not come.
func (s *sorter) finish() { s.decoder.Finish() }
