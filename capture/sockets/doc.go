// Package sockets asks the kernel what it knows of this machine's ends of connections: whose
// process they are, and what it counted of them itself. It asks by netlink (sock_diag(7)), which
// takes no rights; which process holds a socket it finds out by /proc, where other users' processes
// show that only to root and to CAP_SYS_PTRACE.
//
// It sees the sockets of the network namespace that it runs in, on Linux alone. Whatever the kernel
// says is read as something that may be cut, wrong or of somebody else; asking is bounded, and
// nobody who captures waits for an answer.
package sockets
