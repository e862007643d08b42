package finding

import (
	"net/netip"
	"strconv"
	"strings"

	"tcpwhy/analysis/report"
	"tcpwhy/output/mask"
)

// targetRoom is how many characters a masked request target has at most in a URL.
const targetRoom = 512

// URL is the absolute URL of a request, masked; c is its connection, nil if that is not listed.
// Viewers of archives refuse a whole archive for one URL that is none: a host that can be none is
// not believed, and the server's address stands for it.
func URL(x *report.ExchangeInfo, c *report.ConnInfo, showQuery bool) string {
	room := targetRoom
	if showQuery {
		room = mask.WholeTarget
	}
	target := mask.Target(x.Target, showQuery, room)
	if scheme, rest, absolute := strings.Cut(target, "://"); absolute {
		host, _, _ := strings.Cut(rest, "/")
		if (scheme == "http" || scheme == "https") && isAuthority(host) {
			return encoded(target)
		}
	}
	scheme, host := "http", mask.Host(x.Host)
	if c != nil && c.TLS != nil {
		scheme = "https"
	}
	switch {
	case isAuthority(host):
	case c != nil && c.Server.IsValid():
		host = c.Server.String()
	default:
		host = "unknown.invalid" // RFC 6761 §6.4
	}
	if !strings.HasPrefix(target, "/") {
		target = "/" + target
	}
	return encoded(scheme + "://" + host + target)
}

// isAuthority reports whether text is a host that browsers take, and perhaps a port.
func isAuthority(text string) bool {
	host := text
	if i := strings.LastIndexByte(text, ':'); i > strings.LastIndexByte(text, ']') {
		if _, err := strconv.ParseUint(text[i+1:], 10, 16); err != nil {
			return false
		}
		host = text[:i]
	}
	if inside, bracket := strings.CutPrefix(host, "["); bracket {
		address, err := netip.ParseAddr(strings.TrimSuffix(inside, "]"))
		return err == nil && address.Is6() && address.Zone() == "" && strings.HasSuffix(host, "]")
	}
	if host == "" || strings.ContainsFunc(host, notOfHost) {
		return false
	}
	// What ends in a number is taken for an address, and has to be one.
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	if last := labels[len(labels)-1]; last != "" && (last[0] < '0' || last[0] > '9') {
		return true
	}
	_, err := netip.ParseAddr(host)
	return err == nil
}

// notOfHost reports whether a character is of no name of a host.
func notOfHost(c rune) bool {
	letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
	return !letter && c != '-' && c != '.' && c != '_'
}

// encoded is a URL in which what may not stand there is escaped (RFC 3986 §2).
func encoded(s string) string {
	const allowed = "-._~:/?#[]@!$&'()*+,;="
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		escaped := c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2])
		if letter || escaped || strings.IndexByte(allowed, c) >= 0 {
			b.WriteByte(c)
			continue
		}
		const hex = "0123456789ABCDEF"
		b.WriteString("%" + string(hex[c>>4]) + string(hex[c&15]))
	}
	return b.String()
}

// isHex reports whether a character is a hexadecimal digit.
func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}
