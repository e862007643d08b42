package capture

// outcomeOf is what a frame counts as by what decoding made of it.
var outcomeOf = [...]Outcome{
	gotSegment:     OutcomeSegment,
	gotICMPError:   OutcomeICMP,
	gotFragment:    OutcomeFragment,
	gotUDP:         OutcomeUDP,
	gotQUIC:        OutcomeQUIC,
	gotDNS:         OutcomeDNS,
	gotOtherIP:     OutcomeOtherIP,
	gotNotIP:       OutcomeNotIP,
	gotUnknownLink: OutcomeUnknownLink,
	gotMalformed:   OutcomeMalformed,
	gotShort:       OutcomeShort,
}

// sorter decides what becomes of each frame: it decodes it, leaves out what the user did not ask
// for and what was seen before, and counts.
type sorter struct {
	stats   *Stats
	decoder *decoder
	filter  *Filter // nil matches everything
	copies  *dedup
}

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
		decoder: newDecoder(&stats.FragmentsLost),
		filter:  filter,
		copies:  newDedup(stats.continues),
	}
}

// sort reads one frame and fills seg, all but its Mark, which the caller has set. Only after
// OutcomeSegment and OutcomeICMP is seg valid; its Payload is valid until the next call. The caller
// counts the outcome.
func (s *sorter) sort(f *rawFrame, seg *Segment) Outcome {
	outcome := outcomeOf[s.decoder.decode(f, seg)]
	if outcome != OutcomeSegment && outcome != OutcomeICMP {
		if outcome == OutcomeUnknownLink {
			s.stats.UnknownLinks[f.Link.String()]++
		}
		return outcome
	}
	if s.filter != nil && !s.filter.match(seg, s.decoder.inVLANs()) {
		return OutcomeFiltered
	}
	if s.copies.duplicate(seg, s.decoder.ends(), s.decoder.device(), f.Time) {
		return OutcomeDuplicate
	}
	if outcome == OutcomeSegment {
		s.account(seg)
	}
	return outcome
}

// account counts what Stats tells about segments that are handed out.
func (s *sorter) account(seg *Segment) {
	seen := s.decoder.inspect()
	if seen.tunnels != 0 {
		seen.tunnels.count(s.stats.Tunnels)
	}
	if uint32(len(seg.Payload)) < seg.Len {
		s.stats.Snapped++
	}
	if seen.offloaded {
		s.stats.Offloaded++
	}
}

// finish ends the capture: what the decoder still waits for will not come.
func (s *sorter) finish() { s.decoder.finish() }
