//go:build linux

package world

import (
	"encoding/binary"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"tcpwhy/lab/internal/packet"
)

// A sniffer captures the TCP, UDP and ICMP frames of a namespace's eth0, in both directions, with
// the kernel's timestamps.
type sniffer struct {
	fd     int
	done   chan struct{}
	stop   chan struct{}
	frames []packet.Frame
	snap   int
	lost   uint32
}

func startSniffer(n *Namespace, snap int) (*sniffer, error) {
	s := &sniffer{snap: snap, done: make(chan struct{}), stop: make(chan struct{})}
	err := n.Do(func() (err error) {
		all := int(swap16(unix.ETH_P_ALL))
		s.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, all)
		if err != nil {
			return err
		}
		return s.configure()
	})
	if err != nil {
		return nil, fmt.Errorf("capture in %s: %w", n.name, err)
	}
	go s.run()
	return s, nil
}

func swap16(v uint16) uint16 { return v<<8 | v>>8 }

func (s *sniffer) configure() error {
	// Larger than any recording here, so that nothing is lost while the reader waits for a
	// processor.
	if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 128<<20); err != nil {
		return err
	}
	if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
		return err
	}
	wait := unix.Timeval{Usec: 50_000}
	if err := unix.SetsockoptTimeval(s.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait); err != nil {
		return err
	}
	var index int
	ifr, err := unix.NewIfreq("eth0")
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(s.fd, unix.SIOCGIFINDEX, ifr); err != nil {
		return err
	}
	index = int(ifr.Uint32())
	return unix.Bind(s.fd,
		&unix.SockaddrLinklayer{Protocol: swap16(unix.ETH_P_ALL), Ifindex: index})
}

func (s *sniffer) run() {
	defer close(s.done)
	buf, control := make([]byte, 1<<17), make([]byte, 256)
	for {
		n, oobn, _, _, err := unix.Recvmsg(s.fd, buf, control, unix.MSG_TRUNC)
		switch {
		case err == nil:
			s.keep(buf[:min(n, len(buf))], n, control[:oobn])
		case err == unix.EINTR:
		case err != unix.EAGAIN:
			return
		default: // nothing came for a while: time to end?
			select {
			case <-s.stop:
				return
			default:
			}
		}
	}
}

func (s *sniffer) keep(data []byte, wire int, control []byte) {
	if !packet.IsTCP(data) && !packet.IsICMP(data) && !packet.IsUDP(data) {
		return
	}
	kept := append([]byte(nil), data[:min(len(data), s.snap)]...)
	s.frames = append(s.frames, packet.Frame{At: timestamp(control), Data: kept, Wire: wire})
}

// timestamp is the kernel's, from the control message SCM_TIMESTAMPNS.
func timestamp(control []byte) int64 {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return time.Now().UnixNano()
	}
	for _, m := range messages {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SCM_TIMESTAMPNS &&
			len(m.Data) >= 16 {
			sec := int64(binary.NativeEndian.Uint64(m.Data))
			return sec*1e9 + int64(binary.NativeEndian.Uint64(m.Data[8:]))
		}
	}
	return time.Now().UnixNano()
}

// close ends the capture after what already arrived, and returns it.
func (s *sniffer) close() ([]packet.Frame, error) {
	close(s.stop)
	<-s.done
	s.lost = packetDrops(s.fd)
	unix.Close(s.fd)
	if s.lost > 0 {
		return nil, fmt.Errorf("the kernel dropped %d frames from the capture", s.lost)
	}
	return s.frames, nil
}

// packetDrops is tp_drops of PACKET_STATISTICS.
func packetDrops(fd int) uint32 {
	var stats unix.TpacketStats
	size := uint32(unsafe.Sizeof(stats))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_PACKET,
		unix.PACKET_STATISTICS, uintptr(unsafe.Pointer(&stats)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return 0
	}
	return stats.Drops
}
