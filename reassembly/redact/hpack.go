package redact

import (
	"bytes"
	"strings"

	"golang.org/x/net/http2/hpack"
)

// staticNames are the fields of the static table whose values are not just hidden (RFC 7541
// appendix A).
var staticNames = map[int]string{
	1: ":authority", 2: ":method", 3: ":method", 4: ":path", 5: ":path", 6: ":scheme", 7: ":scheme",
	8: ":status", 9: ":status", 10: ":status", 11: ":status", 12: ":status", 13: ":status",
	14: ":status", 16: "accept-encoding", 26: "content-encoding", 28: "content-length",
	31: "content-type", 38: "host", 53: "retry-after", 54: "server", 58: "user-agent",
}

const (
	staticSize   = 61
	entryCost    = 32 // octets of the table beside name and value (RFC 7541 §4.1)
	usualTable   = 4096
	maxTableSize = 64 << 10
)

// shownFields are further fields of HTTP/2 and gRPC whose names are shown.
const shownFields = " :authority :method :path :scheme :status :protocol grpc-status grpc-timeout " +
	"grpc-message grpc-encoding grpc-accept-encoding priority "

// fieldTable is the dynamic table of a direction, as whoever reads what is shown has it.
type fieldTable struct {
	entries []fieldEntry // the oldest first
	size    int
	most    int  // 0: usualTable
	rpc     bool // one of the fields has told that gRPC is spoken
}

type fieldEntry struct {
	name string
	size int
}

// name is the name of the field with an index; "" if it is not known, or does not matter.
func (t *fieldTable) name(index int) string {
	if index <= staticSize {
		return staticNames[index]
	}
	if at := len(t.entries) - (index - staticSize); at >= 0 {
		return t.entries[at].name
	}
	return ""
}

// add adds a field, and forgets what there is no more room for.
func (t *fieldTable) add(e fieldEntry) {
	t.entries = append(t.entries, e)
	t.size += e.size
	t.evict()
}

func (t *fieldTable) evict() {
	most := t.most
	if most == 0 {
		most = usualTable
	}
	for t.size > most && len(t.entries) > 0 {
		t.size -= t.entries[0].size
		t.entries = t.entries[1:]
	}
}

// block is what is shown of a block of fields (RFC 7541 §6): the same representations, as long,
// with other words in their strings. So the tables of who reads it hold the same fields in the same
// places.
func (t *fieldTable) block(w words, in []byte) []byte {
	const indexed, incremental, update = 0x80, 0x40, 0x20
	c := &cursor{in: in, out: make([]byte, len(in))}
	for c.at < len(c.in) {
		switch first := c.in[c.at]; {
		case first&indexed != 0:
			c.integer(7)
		case first&incremental != 0:
			t.literal(w, c, 6, true)
		case first&update != 0:
			t.most = max(1, min(c.integer(5), maxTableSize))
			t.evict()
		default:
			t.literal(w, c, 4, false)
		}
	}
	return c.out
}

// literal shows a field with a value of its own.
func (t *fieldTable) literal(w words, c *cursor, prefix int, keeps bool) {
	index := c.integer(prefix)
	name, size := t.name(index), len(t.name(index))
	if index == 0 {
		name, size = c.text(func(name string, n int) (string, bool) {
			of := " " + strings.ToLower(name) + " "
			return strings.Repeat("x", n),
				strings.Contains(structure+fieldNames+addressed+shownFields, of)
		})
	}
	_, length := c.text(func(value string, n int) (string, bool) {
		t.rpc = t.rpc || name == "content-type" && strings.HasPrefix(value, "application/grpc")
		return w.fieldValue(name, value, n)
	})
	if keeps {
		t.add(fieldEntry{name, size + length + entryCost})
	}
}

// fieldValue is what is shown of a value, in at most n octets, or that it is shown as it is.
func (w words) fieldValue(name, value string, n int) (string, bool) {
	hidden := strings.Repeat("x", n)
	list := tokens
	switch name {
	case ":method":
		return hidden, isMethod(value)
	case ":scheme", ":protocol":
		return hidden, value == "http" || value == "https" || value == "websocket"
	case ":status", "content-length", "grpc-status", "retry-after":
		return hidden, allOf(value, "0123456789")
	case "grpc-timeout":
		return hidden, allOf(value, "0123456789HMSmun")
	case "priority":
		return hidden, allOf(value, "u=01234567i?, ")
	case ":path":
		return fit(w.target("", []byte(value)), n), false
	case ":authority", "host":
		if addr, ok := w.hostAddress([]byte(value), alike(value, n)); ok {
			return w.coded(addr, n), false
		}
		return fit(w.host([]byte(value)), n), false
	case "server", "user-agent":
		list = products
	case "content-type", "te", "content-encoding", "accept-encoding", "grpc-encoding":
	default:
		if strings.Contains(addressed, " "+name+" ") {
			return w.coded(w.addresses([]byte(value), alike(value, n)), n), false
		}
		return hidden, false
	}
	shown := known([]byte(value), list, false)
	return fit(shown, n), string(shown) == value
}

func allOf(s, characters string) bool { return strings.Trim(s, characters) == "" }

// fit shortens text to n octets: Huffman's code is shorter than what it stands for, and what stands
// for that is not written in it. The longest words lose letters.
func fit(text []byte, n int) string {
	text = bytes.Clone(text)
	for len(text) > n {
		begin, end, from := 0, 0, 0
		for i := 0; i <= len(text); i++ {
			if i < len(text) && isWord(text[i]) {
				continue
			}
			if i-from > end-begin {
				begin, end = from, i
			}
			from = i + 1
		}
		if end == 0 {
			return string(text[:n])
		}
		text = append(text[:begin], text[begin+1:]...)
	}
	return string(text) + strings.Repeat("x", n-len(text))
}

// integer shows an integer (RFC 7541 §5.1) and gives it; what is too large is the largest.
func (c *cursor) integer(prefix int) int {
	most := 1<<prefix - 1
	v := c.number(1) & most
	if v < most {
		return v
	}
	for shift := 0; c.at < len(c.in) && shift < 28; shift += 7 {
		octet := c.number(1)
		v += octet & 0x7f << shift
		if octet&0x80 == 0 {
			break
		}
	}
	return v
}

// text shows a string (RFC 7541 §5.2): as it is if hide says so, or what hide gives instead, which
// is as long as it is written, or when it is coded. It gives the string, and how long it is for who reads what is shown.
func (c *cursor) text(hide func(s string, n int) (shown string, asIs bool)) (string, int) {
	const huffman = 0x80
	if c.at >= len(c.in) {
		return "", 0
	}
	head := c.at
	n := c.integer(7)
	in, out := c.take(n)
	s, coded := string(in), c.in[head]&huffman != 0
	if coded {
		decoded, err := hpack.HuffmanDecodeToString(in)
		if err != nil {
			decoded = ""
		}
		s = decoded
	}
	shown, asIs := hide(s, len(in))
	if asIs {
		copy(out, in)
		return s, len(s)
	}
	if coded && len(shown) > len(in) {
		copy(out, hpack.AppendHuffmanString(nil, shown))
		return s, len(shown)
	}
	c.out[head] &^= huffman
	copy(out, shown)
	return s, len(in)
}
