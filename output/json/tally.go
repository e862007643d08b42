package json

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/output/mask"
	"tcpwhy/reassembly/exchange"
)

// durationsObject is how long something took: the values while there are few, else a histogram.
type durationsObject struct {
	N         int              `json:"n"`
	Sum       millis           `json:"sum"`
	Least     millis           `json:"min"`
	Median    millis           `json:"median"`
	P90       millis           `json:"p90"`
	P99       millis           `json:"p99"`
	Most      millis           `json:"max"`
	Values    []millis         `json:"values"`
	Histogram *histogramObject `json:"histogram"`
}

// histogramObject counts by cell: the cells begin at From, and each a tenth later than the one
// before.
type histogramObject struct {
	First  int    `json:"first_cell"`
	From   millis `json:"from"`
	Counts []int  `json:"counts"`
}

// durations is null for none.
func durations(d *report.Durations) *durationsObject {
	if d.N == 0 {
		return nil
	}
	o := &durationsObject{
		N: d.N, Sum: millis(d.Sum), Least: millis(d.Least), Median: millis(d.Median()),
		P90: millis(d.Quantile(0.90)), P99: millis(d.Quantile(0.99)), Most: millis(d.Most),
		Values: []millis{},
	}
	for _, t := range d.Few {
		o.Values = append(o.Values, millis(t))
	}
	if len(d.Few) == 0 {
		o.Histogram = &histogramObject{
			First: d.First, From: millis(report.CellStart(d.First)), Counts: d.Cells,
		}
	}
	return o
}

func decodeDurations(o *durationsObject) (d report.Durations) {
	if o == nil {
		return d
	}
	d = report.Durations{
		N: o.N, Sum: time.Duration(o.Sum), Least: time.Duration(o.Least), Most: time.Duration(o.Most),
	}
	for _, t := range o.Values {
		d.Few = append(d.Few, time.Duration(t))
	}
	if h := o.Histogram; h != nil {
		d.First, d.Cells = h.First, h.Counts
	}
	return d
}

// failureObject is exchanges that ended in the same way, without a response or not with all of it.
type failureObject struct {
	Count    int              `json:"count"`
	Repeated int              `json:"repeated"`
	Waited   *durationsObject `json:"waited_ms"`
}

func failure(f *report.Failures) failureObject {
	return failureObject{f.Count, f.Repeated, durations(&f.Waits)}
}

func decodeFailure(o *failureObject) report.Failures {
	return report.Failures{
		Count: o.Count, Repeated: o.Repeated, Waits: decodeDurations(o.Waited),
	}
}

// tallyObject is the part of the summary that counts what became of exchanges.
type tallyObject struct {
	Failures   map[string]failureObject `json:"failures"`
	Unfinished failureObject            `json:"unfinished"`
	Scanned    int                      `json:"scanned"`
	Classes    map[string]int           `json:"statuses"`
	Statuses   []statusObject           `json:"status_codes"`
	Streams    *streamEndsObject        `json:"stream_ends,omitzero"` // of HTTP/2 only
}

type statusObject struct {
	Status int `json:"status"`
	Count  int `json:"count"`
}

// statusClass names a class of status codes.
func statusClass(class int) string { return strconv.Itoa(class) + "xx" }

func (e *encoder) tally() tallyObject {
	t := &e.report.Tally
	o := tallyObject{
		Failures: map[string]failureObject{}, Unfinished: failure(&t.Unfinished),
		Scanned: t.Scanned, Classes: map[string]int{}, Statuses: []statusObject{},
	}
	for i := range t.Failures {
		f := &t.Failures[i]
		o.Failures[f.Outcome.String()] = failure(f)
	}
	for _, s := range t.Statuses {
		o.Classes[statusClass(s.Status/100)] += s.Count
		o.Statuses = append(o.Statuses, statusObject{s.Status, s.Count})
	}
	o.Streams = streamEnds(&t.Streams)
	return o
}

// tally reads the counts.
func (d *decoder) tally(o *tallyObject) {
	t := &d.report.Tally
	t.Unfinished, t.Scanned = decodeFailure(&o.Unfinished), o.Scanned
	for name, f := range o.Failures {
		one := decodeFailure(&f)
		one.Outcome = named(d, "outcome", name, exchange.ParseOutcome)
		t.Failures = append(t.Failures, one)
	}
	slices.SortFunc(t.Failures,
		func(a, b report.Failures) int { return int(a.Outcome) - int(b.Outcome) })
	for _, s := range o.Statuses {
		t.Statuses = append(t.Statuses, report.StatusCount{Status: s.Status, Count: s.Count})
	}
	t.Streams = d.streamEnds(o.Streams)
}

