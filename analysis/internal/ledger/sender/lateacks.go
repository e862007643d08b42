package sender

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

const maxLateAcks = 8 // delays of acknowledgments that a connection tells of each side

// lateAcks is by how much the peer's acknowledgments of small segments came later than prompt ones,
// where nothing but a timer made them late; the first maxLateAcks.
type lateAcks []time.Duration

// noteLateAck takes note of how late a, the acknowledgment of the small segment, was, if nothing
// but a timer made it late.
func (s *State) noteLateAck(a *reassembly.Record) {
	late := a.Time - s.nagle.small.Time - s.path.Conn.Half[a.Dir].RTT.Min
	if !a.PureAck() || a.Flags&capture.FIN != 0 || a.Ack <= s.growth.past ||
		len(s.stream.holes) > 0 || late < DelackFloor || late > DelackCeil ||
		len(s.lateAcks) >= maxLateAcks {
		return
	}
	s.lateAcks = append(s.lateAcks, late)
}
