package sockets

import (
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestLayout compares what is read of struct tcp_info with the struct.
func TestLayout(t *testing.T) {
	var i unix.TCPInfo
	for at, want := range map[uintptr]int{
		unsafe.Offsetof(i.Rtt): 68, unsafe.Offsetof(i.Total_retrans): 100,
		unsafe.Offsetof(i.Notsent_bytes): 144, unsafe.Offsetof(i.Min_rtt): 148,
		unsafe.Offsetof(i.Busy_time): 168, unsafe.Offsetof(i.Rwnd_limited): 176,
		unsafe.Offsetof(i.Sndbuf_limited): 184, unsafe.Offsetof(i.Delivered): 192,
		unsafe.Offsetof(i.Bytes_sent): 200, unsafe.Offsetof(i.Bytes_retrans): 208,
	} {
		if int(at) != want {
			t.Errorf("a field is read at %d, and stands at %d", want, at)
		}
	}
}

// watch opens a Watch, or skips the test where that is not allowed.
func watch(t *testing.T) *Watch {
	t.Helper()
	w, err := Open()
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// connect makes a connection on loopback.
func connect(t *testing.T, address string) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Skip(err)
	}
	defer l.Close()
	client, err = net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

func portOf(a net.Addr) netip.AddrPort {
	p := a.(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
}

// eventually waits for something, for five seconds at most.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for until := time.Now().Add(5 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal(what, "does not come")
		}
	}
}

// TestOwnSockets looks up both ends of a connection of this process, while it is open and when it
// is not any more.
func TestOwnSockets(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", "[::]:0"} {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			w := watch(t)
			c, s := connect(t, address)
			client, server := portOf(c.LocalAddr()), portOf(c.RemoteAddr())
			w.Opened(client, server)
			for _, at := range [2]tuple{{client, server}, {server, client}} {
				eventually(t, "the process", func() bool {
					p, _ := w.Of(at.local, at.remote)
					return p.PID == os.Getpid() && p.Command != "" && p.UID == uint32(os.Getuid())
				})
			}
			const octets = 100_000
			go io.Copy(io.Discard, s)
			if _, err := c.Write(make([]byte, octets)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(50 * time.Millisecond)
			c.Close()
			s.Close()
			eventually(t, "the last account", func() bool {
				w.mu.Lock()
				defer w.mu.Unlock()
				e := w.ends.of(tuple{client, server})
				return e.Account != nil && e.Account.Final
			})
			ends := w.Take(client, server)
			if ends[0] == nil || ends[1] == nil {
				t.Fatal("an end is not known")
			}
			a := ends[0].Account
			if !a.Counted || a.Sent != octets || a.Congestion != "" && len(a.Congestion) > 16 ||
				a.RTT == 0 {
				t.Errorf("%+v", a)
			}
			if got := w.Tally(); got.Asked != 1 || got.Found != 1 ||
				got.Missed+got.Odd != 0 {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestSampled brings the account of a connection up to date that goes on: by itself, and all at
// once.
func TestSampled(t *testing.T) {
	t.Parallel()
	for name, ask := range map[string]func(w *Watch, client, server netip.AddrPort){
		"one": (*Watch).Sample,
		"all": func(w *Watch, _, _ netip.AddrPort) { w.Finish() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := watch(t)
			c, s := connect(t, "127.0.0.1:0")
			client, server := portOf(c.LocalAddr()), portOf(c.RemoteAddr())
			w.Opened(client, server)
			eventually(t, "the socket", func() bool { _, ok := w.Of(client, server); return ok })
			c.Write(make([]byte, 1000))
			io.ReadFull(s, make([]byte, 1000))
			eventually(t, "the account", func() bool {
				ask(w, client, server)
				w.mu.Lock()
				defer w.mu.Unlock()
				a := w.ends.of(tuple{client, server}).Account
				return a.Sent == 1000 && !a.Final
			})
		})
	}
}

// TestListens: of a connection that is over when somebody asks, it is known who listens.
func TestListens(t *testing.T) {
	t.Parallel()
	w := watch(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	client, server := portOf(c.LocalAddr()), portOf(c.RemoteAddr())
	s.Close()
	c.Close()
	w.Opened(client, server)
	eventually(t, "who listens", func() bool {
		p, _ := w.Of(server, client)
		return p.Listens && p.PID == os.Getpid()
	})
	if ends := w.Take(client, server); ends[1] == nil || ends[1].Account == nil ||
		!ends[1].Account.Final {
		t.Errorf("the account of the server's end is not known")
	}
}
