package pcapio

import (
	"math"
	"math/bits"
	"time"
)

// timeMax bounds the moments of frames, in ns before and after 1970: 146 years, so that the
// difference of two is a time.Duration. Stamps beyond are taken for it.
const timeMax = math.MaxInt64 / 2

// tickUnit converts the time stamps of an interface, which count from 1970 in units of a second
// divided by a power of 10 or of 2 (if_tsresol), to nanoseconds.
type tickUnit struct {
	exponent uint8
	binary   bool
	offset   int64 // if_tsoffset in ns, within timeMax
}

// newTickUnit reads the options if_tsresol and if_tsoffset (draft-ietf-opsawg-pcapng §4.2).
func newTickUnit(resolution uint8, offset int64) tickUnit {
	const longest = timeMax / int64(time.Second)
	return tickUnit{
		exponent: resolution & 0x7f,
		binary:   resolution&0x80 != 0,
		offset:   min(max(offset, -longest), longest) * int64(time.Second),
	}
}

// time is the moment of a time stamp, in ns since the Unix epoch, rounded down to a nanosecond.
func (u tickUnit) time(ticks uint64) int64 {
	ns := u.decimalNanos(ticks)
	if u.binary {
		ns = u.binaryNanos(ticks)
	}
	return min(max(int64(min(ns, timeMax))+u.offset, -timeMax), timeMax)
}

// decimalNanos converts ticks of 10^-exponent seconds, and gives the largest number for what is
// larger.
func (u tickUnit) decimalNanos(ticks uint64) uint64 {
	if u.exponent > 9+largestPower {
		return 0 // even the largest stamp is less than a nanosecond
	}
	if u.exponent > 9 {
		return ticks / powerOf10(u.exponent-9)
	}
	high, low := bits.Mul64(ticks, powerOf10(9-u.exponent))
	if high != 0 {
		return math.MaxUint64
	}
	return low
}

// binaryNanos converts ticks of 2^-exponent seconds: the product has up to 94 bits.
func (u tickUnit) binaryNanos(ticks uint64) uint64 {
	high, low := bits.Mul64(ticks, uint64(time.Second))
	shift := uint(u.exponent)
	if shift >= 64 {
		return high >> (shift - 64)
	}
	if high>>shift != 0 {
		return math.MaxUint64
	}
	return high<<(64-shift) | low>>shift
}

// resolution is one tick, 1 ns at least.
func (u tickUnit) resolution() time.Duration {
	if u.binary {
		return max(time.Second>>u.exponent, 1)
	}
	return max(time.Second/time.Duration(min(powerOf10(u.exponent), uint64(time.Second))), 1)
}

// largestPower is the exponent of the largest power of 10 that fits in 64 bits.
const largestPower = 19

// powerOf10 is 10^n, or the largest power that fits.
func powerOf10(n uint8) uint64 {
	power := uint64(1)
	for range min(n, largestPower) {
		power *= 10
	}
	return power
}
