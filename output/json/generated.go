// Code generated of the structs by go test -update. DO NOT EDIT.

package json

func (o *toolObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendString(append(b, `{"name":`...), o.Name)
	b = appendString(append(b, `,"version":`...), o.Version)
	return append(b, '}')
}

func (o *captureObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = o.Start.appendTo(append(b, `{"start":`...))
	b = o.End.appendTo(append(b, `,"end":`...))
	b = o.Duration.appendTo(append(b, `,"duration_ms":`...))
	b = appendNumber(append(b, `,"frames":`...), o.Frames)
	b = appendNumber(append(b, `,"tcp_segments":`...), o.Segments)
	b = appendNumber(append(b, `,"icmp_errors":`...), o.ICMPErrors)
	b = appendNumber(append(b, `,"dns_messages":`...), o.DNS)
	b = appendNumber(append(b, `,"bytes":`...), o.Bytes)
	b = appendObjects(append(b, `,"inputs":`...), o.Inputs, (*inputObject).appendTo)
	b = appendCounts(append(b, `,"skipped":`...), o.Skipped)
	b = appendNumber(append(b, `,"kernel_drops":`...), o.KernelDrops)
	b = appendObjects(append(b, `,"caveats":`...), o.Caveats, (*caveatObject).appendTo)
	return append(b, '}')
}

func (o *inputObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendString(append(b, `{"name":`...), o.Name)
	b = appendString(append(b, `,"format":`...), o.Format)
	b = o.Compression.appendTo(append(b, `,"compression":`...))
	b = appendEach(append(b, `,"link_types":`...), o.LinkTypes, appendString[string])
	b = appendNumber(append(b, `,"frames":`...), o.Frames)
	b = appendBool(append(b, `,"complete":`...), o.Complete)
	b = o.Error.appendTo(append(b, `,"error":`...))
	return append(b, '}')
}

func (o *caveatObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendString(append(b, `{"code":`...), o.Code)
	b = appendString(append(b, `,"message":`...), o.Message)
	b = appendNumber(append(b, `,"count":`...), o.Count)
	b = appendEach(append(b, `,"weakens":`...), o.Weakens, appendString[string])
	return append(b, '}')
}

func (o *summaryObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendNumber(append(b, `{"connections":`...), o.Connections)
	b = appendNumber(append(b, `,"exchanges":`...), o.Exchanges)
	b = appendNumber(append(b, `,"findings":`...), o.Findings)
	b = appendNumber(append(b, `,"findings_left_out":`...), o.LeftOut)
	b = o.Listed.appendTo(append(b, `,"listed":`...))
	b = o.ExchangeTime.appendTo(append(b, `,"exchange_ms":`...))
	b = o.Lost.appendTo(append(b, `,"lost_ms":`...))
	b = o.Times.appendTo(append(b, `,"time_ms":`...))
	if o.Clock != nil {
		b = o.Clock.appendTo(append(b, `,"by_the_clock":`...))
	}
	b = appendCounts(append(b, `,"vantages":`...), o.Vantages)
	b = appendEach(append(b, `,"checked":`...), o.Checked, appendString[string])
	b = appendEach(append(b, `,"could_not_look":`...), o.Blind, appendString[string])
	b = appendMap(append(b, `,"failures":`...), o.Tally.Failures, (*failureObject).appendTo)
	b = o.Tally.Unfinished.appendTo(append(b, `,"unfinished":`...))
	b = appendNumber(append(b, `,"scanned":`...), o.Tally.Scanned)
	b = appendCounts(append(b, `,"statuses":`...), o.Tally.Classes)
	b = appendObjects(append(b, `,"status_codes":`...), o.Tally.Statuses, (*statusObject).appendTo)
	if o.Tally.Streams != nil {
		b = o.Tally.Streams.appendTo(append(b, `,"stream_ends":`...))
	}
	b = o.Proxied.appendTo(append(b, `,"proxied":`...))
	if o.QUIC != nil {
		b = o.QUIC.appendTo(append(b, `,"quic":`...))
	}
	if o.SoFar != nil {
		b = o.SoFar.appendTo(append(b, `,"so_far":`...))
	}
	return append(b, '}')
}

func (o *listedObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendNumber(append(b, `{"findings":`...), o.Findings)
	b = appendNumber(append(b, `,"connections":`...), o.Connections)
	b = appendNumber(append(b, `,"exchanges":`...), o.Exchanges)
	return append(b, '}')
}

func (o *clockObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendNumber(append(b, `{"exchanges":`...), o.Shared)
	b = o.Time.appendTo(append(b, `,"exchange_ms":`...))
	b = o.Lost.appendTo(append(b, `,"lost_ms":`...))
	b = o.Times.appendTo(append(b, `,"time_ms":`...))
	return append(b, '}')
}

func (o *failureObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendNumber(append(b, `{"count":`...), o.Count)
	b = appendNumber(append(b, `,"repeated":`...), o.Repeated)
	b = o.Waited.appendTo(append(b, `,"waited_ms":`...))
	return append(b, '}')
}

