package analysis

import (
	"tcpwhy/analysis/internal/judge"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/rules/connect"
	"tcpwhy/analysis/internal/rules/ending"
	"tcpwhy/analysis/internal/rules/failing"
	"tcpwhy/analysis/internal/rules/grpc"
	"tcpwhy/analysis/internal/rules/http2"
	"tcpwhy/analysis/internal/rules/naming"
	"tcpwhy/analysis/internal/rules/smallwrite"
	"tcpwhy/analysis/internal/rules/transfer"
	"tcpwhy/analysis/report"
)

// detectors lists every rule, in the order of reports.
func detectors() []*rule.Detector {
	return []*rule.Detector{
		smallwrite.NagleDelayedAck,
		smallwrite.Nagle,
		smallwrite.DelayedAck,
		smallwrite.Cork,
		connect.MissedReuse,
		transfer.SlowStart,
		transfer.SlowStartAfterIdle,
		transfer.PathMTU,
		transfer.RetransmissionTimeout,
		transfer.PacketLoss,
		transfer.Outage,
		transfer.ReceiveWindow,
		transfer.ZeroWindow,
		transfer.SendBuffer,
		transfer.SmallSegments,
		transfer.ServerThink,
		transfer.Bandwidth,
		http2.FlowControl,
		http2.HeadOfLine,
		http2.Priority,
		http2.StreamLimit,
		failing.ClientTimeout,
		failing.HTTPErrors,
		grpc.Status,
		grpc.Deadline,
		ending.ResetAfterData,
		ending.KeepaliveRace,
		ending.TruncatedResponse,
		ending.HalfClose,
		naming.DNS,
		connect.ConnectCost,
		connect.SynRetransmission,
		connect.ConnectionRefused,
		connect.TLSHandshake,
		connect.TLSAlert,
		connect.QUICFallback,
		connect.PortExhaustion,
		connect.ParallelConnections,
		connect.PoolWait,
		ending.SerialRequests,
		grpc.Chatty,
		ending.Pipelining,
		ending.HeaderMisuse,
		ending.SlowClose,
		ending.ExpectContinue,
		ending.IdleDrop,
		ending.WebSocketClose,
		http2.GoAway,
		http2.Reset,
		http2.Connections,
		http2.SettingsWait,
		http2.Ping,
		http2.Headers,
		judge.CaptureQuality,
	}
}

// Rules is the documentation of every rule, in the order of reports.
func Rules() []report.Rule {
	var rules []report.Rule
	for _, d := range detectors() {
		rules = append(rules, d.Rule)
	}
	return rules
}
