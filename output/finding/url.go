package finding

import (
	"strings"

	"tcpwhy/analysis/report"
	"tcpwhy/output/mask"
)

// targetRoom is how many characters a masked request target has at most in a URL.
const targetRoom = 512

// URL is the absolute URL of a request, masked; c is its connection, nil if that is not listed.
func URL(x *report.ExchangeInfo, c *report.ConnInfo, showQuery bool) string {
	room := targetRoom
	if showQuery {
		room = mask.WholeTarget
	}
	target := mask.Target(x.Target, showQuery, room)
	if strings.Contains(target, "://") && !strings.HasPrefix(target, "/") {
		return encoded(target)
	}
	scheme, host := "http", mask.Host(x.Host)
	if c != nil {
		if c.TLS != nil {
			scheme = "https"
		}
		if host == "" {
			host = c.Server.String()
		}
	}
	if !strings.HasPrefix(target, "/") {
		target = "/" + target
	}
	return encoded(scheme + "://" + host + target)
}

// encoded is a URL in which what may not stand there is escaped (RFC 3986 §2).
func encoded(s string) string {
	const allowed = "-._~:/?#[]@!$&'()*+,;=%"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if letter || strings.IndexByte(allowed, c) >= 0 {
			b.WriteByte(c)
			continue
		}
		const hex = "0123456789ABCDEF"
		b.WriteString("%" + string(hex[c>>4]) + string(hex[c&15]))
	}
	return b.String()
}
