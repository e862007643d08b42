package json

import (
	"fmt"
	"strconv"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/output/mask"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

type connectionObject struct {
	ID                    int        `json:"id"`
	Client                string     `json:"client"`
	Server                string     `json:"server"`
	Start                 millis     `json:"start_ms"`
	Duration              millis     `json:"duration_ms"`
	State                 string     `json:"state"`
	History               string     `json:"history"`
	Protocol              string     `json:"protocol"`
	Vantage               string     `json:"vantage"`
	RTT                   rttObject  `json:"rtt_ms"`
	MSS                   mssObject  `json:"mss"`
	ClientBytes           int64      `json:"client_bytes"`
	ServerBytes           int64      `json:"server_bytes"`
	ClientSegments        uint32     `json:"client_segments"`
	ServerSegments        uint32     `json:"server_segments"`
	ClientRetransmissions uint32     `json:"client_retransmissions"`
	ServerRetransmissions uint32     `json:"server_retransmissions"`
	ClosedBy              maybe      `json:"closed_by"`
	ResetBy               maybe      `json:"reset_by"`
	TLS                   *tlsObject `json:"tls"`
	Exchanges             []int      `json:"exchanges"`
	Times                 labelTimes `json:"time_ms"`
	Caveats               []string   `json:"caveats"`
	spokenObject
}

// spokenObject is what protocols above TCP and TLS showed.
type spokenObject struct {
	HTTP2      *h2Object      `json:"http2,omitzero"`      // of HTTP/2 only
	WebSockets []socketObject `json:"websockets,omitzero"` // where there are some
	// where the machine was asked that has one of its ends, or both
	Local  *localObject  `json:"local,omitzero"`
	Kernel *kernelObject `json:"kernel,omitzero"`
}

type rttObject struct {
	Handshake  *millis `json:"handshake"`
	Min        *millis `json:"min"`
	ClientSide *millis `json:"client_side"`
	ServerSide *millis `json:"server_side"`
}

type mssObject struct {
	Client *uint16 `json:"client"`
	Server *uint16 `json:"server"`
}

func (e *encoder) connection(c *report.ConnInfo) connectionObject {
	return connectionObject{
		ID: c.ID, Client: c.Client.String(), Server: c.Server.String(), Start: millis(c.Start),
		Duration: millis(c.Duration), State: c.State.String(), History: mask.ASCII(c.History),
		Protocol: c.Protocol.String(), Vantage: c.Vantage.String(),
		RTT: rttObject{
			optional(
				&c.Handshake,
			), optional(&c.RTTMin), optional(&c.ClientRTT), optional(&c.ServerRTT),
		},
		MSS: mssObject{
			number(&c.MSS[reassembly.FromClient]),
			number(&c.MSS[reassembly.FromServer]),
		},

		ClientBytes: c.Bytes[reassembly.FromClient], ServerBytes: c.Bytes[reassembly.FromServer],
		ClientSegments:        c.Segments[reassembly.FromClient],
		ServerSegments:        c.Segments[reassembly.FromServer],
		ClientRetransmissions: c.Retransmissions[reassembly.FromClient],
		ServerRetransmissions: c.Retransmissions[reassembly.FromServer],

		ClosedBy: text(c.ClosedBy), ResetBy: text(c.ResetBy), TLS: tls(c.TLS),
		Exchanges: c.Exchanges, Times: c.Times, Caveats: list(c.Caveats),
		spokenObject: spokenObject{
			http2(c.HTTP2), sockets(c.WebSockets), local(&c.Ends), kernel(&c.Ends),
		},
	}
}

// connection reads the next connection.
func (d *decoder) connection(o *connectionObject) {
	d.report.Conns = append(d.report.Conns, report.ConnInfo{
		ID: o.ID, Client: d.addressPort(o.Client), Server: d.addressPort(o.Server),
		Start: time.Duration(o.Start), Duration: time.Duration(o.Duration), History: o.History,
		State:    named(d, "state", o.State, reassembly.ParseState),
		Protocol: named(d, "protocol", o.Protocol, exchange.ParseProtocol),
		Vantage:  named(d, "vantage", o.Vantage, reassembly.ParseVantage),

		Handshake: time.Duration(known(o.RTT.Handshake)), RTTMin: time.Duration(known(o.RTT.Min)),
		ClientRTT: time.Duration(known(o.RTT.ClientSide)),
		ServerRTT: time.Duration(known(o.RTT.ServerSide)),

		MSS:             [2]uint16{known(o.MSS.Client), known(o.MSS.Server)},
		Bytes:           [2]int64{o.ClientBytes, o.ServerBytes},
		Segments:        [2]uint32{o.ClientSegments, o.ServerSegments},
		Retransmissions: [2]uint32{o.ClientRetransmissions, o.ServerRetransmissions},

		Ended: report.Ended{ClosedBy: string(o.ClosedBy), ResetBy: string(o.ResetBy)},
		TLS:   decodeTLS(o.TLS), Ends: d.ends(o.Local, o.Kernel),
		Exchanges: o.Exchanges, Times: o.Times, Caveats: o.Caveats,
		Spoken: report.Spoken{HTTP2: d.http2(o.HTTP2), WebSockets: d.sockets(o.WebSockets)},
	})
}

// ends reads what local and kernel wrote.
func (d *decoder) ends(l *localObject, k *kernelObject) (out [2]*report.SocketEnd) {
	of := func(side string) *report.SocketEnd {
		i := named(d, "side", side, exchange.ParseDir)
		if out[i] == nil {
			out[i] = &report.SocketEnd{}
		}
		return out[i]
	}
	process := func(o *processObject) {
		p := report.SocketProcess{
			PID: known(o.PID), Command: string(o.Command), Cgroup: string(o.Cgroup),
			Container: string(o.Container), Pod: string(o.Pod), Listens: o.Listens,
			UID: known(o.UID), Owned: o.UID != nil,
		}
		of(o.Side).Process = p
		if o.Unknown != "" {
			of(o.Side).Unknown = named(d, "unknown", string(o.Unknown), report.ParseSocketReason)
		}
	}
	account := func(o *accountObject) {
		a := &report.SocketAccount{
			Final: o.Final, RTT: time.Duration(o.RTT), MinRTT: time.Duration(known(o.MinRTT)),
			Busy: time.Duration(known(o.Busy)), RwndLimited: time.Duration(known(o.RwndLimited)),
			SndbufLimited: time.Duration(
				known(o.SndbufLimited),
			), Retransmissions: o.Retransmissions,
			Delivered: known(o.Delivered), NotSent: o.NotSent, Sent: known(o.Sent),
			Counted: o.Busy != nil, Congestion: string(o.Congestion),
		}
		of(o.Side).Account = a
	}
	if l != nil {
		process(&l.processObject)
		if l.Other != nil {
			process(l.Other)
		}
	}
	if k != nil {
		account(&k.accountObject)
		if k.Other != nil {
			account(k.Other)
		}
	}
	return out
}

type tlsObject struct {
	SNI       maybe `json:"sni"`
	ALPN      maybe `json:"alpn"`
	Version   maybe `json:"version"`
	Resumed   bool  `json:"resumed"`
	Suite     maybe `json:"suite"`
	Decrypted bool  `json:"decrypted"`
}

func tls(t *exchange.TLSInfo) *tlsObject {
	if t == nil {
		return nil
	}
	return &tlsObject{
		text(
			mask.Host(t.SNI),
		), text(mask.ASCII(t.ALPN)), text(t.Version), t.Resumed, suite(t.Suite), t.Decrypted,
	}
}

// suite is the number of a cipher suite; null for none.
func suite(number uint16) maybe {
	if number == 0 {
		return ""
	}
	return text(fmt.Sprintf("0x%04x", number))
}

func decodeTLS(o *tlsObject) *exchange.TLSInfo {
	if o == nil {
		return nil
	}
	return &exchange.TLSInfo{
		SNI: string(o.SNI), ALPN: string(o.ALPN), Version: string(o.Version), Resumed: o.Resumed,
		Suite: decodeSuite(o.Suite), Decrypted: o.Decrypted,
	}
}

// decodeSuite reads the number of a cipher suite.
func decodeSuite(o maybe) uint16 {
	number, err := strconv.ParseUint(string(o), 0, 16)
	if err != nil {
		return 0
	}
	return uint16(number)
}

// socketObject is a WebSocket.
type socketObject struct {
	Opening int              `json:"opening"`
	Stream  *uint32          `json:"stream"`
	Client  socketSideObject `json:"client"`
	Server  socketSideObject `json:"server"`
	Lost    bool             `json:"lost"`
	Ended   *endingObject    `json:"ended"`
}

// socketSideObject is what one side of it said.
type socketSideObject struct {
	Messages  int           `json:"messages"`
	Largest   int64         `json:"largest_bytes"`
	Pings     int           `json:"pings"`
	LeastPing *millis       `json:"least_ping_ms"`
	MostPing  *millis       `json:"most_ping_ms"`
	Latest    *momentObject `json:"last"`
	Code      *int          `json:"close_code"`
	Closed    *momentObject `json:"close"`
}

// momentObject is a moment, with the frame that shows it.
type momentObject struct {
	At    millis `json:"at_ms"`
	Input int    `json:"input"`
	Frame uint64 `json:"frame"`
}

// endingObject is how its connection or stream was ended first.
type endingObject struct {
	By    string `json:"by"`
	Reset bool   `json:"reset"`
	momentObject
}

func moment(m capture.Mark) *momentObject {
	if m.Frame == 0 {
		return nil
	}
	return &momentObject{millis(m.Time), m.Frame.Input(), m.Frame.Number()}
}

func (d *decoder) moment(o *momentObject) capture.Mark {
	if o == nil {
		return capture.Mark{}
	}
	return capture.Mark{Time: time.Duration(o.At), Frame: d.frame(o.Input, o.Frame)}
}

func sockets(all []exchange.WebSocket) (out []socketObject) {
	for i := range all {
		w := &all[i]
		o := socketObject{
			Opening: w.Opening, Stream: number(&w.Stream), Lost: w.Lost,
			Client: socketSide(&w.Sides[exchange.FromClient]),
			Server: socketSide(&w.Sides[exchange.FromServer]),
		}
		if m := moment(w.Ended.At); m != nil {
			o.Ended = &endingObject{w.Ended.By.String(), w.Ended.Reset, *m}
		}
		out = append(out, o)
	}
	return out
}

func socketSide(s *exchange.WebSocketSide) socketSideObject {
	o := socketSideObject{
		Messages: s.Messages, Largest: s.Largest, Pings: s.Pings,
		LeastPing: optional(&s.PingTrips[0]), MostPing: optional(&s.PingTrips[1]),
		Latest: moment(s.Latest), Closed: moment(s.Close.At),
	}
	if code := s.Close.Code; o.Closed != nil {
		o.Code = &code
	}
	return o
}

// sockets reads what sockets wrote.
func (d *decoder) sockets(all []socketObject) (out []exchange.WebSocket) {
	for i := range all {
		o := &all[i]
		w := exchange.WebSocket{Opening: o.Opening, Stream: known(o.Stream), Lost: o.Lost}
		w.Sides[exchange.FromClient] = d.socketSide(&o.Client)
		w.Sides[exchange.FromServer] = d.socketSide(&o.Server)
		if e := o.Ended; e != nil {
			w.Ended = exchange.Ending{
				At: d.moment(&e.momentObject), Reset: e.Reset,
				By: named(d, "side", e.By, exchange.ParseDir),
			}
		}
		out = append(out, w)
	}
	return out
}

func (d *decoder) socketSide(o *socketSideObject) exchange.WebSocketSide {
	return exchange.WebSocketSide{
		Messages: o.Messages, Largest: o.Largest, Pings: o.Pings,
		PingTrips: [2]time.Duration{
			time.Duration(known(o.LeastPing)), time.Duration(known(o.MostPing)),
		},
		Latest: d.moment(o.Latest),
		Close:  exchange.WebSocketClose{At: d.moment(o.Closed), Code: known(o.Code)},
	}
}

// localObject is whose this machine's end of a connection is; of one within this machine, the
// client's, and beside it the server's.
type localObject struct {
	processObject
	Other *processObject `json:"other_end"`
}

type processObject struct {
	Side      string  `json:"side"`
	PID       *int    `json:"pid"`
	Command   maybe   `json:"command"`
	UID       *uint32 `json:"uid"`
	Cgroup    maybe   `json:"cgroup"`
	Container maybe   `json:"container"`
	Pod       maybe   `json:"pod"`
	Listens   bool    `json:"listens"`
	Unknown   maybe   `json:"unknown"`
}

// kernelObject is what the kernel counted of those.
type kernelObject struct {
	accountObject
	Other *accountObject `json:"other_end"`
}

type accountObject struct {
	Side            string  `json:"side"`
	Final           bool    `json:"final"`
	RTT             millis  `json:"rtt_ms"`
	MinRTT          *millis `json:"min_rtt_ms"`
	Busy            *millis `json:"busy_ms"`
	RwndLimited     *millis `json:"rwnd_limited_ms"`
	SndbufLimited   *millis `json:"sndbuf_limited_ms"`
	Retransmissions uint32  `json:"retransmissions"`
	Delivered       *uint32 `json:"delivered"`
	NotSent         uint32  `json:"notsent_bytes"`
	Sent            *uint64 `json:"sent_bytes"`
	Congestion      maybe   `json:"congestion"`
}

// local draws up the processes of both ends, as far as they are this machine's.
func local(ends *[2]*report.SocketEnd) *localObject {
	var all []processObject
	for side, e := range ends {
		if e == nil {
			continue
		}
		o := processObject{
			Side: reassembly.Dir(side).String(), PID: number(&e.PID),
			Command: text(mask.ASCII(e.Command)), Cgroup: text(mask.ASCII(e.Cgroup)),
			Container: text(mask.ASCII(e.Container)), Pod: text(mask.ASCII(e.Pod)),
			Listens: e.Listens, Unknown: text(e.Unknown.String()),
		}
		if e.Owned {
			o.UID = &e.UID
		}
		all = append(all, o)
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return &localObject{processObject: all[0]}
	}
	return &localObject{all[0], &all[1]}
}

// kernel draws up the accounts of both ends, as far as there are some.
func kernel(ends *[2]*report.SocketEnd) *kernelObject {
	var all []accountObject
	for side, e := range ends {
		if e == nil || e.Account == nil {
			continue
		}
		a := e.Account
		o := accountObject{
			Side: reassembly.Dir(side).String(), Final: a.Final, RTT: millis(a.RTT),
			MinRTT: optional(&a.MinRTT), Retransmissions: a.Retransmissions, NotSent: a.NotSent,
			Congestion: text(mask.ASCII(a.Congestion)),
		}
		if a.Counted {
			busy, rwnd, sndbuf := millis(a.Busy), millis(a.RwndLimited), millis(a.SndbufLimited)
			o.Busy, o.RwndLimited, o.SndbufLimited = &busy, &rwnd, &sndbuf
			o.Delivered, o.Sent = &a.Delivered, &a.Sent
		}
		all = append(all, o)
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return &kernelObject{accountObject: all[0]}
	}
	return &kernelObject{all[0], &all[1]}
}
