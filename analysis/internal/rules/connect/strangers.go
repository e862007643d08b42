package connect

import (
	"net/netip"
	"slices"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

const (
	// fewestStrangers is how many hosts that exchange nothing with anybody must ask a host in vain,
	// and on how many of its ports, to be those that look what is there on any public address: a
	// service that is down is asked for on its own port.
	fewestStrangers = 3
	// strangerAsks is how often one of them asks for a port at most; who relies on a service tries
	// more often.
	strangerAsks  = 2
	keptStrangers = 64
)

// strangers are hosts that were seen to ask in vain, and nothing else.
type strangers struct {
	askers rule.PairTable[bool]     // clients that exchanged something with anybody
	vain   rule.PairTable[[]inVain] // by server's host: who asked in vain
}

// inVain is a port of a host that a client asked for in vain.
type inVain struct {
	client netip.Addr
	port   uint16
	cause  string
	times  int
}

// asks takes note that a client exchanges something with somebody.
func (s *strangers) asks(client netip.Addr, at time.Duration) {
	if known := s.askers.Of(rule.Alone(client), at); known != nil {
		*known = true
	}
}

// scans takes note of an attempt that failed, and reports whether it is one of a scan.
func (s *strangers) scans(w *refusal) bool {
	if w.Cause == givenUpCause || s.askers.Has(rule.Alone(w.Pair.Client)) != nil {
		return false
	}
	host := rule.Alone(w.Pair.Server.Addr())
	all := s.vain.Of(host, w.end)
	if all == nil {
		return true
	}
	one := inVain{w.Pair.Client, w.Pair.Server.Port(), w.Cause, 1}
	i := slices.IndexFunc(*all, one.same)
	switch {
	case i >= 0:
		(*all)[i].times++
		one = (*all)[i]
	case len(*all) < keptStrangers:
		*all = append(*all, one)
	}
	return one.times <= strangerAsks && s.scanned(*all)
}

// same reports whether another is of the same client, port and cause.
func (v inVain) same(o inVain) bool {
	return v.client == o.client && v.port == o.port && v.cause == o.cause
}

// scanned reports whether those who asked a host in vain only look what is there.
func (s *strangers) scanned(all []inVain) bool {
	clients, ports := map[netip.Addr]bool{}, map[uint16]bool{}
	for _, v := range all {
		if v.times <= strangerAsks && s.askers.Has(rule.Alone(v.client)) == nil {
			clients[v.client], ports[v.port] = true, true
		}
	}
	return len(clients) >= fewestStrangers && len(ports) >= fewestStrangers
}

// finish takes back the findings of scans that were not known for it when they were made.
func (s *strangers) finish(d rule.Desk) {
	s.vain.Each(func(host report.Pair, all *[]inVain) {
		if !s.scanned(*all) {
			return
		}
		for _, v := range *all {
			if v.times > strangerAsks || s.askers.Has(rule.Alone(v.client)) != nil {
				continue
			}
			p := report.Pair{
				Client: v.client,
				Server: netip.AddrPortFrom(host.Client, v.port),
			}
			if f := d.Found(connectionRefusedRule, v.cause, p); f != nil && !knownPair(d, p) {
				f.Unlist()
			}
		}
	})
}
