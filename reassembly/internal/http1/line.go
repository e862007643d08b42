package http1

import (
	"bytes"

	"tcpwhy/reassembly/exchange"
)

// methodNames are those whose strings need no allocation, the commonest first.
var methodNames = [...]string{
	"GET",
	"POST",
	"HEAD",
	"PUT",
	"DELETE",
	"OPTIONS",
	"PATCH",
	"CONNECT",
	"TRACE",
	"PROPFIND",
	"PROPPATCH",
	"REPORT",
	"SEARCH",
	"MKCOL",
	"COPY",
	"MOVE",
	"LOCK",
	"UNLOCK",
	"PURGE",
}

// knownMethod is the name of a method that is registered or common, "" for others.
func knownMethod(b []byte) string {
	for _, name := range methodNames {
		if string(b) == name {
			return name
		}
	}
	return ""
}

// versionName is the canonical string of an HTTP version, and whether it is well-formed (RFC 9112
// §2.3).
func versionName(b []byte) (name string, ok bool) {
	switch string(b) {
	case "HTTP/1.1":
		return "HTTP/1.1", true
	case "HTTP/1.0":
		return "HTTP/1.0", true
	}
	if len(b) == 8 && bytes.HasPrefix(b, []byte("HTTP/")) && isDigit(b[5]) && b[6] == '.' &&
		isDigit(b[7]) {
		return string(b), true
	}
	return "HTTP/1.1", false
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// requestLine is a request line cut into its parts.
type requestLine struct {
	method, target []byte
	version        string // "HTTP/0.9" for a simple request
	odd            bool   // RFC 9112 §3 forbids it, servers take it
}

// parseRequestLine reads a request line without its line end. It takes what real servers take:
// several blanks between the parts, blanks within the target, any token as method.
func parseRequestLine(line []byte) (r requestLine, ok bool) {
	line = trimBlank(line)
	sp := bytes.IndexByte(line, ' ')
	if sp <= 0 || !isToken(line[:sp]) {
		return r, false
	}
	r.method = line[:sp]
	rest := trimBlank(line[sp:])
	r.odd = len(rest) != len(line)-sp-1
	last := bytes.LastIndexByte(rest, ' ')
	if tail := rest[last+1:]; last > 0 && bytes.HasPrefix(tail, []byte("HTTP/")) {
		name, well := versionName(tail)
		r.version = name
		r.target = trimBlank(rest[:last])
		r.odd = r.odd || !well || len(r.target) != last || bytes.IndexByte(r.target, ' ') >= 0
		return r, true
	}
	// RFC 1945 §4.1: a simple request is GET and nothing but a target.
	r.version = "HTTP/0.9"
	r.target = rest
	return r, string(r.method) == "GET" && len(rest) > 0 && last < 0
}

// parseStatusLine reads a status line without its line end. A missing reason phrase, and one
// without the blank before it, are tolerated.
func parseStatusLine(line []byte) (version string, status int, odd, ok bool) {
	sp := bytes.IndexByte(line, ' ')
	if sp < 0 || !bytes.HasPrefix(line, []byte("HTTP/")) {
		return "", 0, false, false
	}
	version, well := versionName(line[:sp])
	rest := trimBlank(line[sp:])
	if len(rest) < 3 || !isDigit(rest[0]) || !isDigit(rest[1]) || !isDigit(rest[2]) {
		return "", 0, false, false
	}
	status = int(rest[0]-'0')*100 + int(rest[1]-'0')*10 + int(rest[2]-'0')
	if status < 100 || len(rest) > 3 && isDigit(rest[3]) {
		return "", 0, false, false
	}
	odd = !well || len(rest) > 3 && rest[3] != ' '
	return version, status, odd, true
}

// starts reports whether data begins like a message of dir: what a parser that lost its place may
// trust.
func starts(dir exchange.Dir, data []byte) bool {
	if dir == exchange.FromClient {
		return startsRequest(data)
	}
	return startsResponse(data)
}

// startsRequest reports whether data begins like a request.
func startsRequest(data []byte) bool {
	sp := bytes.IndexByte(data[:min(len(data), maxMethod+1)], ' ')
	if sp <= 0 || !isToken(data[:sp]) {
		return false
	}
	nl := bytes.IndexByte(data, '\n')
	if nl < 0 {
		return knownMethod(data[:sp]) != "" && len(data) > sp+1 && data[sp+1] == '/'
	}
	line := bytes.TrimSuffix(data[:nl], []byte("\r"))
	r, ok := parseRequestLine(line)
	return ok && r.version != "HTTP/0.9" && r.version[5] == '1'
}

// startsResponse is the same for a response.
func startsResponse(data []byte) bool {
	if len(data) < 12 || !bytes.HasPrefix(data, []byte("HTTP/1.")) {
		return false
	}
	_, _, _, ok := parseStatusLine(data[:12])
	return ok
}
