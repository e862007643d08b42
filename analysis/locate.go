package analysis

import (
	"net/netip"

	"tcpwhy/analysis/internal/judge"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

// Locate looks for the exchange with that ExchangeInfo.ID; nil if there is none. The report is that
// of Run.
func Locate(src capture.Source, opts Options, id int) (*report.Report, *report.TraceOf, error) {
	var of *report.TraceOf
	opts.MaxListed, opts.MaxOccurrences = 1, 1
	report, err := RunLive(
		src,
		opts,
		judge.Hooks{Exchange: func(_ netip.AddrPort, x *report.ExchangeInfo) {
			if x.ID == id {
				of = &report.TraceOf{Connection: x.Connection, Exchange: x.Index}
			}
		}},
	)
	return report, of, err
}
