package json

import (
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Plain is an error of reading JSON as a user is told of it: what is wrong, and where, without the
// names of this program's types.
func Plain(err error) error {
	var syntax *jsontext.SyntacticError
	var meaning *json.SemanticError
	switch {
	case errors.As(err, &meaning):
		return plainMeaning(meaning)
	case !errors.As(err, &syntax):
		return err
	case errors.Is(syntax.Err, io.ErrUnexpectedEOF):
		return fmt.Errorf("it ends too soon: %w", syntax.Err)
	case syntax.ByteOffset == 0 && syntax.JSONPointer == "":
		return fmt.Errorf("it is no JSON: %w", syntax.Err)
	}
	return fmt.Errorf("octet %d is no JSON: %w", syntax.ByteOffset, syntax.Err)
}

// plainMeaning is an error about a value that is JSON, but not what is wanted there.
func plainMeaning(e *json.SemanticError) error {
	switch {
	case errors.Is(e, json.ErrUnknownName):
		return fmt.Errorf("at %q: there is no such member", e.JSONPointer)
	case e.Err != nil:
		return fmt.Errorf("at %q: %w", e.JSONPointer, e.Err)
	}
	at := ""
	if e.JSONPointer != "" {
		at = fmt.Sprintf("at %q: ", e.JSONPointer)
	}
	return fmt.Errorf("%s%s is not expected there", at, kindName(e.JSONKind))
}

// kindName is what a value is called.
func kindName(k jsontext.Kind) string {
	switch k {
	case jsontext.KindBeginObject:
		return "an object"
	case jsontext.KindBeginArray:
		return "an array"
	case jsontext.KindString, jsontext.KindNumber:
		return "a " + k.String()
	}
	return k.String()
}
