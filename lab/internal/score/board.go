//go:build linux

package score

import (
	"math"
	"regexp"
	"slices"
)

// A board adds up verdicts.
type board struct {
	rules              map[string]*ruleScore
	errors             []float64 // of the expected cost, ms, where a cure's saving is known
	shares             []float64 // the same, of the saving (of 2 ms if it is less)
	inside             int       // savings within [low, high]
	unknown, exchanges float64   // ms
	apart              []float64 // difference of cost between client's and server's capture, ms
	agree, compared    int
	lookalikes, silent int
	wrong              []string
	scenarios, pairs   int
	bulks              []bulk
	sure               [3]sureness // of findings, by levels
}

// sureness scores the findings of one level of confidence.
type sureness struct{ right, all int }

// levels are the names of board.sure, and how many percent of the findings of each must be right
// (docs/model.md).
var levels = [3]struct {
	name string
	goal int
}{{"proven", 100}, {"high", 99}, {"medium", 95}}

func (b *board) addSureness(row *ruleScore, f finding, right bool) {
	for i, level := range levels {
		if f.Confidence != level.name {
			continue
		}
		for _, s := range []*sureness{&b.sure[i], &row.sure[i]} {
			s.all++
			if right {
				s.right++
			}
		}
	}
}

// ruleScore counts recordings for one rule/cause.
type ruleScore struct {
	right, missed, false, countErrors int
	sure                              [len(levels)]sureness // its findings, by levels
}

func (b *board) rule(name string) *ruleScore {
	if b.rules == nil {
		b.rules = make(map[string]*ruleScore)
	}
	if b.rules[name] == nil {
		b.rules[name] = &ruleScore{}
	}
	return b.rules[name]
}

func (b *board) add(v verdict) {
	b.scenarios++
	e := v.scenario.Expect
	if v.scenario.Fix != nil {
		b.pairs++
	}
	if e.Rule == "" {
		b.lookalikes++
		if len(v.others) == 0 {
			b.silent++
		}
	}
	b.addExpected(v)
	for _, f := range slices.Concat(v.others, v.fixed) {
		b.rule(f.name()).false++
		b.addSureness(b.rule(f.name()), f, false)
	}
	b.bulks = append(b.bulks, v.bulks...)
	if wrongLine.MatchString(v.line()) {
		b.wrong = append(b.wrong, v.line())
	}
	for _, r := range v.reports {
		b.unknown += r.Summary.TimeMS["unknown"]
		b.exchanges += r.Summary.ExchangeMS
	}
}

// addExpected scores the finding that the scenario is about.
func (b *board) addExpected(v verdict) {
	e := v.scenario.Expect
	if e.Rule == "" {
		return
	}
	row := b.rule(e.String())
	if v.found == nil {
		row.missed++
		return
	}
	row.right++
	b.addSureness(row, *v.found, true)
	if e.Count > 0 && v.found.Count != e.Count {
		row.countErrors++
	}
	if v.priced() {
		b.addCost(v)
	}
	b.addVantages(v)
}

func (b *board) addCost(v verdict) {
	miss := math.Abs(v.found.Cost.Expected - v.saved)
	b.errors = append(b.errors, miss)
	b.shares = append(b.shares, miss/math.Max(math.Abs(v.saved), 2))
	if v.inside() {
		b.inside++
	}
}

func (b *board) addVantages(v verdict) {
	for _, other := range v.scenario.Expect.Compared() {
		b.compared++
		f := v.vantages[other]
		if f == nil {
			continue
		}
		b.apart = append(b.apart, math.Abs(f.Cost.Expected-v.found.Cost.Expected))
		if agree(*v.found, *f) {
			b.agree++
		}
	}
}

// wrongLine finds verdicts that are not wholly right.
var wrongLine = regexp.MustCompile("WRONG|MISSED|COUNT|UNSEEN|APART|OUTSIDE")
