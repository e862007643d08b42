package rule

import (
	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/report"
)

// Draft is one exchange on its way into the report: its ledger, and what the rules claim of it.
type Draft struct {
	ledger.Exchange
	Info   *report.ExchangeInfo // what the report says of it; valid once delivered
	Claims []Claim
}

// Kinds are those of all its claims.
func (d *Draft) Kinds() (all Kinds) {
	for i := range d.Claims {
		all |= d.Claims[i].Kind
	}
	return all
}

// Empty forgets everything but the room of the lists.
func (j *Draft) Empty() {
	*j = Draft{Exchange: ledger.Exchange{
		Waits:    j.Waits[:0],
		Rounds:   j.Rounds[:0],
		UpRounds: j.UpRounds[:0],
		Holds:    j.Holds[:0],
		Held:     j.Held[:0],
		Lone:     j.Lone[:0],
	}}
}
