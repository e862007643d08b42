//go:build linux

package main

import (
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	appPriority    = 1  // of the lab and the programs it starts, in real time
	canaryPriority = 2  // before them: that they wait for each other is part of the story
	linkPriority   = 10 // of the link, before all
)

// hurry puts the lab, and the programs it starts, before everything else on the machine. Without
// the right to do so the recordings are only less exact.
func hurry() {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return
	}
	for _, t := range tasks {
		if id, err := strconv.Atoi(t.Name()); err == nil {
			schedule(id, unix.SCHED_RR, appPriority)
		}
	}
}

// schedule sets a thread's policy; 0 is the calling thread. Threads and programs that it starts
// inherit it.
func schedule(thread int, policy, priority uint32) {
	unix.SchedSetAttr(
		thread,
		&unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: policy, Priority: priority},
		0,
	)
}

// A canary notices when the machine does not run what is ready: it sleeps 2 ms again and again, and
// keeps how much later than that it woke at worst.
type canary struct {
	late atomic.Int64
	stop atomic.Bool
	done chan struct{}
}

func startCanary() *canary {
	c := &canary{done: make(chan struct{})}
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

// close returns the worst delay.
func (c *canary) close() time.Duration {
	c.stop.Store(true)
	<-c.done
	return time.Duration(c.late.Load())
}
