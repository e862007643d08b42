//go:build unix

package cli

import (
	"fmt"
	"os/user"
	"strconv"
	"syscall"
)

// account is whom the program is to become; nil stays who it is.
type account struct {
	name     string
	uid, gid int
}

// findUser looks up --user before anything is opened.
func findUser(name string) (*account, error) {
	if name == "" {
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
