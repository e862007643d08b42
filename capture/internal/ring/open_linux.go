//go:build linux && !pcap

package ring

import (
	"errors"
	"fmt"
	"net"
	"os"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"tcpwhy/capture/internal/filter"
	"tcpwhy/capture/internal/frame"
)

// Link layers of Linux interfaces (linux/if_arp.h).
const (
	hardwareEthernet  = 1
	hardwareRawIP     = 519
	hardwareLoopback  = 772
	hardware80211     = 801
	hardwareRadiotap  = 803
	hardwareNone      = 0xfffe // tun and wireguard: IP without anything before it
	linkIEEE80211     = frame.LinkType(105)
	linkIEEE80211Info = frame.LinkType(127)
)

// retireAfter is how long the kernel keeps a block that is not full, in ms. It does so at most
// twice as long: its timer looks whether anything was added since it last looked.
const retireAfter = 50

// snapMax is the longest frame that is taken, as in the files that are written. Segments before
// offload stay below it.
const snapMax = frame.Longest

// leastBlock is the smallest block, in octets: the longest common frame, 64 KiB, fits.
const leastBlock = 128 << 10

// Open begins to listen, with a ring. It opens the socket and everything that belongs to it.
// Nothing is received before all is in place: the socket gets its protocol last.
func Open(c Config) (Tap, error) {
	r := &ring{fd: -1, wake: -1, config: c, name: c.Interfaces[0]}
	if c.several() {
		r.chosen = map[int32]uint32{}
		if err := r.choose(); err != nil {
			return nil, err
		}
	} else {
		index, err := interfaceIndex(r.name)
		if err != nil {
			return nil, err
		}
		r.index, r.names = index, []string{r.name}
	}
	if err := r.open(&c); err != nil {
		// The first error is the one that helps.
		_ = r.Close()
		return nil, err
	}
	return r, nil
}

func interfaceIndex(name string) (int, error) {
	if name == Any {
		return 0, nil
	}
	i, err := net.InterfaceByName(name)
	if err != nil {
		return 0, ErrNoInterface
	}
	return i.Index, nil
}

func (r *ring) open(c *Config) error {
	if err := r.findLink(); err != nil {
		return err
	}
	kind := unix.SOCK_RAW
	if r.kind == frame.LinkCooked2 {
		kind = unix.SOCK_DGRAM
	}
	var err error
	if r.fd, err = unix.Socket(unix.AF_PACKET, kind|unix.SOCK_CLOEXEC, 0); err != nil {
		return permission(err)
	}
	if r.wake, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		return os.NewSyscallError("eventfd", err)
	}
	if err := r.configure(c); err != nil {
		return err
	}
	return r.bind(c)
}

// findLink decides in which form frames are taken: as they are where their link layer is known, and
// else with the header of a cooked capture, which the kernel can tell of every interface.
func (r *ring) findLink() error {
	if r.index == 0 { // several, or any
		r.kind = frame.LinkCooked2
		return nil
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	req, err := unix.NewIfreq(r.name)
	if err != nil {
		return ErrNoInterface
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFHWADDR, req); err != nil {
		return os.NewSyscallError("read the link layer", err)
	}
	r.hardware = req.Uint16() // the address family of a hardware address is its type
	switch r.hardware {
	case hardwareEthernet, hardwareLoopback:
		r.kind = frame.LinkEthernet
	case hardwareNone, hardwareRawIP:
		r.kind = frame.LinkRaw
	case hardware80211:
		r.kind = linkIEEE80211
	case hardwareRadiotap:
		r.kind = linkIEEE80211Info
	default:
		r.kind = frame.LinkCooked2
	}
	return nil
}

// permission turns the refusal of a raw socket into ErrNoPermission.
func permission(err error) error {
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return fmt.Errorf("%w (CAP_NET_RAW is missing)", ErrNoPermission)
	}
	return os.NewSyscallError("packet socket", err)
}

