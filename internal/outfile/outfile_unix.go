//go:build unix

package outfile

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// noFollow makes opening a link an error.
const noFollow = syscall.O_NOFOLLOW

// ofStranger reports whether a pipe or socket was made by somebody else than root or this user.
// Devices are root's to make.
func ofStranger(info fs.FileInfo) bool {
	stat, known := info.Sys().(*syscall.Stat_t)
	if info.Mode()&fs.ModeDevice != 0 || !known {
		return false
	}
	uid := int(stat.Uid)
	return uid != 0 && uid != os.Geteuid() && uid != os.Getuid()
}

// descriptor is the number of the descriptor of this process that a name stands for. Opened by
// its name it could be another user's, and would be written from its beginning.
func descriptor(name string) (fd int, own bool) {
	switch name = filepath.Clean(name); name {
	case "/dev/stdout":
		return 1, true
	case "/dev/stderr":
		return 2, true
	}
	for _, dir := range [...]string{"/dev/fd/", "/proc/self/fd/"} {
		if number, found := strings.CutPrefix(name, dir); found {
			fd, err := strconv.Atoi(number)
			return fd, err == nil && fd >= 0
		}
	}
	return 0, false
}

// duplicate is another descriptor for what one of this process's is for.
func duplicate(fd int, name string) (*os.File, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	other, err := syscall.Dup(fd)
	if err != nil {
		return nil, about(name, err)
	}
	syscall.CloseOnExec(other)
	return os.NewFile(uintptr(other), name), nil
}
