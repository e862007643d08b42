// Package http2 has the rules about what HTTP/2 says and does on a connection: streams and
// connections that one side ends, and what it has of them.
package http2
