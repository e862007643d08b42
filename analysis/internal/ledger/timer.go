package ledger

import "time"

// timerSoonest and timerLatest are the bounds within which a kernel's timer of length d is seen to
// fire. Linux's timer wheel is late by up to an eighth of d (kernel/time/timer.c) and a tick, of 10
// ms at most (HZ=100); the rest, to 15 %, and 3 % the other way, is room for d, which is a measured
// round trip or made of such, and for where in a tick it began.
func timerSoonest(d time.Duration) time.Duration { return d * 97 / 100 }
func timerLatest(d time.Duration) time.Duration  { return d*115/100 + 10*time.Millisecond }
