// Package metrics shows what a live capture counts to Prometheus: exchanges, where their time went
// and what of it was lost, by service and rule. What the network says is a label nowhere but in one
// place, the name of a service; no label has a client, a path or a connection, and the number of
// series has a limit.
//
// It is the one package that links net/http: who is scraped takes part.
package metrics

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"

	"github.com/spf13/pflag"
)

// Options are the flags.
type Options struct {
	Address string // --metrics; "": nothing is shown
	Servers int    // --metrics-servers
}

// usualServers is how many services have series of their own, usually.
const usualServers = 100

// mostServers is more services than mostSeries leaves room for.
const mostServers = 1000

// loopback is where a scraper finds it if only a port is given.
const loopback = "127.0.0.1"

// Flags adds the flags.
func (o *Options) Flags(f *pflag.FlagSet) {
	f.StringVar(&o.Address, "metrics", "",
		"live: show counters to Prometheus at `ADDRESS`, a port of\nthis machine (9464) or an "+
			"address with one (0.0.0.0:9464)")
	f.IntVar(&o.Servers, "metrics-servers", usualServers,
		"live: count `N` services apart (default 100), those that\nare the first to have 10 "+
			"exchanges; all others are one")
}

// Check refuses what cannot be listened at.
func (o *Options) Check() error {
	if o.Servers < 0 || o.Servers > mostServers {
		return fmt.Errorf("--metrics-servers is 0 to %d", mostServers)
	}
	if o.Address == "" {
		return nil
	}
	_, err := o.address()
	return err
}

// address is where to listen.
func (o *Options) address() (string, error) {
	host, port, err := net.SplitHostPort(o.Address)
	if err != nil {
		host, port = "", o.Address
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", fmt.Errorf(
			"--metrics %q: no port (9464), and no address with one (0.0.0.0:9464)",
			o.Address,
		)
	}
	if host == "" {
		host = loopback
	}
	return net.JoinHostPort(host, port), nil
}

// Hint is what may help against an error of Open.
func Hint(err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "another program listens there, perhaps another capture: choose another port"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "this machine does not have that address"
	case errors.Is(err, syscall.EACCES):
		return "ports below 1024 are for root: choose another one"
	}
	return ""
}

// Open begins to listen; nobody is answered before Serve. Nil if that is not asked for.
func (o *Options) Open(version string) (*Metrics, error) {
	if o.Address == "" {
		return nil, nil
	}
	address, err := o.address()
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--metrics %s: %w", o.Address, reason(err))
	}
	m := newMetrics(version, o.Servers)
	m.server.listener = listener
	return m, nil
}

// reason leaves out of an error what its reader has typed himself.
func reason(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	var call interface{ Unwrap() error } // os.SyscallError
	if errors.As(err, &call) && call.Unwrap() != nil {
		err = call.Unwrap()
	}
	return err
}
