package http2

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/http2/hpack"
	"pgregory.net/rapid"
)

// vocabulary are names that encoders meet.
var vocabulary = []string{
	":method", ":path", ":authority", ":status", "content-type", "cookie", "x-custom", "user-agent",
	"grpc-status", "a-name-that-is-longer-than-any-that-matters", "server", "accept",
}

// drawBlocks draws header blocks as an encoder with a table of some size writes them, and what they
// say.
func drawBlocks(t *rapid.T) (blocks [][]byte, said [][]hpack.HeaderField) {
	var out bytes.Buffer
	e := hpack.NewEncoder(&out)
	value := rapid.StringMatching(`[a-f]{0,3}|[ -~]{0,40}`)
	for range rapid.IntRange(1, 12).Draw(t, "blocks") {
		out.Reset()
		if rapid.IntRange(0, 5).Draw(t, "resize") == 0 {
			e.SetMaxDynamicTableSize(rapid.Uint32Range(0, 4096).Draw(t, "size"))
		}
		var fields []hpack.HeaderField
		for range rapid.IntRange(0, 8).Draw(t, "fields") {
			f := hpack.HeaderField{
				Name:      rapid.SampledFrom(vocabulary).Draw(t, "name"),
				Value:     value.Draw(t, "value"),
				Sensitive: rapid.IntRange(0, 6).Draw(t, "sensitive") == 0,
			}
			if err := e.WriteField(f); err != nil {
				t.Fatal(err)
			}
			fields = append(fields, f)
		}
		blocks = append(blocks, append([]byte(nil), out.Bytes()...))
		said = append(said, fields)
	}
	return blocks, said
}

// readAll reads one block representation by representation, changes of the table's size left out.
func readAll(t *table, block []byte) (fields []field, ok bool) {
	for len(block) > 0 {
		resize := block[0]&0xe0 == sizeUpdate
		f, rest, ok := t.next(block)
		if !ok {
			return fields, false
		}
		if block = rest; !resize {
			fields = append(fields, f)
		}
	}
	return fields, true
}

// agree checks that what was read is what was said, or unknown if that is allowed.
func agree(t *rapid.T, said []hpack.HeaderField, read []field, unknown bool) {
	if len(read) != len(said) {
		t.Fatalf("%d fields of %d", len(read), len(said))
	}
	for i, f := range read {
		want := nameField([]byte(said[i].Name))
		switch {
		case f.name == unknownField && unknown:
		case f.name != want:
			t.Fatalf("field %d is %v, not %v (%v)", i, f.name, want, said[i])
		case want == otherField && f.value != "":
			t.Fatalf("field %d: a value that does not matter is kept", i)
		case want == otherField || !f.known && unknown:
		case !f.known || f.value != said[i].Value:
			t.Fatalf("field %d is %q, not %q", i, f.value, said[i].Value)
		}
	}
}

// TestTableReadsAll compares a table that sees everything with what was said.
func TestTableReadsAll(t *testing.T) {
	static := staticTable()
	if len(static) != staticSize || static[1] != (field{methodField, "GET", true}) ||
		static[0] != (field{authorityField, "", true}) || static[60].name != otherField {
		t.Fatalf("static table: %v", static)
	}
	rapid.Check(t, func(t *rapid.T) {
		blocks, said := drawBlocks(t)
		tb := table{static: static}
		for i, b := range blocks {
			read, ok := readAll(&tb, b)
			if !ok {
				t.Fatalf("block %d cannot be read", i)
			}
			agree(t, said[i], read, false)
		}
	})
}

// TestTableFromTheMiddle has a table that begins later, and one that lost a block: each field is
// right or unknown.
func TestTableFromTheMiddle(t *testing.T) {
	static := staticTable()
	rapid.Check(t, func(t *rapid.T) {
		blocks, said := drawBlocks(t)
		tb := table{static: static}
		for i := rapid.IntRange(0, len(blocks)-1).Draw(t, "first"); i < len(blocks); i++ {
			if rapid.IntRange(0, 4).Draw(t, "lost") == 0 {
				tb.forget()
				continue
			}
			read, ok := readAll(&tb, blocks[i])
			if !ok {
				t.Fatalf("block %d cannot be read", i)
			}
			agree(t, said[i], read, true)
		}
	})
}

// TestTableIsBounded feeds a table what is made to grow.
func TestTableIsBounded(t *testing.T) {
	tb := table{static: staticTable()}
	long := strings.Repeat("a", 4000)
	var block []byte
	for i := range 100 {
		block = append(block[:0], inserted|4) // :path
		block = append(block, 0x7f, 0xa1, 0x1e)
		block = append(block, fmt.Sprintf("%04d", i)...)
		block = append(block, long[4:]...)
		if _, ok := tb.read(block, nil); !ok {
			t.Fatal("cannot be read")
		}
	}
	if tb.size > maxTable || len(tb.entries) > maxTable/4000 {
		t.Errorf("%d entries of %d octets", len(tb.entries), tb.size)
	}
	bomb := bytes.Repeat([]byte{indexed | (staticSize + 1)}, maxBlock)
	fields, ok := tb.read(bomb, nil)
	if !ok || len(fields) > maxFields || fields[0].value[:4] != "0099" {
		t.Errorf("%d fields", len(fields))
	}
}

// FuzzTable reads any octets: nothing panics, what is kept is bounded, and where hpack reads the
// same from the beginning on, both agree.
func FuzzTable(f *testing.F) {
	f.Add([]byte{0x82, 0x86, 0x84, 0x41, 0x01, 'h'}, []byte{0xbe})
	static := staticTable()
	f.Fuzz(func(t *testing.T, first, second []byte) {
		if len(first)+len(second) > maxBlock {
			return
		}
		tb := table{static: static}
		var said []hpack.HeaderField
		d := hpack.NewDecoder(1<<20, func(h hpack.HeaderField) { said = append(said, h) })
		d.SetAllowedMaxDynamicTableSize(1 << 20)
		for _, block := range [][]byte{first, second} {
			said = said[:0]
			_, err := d.Write(block)
			if err == nil {
				err = d.Close()
			}
			read, ok := readAll(&tb, block)
			if tb.size > maxTable {
				t.Fatalf("table of %d octets", tb.size)
			}
			if err != nil || !ok {
				return
			}
			compare(t, said, read)
		}
	})
}

// compare checks that both agree, as far as the table knows.
func compare(t *testing.T, said []hpack.HeaderField, read []field) {
	if len(said) != len(read) {
		t.Fatalf("%d fields of %d", len(read), len(said))
	}
	for i, f := range read {
		want := nameField([]byte(said[i].Name))
		if f.name != unknownField && f.name != want ||
			f.name > otherField && f.known && f.value != said[i].Value {
			t.Fatalf("field %d: %v, not %v", i, f, said[i])
		}
	}
}
