//go:build !linux && !pcap

package capture

import "errors"

var errNoLive = errors.New(
	"this build reads files only: build it with -tags pcap, cgo and libpcap (docs/live.md)",
)

// OpenTap begins to listen. This build cannot.
func OpenTap(TapConfig) (Tap, error) { return nil, errNoLive }
