//go:build !linux

package ring

import "time"

var processStart = time.Now()

// SystemClock reads the clock that stamps frames, and one that cannot be set.
func SystemClock() (wall, steady int64) {
	now := time.Now()
	return now.UnixNano(), int64(now.Sub(processStart))
}