func (o *durationsObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendNumber(append(b, `{"n":`...), o.N)
	b = o.Sum.appendTo(append(b, `,"sum":`...))
	b = o.Least.appendTo(append(b, `,"min":`...))
	b = o.Median.appendTo(append(b, `,"median":`...))
	b = o.P90.appendTo(append(b, `,"p90":`...))
	b = o.P99.appendTo(append(b, `,"p99":`...))
	b = o.Most.appendTo(append(b, `,"max":`...))
	b = appendObjects(append(b, `,"values":`...), o.Values, (*millis).appendTo)
	b = o.Histogram.appendTo(append(b, `,"histogram":`...))
	return append(b, '}')
}

func (o *histogramObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendNumber(append(b, `{"first_cell":`...), o.First)
	b = o.From.appendTo(append(b, `,"from":`...))
	b = appendEach(append(b, `,"counts":`...), o.Counts, appendNumber[int])
	return append(b, '}')
}

func (o *statusObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendNumber(append(b, `{"status":`...), o.Status)
	b = appendNumber(append(b, `,"count":`...), o.Count)
	return append(b, '}')
}

func (o *streamEndsObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendObjects(append(b, `{"resets":`...), o.Resets, (*streamEndObject).appendTo)
	b = appendNumber(append(b, `,"grpc_calls":`...), o.Calls)
	b = appendObjects(append(b, `,"grpc_statuses":`...), o.Failed, (*callEndObject).appendTo)
	return append(b, '}')
}

func (o *streamEndObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendString(append(b, `{"code":`...), o.Code)
	b = appendString(append(b, `,"by":`...), o.By)
	b = appendNumber(append(b, `,"count":`...), o.Count)
	return append(b, '}')
}

func (o *callEndObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendNumber(append(b, `{"status":`...), o.Status)
	b = appendString(append(b, `,"name":`...), o.Name)
	b = appendNumber(append(b, `,"count":`...), o.Count)
	return append(b, '}')
}

func (o *proxiedObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendNumber(append(b, `{"exchanges":`...), o.Exchanges)
	b = o.Time.appendTo(append(b, `,"exchange_ms":`...))
	b = o.Waited.appendTo(append(b, `,"waited_ms":`...))
	b = o.Own.appendTo(append(b, `,"own_ms":`...))
	b = appendObjects(append(b, `,"servers":`...), o.Servers, (*behindObject).appendTo)
	return append(b, '}')
}

func (o *behindObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = o.Server.appendTo(append(b, `{"server":`...))
	b = appendNumber(append(b, `,"exchanges":`...), o.Exchanges)
	b = o.Waited.appendTo(append(b, `,"waited_ms":`...))
	b = o.Own.appendTo(append(b, `,"own_ms":`...))
	return append(b, '}')
}

func (o *quicObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendNumber(append(b, `{"connections":`...), o.Connections)
	b = appendNumber(append(b, `,"answered":`...), o.Answered)
	b = appendNumber(append(b, `,"finished":`...), o.Done)
	b = o.Handshakes.appendTo(append(b, `,"handshakes_ms":`...))
	b = appendNumber(append(b, `,"bytes":`...), o.Octets)
	b = appendFloat(append(b, `,"share":`...), o.Share)
	b = appendEach(append(b, `,"names":`...), o.Names, appendString[string])
	return append(b, '}')
}

func (o *soFarObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendNumber(append(b, `{"pending":`...), o.Pending)
	return append(b, '}')
}

func (o *traceObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendNumber(append(b, `{"connection":`...), o.Connection)
	b = appendKnown(append(b, `,"exchange":`...), o.Exchange)
	b = appendObjects(append(b, `,"tiles":`...), o.Tiles, (*tileObject).appendTo)
	b = appendObjects(append(b, `,"segments":`...), o.Segments, (*segmentObject).appendTo)
	b = appendNumber(append(b, `,"more_tiles":`...), o.MoreTiles)
	b = appendNumber(append(b, `,"more_segments":`...), o.MoreSegments)
	return append(b, '}')
}

func (o *tileObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendString(append(b, `{"label":`...), o.Label)
	b = o.From.appendTo(append(b, `,"from_ms":`...))
	b = o.To.appendTo(append(b, `,"to_ms":`...))
	b = appendNumber(append(b, `,"waits":`...), o.Waits)
	b = o.Before.appendTo(append(b, `,"after":`...))
	b = o.Cause.appendTo(append(b, `,"released_by":`...))
	b = o.End.appendTo(append(b, `,"ended_by":`...))
	return append(b, '}')
}

func (o *frameObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendNumber(append(b, `{"input":`...), o.Input)
	b = appendNumber(append(b, `,"frame":`...), o.Frame)
	return append(b, '}')
}

func (o *segmentObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = o.Frame.appendTo(append(b, `{"frame":`...))
	b = o.Time.appendTo(append(b, `,"time_ms":`...))
	b = appendString(append(b, `,"side":`...), o.Side)
	b = appendString(append(b, `,"flags":`...), o.Flags)
	b = appendNumber(append(b, `,"seq":`...), o.Seq)
	b = appendNumber(append(b, `,"len":`...), o.Len)
	b = appendKnown(append(b, `,"ack":`...), o.Ack)
	b = appendNumber(append(b, `,"window":`...), o.Window)
	b = o.Kind.appendTo(append(b, `,"kind":`...))
	b = appendEach(append(b, `,"traits":`...), o.Traits, appendString[string])
	b = o.Cause.appendTo(append(b, `,"released_by":`...))
	return append(b, '}')
}

