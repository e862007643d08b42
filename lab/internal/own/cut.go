//go:build linux

package own

import "net"

// cutConn sends only so many octets.
type cutConn struct {
	net.Conn
	left int
}

// Write sends what is left, and fails when nothing is.
func (c *cutConn) Write(b []byte) (int, error) {
	n := min(c.left, len(b))
	c.left -= n
	if n < len(b) {
		c.Conn.Write(b[:n])
		return n, errDone
	}
	return c.Conn.Write(b)
}
