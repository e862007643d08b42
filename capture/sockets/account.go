package sockets

import (
	"errors"
	"net/netip"
	"slices"
	"time"
)

// ErrUnsupported: this system has nothing of the kind.
var ErrUnsupported = errors.New("sockets can be looked up on Linux alone")

// End is what is known of a socket of this machine that is one end of a connection.
type End struct {
	Process
	Unknown Reason // why its process is not known; 0 where it is
	// Account is the kernel's own; nil if it was never told.
	Account *Account
}

// Reason is why it is not known whose an end is.
type Reason uint8

const (
	_       Reason = iota
	Ended          // the socket had ended before anybody asked about it
	Hidden         // no process that may be looked at holds it, or holds it still
	Missing        // this network namespace has no such socket
	Unasked        // there was no answer in time, as there were too many connections at once
)

var reasonNames = [...]string{"", "ended", "hidden", "missing", "unasked"}

// String is the reason's name in reports.
func (r Reason) String() string { return reasonNames[r] }

// ParseReason is the reason of that name in reports; false if there is none.
func ParseReason(name string) (Reason, bool) {
	i := slices.Index(reasonNames[1:], name)
	return Reason(i + 1), i >= 0
}

// Process is whose a socket is. Zero stands for what is not known; UID is valid if Owned.
type Process struct {
	PID     int    // the lowest that holds it
	Command string // the process's name as the kernel has it: at most 15 octets, any at all
	UID     uint32
	Owned   bool
	Cgroup  string // path, as /proc/PID/cgroup has it
	// Container is the id of its container, Pod the UID of its pod in Kubernetes, as far as the
	// name of the cgroup tells.
	Container, Pod string
	// Listens says that the socket itself was gone, or not accepted yet: it is the process that
	// listens at this end's port.
	Listens bool
}

// Account is what the kernel counted of a socket from its beginning: tcp_info of
// include/uapi/linux/tcp.h, whose clock counts in jiffies (1 to 10 ms). Of what was sent it tells,
// not of what was received.
type Account struct {
	Final bool // told when the socket was destroyed: it holds for its whole life
	RTT   time.Duration
	// MinRTT is the least of the last five minutes at least; 0: not known.
	MinRTT time.Duration
	// Busy is how long data waited to be sent or to be acknowledged; of that, the other two are how
	// long the receive window, and this socket's own send buffer, left nothing to send.
	Busy, RwndLimited, SndbufLimited time.Duration
	Retransmissions                  uint32 // segments, SYNs among them
	Delivered                        uint32 // segments, those of SYN and FIN among them
	NotSent                          uint32 // octets written and not sent yet
	// Sent are octets of the stream, those sent again not among them. Valid if Counted, as those
	// times are: Linux 4.19 and later.
	Sent       uint64
	Counted    bool
	Congestion string // name of the congestion control; ""
}

// Witness knows of ends of connections. [Watch] is the one that asks the kernel; another may tell
// what was told before. Any goroutine may ask it.
type Witness interface {
	Opened(client, server netip.AddrPort)              // a connection was seen to begin
	Sample(client, server netip.AddrPort)              // an exchange on it is over
	Finish()                                           // nothing more will be seen
	Take(client, server netip.AddrPort) (ends [2]*End) // it is over
}

// Tally is how asking went.
type Tally struct {
	Asked   uint64 // connections one end of which has an address of this machine, or both
	Found   uint64 // of those, with a socket of which the kernel knew
	Missed  uint64 // of those, without: closed before, or in another network namespace
	Skipped uint64 // connections nobody was asked about, as there were too many at a time
	Overrun uint64 // times that the kernel had more to tell of ended sockets than was read
	Odd     uint64 // messages that were cut, or no answer to what was asked
}

// tuple is a socket: its own address and the other one.
type tuple struct{ local, remote netip.AddrPort }
