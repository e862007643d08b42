//go:build linux

package world

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Kernel is the system's name and release, without what a builder appended.
func Kernel() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "unknown"
	}
	release, _, _ := strings.Cut(unix.ByteSliceToString(u.Release[:]), "-")
	return unix.ByteSliceToString(u.Sysname[:]) + " " + release
}

// tune sets what every recording relies on, then what the scenario asks for.
func (w *World) tune(extra map[string]string) error {
	all := map[string]string{
		"net.ipv4.tcp_no_metrics_save":           "1", // no run may teach the next one its path
		"net.ipv4.tcp_fastopen":                  "0",
		CongestionControl:                        "cubic",
		"net.ipv6.conf.all.router_solicitations": "0",
		"net.ipv6.conf.default.accept_dad":       "0",
		// no link-local address: its multicast is no part of the recording
		"net.ipv6.conf.default.addr_gen_mode": "1",
	}
	for name, value := range extra {
		all[name] = value
	}
	restore, err := allowCongestionControl(all[CongestionControl])
	if err != nil {
		return err
	}
	defer restore()
	for name, value := range all {
		for _, n := range []*Namespace{w.Client, w.Server} {
			if err := n.sysctl(name, value); err != nil {
				return fmt.Errorf("set %s: %w", name, err)
			}
		}
	}
	return nil
}

// CongestionControl is the setting that names the algorithm.
const CongestionControl = "net.ipv4.tcp_congestion_control"

// allowCongestionControl lets namespaces choose an algorithm: outside the first one the kernel
// accepts only those that the first one's list allows. The list is put back as it was.
func allowCongestionControl(name string) (restore func(), err error) {
	const list = "/proc/sys/net/ipv4/tcp_allowed_congestion_control"
	before, err := os.ReadFile(list)
	if err != nil {
		return nil, err
	}
	allowed := strings.Fields(string(before))
	if !slices.Contains(allowed, name) {
		allowed = append(allowed, name)
	}
	if err := os.WriteFile(list, []byte(strings.Join(allowed, " ")), 0); err != nil {
		return nil, fmt.Errorf("allow %s: %w", name, err)
	}
	return func() { os.WriteFile(list, before, 0) }, nil
}
