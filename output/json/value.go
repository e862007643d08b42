package json

import (
	"net/netip"
	"slices"

	"tcpwhy/output/mask"
)

// maybe is text, or null if it is empty.
type maybe string

// text is s without anything unprintable, or null if it is empty.
func text(s string) maybe { return maybe(mask.Visible(s)) }

// number is what n points to, or null where zero means that there is none.
func number[T int | uint16 | uint32](n *T) *T {
	if *n == 0 {
		return nil
	}
	return n
}

// known is *p, or zero for null.
func known[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// list is names without anything unprintable.
func list(names []string) []string {
	hidden := func(name string) bool { return mask.Visible(name) != name }
	if !slices.ContainsFunc(names, hidden) {
		return names
	}
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = mask.Visible(name)
	}
	return all
}

// address is null where there is none.
func address(a netip.Addr) maybe {
	if !a.IsValid() {
		return ""
	}
	return text(a.String())
}

// address reads what address wrote.
func (d *decoder) address(s maybe) netip.Addr {
	if s == "" {
		return netip.Addr{}
	}
	a, err := netip.ParseAddr(string(s))
	d.note(err)
	return a
}

// endpoint is address:port; the address alone where a finding concerns all ports.
func endpoint(a netip.AddrPort) maybe {
	if !a.IsValid() {
		return ""
	}
	if a.Port() == 0 {
		return address(a.Addr())
	}
	return text(a.String())
}

// endpoint reads what endpoint wrote.
func (d *decoder) endpoint(s maybe) netip.AddrPort {
	if s == "" {
		return netip.AddrPort{}
	}
	if a, err := netip.ParseAddr(string(s)); err == nil {
		return netip.AddrPortFrom(a, 0)
	}
	return d.addressPort(string(s))
}

// addressPort reads an address with its port.
func (d *decoder) addressPort(s string) netip.AddrPort {
	a, err := netip.ParseAddrPort(s)
	d.note(err)
	return a
}
