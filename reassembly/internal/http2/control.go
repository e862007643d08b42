package http2

import (
	"encoding/binary"

	"tcpwhy/reassembly/exchange"
	"tcpwhy/reassembly/internal/flowcontrol"
)

// Settings (RFC 9113 §6.5.2, RFC 8441 §3).
const (
	tableSizeSetting = 1
	pushSetting      = 2
	streamsSetting   = 3
	windowSetting    = 4
	frameSetting     = 5
	connectSetting   = 8
)

// control acts on a whole frame that directs the connection or a stream, and ends before off.
func (h *reader) control(s *side, off int64, a *exchange.Arrival) {
	f := &s.frames
	if f.broken && !(f.head.kind == goAwayFrame && len(f.kept) >= goAwaySize) {
		return
	}
	own := &h.info.Sides[s.dir]
	switch f.head.kind {
	case settingsFrame:
		h.settings(s, a)
	case pingFrame:
		h.ping(s, off, a)
	case resetFrame:
		own.Resets++
		h.reset(s, exchange.ErrorCode(binary.BigEndian.Uint32(f.kept)), a)
	case goAwayFrame:
		h.goAway(s, a)
	case updateFrame:
		own.Updates++
		h.update(s, int64(binary.BigEndian.Uint32(f.kept)&^(1<<31)), a)
	case priorityUpdateFrame:
		h.reprioritised(s)
	}
}

// settings acts on SETTINGS.
func (h *reader) settings(s *side, a *exchange.Arrival) {
	f := &s.frames
	if f.head.has(ack) {
		if peer := &h.info.Sides[s.dir.Peer()].Settings; peer.Acked == 0 {
			peer.Acked = max(a.At.Time, 1)
		}
		return
	}
	own := &h.info.Sides[s.dir]
	own.SettingsSent++
	if own.Settings.At == 0 {
		own.Settings.At = max(f.began.Start.Time, 1)
		if !h.side[s.dir.Peer()].sent.blind {
			own.Window = max(own.Window, flowcontrol.First)
		}
	}
	h.announced(s.dir, f.kept, a)
}

// announced takes the payload of SETTINGS of dir.
func (h *reader) announced(dir exchange.Dir, payload []byte, a *exchange.Arrival) {
	for p := payload; len(p) >= settingSize; p = p[settingSize:] {
		h.setting(&h.side[dir], binary.BigEndian.Uint16(p), binary.BigEndian.Uint32(p[2:]), a)
	}
}

// setting takes one setting that s announces.
func (h *reader) setting(s *side, id uint16, value uint32, a *exchange.Arrival) {
	own := &h.info.Sides[s.dir].Settings
	said := exchange.Setting{Value: value, Said: true}
	switch id {
	case tableSizeSetting:
		own.Table = said
	case pushSetting:
		own.NoPush = value == 0
	case streamsSetting:
		own.Streams = said
	case windowSetting:
		own.Window = said
		h.resize(s.dir.Peer(), int64(value), a)
	case frameSetting:
		own.Frame = said
		peer := &h.side[s.dir.Peer()]
		peer.limit = min(max(peer.limit, value), greatestFrame)
	case connectSetting:
		own.Connect = value == 1
	}
}

// ping acts on a PING or its answer.
func (h *reader) ping(s *side, off int64, a *exchange.Arrival) {
	f := &s.frames
	if !f.head.has(ack) {
		h.info.Sides[s.dir].Pings++
		t := exchange.PingTrip{By: s.dir, Asked: a.At, End: a.To(off)}
		copy(t.Data[:], f.kept)
		h.info.Trips.Ask(t)
		return
	}
	asker := s.dir.Peer()
	t, ok := h.info.Trips.Answer(asker, f.kept, a.At)
	if !ok {
		return
	}
	trip, took := &h.info.PingTrips[asker], max(t.Took(), 1)
	if trip[0] == 0 || took < trip[0] {
		trip[0] = took
	}
	trip[1] = max(trip[1], took)
}

// reset acts on RST_STREAM.
func (h *reader) reset(s *side, code exchange.ErrorCode, a *exchange.Arrival) {
	id := s.frames.head.stream
	delete(h.promised, id)
	st := h.streams[id]
	if st == nil {
		return
	}
	x := st.x
	whole := st.ended[exchange.FromServer] && x.Response != nil
	if st.tunnel != nil {
		st.tunnel.rst(s.dir, a.At)
		st.tunnel.end(a.At, false)
		h.forget(st)
		return
	}
	if x.Response == nil {
		h.vain++
	}
	if x.Refused && x.Response == nil && s.dir == exchange.FromClient {
		h.finish(st, exchange.NoResponse) // it only tidies up what a GOAWAY left out
		return
	}
	x.Reset = &exchange.StreamReset{Code: code, By: s.dir, At: a.At}
	// after a whole response a server stops a request so, of which it needs no more (RFC 9113 §8.1)
	needsNoMore := code == exchange.NoError && s.dir == exchange.FromServer
	switch {
	case whole:
		h.finish(st, x.Outcome)
	case needsNoMore && st.doubted[s.dir]:
		h.finishUnseen(st)
	case s.dir == exchange.FromClient:
		h.finish(st, exchange.Aborted)
	default:
		x.Refused = x.Refused || code == exchange.RefusedStream
		h.finish(st, exchange.ResetByPeer)
	}
}

// goAway acts on GOAWAY: streams above the last one were never processed.
func (h *reader) goAway(s *side, a *exchange.Arrival) {
	p := s.frames.kept
	g := exchange.GoAway{
		By: s.dir, At: a.At,
		Last: binary.BigEndian.Uint32(p) &^ (1 << 31),
		Code: exchange.ErrorCode(binary.BigEndian.Uint32(p[4:])),
		Text: debugText(p[goAwaySize:]),
	}
	if len(h.info.GoAways) < exchange.MaxGoAways {
		h.info.GoAways = append(h.info.GoAways, g)
	} else {
		h.info.GoAways[exchange.MaxGoAways-1] = g
	}
	if s.dir == exchange.FromServer {
		for _, st := range h.sorted() {
			if st.id > g.Last && st.x.Response == nil && st.id%2 == 1 {
				st.x.Refused = true
				h.finish(st, exchange.NoResponse)
			}
		}
	}
}

// refused reports whether the server has said that it does not process a stream.
func (h *reader) refused(id uint32) bool {
	for _, g := range h.info.GoAways {
		if g.By == exchange.FromServer && id > g.Last {
			return true
		}
	}
	return false
}
