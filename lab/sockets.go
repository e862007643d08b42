//go:build linux

package main

import (
	"context"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Sockopts are what an end sets on its sockets; the zero value is what a C program gets that sets nothing.
type Sockopts struct {
	NoDelay  bool
	QuickAck bool // set again before every read, since the kernel takes it back
	RcvBuf   int  // octets as given to SO_RCVBUF; 0 leaves autotuning
}

// apply sets the options of an established connection. Go sets TCP_NODELAY unasked, so it is always set here.
func (o Sockopts) apply(c *net.TCPConn) {
	c.SetNoDelay(o.NoDelay)
	o.quicken(c)
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

// control sets the receive buffer before the handshake, so that the window scale fits it.
func (o Sockopts) control(_, _ string, raw syscall.RawConn) error {
	if o.RcvBuf == 0 {
		return nil
	}
	return raw.Control(func(fd uintptr) { unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, o.RcvBuf) })
}

// listen opens a listener inside the namespace.
func listen(n *namespace, address string, o Sockopts) (l *net.TCPListener, err error) {
	err = n.do(func() error {
		config := net.ListenConfig{Control: o.control}
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
func dial(ctx context.Context, n *namespace, address string, o Sockopts) (c *net.TCPConn, err error) {
	err = n.do(func() error {
		dialer := net.Dialer{Timeout: 10 * time.Second, Control: o.control, KeepAlive: -1}
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
