// Package ring takes frames from the interfaces of this host: from a ring that the Linux kernel
// fills, or from libpcap. It knows the clocks that stamp them.
package ring

import (
	"errors"
	"path"
	"slices"
	"strings"
	"time"

	"tcpwhy/capture/internal/frame"
)

// Any is the name that stands for all interfaces together.
const Any = "any"

// The defaults of a TapConfig, in octets.
const (
	DefaultRing  = 64 << 20
	DefaultBlock = 1 << 20
)

// Disorder is how much earlier than a frame before it a frame may be stamped: several processors
// write to one ring.
const Disorder = time.Millisecond

var (
	// ErrNoPermission is wrapped by the error of OpenTap where the system does not let this user
	// capture.
	ErrNoPermission = errors.New("this user may not capture")
	// ErrNoInterface is wrapped by the error of Open where there is no interface of that name, or
	// of one of the names.
	ErrNoInterface = errors.New("there is no interface of that name")
	// ErrPause is a tap's word for "no frame just now".
	ErrPause = errors.New("pause")
	// ErrLook is a tap's word for "a good moment to look around, though there may be more".
	ErrLook = errors.New("look around")
)

// Config says what to listen to.
type Config struct {
	// names of interfaces, patterns of names (path.Match), or Any alone; one at least
	Interfaces []string
	Condition  string // of a filter, valid; what cannot meet it may be left out
	SnapLen    int    // octets kept of a frame; 0: all of it
	// octets that the kernel may fill while this program is busy; 0: DefaultRing
	Ring  int
	Block int // octets that the kernel hands over at once; 0: DefaultBlock
	// take what can be no part of a TCP connection too
	AllFrames   bool
	Promiscuous bool // take frames for other hosts too; not with Any
}

// several reports whether there may be more than one interface.
func (c *Config) several() bool {
	return len(c.Interfaces) > 1 || strings.ContainsAny(c.Interfaces[0], `*?[`)
}

// matching are those of the names that are asked for, in their order.
func (c *Config) matching(names []string) (found []string) {
	for _, name := range names {
		for _, pattern := range c.Interfaces {
			if ok, err := path.Match(pattern, name); name == pattern || ok && err == nil {
				found = append(found, name)
				break
			}
		}
	}
	return found
}

// missing reports whether a name that is no pattern is not among the names.
func (c *Config) missing(names []string) bool {
	for _, name := range c.Interfaces {
		if !strings.ContainsAny(name, `*?[`) && !slices.Contains(names, name) {
			return true
		}
	}
	return false
}

// Tap is where frames come from: a ring of the kernel, or libpcap.
type Tap interface {
	// Next fills in a frame, all but its number, or returns ErrPause or ErrLook, or io.EOF once
	// Stop was called and nothing is left, or another error, after which there are no more frames.
	// The frame is valid until the next call.
	Next(f *frame.Frame) error
	// Stop ends it, from any goroutine; what was captured before is still handed out.
	Stop()
	// Drops is how many frames the kernel has dropped so far.
	Drops() uint64
	// Interfaces are the names of those that frames were or may be taken from so far: a frame names
	// its interface by the index here.
	Interfaces() []string
	// Link is the link type of all its frames.
	Link() frame.LinkType
	// Lag is how long after its time a frame is handed out at most, if this program keeps up.
	Lag() time.Duration
	// Close releases what the tap holds open.
	Close() error
}
