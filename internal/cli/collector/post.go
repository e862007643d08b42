package collector

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"
)

// mostReply is how much of an answer is read: it says what was not taken in, in a sentence.
const mostReply = 64 << 10

// retryable are the statuses after which a request may be sent again (OTLP 1.x, retryable response
// codes).
var retryable = []int{429, 502, 503, 504}

// post sends a request over a connection of its own and reads the answer.
func (t target) post(body []byte, version string, deadline time.Time) ([]byte, error) {
	d := net.Dialer{Deadline: deadline}
	conn, err := d.Dial("tcp", t.address)
	if err != nil {
		return nil, &errLater{error: err}
	}
	defer conn.Close()
	if err := conn.SetDeadline(deadline); err != nil {
		return nil, err
	}
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: tcpwhy/%s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n",
		t.path, t.host, version, len(body))
	buffers := net.Buffers{[]byte(head), body}
	_, writeErr := buffers.WriteTo(conn)
	// A server that refuses a request may answer before it has read all of it.
	reply, err := answer(io.LimitReader(conn, mostReply))
	if err != nil && writeErr != nil {
		err = &errLater{error: writeErr}
	}
	return reply, err
}

// answer reads the answer: what it says of a request that was taken in, or why it was not.
func answer(from io.Reader) ([]byte, error) {
	r := textproto.NewReader(bufio.NewReader(from))
	for {
		line, err := r.ReadLine()
		if err != nil {
			return nil, &errLater{error: fmt.Errorf("no answer: %w", err)}
		}
		version, rest, _ := strings.Cut(line, " ")
		status, err := strconv.Atoi(rest[:min(3, len(rest))])
		if err != nil || !strings.HasPrefix(version, "HTTP/1.") {
			return nil, fmt.Errorf(
				"it answers %q, which is not HTTP/1.1",
				line[:min(len(line), 40)],
			)
		}
		header, err := r.ReadMIMEHeader()
		if err != nil {
			return nil, &errLater{error: fmt.Errorf("no whole answer: %w", err)}
		}
		if status/100 == 1 {
			continue
		}
		body, _ := content(r.R, header) // what it says is not worth an error
		if status/100 == 2 {
			return body, nil
		}
		err = fmt.Errorf("it answers %s", rest[:min(len(rest), 80)])
		if slices.Contains(retryable, status) {
			seconds, _ := strconv.Atoi(header.Get("Retry-After")) // a date counts as nothing
			return nil, &errLater{err, time.Duration(max(0, min(seconds, 3600))) * time.Second}
		}
		return nil, err
	}
}

// content is the content of a message (RFC 9112 §6): in chunks, of a length, or up to the end.
func content(r *bufio.Reader, header textproto.MIMEHeader) ([]byte, error) {
	if !strings.EqualFold(header.Get("Transfer-Encoding"), "chunked") {
		length, err := strconv.ParseInt(header.Get("Content-Length"), 10, 64)
		if err != nil || length < 0 || length > mostReply {
			length = mostReply
		}
		return io.ReadAll(io.LimitReader(r, length))
	}
	var all []byte
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return all, err
		}
		size, _, _ := strings.Cut(strings.TrimSpace(line), ";")
		n, err := strconv.ParseUint(size, 16, 31)
		if err != nil || n > mostReply {
			return all, errors.New("no size of a chunk")
		}
		if n == 0 {
			return all, nil
		}
		part, err := io.ReadAll(io.LimitReader(r, int64(n)))
		all = append(all, part...)
		if err == nil {
			_, err = r.Discard(len("\r\n"))
		}
		if err != nil {
			return all, err
		}
	}
}
