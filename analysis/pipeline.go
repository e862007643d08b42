package analysis

import (
	"time"

	"tcpwhy/analysis/internal/judge"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/reassembly"
)

// pipeline is a follower and one judge, which reads what the workers tell of one epoch while they
// work on the next.
type pipeline struct {
	*follower
	judge *judge.Judge
	// of the epoch in hand and what waits for the next, and room for that; used again
	events, room *rule.Batch
	noted        *noted // for a part; nil: nothing is
}

// newPipeline starts the workers.
func newPipeline(o *options, rules []*rule.Detector) *pipeline {
	p := &pipeline{
		judge:  judge.New(o.judged(), detectors(), rules),
		events: &rule.Batch{}, room: &rule.Batch{},
	}
	p.judge.Hooks = o.hooks
	if o.partial != nil {
		p.noted = &noted{talks: map[judge.Hosts]uint64{}}
	}
	p.follower = newFollower(o, rules, p.events, p.judgeEpoch)
	p.ticked = p.tick
	p.waits = p.judge.Hooks.Any()
	p.begins = func(from time.Duration) { p.judge.From = from }
	if p.noted != nil {
		p.begun = &p.noted.begun
	}
	return p
}

// judgeEpoch lets the judge read an epoch, in the order of time.
func (p *pipeline) judgeEpoch(e *epoch) {
	e.counted.into(p.judge)
	p.events.Sort()
	n := p.events.Due(e.until)
	if p.noted != nil {
		p.noted.read(p.events, n)
	}
	p.judge.Read(p.events, n)
	p.judge.Advance(e.until)
	p.events.Rest(n, p.room)
}

// counted is what was counted so far beside what workers tell.
type counted struct {
	Evicted uint64 // open connections given up
	Views   uint64 // connections left out because they are others seen again
	Quoted  uint64 // ICMP errors about connections that had not been seen
	Names   reassembly.NamesTally
	QUIC    reassembly.QUICTally
}

// into tells a judge.
func (c *counted) into(j *judge.Judge) {
	j.Crowd.Evicted, j.Total.Views = c.Evicted, c.Views
	j.Total.Quoted, j.Total.Names, j.Total.QUIC = c.Quoted, c.Names, c.QUIC
}

// add takes in what was counted of other connections.
func (c *counted) add(o *counted) {
	c.Evicted, c.Views = c.Evicted+o.Evicted, c.Views+o.Views
	c.Quoted += o.Quoted
	c.Names.Merge(&o.Names)
	c.QUIC.Merge(&o.QUIC)
}
