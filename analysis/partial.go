package analysis

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"tcpwhy/analysis/internal/judge"
	"tcpwhy/analysis/internal/plain"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

// What is wrong with octets, or with parts that are to become one.
var (
	// ErrNoPartial: the octets are none that a Partial was written as.
	ErrNoPartial = errors.New("it is no part of an analysis")
	// ErrDamaged: they were, but are not whole any more.
	ErrDamaged = errors.New("it is cut short or damaged")
	// ErrMismatch: they were written by another version, or made with other options.
	ErrMismatch = errors.New("parts do not fit each other")
	// ErrOverlap: both have the same recording.
	ErrOverlap = errors.New("parts overlap")
)

// StartsError is an ErrMismatch: times of two parts do not count from the same moment.
type StartsError struct{ One, Other time.Time }

// Error says from when on they count.
func (e *StartsError) Error() string {
	return fmt.Sprintf("%s: times count from %s in one, from %s in another", ErrMismatch,
		e.One.Format(time.RFC3339Nano), e.Other.Format(time.RFC3339Nano))
}

// Unwrap makes errors.Is find ErrMismatch.
func (e *StartsError) Unwrap() error { return ErrMismatch }

// Earlier is the latest whole second from which times of both may count.
func (e *StartsError) Earlier() time.Time {
	if e.Other.Before(e.One) {
		return e.Other.Truncate(time.Second)
	}
	return e.One.Truncate(time.Second)
}

// Partial is what is known after an analysis of a part of the traffic: all that a report is made of,
// and how it becomes one with what is known of other parts. Parts of hosts that have nothing to do
// with each other, whose times count from the same moment (capture.Config.Start), are together what
// one analysis of all of it would have known, in whatever order and groups they are merged. What
// lies across parts is not compared: the report has a caveat that counts it.
//
// A Partial holds nothing that was said but what reports show: no payload, no header fields, no
// secrets of TLS. Its zero value is no part. It is not safe for concurrent use.
type Partial struct {
	made  made
	stats capture.Stats
	part  judge.Part
	parts int // of which it is made
}

// made is how a part was made: parts of others do not fit it.
type made struct {
	By     string // the program
	Rules  []string
	Filter string
	Limits judge.Limits
	Kept   Limits
}

// PartBy says how a part is made.
type PartBy struct {
	Program string // and its version: parts of others do not fit
	Filter  string // that the source has, as text: likewise
	// Target and Host make what the network said of them fit to be handed out. They are asked for
	// what they gave, too, and give the same. Without them a part holds neither.
	Target, Host func(string) string
}

// WithPartial has p be what the analysis knows in the end.
func WithPartial(p *Partial, by PartBy) Option {
	unsaid := func(string) string { return "" }
	if by.Target == nil {
		by.Target = unsaid
	}
	if by.Host == nil {
		by.Host = unsaid
	}
	return func(o *options) { o.partial, o.partBy = p, by }
}

// noted is what is noted for a part while a capture is analysed.
type noted struct {
	begun []judge.Begun
	asked []judge.Asked
	talks map[judge.Hosts]uint64
}

// maxTalks is how many pairs of hosts are counted: 16 MB.
const maxTalks = 1 << 18

// read takes note of what the judge is about to be told.
func (n *noted) read(events *rule.Batch, count int) {
	for i := range count {
		switch e := events.At(i); e.Kind {
		case rule.ExchangeBegan, rule.AttemptBegan:
			n.asked = append(n.asked, judge.Asked{At: e.At, Conn: int(e.Conn)})
		case rule.ConnOver:
			p := e.Gone().Pair
			h := judge.Hosts{Client: p.Client, Server: p.Server.Addr()}
			if _, known := n.talks[h]; known || len(n.talks) < maxTalks {
				n.talks[h]++
			}
		}
	}
}

// fill makes p what is known after an analysis.
func (p *Partial) fill(o *options, j *judge.Judge, st *capture.Stats, n *noted) error {
	part := j.Part(st.End)
	part.Begun, part.Asked, part.Talks = n.begun, n.asked, n.talks
	whole := *st
	whole.Interfaces, whole.Secrets = nil, nil
	all := Partial{stats: whole, part: *part, parts: 1, made: made{
		By: o.partBy.Program, Filter: o.partBy.Filter, Limits: o.judged(), Kept: o.limits,
	}}
	all.made.Limits.MinSeverity = report.Info
	for _, d := range o.rules() {
		all.made.Rules = append(all.made.Rules, d.Name)
	}
	// what the report holds, and others may have by now, stays as it is
	octets, err := all.AppendBinary(nil)
	if err != nil {
		return err
	}
	if err := p.UnmarshalBinary(octets); err != nil {
		return err
	}
	p.part.Hide(o.partBy.Target, o.partBy.Host)
	stats, places := capture.Joined(&p.stats, &capture.Stats{Start: p.stats.Start})
	p.stats = *stats
	p.part.Place(places[0], detectors())
	return nil
}

// Merge takes in what is known of another part. After an error p is as it was; q stays as it is.
func (p *Partial) Merge(q *Partial) error {
	if err := p.fits(q); err != nil {
		return err
	}
	other, err := q.clone()
	if err != nil {
		return err
	}
	stats, places := capture.Joined(&p.stats, &other.stats)
	p.part.Place(places[0], detectors())
	other.part.Place(places[1], detectors())
	p.part.Merge(&other.part, p.made.Limits, detectors(), stats.End)
	p.stats, p.parts = *stats, p.parts+q.parts
	return nil
}

