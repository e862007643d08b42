package analysis

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"tcpwhy/analysis/internal/judge"
	"tcpwhy/analysis/internal/plain"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// Followed is what following some of the connections of a capture tells: all that is to be known
// of them. Those of all its connections, in whatever order, are judged as one (Judge). It holds no
// payload, but what requests said of themselves, and is meant to be judged soon: see Partial for
// what is to be kept, or to be handed out. Its zero value tells of nothing.
type Followed struct {
	told following
}

// following is what a Followed is written as.
type following struct {
	Events  rule.Batch
	Begun   []judge.Begun // the connections, in the order of their numbers
	Counted counted
	Keys    reassembly.KeyTally
	Stats   capture.Stats // of the segments
}

// Follow follows the connections of a source, which may be some of a capture's, until it ends: of
// one connection it has all segments, and of the rest what its Stats say. The error is that of
// Run.
func Follow(ctx context.Context, src capture.Source, opts ...Option) (*Followed, error) {
	o, err := optionsOf(opts)
	if err != nil {
		return nil, err
	}
	if o.partial != nil || o.span != (Span{}) || o.hooks.Any() ||
		o.trace != nil || o.graphs != nil {
		return nil, errors.New("analysis: what is followed by itself can only be judged")
	}
	f := &Followed{}
	p := newFollower(o, o.rules(), &f.told.Events, func(e *epoch) { f.told.Counted = e.counted })
	p.begun = &f.told.Begun
	err = p.read(ctx, src)
	f.told.Keys, f.told.Stats = p.secrets.Tally(), *src.Stats()
	f.told.Stats.Secrets = nil
	return f, err
}

// Stats is the account of what was followed.
func (f *Followed) Stats() *capture.Stats { return &f.told.Stats }

// Judge draws up the report of a capture whose connections were all followed, each once, with the
// same options; it uses up what was followed. st is the account of the whole capture.
func Judge(st *capture.Stats, all []*Followed, opts ...Option) (*report.Report, error) {
	o, err := optionsOf(opts)
	if err != nil {
		return nil, err
	}
	j := judge.New(o.judged(), detectors(), o.rules())
	events := &rule.Batch{}
	var c counted
	numbers := numbersOf(all)
	for i, f := range all {
		t := &f.told
		t.Events.Renumber(func(old int) int { return at(numbers[i], old) }, detectors())
		events.Append(&t.Events)
		t.Events = rule.Batch{}
		c.add(&t.Counted)
		j.Total.Keys = mostKeys(j.Total.Keys, t.Keys)
	}
	events.Sort()
	c.into(j)
	j.Read(events, len(events.Events))
	j.Advance(report.EndOfTime)
	return j.Report(st), nil
}

// at is the number of a connection in the whole capture.
func at(numbers []int, old int) int {
	if old < 0 || old >= len(numbers) {
		return old
	}
	return numbers[old]
}

// numbersOf are the numbers that connections have in the whole capture, of each of all, by those
// that they were followed under.
func numbersOf(all []*Followed) [][]int {
	type placed struct {
		judge.Begun
		of, old int
	}
	var begun []placed
	numbers := make([][]int, len(all))
	for of, f := range all {
		numbers[of] = make([]int, len(f.told.Begun))
		for old, b := range f.told.Begun {
			begun = append(begun, placed{b, of, old})
		}
	}
	slices.SortStableFunc(begun, func(a, b placed) int {
		return cmp.Or(cmp.Compare(a.Latest, b.Latest), cmp.Compare(a.First, b.First))
	})
	for now, b := range begun {
		numbers[b.of][b.old] = now
	}
	return numbers
}

// mostKeys is the tally of key logs: all who follow know the same in the end.
func mostKeys(a, b reassembly.KeyTally) reassembly.KeyTally {
	if a == (reassembly.KeyTally{}) {
		return b
	}
	return a
}

// followedMark is what the octets of a Followed begin with.
const followedMark = "tcpwhy followed 1\n"

// AppendBinary implements encoding.BinaryAppender.
func (f *Followed) AppendBinary(b []byte) ([]byte, error) {
	means, err := followedMeaning()
	if err != nil {
		return nil, err
	}
	return plain.Append(append(append(b, followedMark...), means[:]...), &f.told)
}

// UnmarshalBinary implements encoding.BinaryUnmarshaler. The errors are those of a Partial.
func (f *Followed) UnmarshalBinary(octets []byte) error {
	n := len(followedMark) + fingerprint
	if len(octets) < n || string(octets[:len(followedMark)]) != followedMark {
		return ErrDamaged
	}
	means, err := followedMeaning()
	if err != nil {
		return err
	}
	if [fingerprint]byte(octets[len(followedMark):n]) != means {
		return fmt.Errorf("%w: it was followed by another version", ErrMismatch)
	}
	var t following
	rest, err := plain.Read(octets[n:], &t)
	if err != nil || len(rest) > 0 {
		return ErrDamaged
	}
	f.told = t
	return nil
}

// followedMeaning is the fingerprint of what the octets of a Followed mean.
func followedMeaning() ([fingerprint]byte, error) {
	means, err := meaning()
	if err != nil {
		return means, err
	}
	shape, err := plain.Shape(reflect.TypeFor[following]())
	h := sha256.New()
	h.Write(means[:])
	h.Write(shape[:])
	return [fingerprint]byte(h.Sum(nil)), err
}
