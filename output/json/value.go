package json

import (
	"net/netip"

	"tcpwhy/output/mask"
)

// text is s without anything unprintable, or null if it is empty.
func text(s string) *string {
	if s == "" {
		return nil
	}
	s = mask.Visible(s)
	return &s
}

// number is n, or null where zero means that there is none.
func number[T int | uint16 | uint32](n T) *T {
	if n == 0 {
		return nil
	}
	return &n
}

// known is *p, or zero for null.
func known[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// list is a copy of names that is never null.
func list(names []string) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = mask.Visible(name)
	}
	return all
}

// address is null where there is none.
func address(a netip.Addr) *string {
	if !a.IsValid() {
		return nil
	}
	return text(a.String())
}

// address reads what address wrote.
func (d *decoder) address(s *string) netip.Addr {
	if s == nil {
		return netip.Addr{}
	}
	a, err := netip.ParseAddr(*s)
	d.note(err)
	return a
}

// endpoint is address:port; the address alone where a finding concerns all ports.
func endpoint(a netip.AddrPort) *string {
	if !a.IsValid() {
		return nil
	}
	if a.Port() == 0 {
		return address(a.Addr())
	}
	return text(a.String())
}

// endpoint reads what endpoint wrote.
func (d *decoder) endpoint(s *string) netip.AddrPort {
	if s == nil {
		return netip.AddrPort{}
	}
	if a, err := netip.ParseAddr(*s); err == nil {
		return netip.AddrPortFrom(a, 0)
	}
	return d.addressPort(*s)
}

// addressPort reads an address with its port.
func (d *decoder) addressPort(s string) netip.AddrPort {
	a, err := netip.ParseAddrPort(s)
	d.note(err)
	return a
}