func (o *storyObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendString(append(b, `{"id":`...), o.ID)
	b = appendString(append(b, `,"rule":`...), o.Rule)
	b = o.Cause.appendTo(append(b, `,"cause":`...))
	b = appendString(append(b, `,"side":`...), o.Side)
	b = appendString(append(b, `,"title":`...), o.Title)
	b = appendString(append(b, `,"severity":`...), o.Severity)
	b = appendString(append(b, `,"confidence":`...), o.Confidence)
	b = appendString(append(b, `,"message":`...), o.Message)
	b = appendNumber(append(b, `,"count":`...), o.Count)
	b = o.Cost.appendTo(append(b, `,"cost_ms":`...))
	b = o.Wall.appendTo(append(b, `,"wall_ms":`...))
	if o.Shared != 0 {
		b = o.Shared.appendTo(append(b, `,"shared_ms":`...))
	}
	b = o.Within.appendTo(append(b, `,"within_exchanges_ms":`...))
	b = appendNumber(append(b, `,"affected_exchanges":`...), o.Affected)
	b = o.When.Began.appendTo(append(b, `,"began_ms":`...))
	b = o.When.Ended.appendTo(append(b, `,"ended_ms":`...))
	b = o.When.Every.appendTo(append(b, `,"every_ms":`...))
	b = appendNumber(append(b, `,"services":`...), o.Services)
	b = appendNumber(append(b, `,"clients":`...), o.Clients)
	b = appendString(append(b, `,"spread":`...), o.Spread)
	b = appendObjects(append(b, `,"worst_services":`...), o.WorstServices, (*serviceShare).appendTo)
	b = appendObjects(append(b, `,"worst_clients":`...), o.WorstClients, (*clientShare).appendTo)
	b = appendEach(append(b, `,"findings":`...), o.Findings, appendString[string])
	b = appendObjects(append(b, `,"remedy":`...), o.Remedies, (*remedyObject).appendTo)
	b = appendEach(append(b, `,"references":`...), o.References, appendString[string])
	b = o.Occurrence.appendTo(append(b, `,"occurrence":`...))
	return append(b, '}')
}

func (o *costObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = o.Low.appendTo(append(b, `{"low":`...))
	b = o.Expected.appendTo(append(b, `,"expected":`...))
	b = o.High.appendTo(append(b, `,"high":`...))
	return append(b, '}')
}

func (o *serviceShare) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = o.Server.appendTo(append(b, `{"server":`...))
	b = o.Host.appendTo(append(b, `,"host":`...))
	b = appendNumber(append(b, `,"count":`...), o.Count)
	b = appendNumber(append(b, `,"clients":`...), o.Clients)
	b = o.Cost.appendTo(append(b, `,"cost_ms":`...))
	b = appendNumber(append(b, `,"affected_exchanges":`...), o.Affected)
	b = appendNumber(append(b, `,"exchanges":`...), o.Exchanges)
	return append(b, '}')
}

func (o *clientShare) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = o.Client.appendTo(append(b, `{"client":`...))
	b = appendNumber(append(b, `,"count":`...), o.Count)
	b = appendNumber(append(b, `,"services":`...), o.Services)
	b = o.Cost.appendTo(append(b, `,"cost_ms":`...))
	b = appendNumber(append(b, `,"affected_exchanges":`...), o.Affected)
	b = appendNumber(append(b, `,"exchanges":`...), o.Exchanges)
	return append(b, '}')
}

func (o *remedyObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendString(append(b, `{"side":`...), o.Side)
	b = appendString(append(b, `,"text":`...), o.Text)
	return append(b, '}')
}

func (o *occurrenceObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendNumber(append(b, `{"connection":`...), o.Connection)
	b = appendKnown(append(b, `,"exchange":`...), o.Exchange)
	b = o.Start.appendTo(append(b, `,"start_ms":`...))
	b = o.End.appendTo(append(b, `,"end_ms":`...))
	b = o.Cost.appendTo(append(b, `,"cost_ms":`...))
	b = appendObjects(append(b, `,"evidence":`...), o.Evidence, (*evidenceObject).appendTo)
	b = o.Filter.appendTo(append(b, `,"wireshark_filter":`...))
	return append(b, '}')
}

func (o *evidenceObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendNumber(append(b, `{"input":`...), o.Input)
	b = appendNumber(append(b, `,"frame":`...), o.Frame)
	b = o.Time.appendTo(append(b, `,"time_ms":`...))
	b = appendString(append(b, `,"side":`...), o.Side)
	b = appendString(append(b, `,"role":`...), o.Role)
	b = appendString(append(b, `,"text":`...), o.Text)
	return append(b, '}')
}

