package reassembly

import "tcpwhy/reassembly/exchange"

// Names of package exchange, for those that have not moved there yet.
type (
	Exchange   = exchange.Exchange
	Message    = exchange.Message
	Facts      = exchange.Facts
	Outcome    = exchange.Outcome
	Protocol   = exchange.Protocol
	TLSInfo    = exchange.TLSInfo
	Transcript = exchange.Transcript
	Programs   = exchange.Programs
)

const (
	Incomplete  = exchange.Incomplete
	Complete    = exchange.Complete
	Truncated   = exchange.Truncated
	ResetByPeer = exchange.ResetByPeer
	NoResponse  = exchange.NoResponse
	Aborted     = exchange.Aborted
	Upgraded    = exchange.Upgraded

	NoBody   = exchange.NoBody
	ByLength = exchange.ByLength
	ByChunks = exchange.ByChunks
	ByClose  = exchange.ByClose
	ByTurn   = exchange.ByTurn

	ConnClose           = exchange.ConnClose
	ConnKeepAlive       = exchange.ConnKeepAlive
	ConnUpgrade         = exchange.ConnUpgrade
	HasUpgrade          = exchange.HasUpgrade
	HasProxyConnection  = exchange.HasProxyConnection
	HasKeepAlive        = exchange.HasKeepAlive
	Expect100           = exchange.Expect100
	HasLength           = exchange.HasLength
	HasChunked          = exchange.HasChunked
	LengthConflict      = exchange.LengthConflict
	LengthAndChunked    = exchange.LengthAndChunked
	BadHeader           = exchange.BadHeader
	BareLF              = exchange.BareLF
	BadChunk            = exchange.BadChunk
	HeaderTooLong       = exchange.HeaderTooLong
	Resynced            = exchange.Resynced
	HasGap              = exchange.HasGap
	EventStream         = exchange.EventStream
	HasVia              = exchange.HasVia
	OddTransferEncoding = exchange.OddTransferEncoding
	HopByHopLeak        = exchange.HopByHopLeak

	ProtoUnknown = exchange.ProtoUnknown
	ProtoHTTP1   = exchange.ProtoHTTP1
	ProtoTLS     = exchange.ProtoTLS
	ProtoHTTP2   = exchange.ProtoHTTP2
	ProtoTunnel  = exchange.ProtoTunnel

	CaveatHTTPGap      = exchange.CaveatHTTPGap
	CaveatHTTPResync   = exchange.CaveatHTTPResync
	CaveatHTTPMessage  = exchange.CaveatHTTPMessage
	CaveatInterim      = exchange.CaveatInterim
	CaveatOutstanding  = exchange.CaveatOutstanding
	CaveatPayloadCut   = exchange.CaveatPayloadCut
	CaveatTLSGap       = exchange.CaveatTLSGap
	CaveatTLSMalformed = exchange.CaveatTLSMalformed
)

func ParseProtocol(name string) (Protocol, bool) { return exchange.ParseProtocol(name) }
func ParseOutcome(name string) (Outcome, bool)   { return exchange.ParseOutcome(name) }
