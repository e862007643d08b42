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
	// Forgotten says that the way may have forgotten its connection, as nothing of the request was
	// ever acknowledged: idle-drop's.
	Forgotten bool
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
	j.Reset()
	j.Info, j.Claims, j.Forgotten = nil, nil, false
}
