//go:build linux && !pcap

package ring

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"tcpwhy/capture/internal/frame"
	"tcpwhy/capture/internal/header"
)

const (
	// headroom is the room that the kernel leaves before each frame, for the header of a cooked
	// capture and a VLAN tag.
	headroom = 32
	// pollFor is how long to wait for a block, in ms; signals and the end come through wake.
	pollFor = 50
	// drainFor is how long after stop the ring is read on: until the kernel has handed over its
	// last block.
	drainFor = 2*retireAfter*time.Millisecond + 50*time.Millisecond
	// lagMax is how old a frame can be that lies in a block the kernel has not handed over yet, or
	// during a nap.
	lagMax = 2*retireAfter*time.Millisecond + napMost + 50*time.Millisecond
	// napMost is how long to leave the ring alone once it was empty, so that there is work for more
	// than an instant: a process that wakes for each block costs half as much again. A smaller ring
	// gets a shorter nap: it is to hold what arrives meanwhile at napRate.
	napMost = 40 * time.Millisecond
	napRate = 16e8 // octets a second
)

var errRemoved = errors.New("the interface was removed")

// ring is a TPACKET_V3 ring: blocks of frames in memory shared with the kernel (packet(7), and
// Documentation/networking/packet_mmap.rst of the kernel's source).
type ring struct {
	fd, wake  int
	config    Config
	snap      uint32
	name      string
	names     []string         // of the interfaces, in the order in which they came
	chosen    map[int32]uint32 // several: index in names by interface index; nil: one, or any
	chosenAt  time.Time
	index     int // 0: all interfaces
	hardware  uint16
	kind      frame.LinkType
	mem       []byte
	blockSize int
	blocks    int
	at        int    // the block being read, or the next one
	reading   bool   // that block is ours
	worked    bool   // a block was read since the last nap
	left      uint32 // frames left in it
	offset    int    // of the next of them, in mem
	dropped   uint64
	gone      bool // the interface was removed
	stopped   atomic.Bool
	stoppedAt time.Time
	waking    sync.Mutex // held to use wake, or to close it
}

// Interfaces implements Tap.
func (r *ring) Interfaces() []string { return r.names }

// Link implements Tap.
func (r *ring) Link() frame.LinkType { return r.kind }

// Lag implements Tap.
func (r *ring) Lag() time.Duration { return lagMax }

// Next implements Tap.
func (r *ring) Next(f *frame.Frame) error {
	for {
		for r.left > 0 {
			if r.take(f) {
				return nil
			}
		}
		if r.reading {
			r.release()
			return ErrLook
		}
		if r.acquire() {
			continue
		}
		return r.wait()
	}
}

// block is the header of the block at which the ring stands.
func (r *ring) block() *unix.TpacketHdrV1 {
	d := (*unix.TpacketBlockDesc)(unsafe.Pointer(&r.mem[r.at*r.blockSize]))
	return (*unix.TpacketHdrV1)(unsafe.Pointer(&d.Hdr))
}

// acquire takes the next block if the kernel has handed it over.
func (r *ring) acquire() bool {
	if !r.ready() {
		return false
	}
	b := r.block()
	r.reading, r.left = true, b.Num_pkts
	r.offset = r.at*r.blockSize + int(b.Offset_to_first_pkt)
	return true
}

// release gives the block back to the kernel.
func (r *ring) release() {
	atomic.StoreUint32(&r.block().Block_status, unix.TP_STATUS_KERNEL)
	r.reading, r.worked = false, true
	r.at = (r.at + 1) % r.blocks
}

