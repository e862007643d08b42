//go:build linux

// Package world makes the place where scenarios are recorded: two network namespaces, the link
// between them with what stands in its middle, and the captures at both ends and in the middle.
package world

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"tcpwhy/lab/internal/packet"
)

// ServerPort is where the server of a scenario listens.
const ServerPort = 8080

// A World is two namespaces joined by a link, captured at both ends and in the middle.
type World struct {
	Client, Server *Namespace
	taps           [2]*tap
	wire           *wire
	sniffers       [2]*sniffer
	clientIs       Station
	serverIs       Station
}

// Captures are the frames of the three vantages.
type Captures struct {
	Client, Server, Middle []packet.Frame
	Late                   time.Duration // the most that the link delayed a frame beyond its delay
}

// New makes the namespaces and joins them; capturing begins at once.
func New(link Link, sysctls map[string]string, snap int) (w *World, err error) {
	w = &World{clientIs: ClientStation(), serverIs: serverStation()}
	defer func() {
		if err != nil {
			w.Close()
			w = nil
		}
	}()
	if w.Client, err = newNamespace("client"); err != nil {
		return w, err
	}
	if w.Server, err = newNamespace("server"); err != nil {
		return w, err
	}
	if err = w.tune(sysctls); err != nil {
		return w, err
	}
	if err = w.plug(link); err != nil {
		return w, err
	}
	w.wire = startWire(link, w.taps[0], w.taps[1], snap)
	return w, w.listen(snap)
}

// plug makes the devices of both ends. Where there is a router, each end sends to that.
func (w *World) plug(link Link) (err error) {
	near, far := w.clientIs, w.serverIs
	if link.Router > 0 {
		near.MAC, far.MAC = routerSides()[1], routerSides()[0]
	}
	if w.taps[0], err = openTap(w.Client, w.clientIs, far, link.Offload); err != nil {
		return err
	}
	w.taps[1], err = openTap(w.Server, w.serverIs, near, link.Offload)
	return err
}

func (w *World) listen(snap int) (err error) {
	for i, n := range []*Namespace{w.Client, w.Server} {
		if w.sniffers[i], err = startSniffer(n, snap); err != nil {
			return err
		}
	}
	return nil
}

// Finish waits until the last frames have crossed, and returns the captures.
func (w *World) Finish(ctx context.Context) (Captures, error) {
	select {
	case <-time.After(w.RoundTrip() + 60*time.Millisecond):
	case <-ctx.Done():
		return Captures{}, ctx.Err()
	}
	var c Captures
	var errs [2]error
	c.Client, errs[0] = w.sniffers[0].close()
	c.Server, errs[1] = w.sniffers[1].close()
	w.sniffers = [2]*sniffer{}
	w.wire.close()
	c.Middle, c.Late = w.wire.middle, w.wire.late
	c.dress(w.wire.link.Stacks, [2]Station{w.clientIs, w.serverIs})
	w.wire = nil
	return c, errors.Join(errs[:]...)
}

// RoundTrip is the delay of the link, there and back.
func (w *World) RoundTrip() time.Duration { return w.wire.link.Delay[0] + w.wire.link.Delay[1] }

// Close removes everything; it is safe on a world half built, and twice.
func (w *World) Close() error {
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
	return errors.Join(w.Client.remove(), w.Server.remove())
}

// Address joins the server's address of a family and a port.
func (w *World) Address(v6 bool, port int) string {
	host := w.serverIs.V4
	if v6 {
		host = w.serverIs.V6
	}
	return net.JoinHostPort(host, fmt.Sprint(port))
}
