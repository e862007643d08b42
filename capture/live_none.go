//go:build !linux && !pcap

package capture

import (
	"errors"
	"fmt"
)

var errNoLive = errors.New(
	"this build reads files only: build it with -tags pcap, cgo and libpcap (docs/live.md)",
)

// OpenLive begins to listen. This build cannot.
func OpenLive(c LiveConfig) (*Live, error) {
	return nil, fmt.Errorf("capture from %s: %w", c.Interface, errNoLive)
}
