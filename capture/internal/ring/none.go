//go:build !linux && !pcap

package ring

import "errors"

var errNoLive = errors.New(
	"this build reads files only: build it with -tags pcap, cgo and libpcap (docs/live.md)",
)

// Open begins to listen. This build cannot.
func Open(Config) (Tap, error) { return nil, errNoLive }
