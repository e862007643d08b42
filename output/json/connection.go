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
		spokenObject: spokenObject{http2(c.HTTP2), sockets(c.WebSockets)},
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

		ClosedBy: string(o.ClosedBy), ResetBy: string(o.ResetBy), TLS: decodeTLS(o.TLS),
		Exchanges: o.Exchanges, Times: o.Times, Caveats: o.Caveats,
		Spoken: report.Spoken{HTTP2: d.http2(o.HTTP2), WebSockets: d.sockets(o.WebSockets)},
	})
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
