//go:build linux

package world

import (
	"fmt"
	"time"

	"tcpwhy/lab/internal/phrase"
)

// A Route is what one end's route to the other says of connections (ip-route(8)); the zero value
// leaves everything to the kernel.
type Route struct {
	InitCwnd int           // segments of the initial window; 0 is the kernel's 10
	MSS      int           // octets, announced to the other end; 0 follows from the MTU
	RTOMin   time.Duration // no retransmission timer is shorter; 0 is the kernel's 200 ms
}

// options are the words of ip-route.
func (r Route) options() []string {
	var words []string
	if r.InitCwnd > 0 {
		words = append(words, "initcwnd", fmt.Sprint(r.InitCwnd))
	}
	if r.MSS > 0 {
		words = append(words, "advmss", fmt.Sprint(r.MSS))
	}
	if r.RTOMin > 0 {
		words = append(words, "rto_min", fmt.Sprintf("%dms", r.RTOMin.Milliseconds()))
	}
	return words
}

// Words describe the route of the end that is named.
func (r Route) Words(end string) (l phrase.List) {
	l.If(r.InitCwnd > 0, "initcwnd %d on the %s's route", r.InitCwnd, end)
	l.If(r.MSS > 0, "advmss %d on the %s's route", r.MSS, end)
	l.If(r.RTOMin > 0, "rto_min %v on the %s's route", r.RTOMin, end)
	return l
}

// SetRoutes changes the routes of the server and the client over IPv4.
func (w *World) SetRoutes(server, client Route) error {
	for _, end := range []struct {
		host  *Namespace
		is    Station
		route Route
	}{{w.Server, w.serverIs, server}, {w.Client, w.clientIs, client}} {
		options := end.route.options()
		if len(options) == 0 {
			continue
		}
		change := []string{"-n", end.host.name, "route", "change", "10.9.0.0/24", "dev", "eth0",
			"src", end.is.V4}
		if err := ip(append(change, options...)...); err != nil {
			return err
		}
	}
	return nil
}
