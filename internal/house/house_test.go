// Package house holds the structure of the source: no package in which everything depends on
// everything, no struct that belongs to everybody, no lines that do not fit.
package house

import (
	"maps"
	"slices"
	"testing"

	_ "tcpwhy/internal/golden" // go test ./... -update gives the flag to every package
)

// The limits for every package, tests left out.
const (
	mostEntangled = 16  // files that all depend on each other, be it through others
	mostFields    = 24  // of a struct
	mostWide      = 1   // percent of the lines that have more columns than wide
	wide          = 100 // columns, of which a tab takes tab
	tab           = 4
)

// exceptions are what is beyond its limit, and how far. They may shrink, and one that is not needed
// any more has to go.
var exceptions = map[string]float64{}

// measure is one figure of the source.
type measure struct {
	what       string
	got, limit float64
}

// TestHouse measures every package of the repository.
func TestHouse(t *testing.T) {
	unused := maps.Clone(exceptions)
	var all []*checkedPackage
	for _, module := range modules {
		all = append(all, checkedPackages(t, module)...)
	}
	for _, p := range all {
		for _, m := range p.measures() {
			if m.got <= m.limit {
				continue
			}
			delete(unused, m.what)
			if most := max(m.limit, exceptions[m.what]); m.got > most {
				t.Errorf("%s: %.4g, at most %.4g", m.what, m.got, most)
			}
		}
	}
	for _, what := range slices.Sorted(maps.Keys(unused)) {
		t.Errorf("%s: within its limit; take it out of exceptions", what)
	}
}

// TestUpdateEverywhere: go test hands -update to every package, so that each must know the flag.
func TestUpdateEverywhere(t *testing.T) {
	const golden = "tcpwhy/internal/golden"
	var all []*listedPackage
	for _, module := range modules {
		all = append(all, listPackages(t, module)...)
	}
	for _, p := range all {
		tests := slices.Concat(p.TestGoFiles, p.XTestGoFiles)
		imports := append(slices.Concat(p.TestImports, p.XTestImports), p.ImportPath)
		if len(tests) > 0 && !slices.Contains(imports, golden) {
			t.Errorf("%s: no test imports %s", p.ImportPath, golden)
		}
	}
}
