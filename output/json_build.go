package output

import (
	"net/netip"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/output/mask"
	"tcpwhy/reassembly"
)

// builder turns a report into what JSON shows of it.
type builder struct {
	report *report.Report
	opts   JSONOptions
}

func (b *builder) tool() jsonTool { return jsonTool{toolName, b.opts.Version} }

func (b *builder) capture() jsonCapture {
	s := b.report.Capture
	c := jsonCapture{
		Duration:    millis(s.End),
		Frames:      s.Frames,
		Segments:    s.Count[capture.OutcomeSegment],
		ICMPErrors:  s.Count[capture.OutcomeICMP],
		Bytes:       s.Bytes,
		Inputs:      make([]jsonInput, 0, len(s.Inputs)),
		Skipped:     map[string]uint64{},
		KernelDrops: kernelDrops(s),
		Caveats:     make([]jsonCaveat, 0, len(b.report.Caveats)),
	}
	if !s.Start.IsZero() {
		c.Start = text(timestamp(s.Start))
		c.End = text(timestamp(s.Start.Add(s.End)))
	}
	for i := range s.Inputs {
		c.Inputs = append(c.Inputs, input(&s.Inputs[i]))
	}
	for _, o := range skipped(s) {
		c.Skipped[o.String()] = s.Count[o]
	}
	for _, v := range b.report.Caveats {
		c.Caveats = append(
			c.Caveats,
			jsonCaveat{v.Code, mask.Visible(v.Message), v.Count, list(v.Weakens)},
		)
	}
	return c
}

// timestamp is t as RFC 3339 has it, with all nine digits of the nanoseconds.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000000Z07:00") }

func kernelDrops(s *capture.Stats) uint64 {
	var n uint64
	for i := range s.Inputs {
		n += s.Inputs[i].KernelDrops
	}
	return n
}

// skipped are the outcomes, other than being handed out, that befell some frame.
func skipped(s *capture.Stats) []capture.Outcome {
	var some []capture.Outcome
	for _, o := range capture.Outcomes() {
		if o != capture.OutcomeSegment && o != capture.OutcomeICMP && s.Count[o] > 0 {
			some = append(some, o)
		}
	}
	return some
}

func input(in *capture.Input) jsonInput {
	return jsonInput{
		Name: mask.Visible(
			in.Name,
		), Format: in.Format, Compression: text(in.Compression), LinkTypes: list(in.LinkTypes),
		Frames: in.Frames, Complete: in.Complete, Error: text(in.Error),
	}
}

func (b *builder) summary() jsonSummary {
	r := b.report
	s := jsonSummary{
		Connections: r.Connections, Exchanges: r.ExchangeCount, Findings: len(r.Findings),
		ExchangeTime: millis(r.ExchangeTime), Lost: millis(r.Lost), Times: r.Times,
		Vantages: map[string]int{}, Checked: list(r.Checked),
	}
	for v, n := range r.Vantages {
		s.Vantages[v.String()] = n
	}
	return s
}

func (b *builder) finding(f *report.Finding, id string) jsonFinding {
	j := jsonFinding{
		ID: id, Rule: f.Rule, Cause: text(f.Cause), Title: mask.Visible(f.Title), Severity: f.Severity.String(),
		Confidence: f.Confidence.String(), Side: f.Side.String(), Client: address(f.Client),
		Server: endpoint(
			f.Server,
		), Host: text(mask.Host(f.Host)), Message: mask.Visible(f.Message), Count: f.Count,
		Cost: cost(
			f.Cost,
		), Wall: millis(f.Wall), Affected: f.Affected, Remedies: make([]jsonRemedy, 0, len(f.Remedies)),
		References: list(f.References), Occurrences: make([]jsonOccurrence, 0, len(f.Occurrences)),
	}
	for _, m := range f.Remedies {
		j.Remedies = append(j.Remedies, jsonRemedy{m.Side.String(), mask.Visible(m.Text)})
	}
	for i := range f.Occurrences {
		j.Occurrences = append(j.Occurrences, b.occurrence(&f.Occurrences[i]))
	}
	return j
}

