package http2

import (
	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
	"tcpwhy/reassembly/internal/flowcontrol"
)

// credit is what flow control allows one side to send.
type credit struct {
	all    flowcontrol.Window // on all streams together
	blind  bool               // frames were missed
	stream initial            // of each stream, at first
}

// initial is the size that the windows of streams begin with: as the peer has announced it, and as
// it was before. The side may not have known yet when it began to send.
type initial struct {
	now, before int64
	by          capture.Mark // what announced it; no frame: nothing did
	had         int64        // octets that the peer had acknowledged then
}

func newCredit() credit {
	c := credit{stream: initial{now: flowcontrol.First, before: flowcontrol.First}}
	c.all.Begin(flowcontrol.First)
	return c
}

// window is what flow control allows one side to send on a stream.
type window struct {
	flowcontrol.Window
	blind bool         // frames of the stream, or what was said of it, may have been missed
	told  capture.Mark // what let the latest frame go that was noted
}

// begin begins the window of a new stream. blind says that what was announced may have been missed.
func (w *window) begin(i *initial, blind bool) {
	w.Begin(i.before)
	w.Grant(i.now-i.before, i.by, i.had)
	w.blind = blind
}

// resize takes the size that the windows of streams begin with from now on; those of open streams
// change by as much (RFC 9113 §6.9.2).
func (h *reader) resize(dir exchange.Dir, size int64, a *exchange.Arrival) {
	i := &h.side[dir].sent.stream
	for _, st := range h.streams {
		st.sent[dir].Grant(size-i.now, a.At, a.Heard.To)
	}
	*i = initial{now: size, before: i.now, by: a.At, had: a.Heard.To}
}

// charge takes a frame of DATA off the windows, all of it (RFC 9113 §6.1), and notes what let it
// go.
func (h *reader) charge(s *side, st *stream) {
	f := &s.frames
	size := int64(f.head.length)
	all, ok := s.sent.all.Send(size, f.began.Start)
	known := ok && !s.sent.blind
	if st == nil {
		return
	}
	w := &st.sent[s.dir]
	own, ok := w.Send(size, f.began.Start)
	if !ok || w.blind {
		return
	}
	freed := exchange.Freed{
		At: f.began.From(f.from), Size: size, Owner: st.x.Index, By: own.By, Since: own.Since,
		Full: own.Full, Had: own.Had,
	}
	switch {
	case known && all.By.Frame != 0 && all.By.Time >= own.By.Time:
		freed.By, freed.Since, freed.Full, freed.Had = all.By, all.Since, all.Full, all.Had
		freed.Of = exchange.OfConnection
	case own.By == s.sent.stream.by && h.info.Sides[s.dir.Peer()].SettingsSent == 1:
		freed.Of = exchange.OfSettings
	}
	if freed.By.Frame != 0 && freed.By != w.told {
		w.told = freed.By
		h.info.Freed[s.dir].Add(freed)
	}
}

// unknownWindows notes that flow control cannot be followed any more on what is open.
func (h *reader) unknownWindows() {
	for dir := range h.side {
		h.side[dir].sent.blind = true
		h.info.Sides[dir].Window = 0
	}
	for _, st := range h.streams {
		st.sent[0].blind, st.sent[1].blind = true, true
	}
}

// update raises what the peer of s may send, on the stream of the frame in hand or on all.
func (h *reader) update(s *side, n int64, a *exchange.Arrival) {
	peer := s.dir.Peer()
	if id := s.frames.head.stream; id != 0 {
		if st := h.streams[id]; st != nil {
			h.sure(st, s.dir)
			st.sent[peer].Grant(n, a.At, a.Heard.To)
		}
		return
	}
	c := &h.side[peer].sent
	c.all.Grant(n, a.At, a.Heard.To)
	if own := &h.info.Sides[s.dir]; !c.blind {
		own.Window = max(own.Window, c.all.Left())
	}
}

// shut is the window that a message of the stream waits for, the response's first; nil if none
// does.
func (h *reader) shut(st *stream) *exchange.Shut {
	for _, dir := range [...]exchange.Dir{exchange.FromServer, exchange.FromClient} {
		m, s, w := st.message(dir), &h.side[dir], &st.sent[dir]
		if m == nil || st.ended[dir] || m.Length != exchange.NoLength && m.BodyBytes >= m.Length {
			continue
		}
		out := exchange.Shut{Dir: dir}
		var shut bool
		if out.Last, out.Sent, out.Updated, shut = w.Shut(); shut && !w.blind {
			return &out
		}
		own := out.Last
		out.Of = exchange.OfConnection
		out.Last, out.Sent, out.Updated, shut = s.sent.all.Shut()
		if shut && !s.sent.blind && (m.Length != exchange.NoLength || out.Last == own) {
			return &out
		}
	}
	return nil
}
