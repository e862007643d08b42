package json

import (
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/output/mask"
	"tcpwhy/reassembly/exchange"
)

type exchangeObject struct {
	ID         int            `json:"id"`
	Connection int            `json:"connection"`
	Turn       bool           `json:"turn"`
	Method     maybe          `json:"method"`
	Target     maybe          `json:"target"`
	Host       maybe          `json:"host"`
	Version    maybe          `json:"version"`
	Status     *int           `json:"status"`
	Interim    []int          `json:"interim"`
	Outcome    string         `json:"outcome"`
	Request    *messageObject `json:"request"`
	Response   *messageObject `json:"response"`
	Attempt    *attemptObject `json:"attempt"`
	Start      millis         `json:"start_ms"`
	Duration   millis         `json:"duration_ms"`
	Times      labelTimes     `json:"time_ms"`
	legsObject `               json:",embed"`
	Stream     *streamObject `json:"stream,omitzero"` // of HTTP/2 only
}

// longestTarget is how many characters of a masked request target are shown.
const longestTarget = 512

func (e *encoder) exchange(x *report.ExchangeInfo) exchangeObject {
	longest := longestTarget
	if e.opts.ShowQuery {
		longest = mask.WholeTarget
	}
	return exchangeObject{
		ID: x.ID, Connection: x.Connection, Turn: x.Turn, Method: text(mask.ASCII(x.Method)),
		Target: text(mask.Target(x.Target, e.opts.ShowQuery, longest)),
		Host:   text(mask.Host(x.Host)), Version: text(mask.ASCII(x.Version)),
		Status: number(&x.Status), Interim: x.Interim,
		Outcome: x.Outcome.String(),
		Request: message(x.Request), Response: message(x.Response), Attempt: attempt(x.Attempt),
		Start: millis(x.Start), Duration: millis(x.Duration), Times: x.Times,
		legsObject: legs(&x.Legs),
		Stream:     onStream(&x.OnStream),
	}
}

// exchange reads the next exchange.
func (d *decoder) exchange(o *exchangeObject) {
	d.report.Exchanges = append(d.report.Exchanges, report.ExchangeInfo{
		ID: o.ID, Connection: o.Connection, Turn: o.Turn, Method: string(o.Method),
		Target: string(o.Target), Host: string(o.Host), Version: string(o.Version),
		Status: known(o.Status), Interim: o.Interim,
		Outcome: named(d, "outcome", o.Outcome, exchange.ParseOutcome),
		Request: d.message(o.Request), Response: d.message(o.Response),
		Attempt: d.attempt(o.Attempt), OnStream: d.onStream(o.Stream),
		Start: time.Duration(o.Start), Duration: time.Duration(o.Duration), Times: o.Times,
		Legs: decodeLegs(&o.legsObject),
	})
}

// settleIndexes gives every exchange its place within its connection.
func (d *decoder) settleIndexes() {
	index := map[int]int{}
	for i := range d.report.Conns {
		for k, id := range d.report.Conns[i].Exchanges {
			index[id] = k
		}
	}
	for i := range d.report.Exchanges {
		x := &d.report.Exchanges[i]
		x.Index = index[x.ID]
	}
}

type messageObject struct {
	Start       millis `json:"start_ms"`
	End         millis `json:"end_ms"`
	StartInput  int    `json:"start_input"`
	StartFrame  uint64 `json:"start_frame"`
	EndInput    int    `json:"end_input"`
	EndFrame    uint64 `json:"end_frame"`
	HeaderBytes int64  `json:"header_bytes"`
	BodyBytes   int64  `json:"body_bytes"`
	Complete    bool   `json:"complete"`
}

func message(m *report.MessageInfo) *messageObject {
	if m == nil {
		return nil
	}
	return &messageObject{
		Start: millis(m.Start.Time), End: millis(m.End.Time),
		StartInput: m.Start.Frame.Input(), StartFrame: m.Start.Frame.Number(),
		EndInput: m.End.Frame.Input(), EndFrame: m.End.Frame.Number(),
		HeaderBytes: m.HeaderBytes, BodyBytes: m.BodyBytes, Complete: m.Complete,
	}
}

func (d *decoder) message(o *messageObject) *report.MessageInfo {
	if o == nil {
		return nil
	}
	return &report.MessageInfo{
		Start: capture.Mark{
			Time: time.Duration(o.Start), Frame: d.frame(o.StartInput, o.StartFrame),
		},
		End: capture.Mark{
			Time:  time.Duration(o.End),
			Frame: d.frame(o.EndInput, o.EndFrame),
		},
		HeaderBytes: o.HeaderBytes, BodyBytes: o.BodyBytes, Complete: o.Complete,
	}
}

// attemptObject is where an exchange that never came to a request began and ended.
type attemptObject struct {
	TLS        bool   `json:"tls"`
	Start      millis `json:"start_ms"`
	End        millis `json:"end_ms"`
	StartInput int    `json:"start_input"`
	StartFrame uint64 `json:"start_frame"`
	EndInput   int    `json:"end_input"`
	EndFrame   uint64 `json:"end_frame"`
}

func attempt(a *report.AttemptInfo) *attemptObject {
	if a == nil {
		return nil
	}
	return &attemptObject{
		TLS: a.Secure, Start: millis(a.Start.Time), End: millis(a.End.Time),
		StartInput: a.Start.Frame.Input(), StartFrame: a.Start.Frame.Number(),
		EndInput: a.End.Frame.Input(), EndFrame: a.End.Frame.Number(),
	}
}

func (d *decoder) attempt(o *attemptObject) *report.AttemptInfo {
	if o == nil {
		return nil
	}
	return &report.AttemptInfo{
		Start: capture.Mark{
			Time: time.Duration(o.Start), Frame: d.frame(o.StartInput, o.StartFrame),
		},
		End:    capture.Mark{Time: time.Duration(o.End), Frame: d.frame(o.EndInput, o.EndFrame)},
		Secure: o.TLS,
	}
}
