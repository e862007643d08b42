package capture

import "time"

// Outcome is what became of a frame. Every frame has exactly one.
type Outcome uint8

// The outcomes. Those that are handed out reach the analysis: see IsHandedOut.
const (
	OutcomeSegment Outcome = iota // a TCP segment that was handed out
	OutcomeICMP                   // an ICMP error about a TCP segment, handed out
	// the same segment was already seen at another point of the same host or mirror
	OutcomeDuplicate
	OutcomeFiltered // did not match --filter
	// an IP fragment that waits for, or was used in, a whole packet
	OutcomeFragment
	OutcomeUDP // UDP that is none of the finer kinds
	// UDP that looks like QUIC (RFC 9000 §17): of HTTP/3 only the beginnings are read
	OutcomeQUIC
	// UDP port 53, handed out: it may have led to a connection. --filter leaves none out
	OutcomeDNS
	OutcomeOtherIP     // IP of another protocol
	OutcomeNotIP       // ARP, LLDP, ...
	OutcomeUnknownLink // a link type this program cannot decode
	OutcomeMalformed   // headers that contradict themselves
	OutcomeShort       // cut before the end of the TCP header
	outcomes
)

// outcomeNames are the keys of capture.skipped in the JSON report.
var outcomeNames = [outcomes]string{
	"tcp", "icmp-error", "duplicate", "filtered", "fragment", "udp", "quic", "dns", "other-ip",
	"not-ip", "unknown-link-type", "malformed", "short",
}

// IsHandedOut reports whether a frame with this outcome is one that Next gives.
func (o Outcome) IsHandedOut() bool {
	return o == OutcomeSegment || o == OutcomeICMP || o == OutcomeDNS || o == OutcomeQUIC
}

// String is the outcome's name in reports.
func (o Outcome) String() string { return outcomeNames[o] }

// Outcomes lists every outcome in the order of reports.
func Outcomes() []Outcome {
	all := make([]Outcome, outcomes)
	for i := range all {
		all[i] = Outcome(i)
	}
	return all
}

// Input tells what was read from one file, or from standard input, or from an interface.
type Input struct {
	Name        string // as the user gave it; "-" for standard input
	Format      string // pcap, pcapng, live
	Compression string // gzip, zstd, lz4, xz or ""
	LinkTypes   []string
	Frames      uint64
	Octets      uint64 // on the wire, of all its frames
	// the times of its first frame and of the latest, ns since the Unix epoch; 0 without a frame
	First, Latest int64
	Complete      bool   // the input ended where a capture file may end
	Error         string // why not, with frame number and reason; "" if Complete
	// frames that the capturing kernel or interface says it dropped (pcapng ISB, live)
	KernelDrops uint64
	Comments    []string
}

// ended reports whether nothing more will come of the input.
func (in *Input) ended() bool { return in.Complete || in.Error != "" }

// Interface is one capture interface of one input.
type Interface struct {
	Input      int
	Name       string // if_name, or "" if the format has none
	LinkType   string
	Resolution time.Duration // one tick of its clock; 1 ns at least
	SnapLen    uint32        // 0: no limit known
}

// Stats is the account of a capture: every frame once, by what became of it.
type Stats struct {
	Inputs     []Input
	Interfaces []Interface
	Start      time.Time     // from when on times count: the first frame, or Config.Start; UTC
	End        time.Duration // the latest frame, since Start
	Gaps       []Gap         // in which there is no frame at all, filtered or not; the long ones
	Frames     uint64
	Bytes      uint64 // octets on the wire, all frames
	Count      [outcomes]uint64
	// frames stamped earlier than one before them on the same interface
	Backsteps uint64
	MaxBack   time.Duration // the largest such step
	// frames that stood behind later ones in their file, and were put in the order of their stamps
	Reordered uint64
	// how often the clock was set during a capture, as far as that is known; it is taken out of the
	// times
	ClockSets uint64
	MaxSet    time.Duration // by how much at most, forward or back
	FirstSet  FrameID       // the first frame behind the first step; no frame if there was none
	Snapped   uint64        // segments whose payload the capture cut
	// segments larger than 1,500 octets of IP on a link that is not known to have a larger MTU
	Offloaded    uint64
	UnknownLinks map[string]uint64 // frames by the name of a link type that cannot be decoded
	// segments found inside: vlan, mpls, pppoe, gre, ipip, 6in4, vxlan, geneve
	Tunnels       map[string]uint64
	FragmentsLost uint64 // datagrams whose fragments never became whole
	// the port that most datagrams of UDP were from or to, tunnels that are decoded aside
	UDP PortCount
	// TLS key logs of pcapng's decryption secrets blocks, in the order read: those before the
	// segment that was handed out last, perhaps also of what follows it in other inputs
	Secrets [][]byte
}

// PortCount is a port and how many frames have it. No frame: no port.
type PortCount struct {
	Port   uint16
	Frames uint64
}

// GapFrom is from how long on a stretch without any frame is one of Stats.Gaps.
const GapFrom = time.Hour

// Gap is a stretch of a capture without any frame, between two moments since its start.
type Gap struct{ From, To time.Duration }

// Skipped are the outcomes, other than being handed out, that befell some frame.
func (s *Stats) Skipped() []Outcome {
	var some []Outcome
	for _, o := range Outcomes() {
		if (!o.IsHandedOut() || o == OutcomeQUIC) && s.Count[o] > 0 {
			some = append(some, o)
		}
	}
	return some
}

// Began is when the first frame came: Start, unless times count from an earlier moment.
func (s *Stats) Began() time.Time {
	began := time.Time{}
	for i := range s.Inputs {
		if in := &s.Inputs[i]; in.First != 0 {
			if first := time.Unix(0, in.First).UTC(); began.IsZero() || first.Before(began) {
				began = first
			}
		}
	}
	if began.Before(s.Start) {
		return s.Start
	}
	return began
}

// Lasted is how long it is from the first frame to the latest.
func (s *Stats) Lasted() time.Duration { return max(0, s.End-s.Began().Sub(s.Start)) }

// KernelDrops is how many frames the capturing systems of all inputs say they dropped.
func (s *Stats) KernelDrops() uint64 {
	var n uint64
	for i := range s.Inputs {
		n += s.Inputs[i].KernelDrops
	}
	return n
}

// continues reports whether an interface is the same as an earlier one, in the next file of a ring:
// one of an input that has ended, and described alike.
func (s *Stats) continues(iface, earlier uint32) bool {
	if int(max(iface, earlier)) >= len(s.Interfaces) {
		return false
	}
	heir, before := &s.Interfaces[iface], &s.Interfaces[earlier]
	return s.Inputs[before.Input].ended() && before.Name == heir.Name &&
		before.LinkType == heir.LinkType
}

// addSet enters a step of the clock before a frame into the account.
func (s *Stats) addSet(step time.Duration, before FrameID) {
	if s.ClockSets == 0 {
		s.FirstSet = before
	}
	s.ClockSets++
	s.MaxSet = max(s.MaxSet, step, -step)
}
