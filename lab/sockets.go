//go:build linux

package main

import (
	"context"
	"fmt"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Sockopts are what an end sets on its sockets; the zero value is what a C program gets that sets
// nothing.
type Sockopts struct {
	NoDelay  bool
	QuickAck bool // set again before every read, since the kernel takes it back
	LazyAck  bool // TCP_QUICKACK off: acknowledgments are delayed from the first segment on
	RcvBuf   int  // octets as given to SO_RCVBUF; 0 leaves autotuning
	SndBuf   int  // octets as given to SO_SNDBUF; 0 leaves autotuning
	Port     int  // the client's own; 0 is any
	KeepIdle int  // seconds until TCP's keep-alive begins; 0 is none
}

// apply sets the options of an established connection. Go sets TCP_NODELAY unasked, so it is always
// set here.
func (o Sockopts) apply(c *net.TCPConn) {
	c.SetNoDelay(o.NoDelay)
	o.quicken(c)
	if o.LazyAck {
		setOption(c, unix.IPPROTO_TCP, unix.TCP_QUICKACK, 0)
	}
	if o.KeepIdle > 0 {
		setOption(c, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
		setOption(c, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, o.KeepIdle)
		setOption(c, unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, o.KeepIdle)
	}
}

func (o Sockopts) quicken(c *net.TCPConn) {
	if o.QuickAck {
		setOption(c, unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1)
	}
}

func setOption(c *net.TCPConn, level, name, value int) {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) { unix.SetsockoptInt(int(fd), level, name, value) })
}

// control sets the buffers before the handshake, so that the window scale fits.
func (o Sockopts) control(_, _ string, raw syscall.RawConn) error {
	return raw.Control(func(fd uintptr) {
		if o.RcvBuf > 0 {
			unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, o.RcvBuf)
		}
		if o.SndBuf > 0 {
			unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF, o.SndBuf)
		}
		if o.Port > 0 {
			unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
		}
	})
}

// listen opens a listener inside the namespace.
func listen(n *namespace, address string, o Sockopts) (l *net.TCPListener, err error) {
	err = n.do(func() error {
		config := net.ListenConfig{Control: o.control, KeepAlive: -1}
		config.SetMultipathTCP(false)
		general, err := config.Listen(context.Background(), "tcp", address)
		if err == nil {
			l = general.(*net.TCPListener)
		}
		return err
	})
	return l, err
}

// dial connects from inside the namespace.
func dial(
	ctx context.Context,
	n *namespace,
	address string,
	o Sockopts,
) (c *net.TCPConn, err error) {
	err = n.do(func() error {
		dialer := net.Dialer{Timeout: 10 * time.Second, Control: o.control, KeepAlive: -1}
		if o.Port > 0 {
			dialer.LocalAddr = &net.TCPAddr{Port: o.Port}
		}
		general, err := dialer.DialContext(ctx, "tcp", address)
		if err == nil {
			c = general.(*net.TCPConn)
		}
		return err
	})
	if err == nil {
		o.apply(c)
	}
	return c, err
}

// words are what differs from the defaults, for descriptions.
func (o Sockopts) words() []string {
	words := []string{"own sockets, Nagle on"}
	if o.NoDelay {
		words[0] = "own sockets, TCP_NODELAY"
	}
	for _, w := range []struct {
		on   bool
		text string
	}{
		{o.QuickAck, "TCP_QUICKACK before every read"},
		{o.LazyAck, "TCP_QUICKACK off"},
		{o.RcvBuf > 0, fmt.Sprintf("SO_RCVBUF %d", o.RcvBuf)},
		{o.SndBuf > 0, fmt.Sprintf("SO_SNDBUF %d", o.SndBuf)},
		{o.Port > 0, fmt.Sprintf("always from port %d", o.Port)},
		{o.KeepIdle > 0, fmt.Sprintf("TCP keep-alive every %d s", o.KeepIdle)},
	} {
		if w.on {
			words = append(words, w.text)
		}
	}
	return words
}

// pause sleeps unless the run is interrupted.
func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
