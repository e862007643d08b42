package json

import (
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/output/mask"
	"tcpwhy/reassembly/exchange"
)

// streamObject is what an exchange of HTTP/2 has beside HTTP.
type streamObject struct {
	ID      uint32       `json:"id"`
	Pushed  bool         `json:"pushed"`
	Refused bool         `json:"refused"`
	Reset   *resetObject `json:"reset"`
	RPC     *rpcObject   `json:"grpc"`
}

// resetObject is how one side ended a stream.
type resetObject struct {
	Code  string `json:"code"`
	By    string `json:"by"`
	At    millis `json:"at_ms"`
	Input int    `json:"input"`
	Frame uint64 `json:"frame"`
}

// rpcObject is a call of gRPC.
type rpcObject struct {
	Service    maybe       `json:"service"`
	Method     maybe       `json:"method"`
	Status     *int        `json:"status"`
	Timeout    *millis     `json:"timeout_ms"`
	Sent       int         `json:"client_messages"`
	Received   int         `json:"server_messages"`
	ClientSpan *spanObject `json:"client_span"`
	ServerSpan *spanObject `json:"server_span"`
}

// spanObject is where the messages of one side of a call are.
type spanObject struct {
	Start      millis `json:"start_ms"`
	End        millis `json:"end_ms"`
	StartInput int    `json:"start_input"`
	StartFrame uint64 `json:"start_frame"`
	EndInput   int    `json:"end_input"`
	EndFrame   uint64 `json:"end_frame"`
	Largest    int64  `json:"largest_bytes"`
	Owed       *int64 `json:"owed_bytes"`
}

func span(m *exchange.RPCMessages) *spanObject {
	if m.Count == 0 {
		return nil
	}
	o := &spanObject{
		Start: millis(m.First.Time), End: millis(m.Last.Time),
		StartInput: m.First.Frame.Input(), StartFrame: m.First.Frame.Number(),
		EndInput: m.Last.Frame.Input(), EndFrame: m.Last.Frame.Number(),
		Largest: m.Largest,
	}
	if owed := m.Owed; owed != exchange.UnknownOwed {
		o.Owed = &owed
	}
	return o
}

// span reads what span wrote of so many messages.
func (d *decoder) span(o *spanObject, count int) exchange.RPCMessages {
	if o == nil {
		return exchange.RPCMessages{Count: count}
	}
	m := exchange.RPCMessages{
		Count: count,
		First: capture.Mark{
			Time: time.Duration(o.Start), Frame: d.frame(o.StartInput, o.StartFrame),
		},
		Last:    capture.Mark{Time: time.Duration(o.End), Frame: d.frame(o.EndInput, o.EndFrame)},
		Largest: o.Largest, Owed: exchange.UnknownOwed,
	}
	if o.Owed != nil {
		m.Owed = *o.Owed
	}
	return m
}

func onStream(s *exchange.OnStream) *streamObject {
	if s.Stream == 0 {
		return nil
	}
	o := &streamObject{ID: s.Stream, Pushed: s.Pushed, Refused: s.Refused}
	if r := s.Reset; r != nil {
		o.Reset = &resetObject{
			r.Code.String(), r.By.String(), millis(r.At.Time), r.At.Frame.Input(), r.At.Frame.Number(),
		}
	}
	if r := s.RPC; r != nil {
		o.RPC = &rpcObject{
			Service: text(mask.ASCII(r.Service)), Method: text(mask.ASCII(r.Method)),
			Timeout:    optional(&r.Timeout),
			Sent:       r.Messages[exchange.FromClient].Count,
			Received:   r.Messages[exchange.FromServer].Count,
			ClientSpan: span(&r.Messages[exchange.FromClient]),
			ServerSpan: span(&r.Messages[exchange.FromServer]),
		}
		if status := r.Status; status != exchange.NoRPCStatus {
			o.RPC.Status = &status
		}
	}
	return o
}