// fits reports why another part cannot be merged with p.
func (p *Partial) fits(q *Partial) error {
	switch a, b := &p.made, &q.made; {
	case p.parts == 0 || q.parts == 0:
		return ErrNoPartial
	case a.By != b.By:
		return fmt.Errorf("%w: one was made by %s, another by %s", ErrMismatch, a.By, b.By)
	case !slices.Equal(a.Rules, b.Rules):
		return fmt.Errorf("%w: other rules ran", ErrMismatch)
	case a.Filter != b.Filter:
		return fmt.Errorf("%w: the filter of one is %q, of another %q", ErrMismatch, a.Filter,
			b.Filter)
	case a.Limits != b.Limits || a.Kept != b.Kept:
		return fmt.Errorf("%w: other limits held", ErrMismatch)
	case !p.stats.Start.Equal(q.stats.Start) && !p.stats.Start.IsZero() && !q.stats.Start.IsZero():
		return &StartsError{p.stats.Start, q.stats.Start}
	}
	if a, b := capture.SameRecording(&p.stats, &q.stats); a != nil {
		return fmt.Errorf("%w: %s and %s are the same recording", ErrOverlap, a.Name, b.Name)
	}
	return nil
}

// clone shares nothing with p.
func (p *Partial) clone() (*Partial, error) {
	octets, err := p.AppendBinary(nil)
	if err != nil {
		return nil, err
	}
	q := &Partial{}
	return q, q.UnmarshalBinary(octets)
}

// Report draws up the report of all that is known, without findings below a severity. Connections
// have neither segments nor round trips in it.
func (p *Partial) Report(least report.Severity) (r *report.Report, err error) {
	if p.parts == 0 {
		return nil, ErrNoPartial
	}
	own, err := p.clone() // what is drawn up shares what it shows
	if err != nil {
		return nil, err
	}
	defer func() { // octets that nothing wrote may say what cannot be
		if broke := recover(); broke != nil {
			r, err = nil, ErrDamaged
		}
	}()
	limits := own.made.Limits
	limits.MinSeverity = least
	rules := (&options{only: own.made.Rules}).rules()
	r = judge.Restore(limits, detectors(), rules, &own.part).ReportOf(&own.part, &own.stats)
	r.Parts = own.parts
	return r, nil
}

// PartialMark is what the octets of every part begin with.
const PartialMark = "\x89tcpwhy part 1\n"

// The octets of a part: a mark, the program, a fingerprint of what the rest means, the rest, and a
// hash of all before it.
const (
	fingerprint = 8
)

// body is the rest.
type body struct {
	Made  made
	Stats capture.Stats
	Part  judge.Part
	Parts int
}

// meaning is the fingerprint of what octets of this program mean: the shape of what they hold, and
// the rules and words that are named by numbers in it.
func meaning() ([fingerprint]byte, error) {
	shape, err := plain.Shape(reflect.TypeFor[body]())
	h := sha256.New()
	h.Write(shape[:])
	for _, d := range detectors() {
		fmt.Fprintf(h, "%q", d.Name)
		for i := range d.Causes {
			fmt.Fprintf(h, " %q", d.Causes[i].Code)
		}
		for i := range d.Vocabulary {
			fmt.Fprintf(h, " %q %q", d.Vocabulary[i].Role, d.Vocabulary[i].Text)
		}
	}
	return [fingerprint]byte(h.Sum(nil)), err
}

// AppendBinary implements encoding.BinaryAppender. Equal parts are equal octets.
func (p *Partial) AppendBinary(b []byte) ([]byte, error) {
	from := len(b)
	means, err := meaning()
	if err != nil {
		return nil, err
	}
	b = append(b, PartialMark...)
	b = binary.AppendUvarint(b, uint64(len(p.made.By)))
	b = append(append(b, p.made.By...), means[:]...)
	b, err = plain.Append(b, &body{p.made, p.stats, p.part, p.parts})
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(b[from:])
	return append(b, sum[:]...), nil
}

// UnmarshalBinary implements encoding.BinaryUnmarshaler. The errors are ErrNoPartial, ErrDamaged
// and ErrMismatch; after one p is as it was.
func (p *Partial) UnmarshalBinary(octets []byte) error {
	rest, is := bytes.CutPrefix(octets, []byte(PartialMark))
	if !is {
		return ErrNoPartial
	}
	whole := len(octets) - sha256.Size
	if len(rest) < sha256.Size ||
		sha256.Sum256(octets[:whole]) != [sha256.Size]byte(octets[whole:]) {
		return ErrDamaged
	}
	rest = rest[:len(rest)-sha256.Size]
	n, used := binary.Uvarint(rest)
	if used <= 0 || n > uint64(len(rest)-used) || len(rest)-used-int(n) < fingerprint {
		return ErrDamaged
	}
	by := string(rest[used : used+int(n)])
	rest = rest[used+int(n):]
	means, err := meaning()
	if err != nil {
		return err
	}
	if [fingerprint]byte(rest) != means {
		return fmt.Errorf("%w: it was made by %q, whose parts mean something else", ErrMismatch, by)
	}
	var of body
	rest, err = plain.Read(rest[fingerprint:], &of)
	if err != nil || len(rest) > 0 || of.Parts < 1 || of.Made.By != by || !of.sound() {
		return ErrDamaged
	}
	*p = Partial{of.Made, of.Stats, of.Part, of.Parts}
	return nil
}
