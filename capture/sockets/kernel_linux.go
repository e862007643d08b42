package sockets

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

const (
	procRoot   = "/proc"
	answerIn   = 200 * time.Millisecond // the kernel answers while it is asked: this is for one that does not
	hearFor    = 100 * time.Millisecond // so long closing may take
	hearBuffer = 1 << 20                // octets that may wait to be heard, as far as the system allows
	mostParts  = 16                     // messages passed over before an answer
	walkDirs   = 1 << 14                // control groups looked at in one search
)

// Open begins to watch the sockets of this network namespace.
func Open() (*Watch, error) {
	k, err := openKernel()
	if err != nil {
		return nil, fmt.Errorf("ask the kernel for sockets: %w", err)
	}
	return newWatch(k, procRoot), nil
}

// openKernel opens a socket to ask on and one to hear on.
func openKernel() (k kernel, err error) {
	ask, err := openNetlink(answerIn)
	if err != nil {
		return k, err
	}
	all, err := openNetlink(answerIn)
	if err != nil {
		return k, errors.Join(err, ask.close())
	}
	hear, err := openNetlink(hearFor)
	if err != nil {
		return k, errors.Join(err, ask.close(), all.close())
	}
	for _, group := range []int{unix.SKNLGRP_INET_TCP_DESTROY, unix.SKNLGRP_INET6_TCP_DESTROY} {
		err := unix.SetsockoptInt(hear.fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, group)
		if err != nil {
			return k, errors.Join(
				os.NewSyscallError("join", err),
				ask.close(),
				all.close(),
				hear.close(),
			)
		}
	}
	// at most what net.core.rmem_max allows: it may be less
	_ = unix.SetsockoptInt(hear.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, hearBuffer)
	groups := &controlGroups{}
	return kernel{
		one: ask.one, all: all.all, hear: hear.receive, local: localAddresses, cgroup: groups.path,
		close: func() error { return errors.Join(ask.close(), all.close(), hear.close()) },
	}, nil
}

// netlink is a socket of sock_diag. It is for one goroutine.
type netlink struct {
	fd  int
	seq uint32
	buf [64 << 10]byte
}

// openNetlink opens one that waits so long for an answer.
func openNetlink(wait time.Duration) (*netlink, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	n := &netlink{fd: fd}
	// without a port of its own it would be taken for the kernel's, which does not hear itself
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, errors.Join(os.NewSyscallError("bind", err), n.close())
	}
	timeout := unix.NsecToTimeval(int64(wait))
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout); err != nil {
		return nil, errors.Join(os.NewSyscallError("setsockopt", err), n.close())
	}
	return n, nil
}

func (n *netlink) close() error { return os.NewSyscallError("close", unix.Close(n.fd)) }

// send asks a question.
func (n *netlink) send(t tuple, family uint8) error {
	n.seq++
	return os.NewSyscallError("send", unix.Sendto(n.fd, request(t, family, n.seq), 0,
		&unix.SockaddrNetlink{Family: unix.AF_NETLINK}))
}

// receive takes what comes next. It is valid until the next call.
func (n *netlink) receive() ([]byte, error) {
	got, _, flags, from, err := unix.Recvmsg(n.fd, n.buf[:], nil, 0)
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return nil, errNothing
	case err == unix.ENOBUFS:
		return nil, errOverrun
	case err != nil:
		return nil, os.NewSyscallError("receive", err)
	case flags&unix.MSG_TRUNC != 0:
		return nil, errOdd
	}
	if sender, ok := from.(*unix.SockaddrNetlink); !ok || sender.Pid != 0 {
		return nil, errOdd // not from the kernel
	}
	return n.buf[:got], nil
}

// one implements kernel.
func (n *netlink) one(of tuple) (t told, found bool, err error) {
	if err := n.send(of, familyOf(of.local.Addr())); err != nil {
		return t, false, err
	}
	for range mostParts {
		b, err := n.receive()
		if err != nil {
			return t, false, err
		}
		t, found, over, err := answer(b, n.seq, of)
		if over || err != nil {
			return t, found, err
		}
	}
	return t, false, errOdd
}

// all implements kernel.
func (n *netlink) all(until time.Time, f func(*told)) error {
	for _, family := range []uint8{familyIPv4, familyIPv6} {
		if err := n.send(tuple{}, family); err != nil {
			return err
		}
		for over := false; !over; {
			b, err := n.receive()
			if err == nil {
				over, err = each(b, n.seq, f)
			}
			if err != nil {
				return err
			}
			if time.Now().After(until) {
				return errOverrun
			}
		}
	}
	return nil
}

// localAddresses are the addresses of this machine's interfaces.
func localAddresses() (all []netip.Addr) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, a := range addrs {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			all = append(all, prefix.Addr())
		}
	}
	return all
}

// controlGroups finds control groups of cgroup 2 by their ids, which are the inodes of their
// folders. It is for one goroutine.
type controlGroups struct {
	paths  map[uint64]string
	walked time.Time
}

// path is that of a group; "" if it is not known. All folders are looked at anew at most every two
// seconds.
func (c *controlGroups) path(id uint64) string {
	if path, ok := c.paths[id]; ok || id == 0 || time.Since(c.walked) < scanEvery {
		return path
	}
	c.walked, c.paths = time.Now(), map[uint64]string{}
	for _, root := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		var fs unix.Statfs_t
		if unix.Statfs(root, &fs) == nil && fs.Type == unix.CGROUP2_SUPER_MAGIC {
			c.walk(root)
		}
	}
	return c.paths[id]
}

// walk notes the folders below one, as far as they are not too many.
func (c *controlGroups) walk(root string) {
	_ = filepath.WalkDir(root, func(path string, e os.DirEntry, err error) error {
		switch {
		case err != nil || !e.IsDir():
			return nil
		case len(c.paths) >= walkDirs:
			return filepath.SkipAll
		}
		var st unix.Stat_t
		if unix.Lstat(path, &st) == nil {
			c.paths[st.Ino] = "/" + path[min(len(root)+1, len(path)):]
		}
		return nil
	})
}
