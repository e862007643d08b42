package judge

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"tcpwhy/analysis/internal/grade"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// This file bounds what the judge keeps of clients and services: there are as many addresses as
// somebody cares to make up.

const (
	// maxGroups is how many findings are kept. Twice as many are held before those that cost least
	// go.
	maxGroups = 4096
	// maxTotals is how many pairs of client and service have their totals kept, held twice as many
	// likewise.
	maxTotals = 1 << 14
)

// maxOccasions is how many cells of time are kept, of all pairs together, in which exchanges began:
// 8 MiB. Of a pair that would need more nothing is said of when its faults were.
const maxOccasions = 1 << 20

// occasion takes note of when an exchange of a pair began.
func (j *Judge) occasion(p report.Pair, at time.Duration) {
	t := j.pairs[p]
	if t == nil {
		return
	}
	had := t.occasions.Size()
	t.occasions.Add(at)
	j.Crowd.occasions += t.occasions.Size() - had
	if j.Crowd.occasions > maxOccasions {
		j.Crowd.occasions -= t.occasions.Size()
		t.occasions.Forget()
	}
}

// crowded counts what was not kept because there was too much of it.
type crowded struct {
	groups, occurrences int           // findings given up, and what they had collected
	cost                time.Duration // of those
	occasions           int           // cells that are kept of when exchanges began
	pools               int           // connections that were not compared with others
	taken               int           // frames of proof that did not show what was said of them
	Evicted             uint64        // open connections that gave way to others
	apart               apart
}

// apart is what was not compared, as it lies across parts that were analysed apart: connections
// between hosts of which several parts have some, and how many such hosts there are.
type apart struct {
	connections uint64
	hosts       int
}

// rankedGroup is a finding on its way out, or not.
type rankedGroup struct {
	key rule.Key
	*group
}

// trimGroups gives up the findings that cost least if there are too many. A fault of a client that
// was given up begins anew with its next occurrence: what is listed of it is never too much.
func (j *Judge) trimGroups() {
	if len(j.groups) < 2*maxGroups {
		return
	}
	all := make([]rankedGroup, 0, len(j.groups))
	for k, g := range j.groups {
		all = append(all, rankedGroup{k, g})
	}
	slices.SortFunc(all, compareGroups)
	for _, r := range all[maxGroups:] {
		j.Crowd.groups++
		j.Crowd.occurrences += r.count
		j.Crowd.cost += r.cost.Expected
		delete(j.groups, r.key)
	}
}

// compareGroups puts lost data first, then what cost most and what came most often, then a fixed
// order.
func compareGroups(a, b rankedGroup) int {
	weight := func(g *group) grade.Weight {
		return grade.Weight{Broke: g.correctness, Cost: g.cost.Expected, Count: g.count}
	}
	return cmp.Or(grade.WorstFirst(weight(a.group), weight(b.group)),
		cmp.Compare(a.key.Rule, b.key.Rule), cmp.Compare(a.key.Cause, b.key.Cause),
		a.key.Pair.Client.Compare(b.key.Pair.Client), a.key.Pair.Server.Compare(b.key.Pair.Server))
}

// trimPairs forgets the totals of pairs without a finding: those with the fewest exchanges, of
// equals those that came first. If one of them has a finding later, its share of the time is
// overestimated, and it is graded too severely rather than too mildly.
func (j *Judge) trimPairs() {
	if len(j.pairs) < 2*maxTotals {
		return
	}
	found := make(map[report.Pair]bool, len(j.groups))
	for k := range j.groups {
		found[k.Pair] = true
	}
	ranks := make([]uint64, 0, len(j.pairs))
	for p, t := range j.pairs {
		if !found[p] {
			ranks = append(ranks, t.rank())
		}
	}
	if len(ranks) <= maxTotals {
		return
	}
	slices.Sort(ranks)
	least := ranks[len(ranks)-maxTotals]
	for p, t := range j.pairs {
		if t.rank() < least && !found[p] {
			j.Crowd.occasions -= t.occasions.Size()
			delete(j.pairs, p)
		}
	}
}

// rank orders pairs by how much is known of them: no two have the same.
func (t *pairTotals) rank() uint64 {
	return uint64(min(t.Exchanges, 1<<24-1))<<40 | t.born&(1<<40-1)
}

// crowdCaveats adds what was not kept.
func (j *Judge) crowdCaveats(add func(string, uint64, rule.Basis, string, ...any)) {
	c := &j.Crowd
	add(CaveatFindings, uint64(c.groups), 0,
		"%s of single clients left out that cost least, with %s that cost %s",
		rule.Count(uint64(c.groups), "finding"), rule.Count(uint64(c.occurrences), "occurrence"),
		rule.Millis(c.cost))
	add(CaveatPools, uint64(c.pools), rule.Content,
		"%s not compared with others: too many clients at a time",
		rule.Count(uint64(c.pools), "connection was", "connections were"))
	add(CaveatOpen, c.Evicted, rule.Anything,
		"%s given up while open, the longest silent first: too many at a time",
		rule.Count(c.Evicted, "connection was", "connections were"))
	add(CaveatTaken, uint64(c.taken), 0, "%s left out that did not show what a rule says of it",
		rule.Count(uint64(c.taken), "frame of proof was", "frames of proof were"))
}

// apartCaveat is what lies across parts, if anything does: it weakens the rules that compare.
func (j *Judge) apartCaveat() []report.Caveat {
	a := &j.Crowd.apart
	if a.connections == 0 {
		return nil
	}
	c := report.Caveat{
		Code: CaveatApart, Count: a.connections,
		Message: fmt.Sprintf("%s of %s that are in several of the parts of which this is made: "+
			"what they have to do with each other there was not compared",
			rule.Count(a.connections, "connection"), rule.Count(uint64(a.hosts), "host")),
	}
	for _, d := range j.all {
		if d.Across != nil {
			c.Weakens = append(c.Weakens, d.Name)
		}
	}
	return []report.Caveat{c}
}

// The codes of caveats about what was not kept.
const (
	CaveatFindings = "finding-cap"    // only the costliest findings are listed
	CaveatPools    = "pool-cap"       // reuse was not judged between all connections
	CaveatOpen     = "connection-cap" // more connections were open at a time than are followed
	CaveatTaken    = "proof-left-out" // frames did not show what was said of them
	// what lies across parts that were analysed apart was not compared
	CaveatApart = "parts-not-compared"
)

// maxOpen is how many open connections are followed at a time: they cost up to 12 KB each while an
// exchange is open.
const maxOpen = 8 << 10

// TableLimits are those of the connection table.
func TableLimits() reassembly.TableLimits {
	return reassembly.TableLimits{Open: maxOpen, Embryos: maxOpen, Finished: 1 << 17}
}
