//go:build linux

package world

import (
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A Canary notices when the machine does not run what is ready: it sleeps 2 ms again and again, and
// keeps how much later than that it woke at worst.
type Canary struct {
	late atomic.Int64
	stop atomic.Bool
	done chan struct{}
}

// StartCanary begins to watch.
func StartCanary() *Canary {
	c := &Canary{done: make(chan struct{})}
	go func() {
		defer close(c.done)
		runtime.LockOSThread() // the priority is the thread's, which ends here
		schedule(0, unix.SCHED_RR, canaryPriority)
		const nap = 2 * time.Millisecond
		for !c.stop.Load() {
			began := time.Now()
			wait := unix.NsecToTimespec(int64(nap))
			unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &wait, nil)
			c.late.Store(max(c.late.Load(), int64(time.Since(began)-nap)))
		}
	}()
	return c
}

// Close returns the worst delay.
func (c *Canary) Close() time.Duration {
	c.stop.Store(true)
	<-c.done
	return time.Duration(c.late.Load())
}
