package json

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

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
			Opening: w.Opening, Stream: number(w.Stream), Lost: w.Lost,
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
		LeastPing: optional(s.PingTrips[0]), MostPing: optional(s.PingTrips[1]),
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