func (o *findingObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendString(append(b, `{"id":`...), o.ID)
	b = appendString(append(b, `,"rule":`...), o.Rule)
	b = o.Cause.appendTo(append(b, `,"cause":`...))
	b = appendString(append(b, `,"title":`...), o.Title)
	b = appendString(append(b, `,"severity":`...), o.Severity)
	b = appendString(append(b, `,"confidence":`...), o.Confidence)
	b = appendString(append(b, `,"side":`...), o.Side)
	b = o.Client.appendTo(append(b, `,"client":`...))
	b = o.Server.appendTo(append(b, `,"server":`...))
	b = o.Host.appendTo(append(b, `,"host":`...))
	b = appendString(append(b, `,"message":`...), o.Message)
	b = appendNumber(append(b, `,"count":`...), o.Count)
	b = o.Cost.appendTo(append(b, `,"cost_ms":`...))
	b = o.Wall.appendTo(append(b, `,"wall_ms":`...))
	if o.Shared != 0 {
		b = o.Shared.appendTo(append(b, `,"shared_ms":`...))
	}
	b = o.Within.appendTo(append(b, `,"within_exchanges_ms":`...))
	b = appendNumber(append(b, `,"affected_exchanges":`...), o.Affected)
	b = o.When.Began.appendTo(append(b, `,"began_ms":`...))
	b = o.When.Ended.appendTo(append(b, `,"ended_ms":`...))
	b = o.When.Every.appendTo(append(b, `,"every_ms":`...))
	b = appendObjects(append(b, `,"remedy":`...), o.Remedies, (*remedyObject).appendTo)
	b = appendEach(append(b, `,"references":`...), o.References, appendString[string])
	b = appendObjects(append(b, `,"occurrences":`...), o.Occurrences, (*occurrenceObject).appendTo)
	if o.Known != nil {
		b = o.Known.appendTo(append(b, `,"known":`...))
	}
	return append(b, '}')
}

func (o *knownObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendString(append(b, `{"reason":`...), o.Reason)
	b = appendString(append(b, `,"until":`...), o.Until)
	return append(b, '}')
}

func (o *endpointObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = o.Method.appendTo(append(b, `{"method":`...))
	b = o.Template.appendTo(append(b, `,"template":`...))
	b = o.Host.appendTo(append(b, `,"host":`...))
	b = o.Server.appendTo(append(b, `,"server":`...))
	b = appendBool(append(b, `,"behind_proxy":`...), o.Behind)
	b = appendNumber(append(b, `,"exchanges":`...), o.Exchanges)
	b = appendNumber(append(b, `,"failures":`...), o.Failed)
	b = appendNumber(append(b, `,"streams":`...), o.Streams)
	b = appendCounts(append(b, `,"statuses":`...), o.Statuses)
	b = appendNumber(append(b, `,"octets":`...), o.Octets)
	b = o.Time.appendTo(append(b, `,"exchange_ms":`...))
	b = appendFloat(append(b, `,"share":`...), o.Share)
	b = o.Thought.appendTo(append(b, `,"server_ms":`...))
	b = o.Waited.appendTo(append(b, `,"upstream_ms":`...))
	b = o.Duration.appendTo(append(b, `,"duration_ms":`...))
	b = o.Think.appendTo(append(b, `,"think_ms":`...))
	b = o.Times.appendTo(append(b, `,"time_ms":`...))
	return append(b, '}')
}

func (o *overObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = o.Each.appendTo(append(b, `{"step_ms":`...))
	b = appendNumber(append(b, `,"count":`...), o.Count)
	b = appendObjects(append(b, `,"steps":`...), o.Steps, (*stepObject).appendTo)
	return append(b, '}')
}

func (o *stepObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = o.Start.appendTo(append(b, `{"start_ms":`...))
	b = appendNumber(append(b, `,"exchanges":`...), o.Exchanges)
	b = appendNumber(append(b, `,"failures":`...), o.Failed)
	b = appendNumber(append(b, `,"errors":`...), o.Errors)
	b = o.Time.appendTo(append(b, `,"exchange_ms":`...))
	b = o.Lost.appendTo(append(b, `,"lost_ms":`...))
	b = o.P90.appendTo(append(b, `,"p90_ms":`...))
	return append(b, '}')
}

func (o *connectionObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendNumber(append(b, `{"id":`...), o.ID)
	b = appendString(append(b, `,"client":`...), o.Client)
	b = appendString(append(b, `,"server":`...), o.Server)
	b = o.Start.appendTo(append(b, `,"start_ms":`...))
	b = o.Duration.appendTo(append(b, `,"duration_ms":`...))
	b = appendString(append(b, `,"state":`...), o.State)
	b = appendString(append(b, `,"history":`...), o.History)
	b = appendString(append(b, `,"protocol":`...), o.Protocol)
	b = appendString(append(b, `,"vantage":`...), o.Vantage)
	b = o.RTT.appendTo(append(b, `,"rtt_ms":`...))
	b = o.MSS.appendTo(append(b, `,"mss":`...))
	b = appendNumber(append(b, `,"client_bytes":`...), o.ClientBytes)
	b = appendNumber(append(b, `,"server_bytes":`...), o.ServerBytes)
	b = appendNumber(append(b, `,"client_segments":`...), o.ClientSegments)
	b = appendNumber(append(b, `,"server_segments":`...), o.ServerSegments)
	b = appendNumber(append(b, `,"client_retransmissions":`...), o.ClientRetransmissions)
	b = appendNumber(append(b, `,"server_retransmissions":`...), o.ServerRetransmissions)
	b = o.ClosedBy.appendTo(append(b, `,"closed_by":`...))
	b = o.ResetBy.appendTo(append(b, `,"reset_by":`...))
	b = o.TLS.appendTo(append(b, `,"tls":`...))
	b = appendEach(append(b, `,"exchanges":`...), o.Exchanges, appendNumber[int])
	b = o.Times.appendTo(append(b, `,"time_ms":`...))
	b = appendEach(append(b, `,"caveats":`...), o.Caveats, appendString[string])
	if o.HTTP2 != nil {
		b = o.HTTP2.appendTo(append(b, `,"http2":`...))
	}
	if o.WebSockets != nil {
		b = appendObjects(append(b, `,"websockets":`...), o.WebSockets, (*socketObject).appendTo)
	}
	if o.Local != nil {
		b = o.Local.appendTo(append(b, `,"local":`...))
	}
	if o.Kernel != nil {
		b = o.Kernel.appendTo(append(b, `,"kernel":`...))
	}
	return append(b, '}')
}

