package redact

import (
	"bytes"
	"strconv"
	"strings"

	"tcpwhy/capture/anonym"
)

// words are what is shown of words.
type words struct{ mapper *anonym.Mapper }

// methods are those that tell a request of HTTP/1 (RFC 9110 §9, RFC 5789, RFC 4918).
const methods = " GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH PROPFIND PROPPATCH MKCOL " +
	"COPY MOVE LOCK UNLOCK REPORT "

// isRequest reports whether data begins with a request line, or as much of it as there is.
func isRequest(data []byte) bool {
	method, _, found := bytes.Cut(data[:min(len(data), 12)], []byte(" "))
	return found && isMethod(string(method))
}

func isMethod(s string) bool { return s != "" && strings.Contains(methods, " "+s+" ") }

// structure are the fields whose values are shown as far as they are words of the protocol: what a
// message is, how long, and what becomes of the connection.
const structure = " connection proxy-connection keep-alive transfer-encoding te upgrade expect " +
	"content-encoding accept-encoding content-type content-length accept-ranges retry-after "

// fieldNames are other fields whose names are shown. What stands in them is not.
const fieldNames = " host date server user-agent accept accept-language accept-charset cookie " +
	"set-cookie authorization proxy-authorization www-authenticate proxy-authenticate location " +
	"referer origin etag last-modified if-none-match if-modified-since cache-control expires age " +
	"pragma vary via x-forwarded-host x-forwarded-proto range " +
	"content-range content-language content-location allow trailer http2-settings " +
	"sec-websocket-key sec-websocket-accept sec-websocket-version sec-websocket-protocol " +
	"sec-websocket-extensions traceparent tracestate x-request-id "

// addressed are the fields of whose values the addresses are shown, as others.
const addressed = " forwarded x-forwarded-for x-real-ip x-client-ip x-cluster-client-ip " +
	"true-client-ip cf-connecting-ip fastly-client-ip x-original-forwarded-for " +
	"x-envoy-external-address "

// products are the words that are shown in fields that name programs: by them remedies are chosen.
const products = " nginx openresty tengine apache apache-coyote apache-tomcat jetty express node " +
	"node.js node-fetch undici axios go-http-client fasthttp caddy gunicorn uvicorn basehttp " +
	"simplehttp werkzeug python python-requests python-httpx python-urllib python-urllib3 aiohttp " +
	"java java-http-client apache-httpclient okhttp microsoft-iis microsoft-httpapi kestrel " +
	"haproxy envoy istio-envoy lighttpd varnish squid traefik ruby webrick libwww-perl guzzlehttp " +
	"php curl libcurl apachebench wrk "

// waits are words of targets that say that the answer may wait: they stay.
const waits = " wait timeout poll longpoll long-poll polling long_poll "

// tokens are the words that are shown in the fields of structure.
const tokens = " close keep-alive upgrade te chunked identity gzip deflate br zstd compress x-gzip " +
	"trailers 100-continue websocket h2c timeout max bytes none text html plain css javascript json " +
	"xml csv event-stream application octet-stream x-www-form-urlencoded pdf zip wasm grpc grpc+proto proto image " +
	"png jpeg gif webp svg audio video mp4 mpeg font woff woff2 multipart form-data mixed charset " +
	"utf-8 q http2-settings "

// masked is text with each character replaced but the ends of lines.
func masked(text []byte) []byte {
	out := bytes.Repeat([]byte{'x'}, len(text))
	for i, c := range text {
		if c == '\r' || c == '\n' {
			out[i] = c
		}
	}
	return out
}

// mapped is text in which every word is replaced by the one that stands for it. What is between
// words stays where it is one of the marks, and is an x elsewhere.
func (w words) mapped(text []byte, marks string) []byte {
	out := make([]byte, 0, len(text))
	for at := 0; at < len(text); {
		n := 0
		for at+n < len(text) && isWord(text[at+n]) {
			n++
		}
		if n > 0 {
			out = append(out, w.word(text[at:at+n])...)
			at += n
			continue
		}
		c := text[at]
		if strings.IndexByte(marks, c) < 0 {
			c = 'x'
		}
		out = append(out, c)
		at++
	}
	return out
}

// word is the word that stands for one.
func (w words) word(text []byte) []byte {
	if strings.Contains(waits, " "+strings.ToLower(string(text))+" ") {
		return text
	}
	return []byte(w.mapper.Word(string(text)))
}