// take fills in the next frame of the block. It is false for one that is to be left out.
func (r *ring) take(f *frame.Frame) bool {
	h := (*unix.Tpacket3Hdr)(unsafe.Pointer(&r.mem[r.offset]))
	from := (*unix.RawSockaddrLinklayer)(unsafe.Pointer(&r.mem[r.offset+sockaddrOffset]))
	start := r.offset + int(h.Mac)
	r.left--
	r.offset += int(h.Next_offset)
	if from.Hatype == hardwareLoopback && from.Pkttype == unix.PACKET_OUTGOING {
		return false
	}
	if r.chosen != nil {
		iface, chosen := r.chosen[from.Ifindex]
		if !chosen {
			return false
		}
		f.Iface = iface
	}
	f.Time = int64(h.Sec)*int64(time.Second) + int64(h.Nsec)
	head := r.restore(h, from, start)
	f.Data = r.mem[head : start+int(h.Snaplen) : start+int(h.Snaplen)]
	f.OrigLen = max(h.Len+uint32(start-head), uint32(len(f.Data)))
	return true
}

// sockaddrOffset is where the link-layer address lies: behind the frame's header.
const (
	sockaddrOffset = (frameHeader + unix.TPACKET_ALIGNMENT - 1) &^ (unix.TPACKET_ALIGNMENT - 1)
	frameHeader    = int(unsafe.Sizeof(unix.Tpacket3Hdr{}))
)

// restore writes before the frame what the kernel took off it: the VLAN tag that the network card
// or the kernel moved into a field of its own, and the link layer's header. It returns where the
// frame now begins.
func (r *ring) restore(h *unix.Tpacket3Hdr, from *unix.RawSockaddrLinklayer, start int) int {
	tagged := h.Status&unix.TP_STATUS_VLAN_VALID != 0
	tpid := uint16(header.EtherVLAN)
	if h.Status&unix.TP_STATUS_VLAN_TPID_VALID != 0 {
		tpid = h.Hv1.Vlan_tpid
	}
	switch {
	case r.kind == frame.LinkCooked2:
		protocol := networkOrder(from.Protocol)
		if innerTag(protocol, r.mem[start:start+int(h.Snaplen)], h.Len) {
			protocol = header.EtherVLAN
		}
		if tagged {
			start -= header.TagSize
			binary.BigEndian.PutUint16(r.mem[start:], uint16(h.Hv1.Vlan_tci))
			binary.BigEndian.PutUint16(r.mem[start+2:], protocol)
			protocol = tpid
		}
		return r.cook(from, start, protocol)
	case tagged && r.kind == frame.LinkEthernet && h.Snaplen >= header.EthernetSize-2:
		head := start - header.TagSize
		copy(r.mem[head:], r.mem[start:start+12])
		binary.BigEndian.PutUint16(r.mem[head+12:], tpid)
		binary.BigEndian.PutUint16(r.mem[head+14:], uint16(h.Hv1.Vlan_tci))
		return head
	}
	return start
}

// cook writes the header of LINKTYPE_LINUX_SLL2 before the frame.
func (r *ring) cook(from *unix.RawSockaddrLinklayer, start int, protocol uint16) int {
	const header = 20
	p := r.mem[start-header : start]
	binary.BigEndian.PutUint16(p, protocol)
	p[2], p[3] = 0, 0
	binary.BigEndian.PutUint32(p[4:], uint32(from.Ifindex))
	binary.BigEndian.PutUint16(p[8:], from.Hatype)
	p[10], p[11] = from.Pkttype, from.Halen
	copy(p[12:20], from.Addr[:])
	return start - header
}

// innerTag reports whether the frame begins with a VLAN tag although the kernel says that it is IP:
// of two tags it takes off the outer one, and then names what follows the inner one.
func innerTag(protocol uint16, p []byte, wire uint32) bool {
	version := byte(4)
	if protocol == header.EtherIPv6 {
		version = 6
	}
	if protocol != header.EtherIPv4 && protocol != header.EtherIPv6 || len(p) < header.IPv4Size ||
		binary.BigEndian.Uint16(p[2:]) != protocol ||
		p[header.TagSize]>>4 != version {
		return false
	}
	// Some packets without a tag look like that too, but they are as long as they say.
	length := uint32(binary.BigEndian.Uint16(p[2:]))
	if version == 6 {
		length = header.IPv6Size + uint32(binary.BigEndian.Uint16(p[4:]))
	}
	return p[0]>>4 != version || length != wire
}

