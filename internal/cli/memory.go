package cli

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// softMemory is from how much memory on, in octets, garbage is collected more often. What is kept
// is bounded elsewhere; without this twice as much could be garbage. The whole process then stays
// below 200 MB.
const softMemory = 176 << 20

// LimitMemory makes the garbage collector run seldom while memory is small, and keep to softMemory
// where it can, unless the environment says otherwise.
func LimitMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softMemory)
		limit := int64(softMemory)
		runtime.SetFinalizer(&memoryWatch{&limit}, (*memoryWatch).collected)
	}
}

// memoryWatch raises the limit where what is kept comes near it: the collector would run without
// end for nothing. It holds a pointer because finalizers of the smallest objects without one may
// never run (runtime.SetFinalizer).
type memoryWatch struct{ limit *int64 }

// collected runs after each collection, as the finalizer of what nothing points to.
func (w *memoryWatch) collected() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	if kept := int64(live[0].Value.Uint64()); kept > *w.limit/4*3 {
		*w.limit = kept / 2 * 3
		debug.SetMemoryLimit(*w.limit)
	}
	runtime.SetFinalizer(w, (*memoryWatch).collected)
}
