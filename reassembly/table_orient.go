package reassembly

import "tcpwhy/capture"

// serverPorts are ports above 1023 that servers commonly listen on, and that are within or near the
// ranges from which clients take theirs.
var serverPorts = [...]uint16{
	8080,
	8443,
	8000,
	3000,
	5000,
	8888,
	9000,
	8081,
	9090,
	3128,
	1080,
	8008,
	9200,
	5432,
	3306,
	6379,
}

// senderIsClient decides from a connection's first segment which side opened it: the SYN, the
// SYN-ACK, what is said, the ports, and if all that says nothing, who was seen first.
func senderIsClient(seg *capture.Segment) bool {
	if seg.Flags.Has(capture.SYN) {
		return !seg.Flags.Has(capture.ACK)
	}
	if speaker, known := speaks(seg.Payload); known {
		return speaker == FromClient
	}
	src, dst := seg.Src.Port(), seg.Dst.Port()
	if s, d := portRank(src), portRank(dst); s != d {
		return s > d
	}
	return src >= dst
}

// portRank is lower the more a port looks like a server's.
func portRank(port uint16) int {
	if port < 1024 {
		return 0
	}
	for _, p := range serverPorts {
		if p == port {
			return 1
		}
	}
	return 2
}
