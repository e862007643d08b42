package json

import (
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

type summaryObject struct {
	Connections  int            `json:"connections"`
	Exchanges    int            `json:"exchanges"`
	Findings     int            `json:"findings"`
	LeftOut      int            `json:"findings_left_out"`
	Listed       listedObject   `json:"listed"`
	ExchangeTime millis         `json:"exchange_ms"`
	Lost         millis         `json:"lost_ms"`
	Times        labelTimes     `json:"time_ms"`
	Clock        *clockObject   `json:"by_the_clock,omitzero"`
	Vantages     map[string]int `json:"vantages"`
	Checked      []string       `json:"checked"`
	Blind        []string       `json:"could_not_look"`
	Tally        tallyObject    `json:",embed"`
	Proxied      proxiedObject  `json:"proxied"`
	QUIC         *quicObject    `json:"quic,omitempty"`
	SoFar        *soFarObject   `json:"so_far,omitzero"` // while the capture goes on only
}

// soFarObject is what a report does not tell yet, as the capture goes on.
type soFarObject struct {
	Pending int `json:"pending"`
}

// clockObject is what connections took and lost while exchanges shared some of them.
type clockObject struct {
	Shared int        `json:"exchanges"`
	Time   millis     `json:"exchange_ms"`
	Lost   millis     `json:"lost_ms"`
	Times  labelTimes `json:"time_ms"`
}

// clock is that of the report; nil where no exchanges shared a connection.
func (e *encoder) clock() *clockObject {
	c := &e.report.Clock
	if c.Shared == 0 {
		return nil
	}
	return &clockObject{c.Shared, millis(c.Time), millis(c.Lost), c.Times}
}

// decodeClock reads that.
func decodeClock(o *clockObject) report.Clock {
	if o == nil {
		return report.Clock{}
	}
	return report.Clock{
		Shared: o.Shared, Time: time.Duration(o.Time), Lost: time.Duration(o.Lost), Times: o.Times,
	}
}

// listedObject is how much of it the report lists.
type listedObject struct {
	Findings    int `json:"findings"`
	Connections int `json:"connections"`
	Exchanges   int `json:"exchanges"`
}

func (e *encoder) summary() *summaryObject {
	r := e.report
	o := &summaryObject{
		Connections: r.Connections, Exchanges: r.ExchangeCount, Findings: r.Found, LeftOut: r.LeftOut,
		Listed:       listedObject{len(r.Findings), len(r.Conns), len(r.Exchanges)},
		ExchangeTime: millis(r.ExchangeTime), Lost: millis(r.Lost), Times: r.Times,
		Vantages: map[string]int{}, Checked: list(r.Checked), Blind: list(r.Blind), Tally: e.tally(),
		Proxied: e.proxied(), QUIC: e.quic(), Clock: e.clock(),
	}
	if r.GoesOn {
		o.SoFar = &soFarObject{r.Pending}
	}
	for v, n := range r.Vantages {
		o.Vantages[v.String()] = n
	}
	return o
}

// summary reads the totals.
func (d *decoder) summary(o *summaryObject) {
	r := d.report
	r.Connections, r.ExchangeCount = o.Connections, o.Exchanges
	r.ExchangeTime, r.Lost = time.Duration(o.ExchangeTime), time.Duration(o.Lost)
	r.Times, r.Checked = o.Times, o.Checked
	r.Clock = decodeClock(o.Clock)
	r.Blind = o.Blind
	r.Found, r.LeftOut = o.Findings, o.LeftOut
	if r.GoesOn = o.SoFar != nil; r.GoesOn {
		r.Pending = o.SoFar.Pending
	}
	d.tally(&o.Tally)
	d.proxied(&o.Proxied)
	r.QUIC = decodeQUIC(o.QUIC)
	r.Vantages = map[reassembly.Vantage]int{}
	for name, n := range o.Vantages {
		r.Vantages[named(d, "vantage", name, reassembly.ParseVantage)] = n
	}
}
