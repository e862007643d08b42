package analysis

import (
	"fmt"

	"tcpwhy/analysis/internal/plain"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// sound reports whether what was read may have been written: octets with the right hash may have
// been made by somebody who wants this program to fail.
func (b *body) sound() bool {
	return b.Part.Sound(detectors(), len(b.Stats.Inputs)) && b.Stats.End >= 0 &&
		known[report.Label](b) && known[report.Side](b) && known[report.Severity](b) &&
		known[report.Confidence](b) && known[exchange.Outcome](b) && known[exchange.Protocol](b) &&
		known[exchange.Dir](b) && known[reassembly.State](b) && known[reassembly.Vantage](b)
}

// known reports whether all values of a type have names.
func known[T fmt.Stringer](b *body) (all bool) {
	defer func() {
		if recover() != nil {
			all = false
		}
	}()
	plain.Each(b, func(v *T) { _ = (*v).String() })
	return true
}
