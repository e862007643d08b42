//go:build linux

package own

import (
	"bufio"
	"net/textproto"
	"strconv"
	"strings"
)

// asked is what a server must know of a request's header.
type asked struct {
	length int64 // of the body
	close  bool  // after the response
	waits  bool  // for 100 Continue
	large  bool  // what lies below /large
}

// readHead reads a request's header.
func readHead(r *bufio.Reader) (a asked, err error) {
	t := textproto.NewReader(r)
	line, err := t.ReadLine()
	if err != nil {
		return a, err
	}
	header, err := t.ReadMIMEHeader()
	if err != nil {
		return a, err
	}
	a.length, _ = strconv.ParseInt(header.Get("Content-Length"), 10, 64)
	connection := strings.ToLower(header.Get("Connection"))
	a.large = strings.Contains(line, " /large")
	a.close = connection == "close" ||
		(strings.HasSuffix(line, "HTTP/1.0") && connection != "keep-alive")
	a.waits = strings.EqualFold(header.Get("Expect"), "100-continue")
	return a, nil
}
