package tally

import (
	"time"

	"tcpwhy/analysis/report"
)

const (
	// maxSteps is in how many steps a capture is drawn: more than a line of a terminal has columns.
	maxSteps = 120
	// leastStep is how long a step is at least. A step is that long, or twice, four times and so
	// on: so steps of parts fall together.
	leastStep = time.Millisecond
)

// steps counts over the time of the capture, in steps that become longer as it does.
type steps struct {
	each  time.Duration
	steps []report.Step
}

// at is the step of a moment.
func (s *steps) at(t time.Duration) *report.Step {
	if s.each == 0 {
		s.each = leastStep
	}
	for t >= maxSteps*s.each {
		s.join()
	}
	i := int(max(t, 0) / s.each)
	for len(s.steps) <= i {
		s.steps = append(s.steps, report.Step{})
	}
	return &s.steps[i]
}

// join makes one step of every two.
func (s *steps) join() {
	for i := range s.steps {
		if i%2 == 1 {
			s.steps[i/2].Merge(&s.steps[i])
		} else {
			s.steps[i/2] = s.steps[i]
		}
	}
	old := len(s.steps)
	s.steps = s.steps[:(old+1)/2]
	clear(s.steps[len(s.steps):old])
	s.each *= 2
}

// add counts an exchange when it ended.
func (s *steps) add(x *Exchange, failed bool) {
	at := s.at(x.Start + x.Duration)
	at.Exchanges++
	at.Lost += x.Lost
	if failed {
		at.Failed++
	}
	if status := x.OnStream.Meant(x.Status); status == tooMany || status/100 == serverErrors {
		at.Errors++
	}
	if !x.Streams && !x.Cut() {
		at.Time += x.Duration
		at.Duration.Add(x.Duration)
	}
}

// list is all steps of a capture that is that long.
func (s *steps) list(end time.Duration) report.Steps {
	if len(s.steps) == 0 {
		return report.Steps{}
	}
	all := steps{s.each, make([]report.Step, len(s.steps))}
	for i := range s.steps {
		all.steps[i] = s.steps[i].Clone()
	}
	all.at(end)
	return report.Steps{Each: all.each, Steps: all.steps}
}