func (b *builder) occurrence(o *report.Occurrence) jsonOccurrence {
	j := jsonOccurrence{
		Connection: o.Connection, Start: millis(o.Start), End: millis(o.End), Cost: cost(o.Cost),
		Evidence: make(
			[]jsonEvidence,
			0,
			len(o.Evidence),
		), Filter: text(wiresharkFilter(b.report, o)),
	}
	if o.Exchange >= 0 {
		j.Exchange = &o.Exchange
	}
	for _, e := range o.Evidence {
		j.Evidence = append(j.Evidence, jsonEvidence{
			Input: e.Frame.Input(), Frame: e.Frame.Number(), Time: millis(e.Time), Side: e.Side.String(),
			Role: mask.Visible(e.Role), Text: mask.Visible(e.Text),
		})
	}
	return j
}

func cost(c report.Cost) jsonCost {
	return jsonCost{millis(c.Low), millis(c.Expected), millis(c.High)}
}

func (b *builder) connection(c *report.ConnInfo) jsonConnection {
	j := jsonConnection{
		ID: c.ID, Client: c.Client.String(), Server: c.Server.String(), Start: millis(c.Start),
		Duration: millis(c.Duration), State: c.State.String(), History: mask.ASCII(c.History),
		Protocol: c.Protocol.String(), Vantage: c.Vantage.String(),
		RTT: jsonRTT{
			optional(c.Handshake),
			optional(c.RTTMin),
			optional(c.ClientRTT),
			optional(c.ServerRTT),
		},
		MSS: jsonMSS{number(c.MSS[reassembly.FromClient]), number(c.MSS[reassembly.FromServer])},

		ClientBytes: c.Bytes[reassembly.FromClient], ServerBytes: c.Bytes[reassembly.FromServer],
		ClientSegments: c.Segments[reassembly.FromClient], ServerSegments: c.Segments[reassembly.FromServer],
		ClientRetransmissions: c.Retransmissions[reassembly.FromClient],
		ServerRetransmissions: c.Retransmissions[reassembly.FromServer],

		ClosedBy: text(
			c.ClosedBy,
		), ResetBy: text(c.ResetBy), Exchanges: append([]int{}, c.Exchanges...),
		Times: c.Times, Caveats: list(c.Caveats),
	}
	if c.TLS != nil {
		j.TLS = &jsonTLS{
			text(mask.Host(c.TLS.SNI)),
			text(mask.ASCII(c.TLS.ALPN)),
			text(c.TLS.Version),
			c.TLS.Resumed,
		}
	}
	return j
}

func (b *builder) exchange(x *report.ExchangeInfo) jsonExchange {
	max := maxTarget
	if b.opts.ShowQuery {
		max = 4 * reassemblyTargetCap
	}
	return jsonExchange{
		ID: x.ID, Connection: x.Connection, Turn: x.Turn, Method: text(mask.ASCII(x.Method)),
		Target: text(mask.Target(x.Target, b.opts.ShowQuery, max)), Host: text(mask.Host(x.Host)),
		Version: text(
			mask.ASCII(x.Version),
		), Status: number(x.Status), Interim: append([]int{}, x.Interim...),
		Outcome: x.Outcome.String(), Request: message(x.Request), Response: message(x.Response),
		Start: millis(x.Start), Duration: millis(x.Duration), Times: x.Times,
	}
}

// reassemblyTargetCap is how many octets of a target are kept; each is at most four characters when
// spelled out.
const reassemblyTargetCap = 2048

func message(m *report.MessageInfo) *jsonMessage {
	if m == nil {
		return nil
	}
	return &jsonMessage{
		Start: millis(m.Start.Time), End: millis(m.End.Time), StartInput: m.Start.Frame.Input(),
		StartFrame: m.Start.Frame.Number(), EndInput: m.End.Frame.Input(), EndFrame: m.End.Frame.Number(),
		HeaderBytes: m.HeaderBytes, BodyBytes: m.BodyBytes, Complete: m.Complete,
	}
}

// text is s without anything unprintable, or null if it is empty.
func text(s string) *string {
	if s == "" {
		return nil
	}
	s = mask.Visible(s)
	return &s
}

// number is n, or null where zero means that there is none.
func number[T int | uint16](n T) *T {
	if n == 0 {
		return nil
	}
	return &n
}

// list is a copy of names that is never null.
func list(names []string) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = mask.Visible(name)
	}
	return all
}

func address(a netip.Addr) *string {
	if !a.IsValid() {
		return nil
	}
	return text(a.String())
}

// endpoint is address:port; the address alone where a finding concerns all ports.
func endpoint(a netip.AddrPort) *string {
	if !a.IsValid() {
		return nil
	}
	if a.Port() == 0 {
		return address(a.Addr())
	}
	return text(a.String())
}

// maxTarget is how many characters of a masked request target a report for programs shows.
const maxTarget = 512
