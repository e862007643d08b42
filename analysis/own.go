package analysis

import (
	"slices"

	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// own takes in what this machine knows of its own ends of a connection, and what it does not.
func own(i *report.ConnInfo, c *reassembly.Conn, ends [2]*report.SocketEnd) {
	i.Ends = ends
	told := func(code string) {
		if !slices.Contains(i.Caveats, code) {
			i.Caveats = append(slices.Clip(i.Caveats), code)
		}
	}
	for dir, e := range ends {
		if e == nil {
			continue
		}
		if e.Unknown != 0 {
			told(report.CaveatOf(e.Unknown))
		}
		if a := e.Account; a != nil && a.Final && !c.MidStream {
			compareResent(a, &c.Half[dir], told)
		}
	}
	if ends == [2]*report.SocketEnd{} {
		told(report.CaveatElsewhere)
	}
}

// compareResent compares what a kernel sent again, by its last account, with what the capture shows
// of that. It counts segments, of which a frame on its own host may hold several: so that only none
// is fewer than some.
func compareResent(a *report.SocketAccount, h *reassembly.Half, told func(code string)) {
	switch {
	case h.Retrans == 0 && a.Retransmissions > 0, h.Retrans > a.Retransmissions:
		told(report.CaveatKernelDiffers)
	case h.Missing > 0 && a.Retransmissions == 0:
		told(report.CaveatSentOnce)
	}
}