// onStream reads what onStream wrote.
func (d *decoder) onStream(o *streamObject) (s exchange.OnStream) {
	if o == nil {
		return s
	}
	s.Stream, s.Pushed, s.Refused = o.ID, o.Pushed, o.Refused
	if r := o.Reset; r != nil {
		s.Reset = &exchange.StreamReset{
			Code: named(d, "code", r.Code, exchange.ParseErrorCode),
			By:   named(d, "side", r.By, exchange.ParseDir),
			At:   capture.Mark{Time: time.Duration(r.At), Frame: d.frame(r.Input, r.Frame)},
		}
	}
	if r := o.RPC; r != nil {
		s.RPC = &exchange.RPC{
			Service: string(r.Service), Method: string(r.Method), Status: exchange.NoRPCStatus,
			Timeout: time.Duration(known(r.Timeout)),
		}
		s.RPC.Messages[exchange.FromClient] = d.span(r.ClientSpan, r.Sent)
		s.RPC.Messages[exchange.FromServer] = d.span(r.ServerSpan, r.Received)
		if r.Status != nil {
			s.RPC.Status = *r.Status
		}
	}
	return s
}

// h2Object is what a connection of HTTP/2 showed beside its exchanges.
type h2Object struct {
	Streams  int            `json:"streams"`
	MostOpen int            `json:"most_open"`
	Client   h2SideObject   `json:"client"`
	Server   h2SideObject   `json:"server"`
	GoAways  []goAwayObject `json:"goaways"`
}

// h2SideObject is what one side announced, and sent to direct the other.
type h2SideObject struct {
	MaxStreams    *uint32 `json:"max_concurrent_streams"`
	InitialWindow *uint32 `json:"initial_window_size"`
	MaxFrame      *uint32 `json:"max_frame_size"`
	TableSize     *uint32 `json:"header_table_size"`
	ConnWindow    *int64  `json:"connection_window"`
	NoPush        bool    `json:"no_push"`
	Connect       bool    `json:"extended_connect"`
	Announced     *millis `json:"settings_ms"`
	Acked         *millis `json:"acknowledged_ms"`
	Settings      int     `json:"settings"`
	Updates       int     `json:"window_updates"`
	Resets        int     `json:"resets"`
	Pings         int     `json:"pings"`
	LeastPing     *millis `json:"least_ping_ms"`
	MostPing      *millis `json:"most_ping_ms"`
}

// goAwayObject says that a side takes no more streams.
type goAwayObject struct {
	By    string `json:"by"`
	Code  string `json:"code"`
	Text  maybe  `json:"text"`
	Last  uint32 `json:"last_stream"`
	At    millis `json:"at_ms"`
	Input int    `json:"input"`
	Frame uint64 `json:"frame"`
}

func http2(h *exchange.H2Info) *h2Object {
	if h == nil {
		return nil
	}
	o := &h2Object{
		Streams: h.Streams, MostOpen: h.MostOpen, GoAways: []goAwayObject{},
		Client: h2Side(h, exchange.FromClient), Server: h2Side(h, exchange.FromServer),
	}
	for _, g := range h.GoAways {
		o.GoAways = append(o.GoAways, goAwayObject{
			g.By.String(), g.Code.String(), text(mask.ASCII(g.Text)), g.Last, millis(g.At.Time), g.At.Frame.Input(),
			g.At.Frame.Number(),
		})
	}
	return o
}

func h2Side(h *exchange.H2Info, dir exchange.Dir) h2SideObject {
	s := &h.Sides[dir]
	o := h2SideObject{
		MaxStreams: setting(s.Settings.Streams), InitialWindow: setting(s.Settings.Window),
		MaxFrame: setting(s.Settings.Frame), TableSize: setting(s.Settings.Table),
		NoPush: s.Settings.NoPush, Connect: s.Settings.Connect,
		Announced: optional(&s.Settings.At), Acked: optional(&s.Settings.Acked),
		Settings: s.SettingsSent, Updates: s.Updates, Resets: s.Resets, Pings: s.Pings,
		LeastPing: optional(&h.PingTrips[dir][0]), MostPing: optional(&h.PingTrips[dir][1]),
	}
	if s.Window > 0 {
		o.ConnWindow = &s.Window
	}
	return o
}

