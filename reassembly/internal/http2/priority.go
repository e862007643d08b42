package http2

import (
	"encoding/binary"
	"maps"
	"strings"

	"tcpwhy/reassembly/exchange"
)

const (
	// maxWish is the longest text of a PRIORITY_UPDATE that is read: what is known takes 6 octets.
	maxWish = 256
	// maxEarly caps the streams of which something is said before they begin.
	maxEarly = 128
	// streamSize is how many octets of PRIORITY_UPDATE name the stream (RFC 9218 §7.1).
	streamSize = 4
)

// wishes are what the client said of streams that have not begun.
type wishes map[uint32]exchange.Priority

// reprioritised acts on PRIORITY_UPDATE (RFC 9218 §7.1): it says all anew.
func (h *reader) reprioritised(s *side) {
	f := &s.frames
	if s.dir != exchange.FromClient || len(f.kept) < streamSize || f.head.length > maxWish {
		return
	}
	id := binary.BigEndian.Uint32(f.kept) &^ (1 << 31)
	p := priorityOf(exchange.Priority{}, string(f.kept[streamSize:]))
	switch st := h.streams[id]; {
	case st != nil:
		h.info.Wishes.Update(st.x.Index, p)
	case id > s.highest:
		h.early.note(id, p, s.highest)
	}
}

// note notes what is said of a stream that is to come. Those up to the highest have begun, or never
// will.
func (w *wishes) note(id uint32, p exchange.Priority, highest uint32) {
	if *w == nil {
		*w = wishes{}
	}
	if len(*w) >= maxEarly {
		maps.DeleteFunc(*w, func(id uint32, _ exchange.Priority) bool { return id <= highest })
	}
	if _, said := (*w)[id]; said || len(*w) < maxEarly {
		(*w)[id] = p
	}
}

// wishes notes what the client said of the priority of a stream with its request, all of which
// could be read or not. What it had said before stands (RFC 9218 §7).
func (h *reader) wishes(st *stream, fields []field, whole bool) {
	wish, known := exchange.Wish{}, whole
	for i := range fields {
		switch f := &fields[i]; {
		case f.name == priorityField && f.known:
			wish.First, wish.Said = priorityOf(wish.First, f.value), true
		case f.name == priorityField, f.name == unknownField:
			known = false
		}
	}
	if p, said := h.early[st.id]; said {
		delete(h.early, st.id)
		wish.First, wish.Said, known = p, true, true
	}
	wish.Last = wish.First
	h.info.Wishes.Begin(st.x.Index, wish, known)
}

// priorityOf is p with what a value of the Priority field changes of it: a dictionary of structured
// fields (RFC 8941 §3.2), of which others' members are passed over.
func priorityOf(p exchange.Priority, value string) exchange.Priority {
	const lastUrgency = '7'
	for member := range members(value) {
		member, _, _ = strings.Cut(member, ";")
		switch key, v, has := strings.Cut(strings.Trim(member, " \t"), "="); {
		case key == "u" && len(v) == 1 && v[0] >= '0' && v[0] <= lastUrgency:
			p = p.UrgencyOf(int(v[0] - '0'))
		case key == "i" && (!has || v == "?1"):
			p.Incremental = true
		case key == "i" && v == "?0":
			p.Incremental = false
		}
	}
	return p
}

// members are those of a dictionary: commas within quotes are text.
func members(value string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		quoted, from := false, 0
		for i := 0; i < len(value); i++ {
			switch c := value[i]; {
			case c == '\\' && quoted:
				i++
			case c == '"':
				quoted = !quoted
			case c == ',' && !quoted:
				if !yield(value[from:i]) {
					return
				}
				from = i + 1
			}
		}
		yield(value[from:])
	}
}
