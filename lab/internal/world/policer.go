//go:build linux

package world

// A policer is a token bucket: tokens come at a rate, and a frame that finds too few is lost. It
// delays nothing.
type policer struct {
	tokens float64 // octets; less than what has come since filled
	filled int64   // when tokens was right
}

// admit takes the tokens of a frame of so many octets, if there are enough.
func (p *policer) admit(octets int, now, rate int64, bucket int) bool {
	depth := float64(max(bucket, fullFrame))
	if p.filled == 0 {
		p.tokens = depth
	} else {
		p.tokens = min(depth, p.tokens+float64(now-p.filled)*float64(rate)/8e9)
	}
	p.filled = now
	if p.tokens < float64(octets) {
		return false
	}
	p.tokens -= float64(octets)
	return true
}
