//go:build linux

package main

import (
	"bufio"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"sync"
)

// openConns lets the end of a run close what is still open, and wait for it.
type openConns struct {
	mu    sync.Mutex
	conns map[net.Conn]bool
	wait  sync.WaitGroup
}

func (o *openConns) add(c net.Conn) {
	o.wait.Add(1)
	o.mu.Lock()
	o.conns[c] = true
	o.mu.Unlock()
}

func (o *openConns) remove(c net.Conn) {
	o.mu.Lock()
	delete(o.conns, c)
	o.mu.Unlock()
	c.Close()
	o.wait.Done()
}

func (o *openConns) closeAll() {
	o.mu.Lock()
	for c := range o.conns {
		c.Close()
	}
	o.mu.Unlock()
	o.wait.Wait()
}

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

// fill is a body of n octets in lines, so that a capture shows where one is.
func fill(n int) []byte {
	body := make([]byte, n)
	const line = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.\n"
	for i := range body {
		body[i] = line[i%len(line)]
	}
	return body
}
