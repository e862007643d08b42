package http2

import (
	"bytes"

	"golang.org/x/net/http2/hpack"
)

const (
	// maxBlock is the longest header block that is read, and maxFragments the most frames that
	// bring one: what is beyond is no request, but a flood (RFC 9113 §10.5.1).
	maxBlock     = 64 << 10
	maxFragments = 64
	// maxValue is up to how many octets of a value are read.
	maxValue = 8 << 10
	// maxTable caps the dynamic table of a direction, by the sizes of RFC 7541 §4.1.
	maxTable  = 64 << 10
	entrySize = 32 // that each entry counts beside its text
	// maxFields caps the fields that are given of one block.
	maxFields = 128
)

// Representations of a field (RFC 7541 §6).
const (
	indexed    = 0x80
	inserted   = 0x40 // a literal that enters the table
	sizeUpdate = 0x20
)

// table is the dynamic table of one direction, as far as the capture shows it. It may begin in the
// middle of a connection: what was inserted before is unknown, never wrong. As indices count from
// the newest entry, and what the sender evicted is not named again, nothing need be evicted as the
// sender does it; the limit here is only memory.
type table struct {
	static  []field
	entries []field // the oldest first
	size    int
	doubted bool         // blocks may have been missed
	text    bytes.Buffer // room for what is decoded
}

// forget empties the table: insertions were missed.
func (t *table) forget() { t.entries, t.size, t.doubted = nil, 0, false }

// insert adds the newest entry. The oldest go if there are too many.
func (t *table) insert(f field) {
	t.entries = append(t.entries, f)
	t.size += entrySize + len(f.value)
	n := 0
	for t.size > maxTable {
		t.size -= entrySize + len(t.entries[n].value)
		n++
	}
	if n > 0 {
		rest := copy(t.entries, t.entries[n:])
		clear(t.entries[rest:])
		t.entries = t.entries[:rest]
	}
}

// at is the entry with an index (RFC 7541 §2.3.3); unknown if the capture lacks it.
func (t *table) at(index uint64) field {
	if index <= uint64(len(t.static)) {
		return t.static[index-1]
	}
	back := index - staticSize
	if index <= staticSize || back > uint64(len(t.entries)) {
		return field{}
	}
	return t.entries[uint64(len(t.entries))-back]
}

// read reads a header block, and adds the fields of it that matter, or are not known, to fields. It
// reports whether all of the block could be read; else the table is empty, as nobody knows what was
// inserted.
func (t *table) read(block []byte, fields []field) ([]field, bool) {
	for len(block) > 0 {
		f, rest, ok := t.next(block)
		if !ok {
			t.forget()
			return fields, false
		}
		block = rest
		if f.name != otherField && len(fields) < maxFields {
			fields = append(fields, f)
		}
	}
	return fields, true
}

// next reads one representation. A change of the table's size gives no field of interest: it moves
// no index that may still be named.
func (t *table) next(block []byte) (f field, rest []byte, ok bool) {
	nothing := field{name: otherField}
	switch c := block[0]; {
	case c&indexed != 0:
		index, rest, ok := integer(block, 7)
		if !ok || index == 0 {
			return nothing, nil, false
		}
		return t.at(index), rest, true
	case c&inserted != 0:
		f, rest, ok = t.literal(block, 6)
		if ok {
			t.insert(f)
		}
		return f, rest, ok
	case c&sizeUpdate != 0:
		_, rest, ok = integer(block, 5)
		return nothing, rest, ok
	}
	return t.literal(block, 4)
}

// literal reads a field whose value is a literal, and whose name may be (RFC 7541 §6.2). bits is
// how long the prefix of the name's index is.
func (t *table) literal(block []byte, bits int) (f field, rest []byte, ok bool) {
	index, rest, ok := integer(block, bits)
	if !ok {
		return f, nil, false
	}
	if index > 0 {
		f.name = t.at(index).name
	} else {
		var name text
		name, rest, ok = stringLiteral(rest)
		if !ok {
			return f, nil, false
		}
		f.name = t.name(name)
	}
	value, rest, ok := stringLiteral(rest)
	if !ok {
		return f, nil, false
	}
	if f.name > otherField {
		var b []byte
		b, f.known = t.decode(value, maxValue)
		f.value = string(b)
	}
	return f, rest, true
}

// name recognises a name that is a literal.
func (t *table) name(s text) fieldName {
	// no code of Huffman's is longer than 30 bits, so that what is longer is no name that matters
	if len(s.octets) > longestName*30/8+1 {
		return otherField
	}
	b, ok := t.decode(s, maxValue)
	if !ok {
		return otherField
	}
	return nameField(b)
}

// text is a string literal (RFC 7541 §5.2).
type text struct {
	octets  []byte
	huffman bool
}

// decode is what a string literal says; false if it is too long, or no text. It is valid until the
// next call.
func (t *table) decode(s text, most int) ([]byte, bool) {
	switch {
	case len(s.octets) > most:
		return nil, false
	case !s.huffman:
		return s.octets, true
	}
	t.text.Reset()
	if _, err := hpack.HuffmanDecode(&t.text, s.octets); err != nil {
		return nil, false
	}
	return t.text.Bytes(), true
}

// stringLiteral reads a string.
func stringLiteral(b []byte) (s text, rest []byte, ok bool) {
	if len(b) == 0 {
		return s, nil, false
	}
	s.huffman = b[0]&0x80 != 0
	n, rest, ok := integer(b, 7)
	if !ok || n > uint64(len(rest)) {
		return s, nil, false
	}
	s.octets = rest[:n]
	return s, rest[n:], true
}

// integer reads an integer whose first octet has a prefix of so many bits (RFC 7541 §5.1). None
// that is used is longer than 32 bits.
func integer(b []byte, bits int) (n uint64, rest []byte, ok bool) {
	if len(b) == 0 {
		return 0, nil, false
	}
	most := uint64(1)<<bits - 1
	n = uint64(b[0]) & most
	if b = b[1:]; n < most {
		return n, b, true
	}
	for shift := 0; shift < 32 && len(b) > 0; shift += 7 {
		c := b[0]
		b = b[1:]
		n += uint64(c&0x7f) << shift
		if c&0x80 == 0 {
			return n, b, n < 1<<32
		}
	}
	return 0, nil, false
}
