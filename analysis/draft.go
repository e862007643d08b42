package analysis

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// tracked is a connection and the drafts of its exchanges.
type tracked struct {
	rule.Followed
	drafts   []*rule.Draft // of the exchanges of the ledger, in the same order
	out      []*rule.Draft // room for those that are delivered
	told     bool          // the judge knows that the connection is closing
	lackTold bool          // and that what came after that shows that octets before it are missing
	harmTold bool          // and that a reset of the server's did harm
	directed rule.Directed // what the judge knows of the use of a connection of HTTP/2
	toldAt   time.Duration // of the latest event
}

// begin makes f the state of c. What room f had is used again.
func (f *tracked) begin(c *reassembly.Conn) {
	f.Followed.Begin(c)
	f.drafts = f.drafts[:0]
	f.told, f.lackTold, f.harmTold, f.toldAt = false, false, false, 0
	f.directed = rule.Directed{}
}

// draft is that of x; nil if it has been delivered.
func (f *tracked) draft(x *exchange.Exchange) *rule.Draft {
	for _, d := range f.drafts {
		if d.Parsed == x {
			return d
		}
	}
	return nil
}

// deliverable takes the drafts off the list whose labels are certain: all of them if the connection
// is over. They are valid until the next call.
func (f *tracked) deliverable(all bool) []*rule.Draft {
	i, kept := 0, f.drafts[:0]
	f.out = f.out[:0]
	f.Ready(all, func(_ *ledger.Exchange, certain bool) {
		if d := f.drafts[i]; certain {
			f.out = append(f.out, d)
		} else {
			kept = append(kept, d)
		}
		i++
	})
	clear(f.drafts[len(kept):])
	f.drafts = kept
	return f.out
}
