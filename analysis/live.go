package analysis

import (
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

// endGrace is how long after its last segment the capture is taken to end, so that what silence
// settles comes first: a live capture, which goes on in silence, has told of it by then. A lost
// tail may take the longest retransmission timer, two minutes.
const endGrace = 3 * time.Minute

// liveSource is a source that knows how far it has read.
type liveSource interface {
	Settled() time.Duration
	Account() *capture.Stats
}

// passed settles what is due by time.
func (p *follower) passed(src capture.Source) {
	live, ok := src.(liveSource)
	if !ok {
		return
	}
	p.epoch(live.Settled())
	if p.ticked != nil {
		p.ticked(live)
	}
}

// tick tells who wants to know that time has passed.
func (p *pipeline) tick(live liveSource) {
	if p.judge.Hooks.Tick != nil {
		p.judge.Hooks.Tick(func() *report.Report { return p.judge.SoFar(live.Account()) })
	}
}

// settle makes every worker hand on what silence has settled up to a moment: closed connections,
// and exchanges.
func (p *follower) settle(until time.Duration) {
	p.table.Settle(until)
	p.closeOver()
	for w := range p.workers {
		p.fill[w].items = append(p.fill[w].items, item{op: opSettle, now: until})
	}
}
