//go:build linux

package world

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// A tap is the lab's end of a TAP device: what the namespace sends is read here, what is written
// arrives there.
type tap struct {
	fd      int
	offload bool // frames carry a virtio header, and may be larger than the MTU
}

// virtioHeader is the length of struct virtio_net_hdr, which precedes every frame of a device with
// offloads.
const virtioHeader = 10

// openTap makes the device eth0 in the namespace, up, with its addresses. With offload the kernel
// hands over segments of up to 64 KiB with unfinished checksums, as it does to a network card.
func openTap(n *Namespace, self, peer Station, offload bool) (*tap, error) {
	t := &tap{offload: offload}
	err := n.Do(func() (err error) {
		t.fd, err = unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("open /dev/net/tun: %w", err)
		}
		return t.configure()
	})
	if err != nil {
		return nil, err
	}
	return t, t.address(n, self, peer)
}

func (t *tap) configure() error {
	ifr, err := unix.NewIfreq("eth0")
	if err != nil {
		return err
	}
	flags := uint16(unix.IFF_TAP | unix.IFF_NO_PI)
	if t.offload {
		flags |= unix.IFF_VNET_HDR
	}
	ifr.SetUint16(flags)
	if err := unix.IoctlIfreq(t.fd, unix.TUNSETIFF, ifr); err != nil {
		return fmt.Errorf("make a TAP device: %w", err)
	}
	if !t.offload {
		return nil
	}
	const features = unix.TUN_F_CSUM | unix.TUN_F_TSO4 | unix.TUN_F_TSO6
	return unix.IoctlSetInt(t.fd, unix.TUNSETOFFLOAD, features)
}

// address gives the device its addresses, and the neighbour as a permanent entry: an ARP round trip
// would otherwise stretch the first handshake.
func (t *tap) address(n *Namespace, self, peer Station) error {
	for _, args := range [][]string{
		{"link", "set", "lo", "up"},
		{"link", "set", "eth0", "address", self.MAC.String(), "mtu", "1500"},
		{"addr", "add", self.V4 + "/24", "dev", "eth0"},
		{"-6", "addr", "add", self.V6 + "/64", "dev", "eth0", "nodad"},
		{"link", "set", "eth0", "up"},
	} {
		if err := ip(append([]string{"-n", n.name}, args...)...); err != nil {
			return err
		}
	}
	return t.neighbour(n, peer)
}

func (t *tap) neighbour(n *Namespace, peer Station) error {
	at := []string{"lladdr", peer.MAC.String(), "dev", "eth0", "nud", "permanent"}
	for _, args := range [][]string{
		{"-n", n.name, "neigh", "replace", peer.V4},
		{"-n", n.name, "-6", "neigh", "replace", peer.V6},
	} {
		if err := ip(append(args, at...)...); err != nil {
			return err
		}
	}
	return nil
}

// read returns false when no frame waits.
func (t *tap) read(buf []byte) ([]byte, bool) {
	n, err := unix.Read(t.fd, buf)
	if err != nil || n <= 0 {
		return nil, false
	}
	return buf[:n], true
}

func (t *tap) write(frame []byte) error {
	_, err := unix.Write(t.fd, frame)
	return err
}

// ethernet is the frame without the virtio header.
func (t *tap) ethernet(frame []byte) []byte {
	if t.offload && len(frame) >= virtioHeader {
		return frame[virtioHeader:]
	}
	return frame
}

func (t *tap) close() { unix.Close(t.fd) }
