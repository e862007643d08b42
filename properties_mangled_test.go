package main

import (
	"flag"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"tcpwhy/analysis/report"
)

// mangled is how many damaged versions of each capture TestMangled looks at.
var mangled = flag.Int("mangled", 3, "damaged versions of each capture for TestMangled")

// TestMangled: whatever is missing, late, twice, damaged or stamped wrongly in a capture, the times
// of its connections and exchanges add up, and no more is lost than elapsed.
func TestMangled(t *testing.T) {
	t.Parallel()
	corpus(t, func(t *testing.T, tr trace, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 77))
		for i := range *mangled {
			file := tr.mangle(random).pcap(t, true)
			r, err := runBytes(file, 1)
			if err != nil {
				continue
			}
			if !addsUp(t, r) {
				t.Fatalf("version %d", i)
			}
		}
	})
}

// addsUp reports whether the times in r are sound; what is not is an error of t.
func addsUp(t *testing.T, r *report.Report) bool {
	t.Helper()
	for i := range r.Conns {
		if c := &r.Conns[i]; sumTimes(c.Times) != c.Duration {
			t.Errorf("connection %d: %v of %v", i, sumTimes(c.Times), c.Duration)
		}
	}
	for i := range r.Exchanges {
		if x := &r.Exchanges[i]; sumTimes(x.Times) != x.Duration || x.Duration < 0 {
			t.Errorf("exchange %d: %v of %v", i, sumTimes(x.Times), x.Duration)
		}
	}
	if r.Lost > r.ExchangeTime {
		t.Errorf("%v lost of %v", r.Lost, r.ExchangeTime)
	}
	checkByTheClock(t, r)
	checkClaimed(t, r, func(*report.ExchangeInfo) time.Duration { return 0 })
	return !t.Failed()
}

// mangle is tr with one to eight damages.
func (tr trace) mangle(random *rand.Rand) trace {
	out := trace{link: tr.link, packets: slices.Clone(tr.packets)}
	for range 1 + random.IntN(8) {
		n := len(out.packets)
		if n < 2 {
			return out
		}
		i, k := random.IntN(n), 1+random.IntN(max(1, n/4))
		end := min(n, i+k)
		switch random.IntN(7) {
		case 0: // one is missing
			out.packets = slices.Delete(out.packets, i, i+1)
		case 1: // a row of them is missing
			out.packets = slices.Delete(out.packets, i, end)
		case 2: // from some of them on, one in three is missing
			at := 0
			out.packets = slices.DeleteFunc(out.packets, func(packet) bool {
				at++
				return at > i && random.IntN(3) == 0
			})
		case 3: // the same again, later
			again := out.packets[i]
			out.packets = slices.Insert(out.packets, end, again)
		case 4: // later, and behind others
			moved := out.packets[i]
			out.packets = slices.Delete(out.packets, i, i+1)
			out.packets = slices.Insert(out.packets, end-1, moved)
		case 5: // octets of the headers or of what they carry
			data := slices.Clone(out.packets[i].data)
			for range 1 + random.IntN(3) {
				data[random.IntN(len(data))] = byte(random.Uint32())
			}
			out.packets[i].data = data
		case 6: // the clock is set
			by := random.Int64N(4e9) - 2e9 // ns
			for at := i; at < n; at++ {
				out.packets[at].at = max(0, out.packets[at].at+by)
			}
		}
	}
	return out
}
