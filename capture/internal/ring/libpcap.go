//go:build pcap

package ring

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/gopacket/pcap"

	"tcpwhy/capture/internal/frame"
)

// pollPcap is how long libpcap waits for frames before it returns without one.
const pollPcap = 50 * time.Millisecond

// handle is a tap that libpcap provides: macOS, the BSDs and Windows.
type handle struct {
	h       *pcap.Handle
	name    string
	kind    frame.LinkType
	stopped atomic.Bool
	dropped uint64
}

// Open begins to listen, through libpcap.
func Open(c Config) (Tap, error) {
	name, err := oneInterface(&c)
	if err != nil {
		return nil, err
	}
	inactive, err := pcap.NewInactiveHandle(name)
	if err != nil {
		return nil, pcapError(err)
	}
	defer inactive.CleanUp()
	snap, size := c.SnapLen, c.Ring
	if snap <= 0 {
		snap = frame.Longest
	}
	if size <= 0 {
		size = DefaultRing
	}
	err = errors.Join(inactive.SetSnapLen(snap), inactive.SetBufferSize(size),
		inactive.SetTimeout(pollPcap), inactive.SetPromisc(c.Promiscuous && name != Any))
	if err != nil {
		return nil, err
	}
	h, err := inactive.Activate()
	if err != nil {
		return nil, pcapError(err)
	}
	return &handle{h: h, name: name, kind: frame.LinkType(h.LinkType())}, nil
}

// errOneInterface says what libpcap cannot do.
var errOneInterface = errors.New("this build captures one interface at a time (docs/live.md)")

// oneInterface is the one that is meant.
func oneInterface(c *Config) (string, error) {
	if !c.several() {
		return c.Interfaces[0], nil
	}
	all, err := pcap.FindAllDevs()
	if err != nil {
		return "", pcapError(err)
	}
	var names []string
	for _, i := range all {
		if i.Name != Any {
			names = append(names, i.Name)
		}
	}
	switch found := c.matching(names); {
	case c.missing(names) || len(found) == 0:
		return "", ErrNoInterface
	case len(found) > 1:
		return "", errOneInterface
	default:
		return found[0], nil
	}
}

// pcapError tells the two mistakes that have a cure.
func pcapError(err error) error {
	text := strings.ToLower(err.Error())
	switch {
	case strings.Contains(text, "permission"):
		return fmt.Errorf("%w: %w", ErrNoPermission, err)
	case strings.Contains(text, "no such device"), strings.Contains(text, "doesn't exist"):
		return ErrNoInterface
	}
	return err
}

// Interfaces implements Tap.
func (t *handle) Interfaces() []string { return []string{t.name} }

// Link implements Tap.
func (t *handle) Link() frame.LinkType { return t.kind }

// Lag implements Tap.
func (t *handle) Lag() time.Duration { return 4 * pollPcap }

// Stop implements Tap.
func (t *handle) Stop() { t.stopped.Store(true) }

// Next implements Tap.
func (t *handle) Next(f *frame.Frame) error {
	if t.stopped.Load() {
		return io.EOF
	}
	data, info, err := t.h.ZeroCopyReadPacketData()
	switch {
	case err == pcap.NextErrorTimeoutExpired:
		return ErrPause
	case err == io.EOF || err == pcap.NextErrorNoMorePackets:
		return io.EOF
	case err != nil:
		return err
	}
	f.Time, f.Data = info.Timestamp.UnixNano(), data
	f.OrigLen = uint32(max(info.Length, len(data)))
	return nil
}

// Drops implements Tap.
func (t *handle) Drops() uint64 {
	if s, err := t.h.Stats(); err == nil {
		t.dropped = uint64(max(s.PacketsDropped, 0)) + uint64(max(s.PacketsIfDropped, 0))
	}
	return t.dropped
}

// Close implements Tap.
func (t *handle) Close() error {
	t.h.Close()
	return nil
}
