package sockets

import "strings"

const (
	idLen      = 64  // hexadecimal digits in the id of a container
	uidLen     = 36  // characters of the UID of a pod: RFC 9562
	hashLen    = 32  // of one that a node runs by itself, which has a hash for that
	mostCgroup = 512 // octets of a path that are kept
)

// named sets what the path of a cgroup tells: systemd, Docker, containerd, CRI-O and Podman end the
// name of a container's cgroup with its id, the kubelet has pod and UID in that of a pod.
func (p *Process) named(path string) {
	if len(path) > mostCgroup {
		path = path[:mostCgroup]
	}
	p.Cgroup, p.Container, p.Pod = path, "", ""
	for part := range strings.SplitSeq(path, "/") {
		part = strings.TrimSuffix(strings.TrimSuffix(part, ".scope"), ".slice")
		if id := part[strings.LastIndexAny(part, "-:")+1:]; len(id) == idLen && isHex(id) {
			p.Container = id
		}
		if at := strings.LastIndex(part, "pod"); at >= 0 && (at == 0 || part[at-1] == '-') {
			if uid := podUID(part[at+len("pod"):]); uid != "" {
				p.Pod = uid
			}
		}
	}
}

// podUID is the UID of a pod, in which systemd has underscores for hyphens; "" if it is none.
func podUID(s string) string {
	uid := strings.ReplaceAll(s, "_", "-")
	switch digits := strings.ReplaceAll(uid, "-", ""); {
	case !isHex(digits) || len(digits) != hashLen:
		return ""
	case len(uid) == uidLen || len(uid) == hashLen:
		return uid
	}
	return ""
}

// isHex reports whether all of s is lower-case hexadecimal digits.
func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }

// cgroupOf chooses from the text of /proc/PID/cgroup: the path in the one hierarchy of cgroup 2, or
// where that tells nothing, the longest of the others (man 7 cgroups).
func cgroupOf(text string) string {
	longest := ""
	for line := range strings.Lines(text) {
		id, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		_, path, ok := strings.Cut(rest, ":")
		switch {
		case !ok:
		case id == "0" && path != "/":
			return path
		case len(path) > len(longest):
			longest = path
		}
	}
	return longest
}
