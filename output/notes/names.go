package notes

import (
	"net/netip"
	"slices"
	"strings"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

// The limits of names.
const (
	maxNames = 1_000
	maxName  = 255 // octets (RFC 1035 §2.3.4)
)

// names are those of servers that the capture shows (Host, SNI), where an address has one alone.
func names(r *report.Report) []capture.HostName {
	seen := map[netip.Addr]string{}
	note := func(a netip.Addr, host string) {
		name, ok := hostName(host)
		if !ok || !a.IsValid() {
			return
		}
		if before, known := seen[a]; known && before != name {
			name = ""
		}
		seen[a] = name
	}
	servers := map[int]netip.Addr{}
	for i := range r.Conns {
		c := &r.Conns[i]
		servers[c.ID] = c.Server.Addr()
		if c.TLS != nil {
			note(c.Server.Addr(), c.TLS.SNI)
		}
	}
	for i := range r.Exchanges {
		// what a proxy is asked for is another host's
		if x := &r.Exchanges[i]; !strings.Contains(x.Target, "://") && x.Method != "CONNECT" {
			note(servers[x.Connection], x.Host)
		}
	}
	var all []capture.HostName
	for a, name := range seen {
		if name != "" {
			all = append(all, capture.HostName{Addr: a.Unmap(), Name: name})
		}
	}
	slices.SortFunc(all, func(a, b capture.HostName) int { return a.Addr.Compare(b.Addr) })
	return all[:min(len(all), maxNames)]
}

// hostName is the name in a Host field or an SNI, in lower case without its port; false for an
// address, and for what is no name.
func hostName(host string) (string, bool) {
	name, port, found := strings.Cut(strings.ToLower(host), ":")
	if found && strings.Trim(port, "0123456789") != "" || name == "" || len(name) > maxName {
		return "", false
	}
	letters := 0
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 'a' && c <= 'z' || c == '_':
			letters++
		case c >= '0' && c <= '9', c == '-', c == '.':
		default:
			return "", false
		}
	}
	_, err := netip.ParseAddr(name)
	return name, letters > 0 && err != nil
}
