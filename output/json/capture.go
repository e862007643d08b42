package json

import (
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/output/mask"
)

type captureObject struct {
	Start       maybe             `json:"start"`
	End         maybe             `json:"end"`
	Duration    millis            `json:"duration_ms"`
	Frames      uint64            `json:"frames"`
	Segments    uint64            `json:"tcp_segments"`
	ICMPErrors  uint64            `json:"icmp_errors"`
	DNS         uint64            `json:"dns_messages"`
	Bytes       uint64            `json:"bytes"`
	Inputs      []inputObject     `json:"inputs"`
	Skipped     map[string]uint64 `json:"skipped"`
	KernelDrops uint64            `json:"kernel_drops"`
	Caveats     []caveatObject    `json:"caveats"`
}

type inputObject struct {
	Name        string   `json:"name"`
	Format      string   `json:"format"`
	Compression maybe    `json:"compression"`
	LinkTypes   []string `json:"link_types"`
	Frames      uint64   `json:"frames"`
	Complete    bool     `json:"complete"`
	Error       maybe    `json:"error"`
}

type caveatObject struct {
	Code    string   `json:"code"`
	Message string   `json:"message"`
	Count   uint64   `json:"count"`
	Weakens []string `json:"weakens"`
}

func (e *encoder) capture() *captureObject {
	s := e.report.Capture
	o := &captureObject{
		Duration:    millis(s.Lasted()),
		Frames:      s.Frames,
		Segments:    s.Count[capture.OutcomeSegment],
		ICMPErrors:  s.Count[capture.OutcomeICMP],
		DNS:         s.Count[capture.OutcomeDNS],
		Bytes:       s.Bytes,
		Inputs:      make([]inputObject, 0, len(s.Inputs)),
		Skipped:     map[string]uint64{},
		KernelDrops: s.KernelDrops(),
		Caveats:     make([]caveatObject, 0, len(e.report.Caveats)),
	}
	if !s.Start.IsZero() {
		o.Start = text(timestamp(s.Start))
		o.End = text(timestamp(s.Start.Add(s.End)))
	}
	for i := range s.Inputs {
		o.Inputs = append(o.Inputs, input(&s.Inputs[i]))
	}
	for _, outcome := range s.Skipped() {
		o.Skipped[outcome.String()] = s.Count[outcome]
	}
	for i := range e.report.Caveats {
		c := &e.report.Caveats[i]
		o.Caveats = append(o.Caveats, caveatObject{
			Code: c.Code, Message: mask.Visible(c.Message), Count: c.Count,
			Weakens: list(c.Weakens),
		})
	}
	return o
}

// capture reads the account of a capture. What several inputs dropped is given to the first.
func (d *decoder) capture(o *captureObject) {
	s := &capture.Stats{End: time.Duration(o.Duration), Frames: o.Frames, Bytes: o.Bytes}
	if o.Start != "" {
		start, err := time.Parse(time.RFC3339Nano, string(o.Start))
		d.note(err)
		s.Start = start.UTC()
		end, err := time.Parse(time.RFC3339Nano, string(o.End))
		d.note(err)
		s.End = max(0, end.Sub(start)) // times may count from before the first frame
	}
	for i := range o.Inputs {
		s.Inputs = append(s.Inputs, decodeInput(&o.Inputs[i]))
	}
	if len(s.Inputs) > 0 {
		s.Inputs[0].KernelDrops = o.KernelDrops
	}
	s.Count[capture.OutcomeSegment], s.Count[capture.OutcomeICMP] = o.Segments, o.ICMPErrors
	s.Count[capture.OutcomeDNS] = o.DNS
	for name, n := range o.Skipped {
		s.Count[named(d, "reason to skip a frame", name, parseOutcome)] = n
	}
	d.report.Capture = s
	for _, c := range o.Caveats {
		d.report.Caveats = append(d.report.Caveats, report.Caveat(c))
	}
}

// timestamp is t as RFC 3339 has it, with all nine digits of the nanoseconds.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000000Z07:00") }

// parseOutcome is the outcome of that name; false if there is none.
func parseOutcome(name string) (capture.Outcome, bool) {
	for _, o := range capture.Outcomes() {
		if o.String() == name {
			return o, true
		}
	}
	return 0, false
}

func input(in *capture.Input) inputObject {
	return inputObject{
		Name: mask.Visible(in.Name), Format: in.Format, Compression: text(in.Compression),
		LinkTypes: list(in.LinkTypes), Frames: in.Frames, Complete: in.Complete,
		Error: text(in.Error),
	}
}

func decodeInput(o *inputObject) capture.Input {
	return capture.Input{
		Name: o.Name, Format: o.Format, Compression: string(o.Compression), LinkTypes: o.LinkTypes,
		Frames: o.Frames, Complete: o.Complete, Error: string(o.Error),
	}
}
