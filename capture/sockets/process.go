package sockets

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	scanEvery   = 2 * time.Second        // at most
	scanFor     = 200 * time.Millisecond // at a time; the next one goes on from there
	scanLinks   = 1 << 16                // descriptors looked at in one process
	mostHot     = 8                      // processes that are asked first
	mostDetails = 1024                   // processes of which the name is remembered
	detailsFor  = 5 * time.Second
	mostText    = 16 << 10 // octets of a file of /proc
)

// processes finds out which process holds a socket, by the links in /proc/PID/fd. It is for one
// goroutine.
type processes struct {
	root    string // /proc
	hot     []int  // those that held what was asked for, the latest first
	next    int    // PID at which the next scan begins
	scanned time.Time
	details map[int]detail
}

// detail is what is known of a process.
type detail struct {
	Process
	read time.Time
}

// find looks for sockets by their inodes, and tells of those that it finds: first in processes that
// held others, which have made another one since; then, at most every two seconds, in all.
func (p *processes) find(
	wanted map[uint32]struct{},
	now time.Time,
	found func(inode uint32, pid int),
) {
	for _, pid := range slices.Clone(p.hot) {
		p.look(pid, wanted, found)
	}
	if len(wanted) > 0 && now.Sub(p.scanned) >= scanEvery {
		p.scanned = now
		p.scan(wanted, now.Add(scanFor), found)
	}
}

// scan looks into all processes, as far as there is time.
func (p *processes) scan(wanted map[uint32]struct{}, until time.Time, found func(uint32, int)) {
	entries, err := os.ReadDir(p.root)
	if err != nil {
		return
	}
	var pids []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	from, _ := slices.BinarySearch(pids, p.next)
	for i := range pids {
		pid := pids[(from+i)%len(pids)]
		if len(wanted) == 0 || time.Now().After(until) {
			p.next = pid
			return
		}
		p.look(pid, wanted, found)
	}
	p.next = 0
}

// look looks into one process.
func (p *processes) look(pid int, wanted map[uint32]struct{}, found func(uint32, int)) {
	if len(wanted) == 0 {
		return
	}
	dir := filepath.Join(p.root, strconv.Itoa(pid), "fd")
	d, err := os.Open(dir)
	if err != nil {
		return // gone, or of another user
	}
	defer d.Close()
	names, _ := d.Readdirnames(scanLinks)
	for _, name := range names {
		link, err := os.Readlink(dir + "/" + name)
		if err != nil {
			continue
		}
		inode, is := socketInode(link)
		if _, asked := wanted[inode]; !is || !asked {
			continue
		}
		delete(wanted, inode)
		p.heat(pid)
		found(inode, pid)
	}
}

// socketInode reads the target of a link to a socket.
func socketInode(link string) (uint32, bool) {
	digits, is := strings.CutPrefix(link, "socket:[")
	n, err := strconv.ParseUint(strings.TrimSuffix(digits, "]"), 10, 32)
	return uint32(n), is && err == nil
}

// heat makes a process the first that is asked next time.
func (p *processes) heat(pid int) {
	if i := slices.Index(p.hot, pid); i >= 0 {
		p.hot = slices.Delete(p.hot, i, i+1)
	}
	p.hot = slices.Insert(p.hot, 0, pid)
	p.hot = p.hot[:min(len(p.hot), mostHot)]
}

// describe says what a process is.
func (p *processes) describe(pid int, now time.Time) Process {
	if d, ok := p.details[pid]; ok && now.Sub(d.read) < detailsFor {
		return d.Process
	}
	out := Process{PID: pid, Command: strings.TrimSuffix(p.read(pid, "comm"), "\n")}
	out.named(cgroupOf(p.read(pid, "cgroup")))
	if p.details == nil || len(p.details) >= mostDetails {
		p.details = map[int]detail{}
	}
	p.details[pid] = detail{out, now}
	return out
}

// read reads a file of a process; "" if that is not possible.
func (p *processes) read(pid int, name string) string {
	f, err := os.Open(filepath.Join(p.root, strconv.Itoa(pid), name))
	if err != nil {
		return ""
	}
	defer f.Close()
	b := make([]byte, mostText)
	n, _ := f.Read(b)
	return string(b[:n])
}
