package sample

import (
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// Traced is Report with a trace of its first exchange.
func Traced() *report.Report {
	r := Report()
	syn := record(0, 1, reassembly.FromClient, capture.SYN)
	synAck := record(10, 2, reassembly.FromServer, capture.SYN|capture.ACK)
	headers := record(10.001, 3, reassembly.FromClient, capture.ACK|capture.PSH)
	late := record(50, 4, reassembly.FromServer, capture.ACK)
	body := record(50.0004, 5, reassembly.FromClient, capture.ACK|capture.PSH)
	syn.Seq, synAck.Seq = -1, -1
	headers.Len, late.Ack = 180, 180
	body.Seq, body.Len, body.SACK = 180, 64, 700
	body.Kind = reassembly.TimeoutRetransmission
	body.Trait = reassembly.Unseen | reassembly.Full | reassembly.Overrun
	r.Trace = &report.Trace{
		Of:       report.TraceOf{Connection: 0, Exchange: 0},
		Exchange: &r.Exchanges[0], Conn: &r.Conns[0],
		Tiles: []report.Tile{
			{Label: report.TCPHandshake, From: 0, To: 10 * ms, Waits: 1},
			{
				Label: report.NagleDelack, From: 10 * ms, To: 50 * ms, Waits: 1,
				Before: headers.Mark(), Cause: late.Mark(), End: body.Mark(),
			},
			{
				Label: report.Serialize, From: 50 * ms, To: 52 * ms, Waits: 3,
				Before: body.Mark(), End: mark(52, 7),
			},
		},
		Segments: []report.TracedSegment{
			{Record: syn}, {Record: synAck}, {Record: headers}, {Record: late},
			{Record: body, Cause: late.Mark()},
		},
		MoreSegments: 1,
	}
	return r
}

func record(at float64, n uint64, dir reassembly.Dir, flags capture.TCPFlags) reassembly.Record {
	return reassembly.Record{
		Time: time.Duration(at * 1e6), Frame: capture.NewFrameID(0, n), Dir: dir, Flags: flags,
		Window: 502,
	}
}
