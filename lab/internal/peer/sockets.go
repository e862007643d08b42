//go:build linux

package peer

import (
	"context"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"tcpwhy/lab/internal/phrase"
	"tcpwhy/lab/internal/world"
)

// Sockopts are what an end sets on its sockets; the zero value is what a C program gets that sets
// nothing.
type Sockopts struct {
	NoDelay  bool
	QuickAck bool // set again before every read, since the kernel takes it back
	LazyAck  bool // TCP_QUICKACK off, likewise: acknowledgments are delayed from the first on
	RcvBuf   int  // octets as given to SO_RCVBUF; 0 leaves autotuning
	SndBuf   int  // octets as given to SO_SNDBUF; 0 leaves autotuning
	Port     int  // the client's own; 0 is any
	KeepIdle int  // seconds until TCP's keep-alive begins; 0 is none
}

// Apply sets the options of an established connection. Go sets TCP_NODELAY unasked, so it is always
// set here.
func (o Sockopts) Apply(c *net.TCPConn) {
	c.SetNoDelay(o.NoDelay)
	o.RenewAcks(c)
	if o.KeepIdle > 0 {
		SetOption(c, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
		SetOption(c, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, o.KeepIdle)
		SetOption(c, unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, o.KeepIdle)
	}
}

// RenewAcks says again whether acknowledgments are to be prompt, if that is not left to the kernel.
func (o Sockopts) RenewAcks(c *net.TCPConn) {
	if o.QuickAck {
		SetOption(c, unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1)
	}
	if o.LazyAck {
		SetOption(c, unix.IPPROTO_TCP, unix.TCP_QUICKACK, 0)
	}
}

// SetOption sets an option of a socket, if the system has it.
func SetOption(c *net.TCPConn, level, name, value int) {
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

// Listen opens a listener inside the namespace.
func Listen(n *world.Namespace, address string, o Sockopts) (l *net.TCPListener, err error) {
	err = n.Do(func() error {
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

// Dial connects from inside the namespace.
func Dial(
	ctx context.Context, n *world.Namespace, address string, o Sockopts,
) (c *net.TCPConn, err error) {
	err = n.Do(func() error {
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
		o.Apply(c)
	}
	return c, err
}

// Words are what differs from the defaults, for descriptions.
func (o Sockopts) Words() (l phrase.List) {
	l.If(!o.NoDelay, "own sockets, Nagle on")
	l.If(o.NoDelay, "own sockets, TCP_NODELAY")
	l.If(o.QuickAck, "TCP_QUICKACK before every read")
	l.If(o.LazyAck, "TCP_QUICKACK off")
	l.If(o.RcvBuf > 0, "SO_RCVBUF %d", o.RcvBuf)
	l.If(o.SndBuf > 0, "SO_SNDBUF %d", o.SndBuf)
	l.If(o.Port > 0, "always from port %d", o.Port)
	l.If(o.KeepIdle > 0, "TCP keep-alive every %d s", o.KeepIdle)
	return l
}

// Pause sleeps unless the run is interrupted.
func Pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
