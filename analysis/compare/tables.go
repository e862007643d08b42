package compare

import (
	"cmp"
	"math"
	"slices"
)

// wilson is the interval of a rate of which k of n were seen (Wilson's, of 95 %): unlike the usual
// one it means something for none, for all and for few. 0 to 1 for none of none.
func wilson(k, n int) (low, high float64) {
	if n <= 0 {
		return 0, 1
	}
	const z = normalQuantile
	p, N := float64(k)/float64(n), float64(n)
	middle := p + z*z/(2*N)
	spread := z * math.Sqrt(p*(1-p)/N+z*z/(4*N*N))
	whole := 1 + z*z/N
	return max(0, (middle-spread)/whole), min(1, (middle+spread)/whole)
}

// fisher is how likely rates differ as much by chance alone, k of n and l of m, to either side, if
// nothing changed: the sum over all tables that are no likelier than this one (Fisher's exact
// test).
func fisher(k, n, l, m int) float64 {
	hits, all := k+l, n+m
	if n <= 0 || m <= 0 || hits <= 0 || hits >= all {
		return 1
	}
	if all > mostTables {
		return alikeRates(float64(k), float64(n), float64(l), float64(m))
	}
	base := choose(all, hits)
	of := func(i int) float64 { return choose(n, i) + choose(m, hits-i) - base }
	const alike = 1e-7 // of logarithms, which are not exact
	seen, p := of(k), 0.0
	least, most := max(0, hits-m), min(n, hits)
	mode := min(max(least, int(float64(hits+1)*float64(n+1)/float64(all+2))), most)
	sum := func(from, to, step int) {
		for i := from; i != to+step; i += step {
			one := of(i)
			if one <= seen+alike {
				p += math.Exp(one)
				if one < seen-40 { // what follows is nothing beside it
					return
				}
			}
		}
	}
	sum(mode, least, -1)
	if mode < most {
		sum(mode+1, most, 1)
	}
	return min(1, p)
}

// none is how likely all k that were seen are among these n, and none among m others, if they could
// be among both.
func none(k, n, m int) float64 { return math.Exp(choose(n, k) - choose(n+m, k)) }

// mostTables is up to how many exchanges tables are summed up: of more, they are normally
// distributed.
const mostTables = 100_000

// alikeRates is the same of many.
func alikeRates(k, n, l, m float64) float64 {
	p := (k + l) / (n + m)
	deviation := math.Sqrt(p * (1 - p) * (1/n + 1/m))
	far := max(0, math.Abs(k/n-l/m)-(1/n+1/m)/2)
	return math.Erfc(far / deviation / math.Sqrt2)
}

// choose is the logarithm of how many ways there are to choose k of n.
func choose(n, k int) float64 {
	of := func(x int) float64 { v, _ := math.Lgamma(float64(x) + 1); return v }
	return of(n) - of(k) - of(n-k)
}

// adjusted are the p of several tests so that of those that are called at a level, at most that
// share is wrong (Benjamini and Hochberg): each times the number of tests over its rank.
func adjusted(ps []float64) []float64 {
	order := make([]int, len(ps))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(ps[b], ps[a]) })
	out, least := make([]float64, len(ps)), 1.0
	for i, at := range order {
		least = min(least, ps[at]*float64(len(ps))/float64(len(ps)-i))
		out[at] = least
	}
	return out
}
