package sockets

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestNamed reads names of control groups.
func TestNamed(t *testing.T) {
	id := strings.Repeat("0123456789abcdef", 4)
	for path, want := range map[string][2]string{
		"/":                                     {"", ""},
		"/user.slice/user-1000.slice":           {"", ""},
		"/system.slice/podman.service":          {"", ""},
		"/docker/" + id:                         {id, ""},
		"/system.slice/docker-" + id + ".scope": {id, ""},
		"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podde7a8f2e_1234_4abc_9def_0123456789ab.slice/cri-containerd-" + id + ".scope": {
			id, "de7a8f2e-1234-4abc-9def-0123456789ab"},
		"/kubepods/besteffort/podde7a8f2e-1234-4abc-9def-0123456789ab/" + id: {id, "de7a8f2e-1234-4abc-9def-0123456789ab"},
		"/kubepods/burstable/pod" + id[:32] + "/" + id:                       {id, id[:32]},
		"/kubepods.slice/kubepods-podde7a8f2e_1234_4abc_9def_0123456789ab.slice/crio-" + id + ".scope/container": {
			id, "de7a8f2e-1234-4abc-9def-0123456789ab"},
		"/docker/" + id[1:]:   {"", ""},
		"/docker/" + id + "0": {"", ""},
		"/kubepods/podnonsense/" + strings.Repeat("x", 64): {"", ""},
	} {
		var p Process
		p.named(path)
		if got := [2]string{p.Container, p.Pod}; got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// TestCgroupOf chooses a hierarchy.
func TestCgroupOf(t *testing.T) {
	for text, want := range map[string]string{
		"0::/system.slice/ssh.service\n":                      "/system.slice/ssh.service",
		"5:devices:/\n4:memory:/docker/abc\n1:cpu:/a\n0::/\n": "/docker/abc",
		"0::/\n":      "/",
		"":            "",
		"\x00\n::\n:": "",
	} {
		if got := cgroupOf(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// proc makes a /proc of some processes that hold sockets.
func proc(t *testing.T, held map[int][]uint32) string {
	t.Helper()
	root := t.TempDir()
	for pid, inodes := range held {
		dir := filepath.Join(root, fmt.Sprint(pid))
		if err := os.MkdirAll(dir+"/fd", 0o755); err != nil {
			t.Fatal(err)
		}
		for i, inode := range inodes {
			if err := os.Symlink(fmt.Sprintf("socket:[%d]", inode), fmt.Sprintf("%s/fd/%d", dir, i)); err != nil {
				t.Skip(err)
			}
		}
		os.Symlink("/dev/null", dir+"/fd/99")
		os.WriteFile(dir+"/comm", []byte("worker\n"), 0o644)
		os.WriteFile(dir+"/cgroup", []byte("0::/a/b\n"), 0o644)
	}
	os.WriteFile(filepath.Join(root, "version"), nil, 0o644)
	return root
}

// TestFind finds who holds a socket: the first of several, and of a process that held others at
// once, though all of them were asked a moment ago.
func TestFind(t *testing.T) {
	p := &processes{root: proc(t, map[int][]uint32{7: {70, 71}, 12: {71, 120}, 300: {}})}
	find := func(now time.Time, inodes ...uint32) map[uint32]int {
		wanted, got := map[uint32]struct{}{}, map[uint32]int{}
		for _, i := range inodes {
			wanted[i] = struct{}{}
		}
		p.find(wanted, now, func(inode uint32, pid int) { got[inode] = pid })
		return got
	}
	begin := time.Now()
	if got := find(begin, 71, 555); !maps.Equal(got, map[uint32]int{71: 7}) {
		t.Error(got)
	}
	if got := find(begin.Add(time.Millisecond), 70, 120); !maps.Equal(got, map[uint32]int{70: 7}) {
		t.Error(got)
	}
	if got := find(begin.Add(scanEvery), 120); !maps.Equal(got, map[uint32]int{120: 12}) {
		t.Error(got)
	}
	if !slices.Equal(p.hot, []int{12, 7}) {
		t.Error(p.hot)
	}
	want := Process{PID: 12, Command: "worker", Cgroup: "/a/b"}
	if got := p.describe(12, begin); got != want {
		t.Errorf("%+v", got)
	}
	if got := p.describe(13, begin); got != (Process{PID: 13}) {
		t.Errorf("%+v", got)
	}
}