func (o *rttObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = o.Handshake.appendTo(append(b, `{"handshake":`...))
	b = o.Min.appendTo(append(b, `,"min":`...))
	b = o.ClientSide.appendTo(append(b, `,"client_side":`...))
	b = o.ServerSide.appendTo(append(b, `,"server_side":`...))
	return append(b, '}')
}

func (o *mssObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendKnown(append(b, `{"client":`...), o.Client)
	b = appendKnown(append(b, `,"server":`...), o.Server)
	return append(b, '}')
}

func (o *tlsObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = o.SNI.appendTo(append(b, `{"sni":`...))
	b = o.ALPN.appendTo(append(b, `,"alpn":`...))
	b = o.Version.appendTo(append(b, `,"version":`...))
	b = appendBool(append(b, `,"resumed":`...), o.Resumed)
	b = o.Suite.appendTo(append(b, `,"suite":`...))
	b = appendBool(append(b, `,"decrypted":`...), o.Decrypted)
	return append(b, '}')
}

func (o *h2Object) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendNumber(append(b, `{"streams":`...), o.Streams)
	b = appendNumber(append(b, `,"most_open":`...), o.MostOpen)
	b = o.Client.appendTo(append(b, `,"client":`...))
	b = o.Server.appendTo(append(b, `,"server":`...))
	b = appendObjects(append(b, `,"goaways":`...), o.GoAways, (*goAwayObject).appendTo)
	return append(b, '}')
}

func (o *h2SideObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendKnown(append(b, `{"max_concurrent_streams":`...), o.MaxStreams)
	b = appendKnown(append(b, `,"initial_window_size":`...), o.InitialWindow)
	b = appendKnown(append(b, `,"max_frame_size":`...), o.MaxFrame)
	b = appendKnown(append(b, `,"header_table_size":`...), o.TableSize)
	b = appendKnown(append(b, `,"connection_window":`...), o.ConnWindow)
	b = appendBool(append(b, `,"no_push":`...), o.NoPush)
	b = appendBool(append(b, `,"extended_connect":`...), o.Connect)
	b = o.Announced.appendTo(append(b, `,"settings_ms":`...))
	b = o.Acked.appendTo(append(b, `,"acknowledged_ms":`...))
	b = appendNumber(append(b, `,"settings":`...), o.Settings)
	b = appendNumber(append(b, `,"window_updates":`...), o.Updates)
	b = appendNumber(append(b, `,"resets":`...), o.Resets)
	b = appendNumber(append(b, `,"pings":`...), o.Pings)
	b = o.LeastPing.appendTo(append(b, `,"least_ping_ms":`...))
	b = o.MostPing.appendTo(append(b, `,"most_ping_ms":`...))
	return append(b, '}')
}

func (o *goAwayObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendString(append(b, `{"by":`...), o.By)
	b = appendString(append(b, `,"code":`...), o.Code)
	b = o.Text.appendTo(append(b, `,"text":`...))
	b = appendNumber(append(b, `,"last_stream":`...), o.Last)
	b = o.At.appendTo(append(b, `,"at_ms":`...))
	b = appendNumber(append(b, `,"input":`...), o.Input)
	b = appendNumber(append(b, `,"frame":`...), o.Frame)
	return append(b, '}')
}

func (o *socketObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendNumber(append(b, `{"opening":`...), o.Opening)
	b = appendKnown(append(b, `,"stream":`...), o.Stream)
	b = o.Client.appendTo(append(b, `,"client":`...))
	b = o.Server.appendTo(append(b, `,"server":`...))
	b = appendBool(append(b, `,"lost":`...), o.Lost)
	b = o.Ended.appendTo(append(b, `,"ended":`...))
	return append(b, '}')
}

func (o *socketSideObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendNumber(append(b, `{"messages":`...), o.Messages)
	b = appendNumber(append(b, `,"largest_bytes":`...), o.Largest)
	b = appendNumber(append(b, `,"pings":`...), o.Pings)
	b = o.LeastPing.appendTo(append(b, `,"least_ping_ms":`...))
	b = o.MostPing.appendTo(append(b, `,"most_ping_ms":`...))
	b = o.Latest.appendTo(append(b, `,"last":`...))
	b = appendKnown(append(b, `,"close_code":`...), o.Code)
	b = o.Closed.appendTo(append(b, `,"close":`...))
	return append(b, '}')
}

func (o *momentObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = o.At.appendTo(append(b, `{"at_ms":`...))
	b = appendNumber(append(b, `,"input":`...), o.Input)
	b = appendNumber(append(b, `,"frame":`...), o.Frame)
	return append(b, '}')
}

func (o *endingObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendString(append(b, `{"by":`...), o.By)
	b = appendBool(append(b, `,"reset":`...), o.Reset)
	b = o.At.appendTo(append(b, `,"at_ms":`...))
	b = appendNumber(append(b, `,"input":`...), o.Input)
	b = appendNumber(append(b, `,"frame":`...), o.Frame)
	return append(b, '}')
}

