package sentence

import (
	"strconv"
	"strings"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/output/wording"
	"tcpwhy/reassembly/exchange"
)

// leastError is the least status that says that a request failed (RFC 9110 §15).
const leastError = 400

// Asked is how many exchanges there were without those that proxies made of others.
func (t *Teller) Asked() int { return t.Report.ExchangeCount - t.Report.Proxied.Exchanges }

// Listed are the exchanges of the report by number.
func (t *Teller) Listed() map[int]*report.ExchangeInfo {
	all := make(map[int]*report.ExchangeInfo, len(t.Report.Exchanges))
	for i := range t.Report.Exchanges {
		all[t.Report.Exchanges[i].ID] = &t.Report.Exchanges[i]
	}
	return all
}

// Legs says which exchanges a proxy made of x, and what of its time was theirs.
func (t *Teller) Legs(x *report.ExchangeInfo, listed map[int]*report.ExchangeInfo) string {
	if len(x.Upstream) == 0 {
		return ""
	}
	var names []string
	for _, id := range x.Upstream {
		names = append(names, t.legName(id, listed[id]))
	}
	own := max(0, thinkOf(x)-x.Waited)
	those := strings.Join(names, ", then ")
	if x.Alike {
		those += " or others for the same"
	}
	return "of the server's time, " + those + " behind it took " +
		wording.Duration(x.Waited) + ", the proxy itself " + wording.Duration(own)
}

// legName names an exchange behind a proxy: with whom it was, its number, and how it ended if not
// well.
func (t *Teller) legName(id int, x *report.ExchangeInfo) string {
	name, with := "exchange "+strconv.Itoa(id), ""
	if x == nil {
		return name
	}
	for i := range t.Report.Conns {
		if c := &t.Report.Conns[i]; c.ID == x.Connection {
			with = c.Server.String()
		}
	}
	switch {
	case x.Outcome != exchange.Complete:
		name += ", " + x.Outcome.String()
	case x.Status >= leastError:
		name += ", status " + strconv.Itoa(x.Status)
	}
	if with == "" {
		return name
	}
	return with + " (" + name + ")"
}

// thinkOf is what the server of an exchange took before it answered.
func thinkOf(x *report.ExchangeInfo) time.Duration {
	for _, t := range x.Times {
		if t.Label == report.Think {
			return t.Time
		}
	}
	return 0
}
