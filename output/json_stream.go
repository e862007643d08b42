package output

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
)

// objectWriter writes one indented JSON object member by member, and its arrays element by element, so that a report
// takes no more memory than its largest part. After an error it writes nothing more; end returns it.
type objectWriter struct {
	to      *bufio.Writer
	buf     bytes.Buffer
	members int
	listing bool // in an array
	length  int  // of that array, so far
	err     error
}

func newObjectWriter(w io.Writer) *objectWriter {
	return &objectWriter{to: bufio.NewWriterSize(w, 1<<16)}
}

// member writes a member with its value.
func (o *objectWriter) member(name string, value any) {
	o.name(name)
	o.value("  ", value)
}

// array begins a member that is an array; it ends with the next member.
func (o *objectWriter) array(name string) *objectWriter {
	o.name(name)
	o.listing, o.length = true, 0
	o.write("[")
	return o
}

// element writes the next element of the array.
func (o *objectWriter) element(value any) {
	if o.length > 0 {
		o.write(",")
	}
	o.length++
	o.write("\n    ")
	o.value("    ", value)
}

// end writes the end of the object.
func (o *objectWriter) end() error {
	o.closeArray()
	o.write("\n}\n")
	if o.err != nil {
		return o.err
	}
	return o.to.Flush()
}

// name begins a member.
func (o *objectWriter) name(name string) {
	o.closeArray()
	if o.members == 0 {
		o.write("{")
	} else {
		o.write(",")
	}
	o.members++
	o.write("\n  \"" + name + "\": ")
}

func (o *objectWriter) closeArray() {
	if o.listing && o.length > 0 {
		o.write("\n  ")
	}
	if o.listing {
		o.write("]")
	}
	o.listing = false
}

// value writes a value, its further lines indented by prefix.
func (o *objectWriter) value(prefix string, v any) {
	o.buf.Reset()
	enc := json.NewEncoder(&o.buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent(prefix, "  ")
	if err := enc.Encode(v); err != nil && o.err == nil {
		o.err = err
	}
	o.write(string(bytes.TrimSuffix(o.buf.Bytes(), []byte("\n"))))
}

func (o *objectWriter) write(s string) {
	if o.err == nil {
		_, o.err = o.to.WriteString(s)
	}
}