// configure makes the ring and the filter.
func (r *ring) configure(c *Config) error {
	snap := snapMax
	if c.SnapLen > 0 {
		snap = min(c.SnapLen, snapMax)
	}
	steps := []struct {
		name string
		do   func() error
	}{
		{"set TPACKET_V3", func() error {
			return unix.SetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3)
		}},
		{"reserve headroom", func() error {
			return unix.SetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_RESERVE, headroom)
		}},
		{"filter", func() error { r.snap = uint32(snap); return r.attach(c, r.snap) }},
		{"make the ring", func() error { return r.reserve(c) }},
	}
	for _, step := range steps {
		if err := step.do(); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	// With this, frames are stamped when the kernel first sees them, and all listeners see the same
	// time. Older kernels stamp them a little later.
	_ = unix.SetsockoptInt(r.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	if r.hardware == hardwareLoopback {
		// Loopback shows each frame twice, leaving and arriving. One is enough; next drops what
		// older kernels still give.
		_ = unix.SetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1)
	}
	return nil
}

// reserve makes the ring.
func (r *ring) reserve(c *Config) error {
	page := os.Getpagesize()
	block := c.Block
	if block <= 0 {
		block = DefaultBlock
	}
	size := c.Ring
	if size <= 0 {
		size = DefaultRing
	}
	block = max((block+page-1)/page*page, leastBlock)
	blocks := max(size/block, 2)
	request := unix.TpacketReq3{
		Block_size: uint32(block), Block_nr: uint32(blocks), Frame_size: uint32(page),
		Frame_nr: uint32(block / page * blocks), Retire_blk_tov: retireAfter,
	}
	err := unix.SetsockoptTpacketReq3(r.fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &request)
	if err != nil {
		return fmt.Errorf("%d blocks of %d octets: %w", blocks, block, err)
	}
	mem, err := unix.Mmap(r.fd, 0, block*blocks, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return os.NewSyscallError("mmap", err)
	}
	r.mem, r.blockSize, r.blocks = mem, block, blocks
	return nil
}

// bind begins to receive.
func (r *ring) bind(c *Config) error {
	address := unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_ALL), Ifindex: r.index}
	if err := unix.Bind(r.fd, &address); err != nil {
		return os.NewSyscallError("bind", err)
	}
	if !c.Promiscuous || r.hardware == hardwareLoopback {
		return nil
	}
	if r.chosen != nil {
		for index := range r.chosen {
			if err := r.promiscuous(index); err != nil {
				return err
			}
		}
		return nil
	}
	if r.index == 0 {
		return nil
	}
	return r.promiscuous(int32(r.index))
}

// promiscuous has an interface take frames for other hosts, too. Loopback takes no notice.
func (r *ring) promiscuous(index int32) error {
	request := unix.PacketMreq{Ifindex: index, Type: unix.PACKET_MR_PROMISC}
	err := unix.SetsockoptPacketMreq(r.fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &request)
	if err != nil {
		return fmt.Errorf("promiscuous mode: %w", err)
	}
	return nil
}

func networkOrder(v uint16) uint16 { return v<<8 | v>>8 }

// attach gives the socket its filter, which also cuts frames.
func (r *ring) attach(c *Config, snap uint32) error {
	program := []bpf.Instruction{bpf.RetConstant{Val: snap}}
	if !c.AllFrames && r.kind != linkIEEE80211 && r.kind != linkIEEE80211Info {
		var err error
		if program, err = filter.Program(r.kind, c.Condition, snap); err != nil {
			return err
		}
	}
	return r.setFilter(append(r.onlyChosen(), program...))
}

// setFilter hands a program to the kernel.
func (r *ring) setFilter(program []bpf.Instruction) error {
	raw, err := bpf.Assemble(program)
	if err != nil {
		return err
	}
	code := make([]unix.SockFilter, len(raw))
	for i, in := range raw {
		code[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	all := unix.SockFprog{Len: uint16(len(code)), Filter: unsafe.SliceData(code)}
	return unix.SetsockoptSockFprog(r.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &all)
}
