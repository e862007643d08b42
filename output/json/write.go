package json

import (
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// objectWriter writes one JSON object member by member, and its arrays part by part, so that a
// report takes no more memory than its largest part; one that is indented is small. After an error
// it writes nothing more; end returns it.
type objectWriter struct {
	to       io.Writer
	text     []byte // not yet written
	indented bool
	err      error
}

// newObjectWriter begins an object with what each has.
func newObjectWriter(w io.Writer, indented bool, opts Options) *objectWriter {
	o := &objectWriter{to: w, indented: indented, text: []byte{'{'}}
	o.name("schema_version")
	o.text = appendNumber(o.text, schemaVersion)
	tool := opts.tool()
	o.member("tool", &tool)
	return o
}

// member writes a member with its value.
func (o *objectWriter) member(name string, value object) {
	o.name(name)
	o.text = value.appendTo(o.text)
}

// array writes a member that is an array of n elements, each made by a call of element.
func (o *objectWriter) array(name string, n int, element element) {
	o.name(name)
	o.text = append(o.text, '[')
	inParts(n, func(part []byte, i int) []byte {
		if i > 0 {
			part = append(part, ',')
		}
		return element(part, i)
	}, func(part []byte) {
		o.text = append(o.text, part...)
		o.flush()
	})
	o.text = append(o.text, ']')
}

// name begins a member.
func (o *objectWriter) name(name string) {
	if len(o.text) != 1 || o.text[0] != '{' {
		o.text = append(o.text, ',')
	}
	o.text = append(appendString(o.text, name), ':')
}

// mostHeld is how many octets are held before they are written.
const mostHeld = 1 << 16

// flush writes what there is to write, if it is much and stays as it is.
func (o *objectWriter) flush() {
	if !o.indented && len(o.text) >= mostHeld {
		o.write()
	}
}

func (o *objectWriter) write() {
	if o.err == nil {
		_, o.err = o.to.Write(o.text)
	}
	o.text = o.text[:0]
}

// end writes the end of the object.
func (o *objectWriter) end() error {
	o.text = append(o.text, '}')
	if o.indented {
		o.text, o.err = jsontext.AppendFormat(nil, o.text, jsontext.WithIndent("  "))
	}
	o.text = append(o.text, '\n')
	o.write()
	return o.err
}

// lineWriter writes values as lines of JSON: each with one write, or many of them. After an error
// it writes nothing more.
type lineWriter struct {
	to   io.Writer
	text []byte
	err  error
}

func newLineWriter(w io.Writer) *lineWriter { return &lineWriter{to: w} }

// line writes an object.
func (l *lineWriter) line(o object) {
	l.text = append(o.appendTo(l.text[:0]), '\n')
	l.write(l.text)
}

// typed writes an object behind the start of its line.
func (l *lineWriter) typed(start lineStart, o object) {
	l.text = appendLine(l.text[:0], start.appendTo(nil), o.appendTo)
	l.write(l.text)
}

// lines writes n objects of that type, each made by a call of element.
func (l *lineWriter) lines(kind string, n int, element element) {
	start := (&lineStart{Type: kind}).appendTo(nil)
	inParts(n, func(part []byte, i int) []byte {
		return appendLine(part, start, func(b []byte) []byte { return element(b, i) })
	}, l.write)
}

// appendLine appends an object with other members before its own. Neither is without members.
func appendLine(b, start []byte, object func([]byte) []byte) []byte {
	b = append(b, start...)
	end := len(b) - 1
	b = append(object(b[:end]), '\n')
	b[end] = ','
	return b
}

func (l *lineWriter) write(text []byte) {
	if l.err == nil {
		_, l.err = l.to.Write(text)
	}
}
