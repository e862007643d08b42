package filter

import (
	"net/netip"
	"slices"
)

// hint is what a condition demands of every segment that it lets pass, as far as the kernel
// can tell. The zero value demands nothing.
type hint struct {
	host  netip.Addr // one end has it
	ports []uint32   // one end has one of them
}

// hintPorts is how many ports are worth comparing in the kernel.
const hintPorts = 16

// hintOf reads a condition that is valid. It knows conditions joined by "and" alone, and ports
// joined by "or" alone; for all others there is no hint.
func hintOf(condition string) hint {
	words, err := split(condition)
	if err != nil {
		return hint{}
	}
	var parts [][]string
	joint := ""
	part := []string{}
	for _, w := range words {
		switch w.text {
		case "(", ")", "not":
			return hint{}
		case "and", "or":
			if joint != "" && joint != w.text {
				return hint{}
			}
			joint = w.text
			parts, part = append(parts, part), nil
		default:
			part = append(part, w.text)
		}
	}
	parts = append(parts, part)
	if joint == "or" {
		return anyPort(parts)
	}
	return allOf(parts)
}

// allOf is the hint of conditions that all must hold. What it does not know only makes the result
// smaller.
func allOf(parts [][]string) hint {
	var h hint
	for _, p := range parts {
		if port, ok := portCondition(p); ok && h.ports == nil {
			h.ports = []uint32{port}
		}
		if n := len(p); n >= 2 && p[n-2] == "host" && p[0] != "udp" {
			if a, err := netip.ParseAddr(p[n-1]); err == nil && a.Zone() == "" {
				h.host = a
			}
		}
	}
	return h
}

// anyPort is the hint of ports of which one must be there.
func anyPort(parts [][]string) hint {
	var h hint
	for i, p := range parts {
		if i > 0 && len(p) == 1 && len(parts[0]) > 1 {
			p = []string{"port", p[0]} // a bare value takes the keyword of the one before
		}
		port, ok := portCondition(p)
		if !ok {
			return hint{}
		}
		h.ports = append(h.ports, port)
	}
	if len(h.ports) > hintPorts {
		return hint{}
	}
	return h
}

// portCondition is the port of a condition that is about a port of TCP.
func portCondition(p []string) (uint32, bool) {
	n := len(p)
	if n < 2 || p[n-2] != "port" || slices.Contains(p, "udp") {
		return 0, false
	}
	port, err := parsePort(p[n-1])
	return uint32(port), err == nil
}
