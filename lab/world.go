//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"
)

// A world is two namespaces joined by a link, captured at both ends and in the middle.
type world struct {
	client, server *namespace
	taps           [2]*tap
	wire           *wire
	sniffers       [2]*sniffer
	clientIs       station
	serverIs       station
}

// captures are the frames of the three vantages.
type captures struct {
	client, server, middle []frame
	late                   time.Duration // the most that the link delayed a frame beyond its delay
}

func newWorld(link Link, sysctls map[string]string, snap int) (w *world, err error) {
	w = &world{clientIs: clientStation(), serverIs: serverStation()}
	defer func() {
		if err != nil {
			w.close()
			w = nil
		}
	}()
	if w.client, err = newNamespace("client"); err != nil {
		return w, err
	}
	if w.server, err = newNamespace("server"); err != nil {
		return w, err
	}
	if err = w.tune(sysctls); err != nil {
		return w, err
	}
	if w.taps[0], err = openTap(w.client, w.clientIs, w.serverIs, link.Offload); err != nil {
		return w, err
	}
	if w.taps[1], err = openTap(w.server, w.serverIs, w.clientIs, link.Offload); err != nil {
		return w, err
	}
	w.wire = startWire(link, w.taps[0], w.taps[1], snap)
	return w, w.listen(snap)
}

func (w *world) listen(snap int) (err error) {
	for i, n := range []*namespace{w.client, w.server} {
		if w.sniffers[i], err = startSniffer(n, snap); err != nil {
			return err
		}
	}
	return nil
}

// tune sets what every recording relies on, then what the scenario asks for.
func (w *world) tune(extra map[string]string) error {
	all := map[string]string{
		"net.ipv4.tcp_no_metrics_save":           "1", // no run may teach the next one its path
		"net.ipv4.tcp_fastopen":                  "0",
		congestionControl:                        "cubic",
		"net.ipv6.conf.all.router_solicitations": "0",
		"net.ipv6.conf.default.accept_dad":       "0",
		// no link-local address: its multicast is no part of the recording
		"net.ipv6.conf.default.addr_gen_mode": "1",
	}
	for name, value := range extra {
		all[name] = value
	}
	restore, err := allowCongestionControl(all[congestionControl])
	if err != nil {
		return err
	}
	defer restore()
	for name, value := range all {
		for _, n := range []*namespace{w.client, w.server} {
			if err := n.sysctl(name, value); err != nil {
				return fmt.Errorf("set %s: %w", name, err)
			}
		}
	}
	return nil
}

// setInitCwnds gives the routes of the server and the client another initial window; 0 leaves the
// kernel's.
func (w *world) setInitCwnds(server, client int) error {
	for _, end := range []struct {
		host *namespace
		is   station
		n    int
	}{{w.server, w.serverIs, server}, {w.client, w.clientIs, client}} {
		if end.n == 0 {
			continue
		}
		if err := ip("-n", end.host.name, "route", "change", "10.9.0.0/24", "dev", "eth0", "src", end.is.v4, "initcwnd", fmt.Sprint(end.n)); err != nil {
			return err
		}
	}
	return nil
}

const congestionControl = "net.ipv4.tcp_congestion_control"

// allowCongestionControl lets namespaces choose an algorithm: outside the first one the kernel
// accepts only those that the first one's list allows. The list is put back as it was.
func allowCongestionControl(name string) (restore func(), err error) {
	const list = "/proc/sys/net/ipv4/tcp_allowed_congestion_control"
	before, err := os.ReadFile(list)
	if err != nil {
		return nil, err
	}
	allowed := strings.Fields(string(before))
	if !slices.Contains(allowed, name) {
		allowed = append(allowed, name)
	}
	if err := os.WriteFile(list, []byte(strings.Join(allowed, " ")), 0); err != nil {
		return nil, fmt.Errorf("allow %s: %w", name, err)
	}
	return func() { os.WriteFile(list, before, 0) }, nil
}

// finish waits until the last frames have crossed, and returns the captures.
func (w *world) finish(ctx context.Context) (captures, error) {
	settle := w.wire.link.Delay[0] + w.wire.link.Delay[1] + 60*time.Millisecond
	select {
	case <-time.After(settle):
	case <-ctx.Done():
		return captures{}, ctx.Err()
	}
	var c captures
	var errs [2]error
	c.client, errs[0] = w.sniffers[0].close()
	c.server, errs[1] = w.sniffers[1].close()
	w.sniffers = [2]*sniffer{}
	w.wire.close()
	c.middle, c.late = w.wire.middle, w.wire.late
	w.wire = nil
	return c, errors.Join(errs[:]...)
}

// close removes everything; it is safe on a world half built, and twice.
func (w *world) close() error {
	for i, s := range w.sniffers {
		if s != nil {
			s.close()
			w.sniffers[i] = nil
		}
	}
	if w.wire != nil {
		w.wire.close()
		w.wire = nil
	}
	for i, t := range w.taps {
		if t != nil {
			t.close()
			w.taps[i] = nil
		}
	}
	return errors.Join(w.client.remove(), w.server.remove())
}

// ping measures the round-trip time of small TCP exchanges over links of several delays.
func ping(ctx context.Context, _ []string) error {
	for _, rtt := range []time.Duration{0, 10 * time.Millisecond, 50 * time.Millisecond} {
		if err := pingOnce(ctx, rtt); err != nil {
			return err
		}
	}
	return nil
}

func pingOnce(ctx context.Context, rtt time.Duration) error {
	w, err := newWorld(symmetric(rtt), nil, 96)
	if err != nil {
		return err
	}
	defer w.close()
	samples, err := echoTimes(ctx, w, 200)
	if err != nil {
		return err
	}
	q := func(share float64) time.Duration { return samples[int(share*float64(len(samples)-1))] }
	fmt.Fprintf(
		os.Stdout,
		"asked %-5v got min %v median %v p99 %v max %v\n",
		rtt,
		q(
			0,
		).Round(time.Microsecond),
		q(.5).Round(time.Microsecond),
		q(.99).Round(time.Microsecond),
		q(1).Round(time.Microsecond),
	)
	return nil
}

// address joins the server's address of a family and a port.
func (w *world) address(v6 bool, port int) string {
	host := w.serverIs.v4
	if v6 {
		host = w.serverIs.v6
	}
	return net.JoinHostPort(host, fmt.Sprint(port))
}
