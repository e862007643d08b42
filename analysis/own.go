package analysis

import (
	"slices"

	"tcpwhy/analysis/report"
)

// own takes in what this machine knows of its own ends of a connection, and what it does not.
func own(i *report.ConnInfo, ends [2]*report.SocketEnd) {
	i.Ends = ends
	lacks := func(code string) {
		if !slices.Contains(i.Caveats, code) {
			i.Caveats = append(slices.Clip(i.Caveats), code)
		}
	}
	for _, e := range ends {
		if e != nil && e.Unknown != 0 {
			lacks(report.CaveatOf(e.Unknown))
		}
	}
	if ends == [2]*report.SocketEnd{} {
		lacks(report.CaveatElsewhere)
	}
}