func isWord(c byte) bool {
	lower := c | 0x20
	return lower >= 'a' && lower <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}

// target is a request target with other words in it.
func (w words) target(method string, text []byte) []byte {
	if method == "CONNECT" {
		return w.host(text)
	}
	for _, scheme := range []string{"http://", "https://", "ws://", "wss://"} {
		if rest, found := bytes.CutPrefix(text, []byte(scheme)); found {
			end := bytes.IndexAny(rest, "/?#")
			if end < 0 {
				end = len(rest)
			}
			out := append([]byte(scheme), w.authority(rest[:end])...)
			return append(out, w.mapped(rest[end:], "/?&=.;")...)
		}
	}
	if string(text) == "*" {
		return text
	}
	return w.mapped(text, "/?&=.;")
}

// head is the head of a message.
func (w words) head(octets []byte) []byte {
	end := bytes.IndexByte(octets, '\n') + 1
	return append(w.startLine(octets[:end]), w.fields(octets[end:])...)
}

// startLine is a request line or a status line.
func (w words) startLine(line []byte) []byte {
	text := bytes.TrimRight(line, "\r\n")
	ending := line[len(text):]
	if bytes.HasPrefix(text, []byte("HTTP/1.")) {
		const shown = len("HTTP/1.1 200 ")
		out := masked(text)
		if status, ok := statusOf(text); ok && status >= 100 {
			copy(out, text[:min(len(text), shown)])
		}
		return append(out, ending...)
	}
	first, last := bytes.IndexByte(text, ' '), bytes.LastIndexByte(text, ' ')
	if first < 0 || last <= first || !isMethod(string(text[:first])) || !isVersion(text[last+1:]) {
		return append(masked(text), ending...)
	}
	out := append([]byte(nil), text[:first+1]...)
	out = append(out, w.target(string(text[:first]), text[first+1:last])...)
	return append(append(out, text[last:]...), ending...)
}

func isVersion(text []byte) bool { return string(text) == "HTTP/1.1" || string(text) == "HTTP/1.0" }

// statusOf is the status in a status line.
func statusOf(text []byte) (int, bool) {
	const at, end = len("HTTP/1.1 "), len("HTTP/1.1 200")
	if len(text) < end || !isVersion(text[:at-1]) || text[at-1] != ' ' ||
		len(text) > end && text[end] != ' ' {
		return 0, false
	}
	status, err := strconv.Atoi(string(text[at:end]))
	return status, err == nil && status >= 100
}

// fields are the lines of a head, or of trailers.
func (w words) fields(octets []byte) []byte {
	out := make([]byte, 0, len(octets))
	for line := range bytes.Lines(octets) {
		out = append(out, w.field(line)...)
	}
	return out
}

// field is one line of a head: its name if that is known, and what of the value is.
func (w words) field(line []byte) []byte {
	text := bytes.TrimRight(line, "\r\n")
	ending := line[len(text):]
	colon := bytes.IndexByte(text, ':')
	if colon < 0 || len(text) > 0 && (text[0] == ' ' || text[0] == '\t') {
		out := masked(text)
		if len(out) > 0 && colon < 0 && (text[0] == ' ' || text[0] == '\t') {
			out[0] = ' '
		}
		return append(out, ending...)
	}
	name := strings.ToLower(string(text[:colon]))
	out := masked(text)
	out[colon] = ':'
	value := text[colon+1:]
	switch {
	case strings.Contains(structure, " "+name+" "):
		copy(out, text[:colon])
		copy(out[colon+1:], known(value, tokens, name != "content-type"))
	case name == "server" || name == "user-agent":
		copy(out, text[:colon])
		copy(out[colon+1:], known(value, products, false))
	case name == "host":
		copy(out, text[:colon])
		bare := bytes.TrimLeft(value, " \t")
		copy(out[colon+1:], value[:len(value)-len(bare)])
		copy(out[len(out)-len(bare):], w.host(bare))
	case strings.Contains(addressed, " "+name+" "):
		copy(out, text[:colon])
		copy(out[colon+1:], w.addresses(value, nil))
	case strings.Contains(fieldNames, " "+name+" "):
		copy(out, text[:colon])
	}
	for i := colon + 1; i < len(out) && text[i] == ' '; i++ {
		out[i] = ' '
	}
	return append(out, ending...)
}