// endpointObject is what was asked for in the same way.
type endpointObject struct {
	Method    maybe            `json:"method"`
	Template  maybe            `json:"template"`
	Host      maybe            `json:"host"`
	Server    maybe            `json:"server"`
	Behind    bool             `json:"behind_proxy"`
	Exchanges int              `json:"exchanges"`
	Failed    int              `json:"failures"`
	Streams   int              `json:"streams"`
	Statuses  map[string]int   `json:"statuses"`
	Octets    int64            `json:"octets"`
	Time      millis           `json:"exchange_ms"`
	Share     float64          `json:"share"`
	Thought   millis           `json:"server_ms"`
	Waited    millis           `json:"upstream_ms"`
	Duration  *durationsObject `json:"duration_ms"`
	Think     *durationsObject `json:"think_ms"`
	Times     labelTimes       `json:"time_ms"`
}

// shareDigits is to how many parts of one a share is rounded.
const shareDigits = 10_000

// share is a part of a whole, from 0 to 1.
func share(part, whole time.Duration) float64 {
	if whole <= 0 {
		return 0
	}
	return float64(int64(float64(part)/float64(whole)*shareDigits+0.5)) / shareDigits
}

func (e *encoder) endpoint(p *report.Endpoint) endpointObject {
	o := endpointObject{
		Method: text(
			mask.ASCII(p.Method),
		), Host: text(mask.Host(p.Host)), Server: endpoint(p.Server),
		Template: text(mask.Target(p.Template, false, longestTarget)),
		Behind:   p.Behind, Waited: millis(p.Waited),
		Exchanges: p.Exchanges, Failed: p.Failed, Streams: p.Streams, Statuses: map[string]int{},
		Octets: p.Octets, Time: millis(p.Time), Share: share(p.Time, e.report.ExchangeTime),
		Thought: millis(p.Thought), Duration: durations(&p.Duration), Think: durations(&p.Think),
		Times: p.Times,
	}
	for class, n := range p.Statuses {
		if class > 0 && n > 0 {
			o.Statuses[statusClass(class)] = n
		}
	}
	return o
}

// endpointMember reads the next endpoint.
func (d *decoder) endpointMember(o *endpointObject) {
	p := report.Endpoint{
		Method: string(o.Method), Template: string(o.Template), Host: string(o.Host),
		Server: d.endpoint(o.Server), Exchanges: o.Exchanges, Failed: o.Failed, Streams: o.Streams,
		Behind: o.Behind, Waited: time.Duration(o.Waited),
		Octets: o.Octets, Time: time.Duration(o.Time), Thought: time.Duration(o.Thought),
		Duration: decodeDurations(o.Duration), Think: decodeDurations(o.Think),
		Times: o.Times,
	}
	for name, n := range o.Statuses {
		for class := range p.Statuses {
			if name == statusClass(class) {
				p.Statuses[class] = n
			}
		}
	}
	d.report.Endpoints = append(d.report.Endpoints, p)
}

// overObject is the time of the capture in equal parts: those in which something happened.
type overObject struct {
	Each  millis       `json:"step_ms"`
	Count int          `json:"count"`
	Steps []stepObject `json:"steps"`
}

type stepObject struct {
	Start     millis `json:"start_ms"`
	Exchanges int    `json:"exchanges"`
	Failed    int    `json:"failures"`
	Errors    int    `json:"errors"`
	Time      millis `json:"exchange_ms"`
	Lost      millis `json:"lost_ms"`
	P90       millis `json:"p90_ms"`
}

func (e *encoder) over() *overObject {
	s := &e.report.Over
	o := &overObject{Each: millis(s.Each), Count: len(s.Steps), Steps: []stepObject{}}
	for i := range s.Steps {
		p := &s.Steps[i]
		if p.Exchanges == 0 && p.Lost == 0 {
			continue
		}
		o.Steps = append(o.Steps, stepObject{
			Start: millis(time.Duration(i) * s.Each), Exchanges: p.Exchanges, Failed: p.Failed,
			Errors: p.Errors, Time: millis(p.Time), Lost: millis(p.Lost),
			P90: millis(p.Duration.Quantile(0.90)),
		})
	}
	return o
}

// mostSteps bounds what a report that was read makes of its steps.
const mostSteps = 10_000

// over reads the time of the capture. Of what lasted how long, it has the 90th percentile alone.
func (d *decoder) over(o *overObject) {
	if o.Count < 0 || o.Count > mostSteps {
		d.note(fmt.Errorf("over: there cannot be %d steps", o.Count))
		return
	}
	s := report.Steps{Each: time.Duration(o.Each)}
	if o.Count > 0 {
		s.Steps = make([]report.Step, o.Count)
	}
	for _, p := range o.Steps {
		i := int(int64(p.Start) / max(1, int64(o.Each)))
		if i < 0 || i >= o.Count {
			d.note(fmt.Errorf("over: there is no step %d of %d", i, o.Count))
			return
		}
		s.Steps[i] = report.Step{
			Exchanges: p.Exchanges, Failed: p.Failed, Errors: p.Errors,
			Time: time.Duration(p.Time), Lost: time.Duration(p.Lost),
		}
		if p.P90 > 0 {
			s.Steps[i].Duration.Add(time.Duration(p.P90))
		}
	}
	d.report.Over = s
}