// wait sleeps until there is a block, the time is over, or stop was called.
func (r *ring) wait() error {
	if r.gone || r.stopped.Load() {
		if err := r.refuse(); err != nil {
			return err
		}
	}
	if r.worked && r.stoppedAt.IsZero() {
		r.worked = false
		time.Sleep(min(napMost, time.Duration(float64(len(r.mem))/napRate*float64(time.Second))))
		return ErrPause
	}
	set := []unix.PollFd{
		{Fd: int32(r.fd), Events: unix.POLLIN | unix.POLLERR},
		{Fd: int32(r.wake), Events: unix.POLLIN},
	}
	if !r.stoppedAt.IsZero() {
		set = set[:1] // the wake stays readable
	}
	n, err := unix.Poll(set, pollFor)
	switch {
	case err == unix.EINTR || n == 0:
		return ErrPause
	case err != nil:
		return os.NewSyscallError("poll", err)
	case set[0].Revents&(unix.POLLERR|unix.POLLNVAL|unix.POLLHUP) != 0:
		return r.survive()
	}
	return ErrPause
}

// refuse ends the capture: the kernel takes no more frames, and what it has is handed out. It is an
// error once it is.
func (r *ring) refuse() error {
	if r.stoppedAt.IsZero() {
		r.stoppedAt = time.Now()
		// Without it the end would only come later.
		_ = r.setFilter([]bpf.Instruction{bpf.RetConstant{Val: 0}})
		return nil
	}
	switch {
	case time.Since(r.stoppedAt) < drainFor || r.ready():
		return nil
	case r.gone:
		return errRemoved
	}
	return io.EOF
}

// ready reports whether the kernel has handed over the next block.
func (r *ring) ready() bool {
	return atomic.LoadUint32(&r.block().Block_status)&unix.TP_STATUS_USER != 0
}

// survive looks at an error of the socket. An interface that goes down comes up again; one that is
// removed does not.
func (r *ring) survive() error {
	code, err := unix.GetsockoptInt(r.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return os.NewSyscallError("getsockopt", err)
	}
	if code != 0 && unix.Errno(code) != unix.ENETDOWN {
		return fmt.Errorf("the interface: %w", unix.Errno(code))
	}
	if r.index != 0 {
		_, err := net.InterfaceByIndex(r.index)
		r.gone = err != nil
	}
	return ErrPause
}

// Stop implements Tap.
func (r *ring) Stop() {
	r.stopped.Store(true)
	r.waking.Lock()
	defer r.waking.Unlock()
	if r.wake >= 0 {
		// It can only fail if the counter is full, and then the reader is awake.
		_, _ = unix.Write(r.wake, []byte{1, 0, 0, 0, 0, 0, 0, 1})
	}
}

// Drops implements Tap. The kernel counts from the last time it was asked.
func (r *ring) Drops() uint64 {
	if !r.stopped.Load() {
		r.chooseAgain()
	}
	s, err := unix.GetsockoptTpacketStatsV3(r.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err == nil {
		r.dropped += uint64(s.Drops)
	}
	return r.dropped
}

// Close implements Tap. It is safe when open went only part of the way.
func (r *ring) Close() error {
	r.waking.Lock()
	defer r.waking.Unlock()
	var errs []error
	if r.mem != nil {
		errs = append(errs, unix.Munmap(r.mem))
		r.mem = nil
	}
	for _, fd := range []*int{&r.fd, &r.wake} {
		if *fd >= 0 {
			errs = append(errs, unix.Close(*fd))
			*fd = -1
		}
	}
	return errors.Join(errs...)
}