func (o *localObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendString(append(b, `{"side":`...), o.Side)
	b = appendKnown(append(b, `,"pid":`...), o.PID)
	b = o.Command.appendTo(append(b, `,"command":`...))
	b = appendKnown(append(b, `,"uid":`...), o.UID)
	b = o.Cgroup.appendTo(append(b, `,"cgroup":`...))
	b = o.Container.appendTo(append(b, `,"container":`...))
	b = o.Pod.appendTo(append(b, `,"pod":`...))
	b = appendBool(append(b, `,"listens":`...), o.Listens)
	b = o.Unknown.appendTo(append(b, `,"unknown":`...))
	b = o.Other.appendTo(append(b, `,"other_end":`...))
	return append(b, '}')
}

func (o *processObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendString(append(b, `{"side":`...), o.Side)
	b = appendKnown(append(b, `,"pid":`...), o.PID)
	b = o.Command.appendTo(append(b, `,"command":`...))
	b = appendKnown(append(b, `,"uid":`...), o.UID)
	b = o.Cgroup.appendTo(append(b, `,"cgroup":`...))
	b = o.Container.appendTo(append(b, `,"container":`...))
	b = o.Pod.appendTo(append(b, `,"pod":`...))
	b = appendBool(append(b, `,"listens":`...), o.Listens)
	b = o.Unknown.appendTo(append(b, `,"unknown":`...))
	return append(b, '}')
}

func (o *kernelObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendString(append(b, `{"side":`...), o.Side)
	b = appendBool(append(b, `,"final":`...), o.Final)
	b = o.RTT.appendTo(append(b, `,"rtt_ms":`...))
	b = o.MinRTT.appendTo(append(b, `,"min_rtt_ms":`...))
	b = o.Busy.appendTo(append(b, `,"busy_ms":`...))
	b = o.RwndLimited.appendTo(append(b, `,"rwnd_limited_ms":`...))
	b = o.SndbufLimited.appendTo(append(b, `,"sndbuf_limited_ms":`...))
	b = appendNumber(append(b, `,"retransmissions":`...), o.Retransmissions)
	b = appendKnown(append(b, `,"delivered":`...), o.Delivered)
	b = appendNumber(append(b, `,"notsent_bytes":`...), o.NotSent)
	b = appendKnown(append(b, `,"sent_bytes":`...), o.Sent)
	b = o.Congestion.appendTo(append(b, `,"congestion":`...))
	b = o.Other.appendTo(append(b, `,"other_end":`...))
	return append(b, '}')
}

func (o *accountObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendString(append(b, `{"side":`...), o.Side)
	b = appendBool(append(b, `,"final":`...), o.Final)
	b = o.RTT.appendTo(append(b, `,"rtt_ms":`...))
	b = o.MinRTT.appendTo(append(b, `,"min_rtt_ms":`...))
	b = o.Busy.appendTo(append(b, `,"busy_ms":`...))
	b = o.RwndLimited.appendTo(append(b, `,"rwnd_limited_ms":`...))
	b = o.SndbufLimited.appendTo(append(b, `,"sndbuf_limited_ms":`...))
	b = appendNumber(append(b, `,"retransmissions":`...), o.Retransmissions)
	b = appendKnown(append(b, `,"delivered":`...), o.Delivered)
	b = appendNumber(append(b, `,"notsent_bytes":`...), o.NotSent)
	b = appendKnown(append(b, `,"sent_bytes":`...), o.Sent)
	b = o.Congestion.appendTo(append(b, `,"congestion":`...))
	return append(b, '}')
}

func (o *exchangeObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendNumber(append(b, `{"id":`...), o.ID)
	b = appendNumber(append(b, `,"connection":`...), o.Connection)
	b = appendBool(append(b, `,"turn":`...), o.Turn)
	b = o.Method.appendTo(append(b, `,"method":`...))
	b = o.Target.appendTo(append(b, `,"target":`...))
	b = o.Host.appendTo(append(b, `,"host":`...))
	b = o.Version.appendTo(append(b, `,"version":`...))
	b = appendKnown(append(b, `,"status":`...), o.Status)
	b = appendEach(append(b, `,"interim":`...), o.Interim, appendNumber[int])
	b = appendString(append(b, `,"outcome":`...), o.Outcome)
	b = o.Request.appendTo(append(b, `,"request":`...))
	b = o.Response.appendTo(append(b, `,"response":`...))
	b = o.Attempt.appendTo(append(b, `,"attempt":`...))
	b = o.Start.appendTo(append(b, `,"start_ms":`...))
	b = o.Duration.appendTo(append(b, `,"duration_ms":`...))
	b = o.Times.appendTo(append(b, `,"time_ms":`...))
	b = appendEach(append(b, `,"upstream":`...), o.Upstream, appendNumber[int])
	b = o.Waited.appendTo(append(b, `,"upstream_ms":`...))
	b = appendKnown(append(b, `,"front":`...), o.Front)
	if o.Alike {
		b = appendBool(append(b, `,"legs_alike":`...), o.Alike)
	}
	if o.Stream != nil {
		b = o.Stream.appendTo(append(b, `,"stream":`...))
	}
	return append(b, '}')
}

