package json

import (
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

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
