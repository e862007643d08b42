package json

import (
	"bufio"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// objectWriter writes one JSON object, perhaps indented, member by member, and its arrays element by element,
// so that a report takes no more memory than its largest part. After an error it writes nothing
// more; end returns it.
type objectWriter struct {
	to      *bufio.Writer // the encoder would write each element
	enc     *jsontext.Encoder
	listing bool // in an array
	err     error
}

func newObjectWriter(w io.Writer, indented bool) *objectWriter {
	to := bufio.NewWriterSize(w, 1<<16)
	options := []jsontext.Options{jsontext.AllowInvalidUTF8(true)}
	if indented {
		options = append(options, jsontext.WithIndent("  "))
	}
	o := &objectWriter{to: to, enc: jsontext.NewEncoder(to, options...)}
	o.token(jsontext.BeginObject)
	return o
}

// member writes a member with its value.
func (o *objectWriter) member(name string, value any) {
	o.name(name)
	o.value(value)
}

// array begins a member that is an array; it ends with the next member.
func (o *objectWriter) array(name string) *objectWriter {
	o.name(name)
	o.token(jsontext.BeginArray)
	o.listing = true
	return o
}

// element writes the next element of the array.
func (o *objectWriter) element(value any) { o.value(value) }

// end writes the end of the object.
func (o *objectWriter) end() error {
	o.closeArray()
	o.token(jsontext.EndObject)
	if o.err != nil {
		return o.err
	}
	return o.to.Flush()
}

// name begins a member.
func (o *objectWriter) name(name string) {
	o.closeArray()
	o.token(jsontext.String(name))
}

func (o *objectWriter) closeArray() {
	if o.listing {
		o.token(jsontext.EndArray)
	}
	o.listing = false
}

func (o *objectWriter) token(t jsontext.Token) {
	if o.err == nil {
		o.err = o.enc.WriteToken(t)
	}
}

func (o *objectWriter) value(v any) {
	if o.err == nil {
		o.err = json.MarshalEncode(o.enc, v, json.Deterministic(true))
	}
}

// lineWriter writes values as lines of JSON, each with one write. After an error it writes nothing
// more.
type lineWriter struct {
	enc *jsontext.Encoder
	err error
}

func newLineWriter(w io.Writer) *lineWriter {
	return &lineWriter{enc: jsontext.NewEncoder(w, jsontext.AllowInvalidUTF8(true))}
}

// line writes v.
func (l *lineWriter) line(v any) {
	if l.err == nil {
		l.err = json.MarshalEncode(l.enc, v, json.Deterministic(true))
	}
}

// member reads a value and hands it on.
func member[T any](in *jsontext.Decoder, take func(*T)) error {
	var v T
	err := json.UnmarshalDecode(in, &v)
	if err == nil {
		take(&v)
	}
	return err
}

// elements reads an array and hands its elements on, one by one.
func elements[T any](in *jsontext.Decoder, take func(*T)) error {
	if err := begin(in, jsontext.KindBeginArray); err != nil {
		return err
	}
	for in.PeekKind() != jsontext.KindEndArray {
		if err := member(in, take); err != nil {
			return err
		}
	}
	_, err := in.ReadToken()
	return err
}

// members reads an object: take is called for each member, behind its name.
func members(in *jsontext.Decoder, take func(name string) error) error {
	if err := begin(in, jsontext.KindBeginObject); err != nil {
		return err
	}
	for in.PeekKind() != jsontext.KindEndObject {
		name, err := in.ReadToken()
		if err == nil {
			err = take(name.String())
		}
		if err != nil {
			return err
		}
	}
	_, err := in.ReadToken()
	return err
}

// begin reads the beginning of an object or an array.
func begin(in *jsontext.Decoder, kind jsontext.Kind) error {
	t, err := in.ReadToken()
	if err == nil && t.Kind() != kind {
		err = fmt.Errorf("there is %s at %q, not %s", t.Kind(), in.StackPointer(), kind)
	}
	return err
}