func (o *messageObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = o.Start.appendTo(append(b, `{"start_ms":`...))
	b = o.End.appendTo(append(b, `,"end_ms":`...))
	b = appendNumber(append(b, `,"start_input":`...), o.StartInput)
	b = appendNumber(append(b, `,"start_frame":`...), o.StartFrame)
	b = appendNumber(append(b, `,"end_input":`...), o.EndInput)
	b = appendNumber(append(b, `,"end_frame":`...), o.EndFrame)
	b = appendNumber(append(b, `,"header_bytes":`...), o.HeaderBytes)
	b = appendNumber(append(b, `,"body_bytes":`...), o.BodyBytes)
	b = appendBool(append(b, `,"complete":`...), o.Complete)
	return append(b, '}')
}

func (o *attemptObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendBool(append(b, `{"tls":`...), o.TLS)
	b = o.Start.appendTo(append(b, `,"start_ms":`...))
	b = o.End.appendTo(append(b, `,"end_ms":`...))
	b = appendNumber(append(b, `,"start_input":`...), o.StartInput)
	b = appendNumber(append(b, `,"start_frame":`...), o.StartFrame)
	b = appendNumber(append(b, `,"end_input":`...), o.EndInput)
	b = appendNumber(append(b, `,"end_frame":`...), o.EndFrame)
	return append(b, '}')
}

func (o *streamObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendNumber(append(b, `{"id":`...), o.ID)
	b = appendBool(append(b, `,"pushed":`...), o.Pushed)
	b = appendBool(append(b, `,"refused":`...), o.Refused)
	b = o.Reset.appendTo(append(b, `,"reset":`...))
	b = o.RPC.appendTo(append(b, `,"grpc":`...))
	return append(b, '}')
}

func (o *resetObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendString(append(b, `{"code":`...), o.Code)
	b = appendString(append(b, `,"by":`...), o.By)
	b = o.At.appendTo(append(b, `,"at_ms":`...))
	b = appendNumber(append(b, `,"input":`...), o.Input)
	b = appendNumber(append(b, `,"frame":`...), o.Frame)
	return append(b, '}')
}

func (o *rpcObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = o.Service.appendTo(append(b, `{"service":`...))
	b = o.Method.appendTo(append(b, `,"method":`...))
	b = appendKnown(append(b, `,"status":`...), o.Status)
	b = o.Timeout.appendTo(append(b, `,"timeout_ms":`...))
	b = appendNumber(append(b, `,"client_messages":`...), o.Sent)
	b = appendNumber(append(b, `,"server_messages":`...), o.Received)
	b = o.ClientSpan.appendTo(append(b, `,"client_span":`...))
	b = o.ServerSpan.appendTo(append(b, `,"server_span":`...))
	return append(b, '}')
}

func (o *spanObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = o.Start.appendTo(append(b, `{"start_ms":`...))
	b = o.End.appendTo(append(b, `,"end_ms":`...))
	b = appendNumber(append(b, `,"start_input":`...), o.StartInput)
	b = appendNumber(append(b, `,"start_frame":`...), o.StartFrame)
	b = appendNumber(append(b, `,"end_input":`...), o.EndInput)
	b = appendNumber(append(b, `,"end_frame":`...), o.EndFrame)
	b = appendNumber(append(b, `,"largest_bytes":`...), o.Largest)
	b = appendKnown(append(b, `,"owed_bytes":`...), o.Owed)
	return append(b, '}')
}

func (o *errorObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendString(append(b, `{"message":`...), o.Message)
	b = o.Hint.appendTo(append(b, `,"hint":`...))
	return append(b, '}')
}

func (o *captureLine) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendString(append(b, `{"type":`...), o.Type)
	b = appendNumber(append(b, `,"schema_version":`...), o.SchemaVersion)
	b = o.Tool.appendTo(append(b, `,"tool":`...))
	b = o.Capture.Start.appendTo(append(b, `,"start":`...))
	b = o.Capture.End.appendTo(append(b, `,"end":`...))
	b = o.Capture.Duration.appendTo(append(b, `,"duration_ms":`...))
	b = appendNumber(append(b, `,"frames":`...), o.Capture.Frames)
	b = appendNumber(append(b, `,"tcp_segments":`...), o.Capture.Segments)
	b = appendNumber(append(b, `,"icmp_errors":`...), o.Capture.ICMPErrors)
	b = appendNumber(append(b, `,"dns_messages":`...), o.Capture.DNS)
	b = appendNumber(append(b, `,"bytes":`...), o.Capture.Bytes)
	b = appendObjects(append(b, `,"inputs":`...), o.Capture.Inputs, (*inputObject).appendTo)
	b = appendCounts(append(b, `,"skipped":`...), o.Capture.Skipped)
	b = appendNumber(append(b, `,"kernel_drops":`...), o.Capture.KernelDrops)
	b = appendObjects(append(b, `,"caveats":`...), o.Capture.Caveats, (*caveatObject).appendTo)
	return append(b, '}')
}

func (o *errorLine) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendString(append(b, `{"type":`...), o.Type)
	b = appendNumber(append(b, `,"schema_version":`...), o.SchemaVersion)
	b = o.Tool.appendTo(append(b, `,"tool":`...))
	b = appendString(append(b, `,"message":`...), o.Object.Message)
	b = o.Object.Hint.appendTo(append(b, `,"hint":`...))
	return append(b, '}')
}

func (o *lineStart) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendString(append(b, `{"type":`...), o.Type)
	if o.Live {
		b = appendBool(append(b, `,"live":`...), o.Live)
	}
	return append(b, '}')
}

