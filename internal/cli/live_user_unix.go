//go:build unix

package cli

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// account is whom the program is to become; nil stays who it is.
type account struct {
	name     string
	uid, gid int
}

// ownUser is the user that root becomes unasked, where there is one: a package or an administrator
// has made it for this program.
const ownUser = "tcpwhy"

// keepRoot is the --user that keeps root's rights.
const keepRoot = "root"

// findUser looks up --user before anything is opened; without it, whom root is to become.
func findUser(name string) (*account, error) {
	if name == "" && os.Geteuid() == 0 {
		return unasked(), nil
	}
	if name == "" || name == keepRoot && os.Geteuid() == 0 {
		return nil, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return nil, &usageError{"--user: " + err.Error(), ""}
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(u.Gid)
	return &account{name, uid, gid}, err
}

// unasked is whom root becomes unless it is told: who called sudo, whose files then are written, or
// ownUser; nil if there is neither.
func unasked() *account {
	uid, err := strconv.Atoi(os.Getenv("SUDO_UID"))
	gid, gidErr := strconv.Atoi(os.Getenv("SUDO_GID"))
	if err == nil && gidErr == nil && uid > 0 && gid >= 0 {
		return &account{"the user of sudo", uid, gid}
	}
	own, err := findUser(ownUser)
	if err != nil || own.uid == 0 {
		return nil
	}
	return own
}

// become gives up the rights of the user that started the program, for good: of all its threads,
// groups first.
func (a *account) become() error {
	if a == nil || syscall.Getuid() == a.uid && syscall.Geteuid() == a.uid {
		return nil
	}
	if err := syscall.Setgroups([]int{a.gid}); err != nil {
		return fmt.Errorf("become %s: set groups: %w", a.name, err)
	}
	if err := syscall.Setgid(a.gid); err != nil {
		return fmt.Errorf("become %s: set group: %w", a.name, err)
	}
	if err := syscall.Setuid(a.uid); err != nil {
		return fmt.Errorf("become %s: %w", a.name, err)
	}
	if a.uid != 0 && syscall.Setuid(0) == nil {
		return fmt.Errorf("become %s: root's rights could be taken back", a.name)
	}
	return nil
}
