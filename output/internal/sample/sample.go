// Package sample has reports for the tests of outputs.
package sample

import (
	"net/netip"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// Secret stands wherever the network can put what must not be shown.
const Secret = "S3CRET7"

const ms = time.Millisecond

// mark is a moment in milliseconds and a frame of the first input.
func mark(at float64, frame uint64) capture.Mark {
	return capture.Mark{Time: time.Duration(at * 1e6), Frame: capture.NewFrameID(0, frame)}
}

// Report is a report with one of everything, and with secrets wherever the network can put them.
func Report() *report.Report {
	client, server := netip.MustParseAddr("10.20.0.2"), netip.MustParseAddrPort("10.20.0.1:8080")
	times := []report.LabelTime{
		{Label: report.Unknown, Time: 1},
		{Label: report.Think, Time: 70 * ms},
		{Label: report.RoundTrip, Time: 149*ms - 1},
		{Label: report.NagleDelack, Time: 615 * ms},
	}
	return Tell(&report.Report{
		Capture:     stats(),
		Connections: 1, ExchangeCount: 2, ExchangeTime: 834 * ms, Lost: 615 * ms, Times: times,
		Caveats: []report.Caveat{{
			Code: "no-handshake", Message: "1 connection began before the capture did", Count: 1,
			Weakens: []string{"slow-start", "receive-window"},
		}},
		Findings:  []report.Finding{nagle(client, server)},
		Conns:     []report.ConnInfo{connection(client, server, times)},
		Exchanges: exchanges(times),
		Checked:   []string{"nagle-delayed-ack", "missed-reuse", "slow-start", "reset-after-data"},
		Vantages:  map[reassembly.Vantage]int{reassembly.ClientSide: 1},
	})
}

func stats() *capture.Stats {
	s := &capture.Stats{
		Inputs: []capture.Input{{
			Name: "trace.pcap", Format: "pcap", LinkTypes: []string{"Ethernet"}, Frames: 214,
			Complete: true,
		}},
		Start: time.Date(2026, 3, 14, 15, 9, 26, 535897932, time.UTC), End: 1201*ms + 17,
		Frames: 214, Bytes: 48211,
	}
	s.Count[capture.OutcomeSegment] = 210
	s.Count[capture.OutcomeDNS] = 4
	return s
}

func nagle(client netip.Addr, server netip.AddrPort) report.Finding {
	return report.Finding{
		Rule: "nagle-delayed-ack", Cause: "request", Title: "Nagle hold ended by a delayed ACK",
		Severity: report.High, Confidence: report.Proven, Side: report.SideClient,
		Client: client, Server: server, Host: "u:" + Secret + "@api.example",
		Message: "The client writes each request in two small pieces. Its kernel holds the " +
			"second until the server acknowledges the first, and the server delays that " +
			"acknowledgment by 40 ms.",
		Count: 13, Affected: 13, Wall: 200 * ms, Within: 615 * ms, Counted: true,
		Cost: report.Cost{Low: 520 * ms, Expected: 615 * ms, High: 640 * ms},
		Remedies: []report.Remedy{
			{Side: report.SideClient, Text: "write headers and body at once, or set TCP_NODELAY"},
			{Side: report.SideServer, Text: "TCP_QUICKACK helps until the kernel leaves that mode"},
		},
		References: []string{"RFC 9293 §3.7.4", "RFC 1122 §4.2.3.2"},
		Occurrences: []report.Occurrence{{
			Connection: 0, Exchange: 1, Start: 500 * ms, End: 541 * ms,
			Cost:     report.Cost{Low: 40 * ms, Expected: 41 * ms, High: 41 * ms},
			Evidence: evidence(),
		}},
	}
}

func evidence() []report.Evidence {
	return []report.Evidence{
		{
			Mark: mark(500, 14), Role: "first piece", Side: report.SideClient,
			Text: "180 bytes: the headers",
		},
		{
			Mark: mark(540.812, 15), Role: "late ACK", Side: report.SideServer,
			Text: "acknowledges it, alone, 40.8 ms later, which is what a delayed acknowledgment " +
				"timer does",
		},
		{
			Mark: mark(540.851, 16), Role: "second piece", Side: report.SideClient,
			Text: "64 bytes, 0.04 ms after the ACK",
		},
	}
}

func connection(
	client netip.Addr, server netip.AddrPort, times []report.LabelTime,
) report.ConnInfo {
	return report.ConnInfo{
		ID: 0, Client: netip.AddrPortFrom(client, 40000), Server: server, Duration: 834 * ms,
		State: reassembly.Closed, History: "ShADadFf", Protocol: exchange.ProtoHTTP1,
		Vantage: reassembly.ClientSide, Handshake: ms / 10, RTTMin: ms / 10, ServerRTT: ms / 10,
		MSS: [2]uint16{1460, 0}, Bytes: [2]int64{3000, 4000}, Segments: [2]uint32{100, 110},
		Retransmissions: [2]uint32{0, 1}, Ended: report.Ended{ClosedBy: "client"},
		Exchanges: []int{0, 1}, Times: times, Ends: ends(),
		TLS: &exchange.TLSInfo{
			SNI: "api\x1b[31m.example", ALPN: "http/1.1\u202e", Version: "TLS 1.3",
		},
	}
}

// ends are those of a connection within one machine, one of them of a process with a hostile name.
func ends() [2]*report.SocketEnd {
	return [2]*report.SocketEnd{
		{
			Process: report.SocketProcess{
				PID: 4121, Command: "ja\x1b[31mva", UID: 1000, Owned: true, Cgroup: "/kubepods/\u202e",
				Container: "0123456789abcdef", Pod: "de7a8f2e-1234-4abc-9def-0123456789ab",
			},
			Account: &report.SocketAccount{
				Final: true, RTT: ms, MinRTT: ms / 10, Busy: 834 * ms, RwndLimited: 12 * ms,
				SndbufLimited: 3 * ms, Delivered: 99, NotSent: 7, Sent: 3000, Counted: true,
				Congestion: "cubic",
			},
		},
		{
			Process: report.SocketProcess{Listens: true}, Unknown: report.SocketHidden,
			Account: &report.SocketAccount{RTT: ms, Retransmissions: 1},
		},
	}
}

func exchanges(times []report.LabelTime) []report.ExchangeInfo {
	request := &report.MessageInfo{
		Start: mark(0, 4), End: mark(0, 4), HeaderBytes: 180, BodyBytes: 64, Complete: true,
	}
	return []report.ExchangeInfo{
		{
			ID: 0, Connection: 0, Index: 0, Method: "POST",
			Target: "http://u:" + Secret + "@api.example/items?key=" + Secret + "&" + Secret,
			Host:   "api.example", Version: "HTTP/1.1", Status: 201, Interim: []int{100},
			Outcome: exchange.Complete, Request: request, Response: request, Duration: 834 * ms,
			Times: times,
		},
		{
			ID: 1, Connection: 0, Index: 1, Method: "GET\x1b[2J",
			Target: "/a\x9b\u202e;sid=" + Secret + "?" + Secret, Version: "HTTP/1.1",
			Outcome: exchange.NoResponse, Request: request, Start: 834 * ms,
		},
	}
}

// Tell makes a story of each rule and cause among the findings, as simple as stories can be.
func Tell(r *report.Report) *report.Report {
	r.Stories, r.Found = nil, len(r.Findings)
	place := map[string]int{}
	for i := range r.Findings {
		f := &r.Findings[i]
		at, known := place[f.Rule+f.Cause]
		if !known {
			at = len(r.Stories)
			place[f.Rule+f.Cause] = at
			r.Stories = append(r.Stories, report.Story{
				Rule: f.Rule, Cause: f.Cause, Side: f.Side, Title: f.Title, Message: f.Message,
				Remedies: f.Remedies, References: f.References, Services: 1,
			})
		}
		s := &r.Stories[at]
		s.Severity, s.Confidence = max(s.Severity, f.Severity), max(s.Confidence, f.Confidence)
		s.Count, s.Affected, s.Clients = s.Count+f.Count, s.Affected+f.Affected, s.Clients+1
		s.Cost, s.Wall, s.Within = s.Cost.Add(f.Cost), s.Wall+f.Wall, s.Within+f.Within
		s.Broken, s.Counted = s.Broken || f.Broken, s.Counted || f.Counted
		s.Findings = append(s.Findings, i)
		s.WorstClients = append(s.WorstClients, report.Share{
			Client: f.Client, Count: f.Count, Others: 1, Cost: f.Cost.Expected, Affected: f.Affected,
		})
		s.WorstServices = []report.Share{{
			Server: f.Server, Host: f.Host, Count: s.Count, Others: s.Clients,
			Cost: s.Cost.Expected, Affected: s.Affected,
		}}
	}
	return r
}
