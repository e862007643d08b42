//go:build linux

package world

import "net"

// A Station is the addresses of one end.
type Station struct {
	MAC    net.HardwareAddr
	V4, V6 string
}

// ClientStation is the addresses of the client's end.
func ClientStation() Station {
	return Station{net.HardwareAddr{2, 0, 0, 0, 0, 1}, "10.9.0.1", "fd09::1"}
}

// routerSides are the addresses of a router, on the client's side and on the server's.
func routerSides() [2]net.HardwareAddr {
	return [2]net.HardwareAddr{{2, 0, 0, 0, 0, 0x11}, {2, 0, 0, 0, 0, 0x12}}
}

func serverStation() Station {
	return Station{net.HardwareAddr{2, 0, 0, 0, 0, 2}, "10.9.0.2", "fd09::2"}
}