// setting is null where nothing was announced.
func setting(s exchange.Setting) *uint32 {
	if !s.Said {
		return nil
	}
	return &s.Value
}

// http2 reads what http2 wrote.
func (d *decoder) http2(o *h2Object) *exchange.H2Info {
	if o == nil {
		return nil
	}
	h := &exchange.H2Info{Streams: o.Streams, MostOpen: o.MostOpen}
	o.Client.read(h, exchange.FromClient)
	o.Server.read(h, exchange.FromServer)
	for _, g := range o.GoAways {
		h.GoAways = append(h.GoAways, exchange.GoAway{
			By:   named(d, "side", g.By, exchange.ParseDir),
			Code: named(d, "code", g.Code, exchange.ParseErrorCode), Last: g.Last,
			Text: string(g.Text),
			At:   capture.Mark{Time: time.Duration(g.At), Frame: d.frame(g.Input, g.Frame)},
		})
	}
	return h
}

// read reads one side.
func (o *h2SideObject) read(h *exchange.H2Info, dir exchange.Dir) {
	h.Sides[dir] = exchange.H2Side{
		Settings: exchange.H2Settings{
			Streams: said(o.MaxStreams), Window: said(o.InitialWindow), Frame: said(o.MaxFrame),
			Table: said(o.TableSize), NoPush: o.NoPush, Connect: o.Connect,
			At: time.Duration(known(o.Announced)), Acked: time.Duration(known(o.Acked)),
		},
		SettingsSent: o.Settings, Updates: o.Updates, Resets: o.Resets, Pings: o.Pings,
		Window: known(o.ConnWindow),
	}
	h.PingTrips[dir] = [2]time.Duration{
		time.Duration(known(o.LeastPing)), time.Duration(known(o.MostPing)),
	}
}

// said is the setting that setting wrote.
func said(value *uint32) exchange.Setting {
	return exchange.Setting{Value: known(value), Said: value != nil}
}

// streamEndsObject is how streams ended that did not end well.
type streamEndsObject struct {
	Resets []streamEndObject `json:"resets"`
	Calls  int               `json:"grpc_calls"`
	Failed []callEndObject   `json:"grpc_statuses"`
}

type streamEndObject struct {
	Code  string `json:"code"`
	By    string `json:"by"`
	Count int    `json:"count"`
}

type callEndObject struct {
	Status int    `json:"status"`
	Name   string `json:"name"`
	Count  int    `json:"count"`
}

// streamEnds is null where there is nothing to tell.
func streamEnds(s *report.StreamEnds) *streamEndsObject {
	if len(s.Resets) == 0 && s.Calls == 0 {
		return nil
	}
	o := &streamEndsObject{
		Resets: []streamEndObject{}, Calls: s.Calls, Failed: []callEndObject{},
	}
	for _, r := range s.Resets {
		o.Resets = append(o.Resets, streamEndObject{r.Code.String(), r.By.String(), r.Count})
	}
	for _, f := range s.Failed {
		o.Failed = append(o.Failed,
			callEndObject{f.Status, exchange.RPCStatusName(f.Status), f.Count})
	}
	return o
}

// streamEnds reads what streamEnds wrote.
func (d *decoder) streamEnds(o *streamEndsObject) (s report.StreamEnds) {
	if o == nil {
		return s
	}
	s.Calls = o.Calls
	for _, r := range o.Resets {
		s.Resets = append(s.Resets, report.StreamEnd{
			Code: named(d, "code", r.Code, exchange.ParseErrorCode),
			By:   named(d, "side", r.By, exchange.ParseDir), Count: r.Count,
		})
	}
	for _, f := range o.Failed {
		s.Failed = append(s.Failed, report.CallEnd{Status: f.Status, Count: f.Count})
	}
	return s
}
