package ledger

import (
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

const delackSamples = 8 // delays of acknowledgments that a connection tells of each side

// delayed takes note of how late acknowledgment a of a small segment was, if nothing but a timer
// made it late.
func (s *sender) delayed(c *reassembly.Conn, a *reassembly.Record) {
	late := a.Time - s.small.Time - c.Half[a.Dir].RTT.Min
	if !a.PureAck() || a.Flags&capture.FIN != 0 || a.Ack <= s.Growth.past || len(s.holes) > 0 ||
		late < DelackFloor ||
		late > delackCeil ||
		len(s.Delacks) >= delackSamples {
		return
	}
	s.Delacks = append(s.Delacks, late)
}
