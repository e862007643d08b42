//go:build linux

package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// cable joins two network namespaces: v0 in near, v1 in far.
type cable struct{ near, far string }

func newCable() (*cable, error) {
	name := fmt.Sprintf("tcpwhy-bench%d", os.Getpid())
	c := &cable{name + "a", name + "b"}
	for _, args := range []string{
		"netns add " + c.near, "netns add " + c.far,
		"-n " + c.near + " link add v0 type veth peer name v1 netns " + c.far,
		"-n " + c.near + " link set v0 up", "-n " + c.far + " link set v1 up",
	} {
		if err := ip(args); err != nil {
			return nil, errors.Join(err, c.remove())
		}
	}
	return c, nil
}

func (c *cable) remove() error {
	return errors.Join(ip("netns del "+c.near), ip("netns del "+c.far))
}

func ip(args string) error {
	out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %s: %w: %s", args, err, out)
	}
	return nil
}

// send sends frames from the far end at a rate, and says how many.
func (c *cable) send(rate, seconds, segments int) (sent uint64, err error) {
	done := make(chan error, 1)
	go func() {
		// never unlocked: the thread ends with the goroutine, and its namespace with it
		runtime.LockOSThread()
		file, err := os.Open("/run/netns/" + c.far)
		if err == nil {
			defer file.Close()
			err = unix.Setns(int(file.Fd()), unix.CLONE_NEWNET)
		}
		if err == nil {
			sent, err = blast(rate, time.Duration(seconds)*time.Second, segments)
		}
		done <- err
	}()
	return sent, <-done
}

// batch is how many frames go to the kernel at once.
const batch = 64

// message is struct mmsghdr of sendmmsg(2).
type message struct {
	header unix.Msghdr
	length uint32
	_      uint32
}

// blast sends frames of HTTP exchanges on many connections.
func blast(rate int, during time.Duration, segments int) (uint64, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	i, err := net.InterfaceByName("v1")
	if err != nil {
		return 0, err
	}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: i.Index}); err != nil {
		return 0, err
	}
	var messages [batch]message
	var parts [batch]unix.Iovec
	talk := newTalk(segments)
	began := time.Now()
	sent := uint64(0)
	for time.Since(began) < during {
		if float64(sent) > time.Since(began).Seconds()*float64(rate) {
			time.Sleep(200 * time.Microsecond)
			continue
		}
		for k := range messages {
			frame := talk.next(k)
			parts[k].Base = &frame[0]
			parts[k].SetLen(len(frame))
			messages[k].header.Iov = &parts[k]
			messages[k].header.SetIovlen(1)
		}
		n, _, code := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(fd),
			uintptr(unsafe.Pointer(&messages[0])), batch, 0, 0, 0)
		if code != 0 && code != unix.ENOBUFS && code != unix.EINTR {
			return sent, code
		}
		if code == 0 {
			sent += uint64(n)
		}
	}
	return sent, nil
}
