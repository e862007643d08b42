package moments

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"tcpwhy/analysis/report"
	_ "tcpwhy/internal/golden" // go test ./... -update gives the flag to every package
)

const s = time.Second

// traffic is moments at which something could happen, some of them with a fault.
type traffic struct{ faults, all Moments }

func (t *traffic) at(at time.Duration, fault bool) {
	t.all.Add(at)
	if fault {
		t.faults.Add(at)
	}
}

// at random is requests with exponential pauses, for so long.
func atRandom(
	rng *rand.Rand,
	mean, long time.Duration,
	fault func(at time.Duration) bool,
) *traffic {
	t := &traffic{}
	for at := time.Duration(0); at < long; at += time.Duration(rng.ExpFloat64() * float64(mean)) {
		t.at(at, fault(at))
	}
	return t
}

func evenly(each, long time.Duration, fault func(at time.Duration) bool) *traffic {
	t := &traffic{}
	for at := time.Duration(0); at < long; at += each {
		t.at(at, fault(at))
	}
	return t
}

// within reports whether a moment is in a stretch of each period.
func within(at, period, stretch time.Duration) bool { return at%period < stretch }

func TestTell(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	half := func(at time.Duration) bool { return at >= 150*s }
	for _, tt := range []struct {
		name                string
		t                   *traffic
		began, ended, every bool
		about               time.Duration // of every
	}{
		{"from the half on", atRandom(rng, s/2, 300*s, half), true, false, false, 0},
		{"until the half", atRandom(rng, s/2, 300*s,
			func(at time.Duration) bool { return !half(at) }), false, true, false, 0},
		{"one in ten from the half on", atRandom(rng, s/2, 300*s,
			func(at time.Duration) bool { return half(at) && rng.IntN(10) == 0 }),
			true, false, false, 0},
		{"an outage in the middle", atRandom(rng, s/4, 300*s,
			func(at time.Duration) bool { return at > 140*s && at < 150*s }),
			true, true, false, 0},
		{"one in three for a while", atRandom(rng, s/7, 30*s, func(at time.Duration) bool {
			return at > 11*s && at < 18*s && rng.IntN(3) == 0
		}), true, true, false, 0},
		{"always", atRandom(rng, s/2, 300*s, func(time.Duration) bool { return true }),
			false, false, false, 0},
		{"once", evenly(s, 300*s, func(at time.Duration) bool { return at == 200*s }),
			false, false, false, 0},
		{"three times", evenly(s, 300*s, func(at time.Duration) bool {
			return at == 200*s || at == 203*s || at == 230*s
		}), false, false, false, 0},
		{"each minute, to whoever asks then", atRandom(rng, s/2, 600*s,
			func(at time.Duration) bool { return within(at, 60*s, 3*s) }),
			false, false, true, 60 * s},
		{"each minute for an hour", atRandom(rng, s/2, 3600*s,
			func(at time.Duration) bool { return within(at, 60*s, 3*s) }),
			false, false, true, 60 * s},
		{"each ten seconds, met by even requests", evenly(s/4, 120*s,
			func(at time.Duration) bool { return within(at, 10*s, s/2) }),
			false, false, true, 10 * s},
		{"each minute, of which one passes unseen", atRandom(rng, s/2, 600*s,
			func(at time.Duration) bool { return within(at, 60*s, 3*s) && at/(60*s) != 4 }),
			false, false, true, 60 * s},
		{"four times each minute", atRandom(rng, s/2, 240*s,
			func(at time.Duration) bool { return within(at, 60*s, 3*s) }),
			false, false, false, 0},
		{"what comes each minute", evenly(60*s, 1800*s, func(time.Duration) bool { return true }),
			false, false, false, 0},
		{"what comes in bursts each minute", func() *traffic {
			var t traffic
			for k := range 20 {
				for i := range 5 {
					t.at(time.Duration(k)*60*s+time.Duration(i)*s/3, i == 2)
				}
			}
			return &t
		}(), false, false, false, 0},
	} {
		w := Tell(&tt.t.faults, &tt.t.all)
		if w.Began > 0 != tt.began || w.Ended > 0 != tt.ended || w.Every > 0 != tt.every {
			t.Errorf("%s: %+v", tt.name, w)
		}
		if tt.every && (w.Every-tt.about).Abs() > tt.about/50 {
			t.Errorf("%s: every %v, want %v", tt.name, w.Every, tt.about)
		}
	}
}

// TestChance: of what comes at random, alone or in bursts, next to nothing is said to be regular,
// or to have begun.
func TestChance(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	const runs = 2000
	for _, kind := range []string{"single", "bursts", "even requests", "few"} {
		said := 0
		for range runs {
			share := 0.02 + 0.5*rng.Float64()
			bad, until := false, time.Duration(0)
			fault := func(at time.Duration) bool {
				if kind != "bursts" {
					return rng.Float64() < share
				}
				if at >= until {
					bad = !bad
					mean := map[bool]float64{true: 5, false: 40}[bad]
					until = at + time.Duration(rng.ExpFloat64()*mean*float64(s))
				}
				return bad
			}
			var tr *traffic
			switch kind {
			case "even requests":
				tr = evenly(s, 200*s, fault)
			case "few":
				tr = evenly(s, time.Duration(6+rng.IntN(40))*s, fault)
			default:
				tr = atRandom(rng, s/2, 300*s, fault)
			}
			if w := Tell(&tr.faults, &tr.all); w != (report.When{}) {
				said++
			}
		}
		if said > runs/100 {
			t.Errorf("%s: said of %d in %d", kind, said, runs)
		}
		t.Logf("%s: %d of %d", kind, said, runs)
	}
}

// TestOrder: in whatever order and parts moments come, the outcome is the same.
func TestOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, n := range []int{1, 10, 300, 5000} {
		var all []time.Duration
		for range n {
			all = append(all, time.Duration(rng.Int64N(int64(2*time.Hour))))
		}
		var whole, merged Moments
		parts := make([]Moments, 3)
		for i, at := range all {
			whole.Add(at)
			parts[i%3].Add(at)
		}
		rng.Shuffle(n, func(i, k int) { all[i], all[k] = all[k], all[i] })
		var shuffled Moments
		for _, at := range all {
			shuffled.Add(at)
		}
		for i := range parts {
			merged.Merge(&parts[i])
		}
		if !reflect.DeepEqual(whole, shuffled) || !reflect.DeepEqual(whole, merged) {
			t.Errorf("%d moments are not the same", n)
		}
		if whole.Size() > maxCells {
			t.Errorf("%d cells", whole.Size())
		}
	}
}

func TestUnknown(t *testing.T) {
	var known, unknown Moments
	known.Add(s)
	unknown.Forget()
	known.Merge(&unknown)
	if !known.unknown {
		t.Errorf("%+v", known)
	}
	var far Moments
	far.Add(400 * 24 * time.Hour)
	far.Add(-s)
	if w := Tell(&far, &far); w != (report.When{}) {
		t.Errorf("%+v", w)
	}
}