// known are the words of a value that are in a list, and what is between them, and numbers if they
// may be there.
func known(value []byte, list string, numbers bool) []byte {
	const between = " ,;=/+\t"
	out := bytes.Repeat([]byte{'x'}, len(value))
	for at := 0; at < len(value); {
		if strings.IndexByte(between, value[at]) >= 0 {
			out[at] = value[at]
			at++
			continue
		}
		n := bytes.IndexAny(value[at:], between)
		if n < 0 {
			n = len(value) - at
		}
		word := value[at : at+n]
		number := len(bytes.Trim(word, "0123456789")) == 0
		if numbers && number || strings.Contains(list, " "+strings.ToLower(string(word))+" ") {
			copy(out[at:], word)
		}
		at += n
	}
	return out
}

// httpHead reads and shows the head of a message, and finds out what follows it.
func (r *reader) httpHead(seq uint32, octets []byte) {
	lines := bytes.TrimLeft(octets, "\r\n") // RFC 9112 §2.2
	blank := len(octets) - len(lines)
	if !isRequest(lines) && !bytes.HasPrefix(lines, []byte("HTTP/1.")) {
		r.lost()
		return
	}
	r.show(seq, octets[:blank])
	r.show(seq+uint32(blank), r.words.head(lines))
	length, chunked := framing(lines)
	status, response := statusOf(bytes.TrimRight(lines[:bytes.IndexByte(lines, '\n')], "\r"))
	method := ""
	if response {
		method = r.asked.answered(status)
	} else {
		first, _, _ := bytes.Cut(lines, []byte(" "))
		r.asked.ask(string(first))
	}
	switch {
	case response && status == 101 && isWebSocket(lines):
		r.asked.webSocket = true
		r.state = webSocket
	case response && (status == 101 || method == "CONNECT" && status/100 == 2):
		r.state = unknown
	case response && (method == "HEAD" || status/100 == 1 || status == 204 || status == 304):
		r.state = head
	case method == "" && !response && bytes.HasPrefix(lines, []byte("CONNECT ")):
		r.state = unknown
	case chunked:
		r.state = chunk
	case length > 0:
		r.state, r.left, r.after = body, length, head
	case response && length < 0:
		r.state = toEnd
	}
}

// isWebSocket reports whether a response makes a WebSocket of its connection.
func isWebSocket(lines []byte) bool {
	for line := range bytes.Lines(lines) {
		name, value, _ := strings.Cut(strings.ToLower(string(line)), ":")
		if name == "upgrade" && strings.TrimSpace(value) == "websocket" {
			return true
		}
	}
	return false
}

// ask notes a request.
func (a *asked) ask(method string) {
	if len(a.methods) < maxMethods {
		a.methods = append(a.methods, method)
	}
}

// answered gives the method that a response is for.
func (a *asked) answered(status int) string {
	if len(a.methods) == 0 {
		return ""
	}
	method := a.methods[0]
	if status/100 != 1 || status == 101 {
		a.methods = a.methods[1:]
	}
	return method
}

// framing is the length of the body that a head announces, -1 if it does not, and whether it comes
// in chunks.
func framing(lines []byte) (length int, chunked bool) {
	length = -1
	for line := range bytes.Lines(lines) {
		name, value, _ := strings.Cut(strings.ToLower(string(line)), ":")
		switch value = strings.TrimSpace(value); name {
		case "content-length":
			if n, err := strconv.Atoi(value); err == nil && n >= 0 {
				length = n
			}
		case "transfer-encoding":
			chunked = strings.HasSuffix(value, "chunked")
		}
	}
	return length, chunked
}

// httpChunk reads the line with the length of a chunk. Extensions are not shown.
func (r *reader) httpChunk(seq uint32, line []byte) {
	text := bytes.TrimRight(line, "\r\n")
	digits := text
	if i := bytes.IndexAny(text, "; \t"); i >= 0 {
		digits = text[:i]
	}
	size, err := strconv.ParseUint(string(digits), 16, 31)
	if err != nil {
		r.lost()
		return
	}
	out := masked(line)
	copy(out, digits)
	if len(text) > len(digits) {
		out[len(digits)] = ';'
	}
	r.show(seq, out)
	r.state, r.left, r.after = body, int(size), chunkEnd
	if size == 0 {
		r.state = trailer
	}
}
