package exchange

import "tcpwhy/capture"

// Parts is an exchange together with the messages it may have, so that one allocation makes all
// three.
type Parts struct {
	Exchange
	request, response Message
}

// Ask gives the exchange a request.
func (x *Parts) Ask(m Message) *Message {
	x.request = m
	x.Request = &x.request
	return x.Request
}

// Answer gives the exchange a response.
func (x *Parts) Answer(m Message) *Message {
	x.response = m
	x.Response = &x.response
	return x.Response
}

// BecomeTurn makes a turn of an exchange that was to be one of messages. What their first lines
// said stays known.
func (x *Parts) BecomeTurn() {
	x.Exchange = Exchange{
		Index:       x.Index,
		Turn:        true,
		Method:      x.Method,
		Target:      x.Target,
		Host:        x.Host,
		Version:     x.Version,
		Status:      x.Status,
		Request:     x.Request,
		Response:    x.Response,
		FirstRecord: x.FirstRecord,
	}
	for _, m := range [...]*Message{x.Request, x.Response} {
		if m != nil {
			m.HeaderEnd = capture.Mark{}
			m.Facts &= HasGap
			m.BodyBytes = m.To - m.From
			m.HeaderBytes, m.Length, m.Framing, m.Complete = 0, NoLength, ByTurn, false
		}
	}
	if x.Response != nil && x.Request != nil {
		x.Request.Complete = true
	}
}
