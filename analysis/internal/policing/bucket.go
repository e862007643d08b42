package policing

import "math"

// Bucket is a token bucket: tokens come at a rate, up to a depth, and who finds too few is lost. A
// queue that is full loses the same segments: what its depth drains in is how long it delays.
type Bucket struct {
	Rate  float64 // octets a second
	Depth float64 // octets that are known to have passed at once
	spare float64 // by how many more it may be deeper
	// Least and Most are the rates about that one which explain as much.
	Least, Most float64
	// Loose is that rates far from it do, too: what was lost tells of the depth, and little of the
	// rate.
	Loose bool
	// Shallow is that most losses were not seen, and that it holds no more than a few segments:
	// what comes evenly out of a queue looks the same from behind.
	Shallow bool
	Tally
}

// Tally is how what happened to segments goes with what a bucket had for them.
type Tally struct {
	Runs, Met int // of losses, and those whose first loss met an empty bucket
	Through   int // segments that passed an empty bucket
	levels    [levels + 1]hit
}

// hit is how many segments came, and how many of them were the first of a run of losses.
type hit struct{ all, lost int }

// levels are how many levels of what a bucket has, in quarters of what a segment needs, are told
// apart; the last is that there was room.
const levels, quarters = 8, 4

const (
	// leastRuns is how many runs of losses a bucket must explain: with two numbers to choose, two
	// say nothing.
	leastRuns = 4
	// unmetPercent is how many percent of them, or one, may have met a bucket with room, and
	// throughPercent beside how many segments may have passed an empty one: a capture misses
	// frames, and of copies that were needless nobody knows whether they arrived (reasoning).
	unmetPercent   = 10
	throughPercent = 20
	// leastTold is what the bucket must tell of each run of losses, and leastSum of all together,
	// as logarithms: it makes each twice as likely as their share alone, and all of them e^30
	// times. A search among a thousand rates finds e^7 by chance. Without a policer, simulated and
	// recorded, no path comes near both.
	leastTold = math.Ln2
	leastSum  = 30
)

// explains reports whether the bucket meets nearly all losses, and lets nearly all others pass.
func (b *Bucket) explains() bool {
	told := b.tells()
	return b.Runs >= leastRuns && b.Runs-b.Met <= max(1, b.Runs*unmetPercent/100) &&
		b.Through*100 <= b.Runs*throughPercent &&
		told >= leastSum && told >= leastTold*float64(b.Runs)
}

// Holds is how many octets the bucket holds: what is known to have passed it at once, and half of
// what it may hold besides. Of one that holds a segment or two that is too much to guess.
func (b *Bucket) Holds() float64 {
	if b.Depth < 2*b.spare {
		return b.Depth
	}
	return b.Depth + b.spare/2
}

// tells is how much the bucket tells of which segments were lost: how many times likelier it makes
// what happened than their share alone, as a logarithm.
func (t *Tally) tells() (sum float64) {
	var total hit
	for _, h := range t.levels {
		sum += h.certainty()
		total.all, total.lost = total.all+h.all, total.lost+h.lost
	}
	return sum - total.certainty()
}

// certainty is the logarithm of how likely what happened is, if losses are as frequent as they
// were.
func (h hit) certainty() (sum float64) {
	for _, n := range [...]int{h.lost, h.all - h.lost} {
		if n > 0 {
			sum += float64(n) * math.Log(float64(n)/float64(h.all))
		}
	}
	return sum
}

// explained is how many runs of losses the bucket explains, less what it says wrongly: nothing
// passes an empty bucket, so that counts twice.
func (t *Tally) explained() int { return t.Met - 2*t.Through }

// pass counts a segment that passed. left is what was left when it or, behind the policer, the one
// before it had come, tokens what it found.
func (t *Tally) pass(left, tokens, depth, size, slack float64) {
	t.levels[level(left, depth, size)].all++
	if tokens < size-slack {
		t.Through++
	}
}

// lose counts a run of losses, by what was left.
func (t *Tally) lose(left, depth, size, slack float64) {
	h := &t.levels[level(left, depth, size)]
	h.all++
	h.lost++
	t.Runs++
	if left < min(size+slack, depth) {
		t.Met++
	}
}

// level is that of what was left. A full bucket has room, however shallow it is.
func level(left, depth, size float64) int {
	if left >= depth {
		return levels
	}
	return min(levels, int(quarters*left/size))
}