func (o *comparisonObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = o.Before.appendTo(append(b, `{"before":`...))
	b = o.After.appendTo(append(b, `,"after":`...))
	b = appendObjects(append(b, `,"warnings":`...), o.Warnings, (*warningObject).appendTo)
	b = appendBool(append(b, `,"regression":`...), o.Regression)
	b = o.Shift.appendTo(append(b, `,"shift_ms":`...))
	b = o.Alone.appendTo(append(b, `,"exchanges_not_compared":`...))
	b = appendObjects(append(b, `,"endpoints":`...), o.Endpoints, (*endpointChange).appendTo)
	b = appendObjects(append(b, `,"findings":`...), o.Findings, (*findingChange).appendTo)
	b = appendMap(append(b, `,"time_ms":`...), o.Times, (*spentObject).appendTo)
	return append(b, '}')
}

func (o *comparedObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendString(append(b, `{"name":`...), o.Name)
	b = o.Version.appendTo(append(b, `,"tool_version":`...))
	b = o.Capture.appendTo(append(b, `,"capture":`...))
	b = o.Summary.appendTo(append(b, `,"summary":`...))
	return append(b, '}')
}

func (o *warningObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendString(append(b, `{"code":`...), o.Code)
	b = appendString(append(b, `,"text":`...), o.Text)
	return append(b, '}')
}

func (o *shiftObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = o.Estimate.appendTo(append(b, `{"estimate":`...))
	b = o.Low.appendTo(append(b, `,"low":`...))
	b = o.High.appendTo(append(b, `,"high":`...))
	return append(b, '}')
}

func (o *aloneObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendNumber(append(b, `{"before":`...), o.Before)
	b = appendNumber(append(b, `,"after":`...), o.After)
	return append(b, '}')
}

func (o *endpointChange) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = o.Method.appendTo(append(b, `{"method":`...))
	b = o.Template.appendTo(append(b, `,"template":`...))
	b = o.Service.appendTo(append(b, `,"service":`...))
	b = appendBool(append(b, `,"behind_proxy":`...), o.Behind)
	b = o.Before.appendTo(append(b, `,"before":`...))
	b = o.After.appendTo(append(b, `,"after":`...))
	b = o.Shift.appendTo(append(b, `,"shift_ms":`...))
	b = o.P.appendTo(append(b, `,"p":`...))
	b = appendString(append(b, `,"verdict":`...), o.Verdict)
	b = appendString(append(b, `,"mean_verdict":`...), o.Average)
	b = appendString(append(b, `,"p95_verdict":`...), o.Tail)
	b = appendString(append(b, `,"failures_verdict":`...), o.Failures)
	b = appendString(append(b, `,"errors_verdict":`...), o.Errors)
	return append(b, '}')
}

func (o *sampleObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendNumber(append(b, `{"exchanges":`...), o.Exchanges)
	b = appendNumber(append(b, `,"failures":`...), o.Failed)
	b = appendNumber(append(b, `,"errors":`...), o.Errors)
	b = appendNumber(append(b, `,"n":`...), o.N)
	b = o.Median.appendTo(append(b, `,"median_ms":`...))
	b = o.Mean.appendTo(append(b, `,"mean_ms":`...))
	b = o.P95.appendTo(append(b, `,"p95_ms":`...))
	return append(b, '}')
}

func (o *quantileObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = o.Value.appendTo(append(b, `{"value":`...))
	b = o.Low.appendTo(append(b, `,"low":`...))
	b = o.High.appendTo(append(b, `,"high":`...))
	return append(b, '}')
}

func (o *findingChange) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendString(append(b, `{"id":`...), o.ID)
	b = appendString(append(b, `,"rule":`...), o.Rule)
	b = o.Cause.appendTo(append(b, `,"cause":`...))
	b = appendString(append(b, `,"title":`...), o.Title)
	b = appendString(append(b, `,"severity":`...), o.Severity)
	b = o.Service.appendTo(append(b, `,"service":`...))
	b = appendString(append(b, `,"change":`...), o.Change)
	b = o.Why.appendTo(append(b, `,"why":`...))
	b = appendBool(append(b, `,"known":`...), o.Known)
	b = appendBool(append(b, `,"regression":`...), o.Regression)
	b = appendFloat(append(b, `,"p":`...), o.P)
	b = o.Before.appendTo(append(b, `,"before":`...))
	b = o.After.appendTo(append(b, `,"after":`...))
	return append(b, '}')
}

func (o *occurredObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = appendNumber(append(b, `{"count":`...), o.Count)
	b = appendNumber(append(b, `,"affected":`...), o.Affected)
	b = appendNumber(append(b, `,"exchanges":`...), o.Exchanges)
	b = appendFloat(append(b, `,"rate":`...), o.Rate)
	b = appendFloat(append(b, `,"rate_low":`...), o.Low)
	b = appendFloat(append(b, `,"rate_high":`...), o.High)
	b = o.Cost.appendTo(append(b, `,"cost_ms":`...))
	b = o.Each.appendTo(append(b, `,"cost_each_ms":`...))
	return append(b, '}')
}

func (o *spentObject) appendTo(b []byte) []byte {
	if o == nil {
		return append(b, null...)
	}
	b = o.Before.appendTo(append(b, `{"before":`...))
	b = o.After.appendTo(append(b, `,"after":`...))
	return append(b, '}')
}
