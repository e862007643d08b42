package tally

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"tcpwhy/analysis/report"
)

// maxBehind servers behind proxies are kept apart.
const maxBehind = 1024

// proxied counts what proxies asked for.
type proxied struct {
	report.Proxied // without the servers
	servers        map[netip.AddrPort]*report.Behind
}

// add counts an exchange, if it is behind a proxy or was waited with.
func (p *proxied) add(x *Exchange) {
	if !x.Behind {
		p.Waited += x.Waited
		if len(x.Upstream) > 0 {
			p.Own += max(0, Think(x.Times)-x.Waited)
		}
		return
	}
	p.Exchanges++
	p.Time += x.Duration
	b := p.servers[x.Server]
	if b == nil {
		if len(p.servers) >= maxBehind {
			return
		}
		if p.servers == nil {
			p.servers = map[netip.AddrPort]*report.Behind{}
		}
		b = &report.Behind{Server: x.Server}
		p.servers[x.Server] = b
	}
	b.Exchanges++
	b.Waited += x.Share
	b.Own += max(0, x.Share-x.Waited)
}

// waits adds to what was waited with an exchange that was counted; first, if that is all.
func (p *proxied) waits(x *Exchange, more time.Duration, first bool) {
	p.Waited += more
	if first {
		p.Own += max(0, Think(x.Times)-more)
	} else {
		p.Own = max(0, p.Own-more)
	}
}

// soFar is all of it; it shares nothing with p.
func (p *proxied) soFar() report.Proxied {
	r := p.Proxied
	for _, b := range p.servers {
		r.Servers = append(r.Servers, *b)
	}
	slices.SortFunc(r.Servers, mostWaited)
	return r
}

// mostWaited puts the server first that was waited for the longest.
func mostWaited(a, b report.Behind) int {
	return cmp.Or(cmp.Compare(b.Waited, a.Waited), a.Server.Compare(b.Server))
}
