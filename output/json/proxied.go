package json

import (
	"time"

	"tcpwhy/analysis/report"
)

// legsObject is what an exchange has to do with others, as a proxy makes one of another.
type legsObject struct {
	Upstream []int  `json:"upstream"`
	Waited   millis `json:"upstream_ms"`
	Front    *int   `json:"front"`
	Alike    bool   `json:"legs_alike,omitzero"`
}

func legs(l *report.Legs) legsObject {
	o := legsObject{Upstream: l.Upstream, Waited: millis(l.Waited), Alike: l.Alike}
	if l.Behind {
		o.Front = &l.Front
	}
	return o
}

func decodeLegs(o *legsObject) report.Legs {
	return report.Legs{
		Upstream: o.Upstream, Waited: time.Duration(o.Waited),
		Behind: o.Front != nil, Front: known(o.Front), Alike: o.Alike,
	}
}

// proxiedObject is what proxies asked servers for.
type proxiedObject struct {
	Exchanges int            `json:"exchanges"`
	Time      millis         `json:"exchange_ms"`
	Waited    millis         `json:"waited_ms"`
	Own       millis         `json:"own_ms"`
	Servers   []behindObject `json:"servers"`
}

type behindObject struct {
	Server    maybe  `json:"server"`
	Exchanges int    `json:"exchanges"`
	Waited    millis `json:"waited_ms"`
	Own       millis `json:"own_ms"`
}

// mostBehind servers behind proxies are listed.
const mostBehind = 100

func (e *encoder) proxied() proxiedObject {
	p := &e.report.Proxied
	o := proxiedObject{
		Exchanges: p.Exchanges, Time: millis(p.Time), Waited: millis(p.Waited),
		Own: millis(p.Own), Servers: []behindObject{},
	}
	for i := range p.Servers[:min(len(p.Servers), mostBehind)] {
		b := &p.Servers[i]
		o.Servers = append(o.Servers, behindObject{
			Server: endpoint(b.Server), Exchanges: b.Exchanges, Waited: millis(b.Waited),
			Own: millis(b.Own),
		})
	}
	return o
}

// proxied reads what proxies asked servers for.
func (d *decoder) proxied(o *proxiedObject) {
	p := report.Proxied{
		Exchanges: o.Exchanges, Time: time.Duration(o.Time), Waited: time.Duration(o.Waited),
		Own: time.Duration(o.Own),
	}
	for i := range o.Servers {
		b := &o.Servers[i]
		p.Servers = append(p.Servers, report.Behind{
			Server: d.endpoint(b.Server), Exchanges: b.Exchanges, Waited: time.Duration(b.Waited),
			Own: time.Duration(b.Own),
		})
	}
	d.report.Proxied = p
}
