package json

import (
	"bytes"
	"fmt"
	"go/format"
	"reflect"
	"strings"
	"testing"

	"tcpwhy/internal/golden"
)

// written are the objects that are written by themselves: all others are parts of them.
var written = []any{
	toolObject{}, captureObject{}, summaryObject{}, traceObject{}, storyObject{}, findingObject{},
	endpointObject{}, overObject{}, connectionObject{}, exchangeObject{}, errorObject{},
	captureLine{}, errorLine{}, lineStart{}, comparisonObject{},
}

// TestGenerated makes generated.go: the methods that write objects.
func TestGenerated(t *testing.T) {
	g := generator{done: map[reflect.Type]bool{}}
	g.printf(
		"// Code generated of the structs by go test -update. DO NOT EDIT.\n\npackage json\n\n",
	)
	for _, o := range written {
		g.object(reflect.TypeOf(o))
	}
	source, err := format.Source(g.out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	golden.File(t, "generated.go", source)
}

// generator prints a method for each struct.
type generator struct {
	out  bytes.Buffer
	done map[reflect.Type]bool
}

func (g *generator) printf(form string, args ...any) { fmt.Fprintf(&g.out, form, args...) }

// object prints the method of a struct, and those of its parts.
func (g *generator) object(t reflect.Type) {
	if g.done[t] {
		return
	}
	g.done[t] = true
	parts := []reflect.Type{}
	g.printf("\nfunc (o *%s) appendTo(b []byte) []byte {\n", t.Name())
	g.printf("if o == nil {\nreturn append(b, null...)\n}\n")
	for i, f := range membersOf(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		value, part := appending(
			f.Type,
			fmt.Sprintf("append(b, `%c%q:`...)", "{,"[min(i, 1)], name),
			"o."+f.Name,
		)
		if options != "" {
			g.printf("if %s {\nb = %s\n}\n", given(f.Type, "o."+f.Name), value)
		} else {
			g.printf("b = %s\n", value)
		}
		if part != nil {
			parts = append(parts, part)
		}
	}
	g.printf("return append(b, '}')\n}\n")
	for _, part := range parts {
		g.object(part)
	}
}

// membersOf are the fields of a struct, with those of embedded ones in their place.
func membersOf(t reflect.Type) (all []reflect.StructField) {
	for f := range t.Fields() {
		if !f.Anonymous && f.Tag.Get("json") != ",embed" {
			all = append(all, f)
			continue
		}
		for _, inner := range membersOf(f.Type) {
			if !f.Anonymous {
				inner.Name = f.Name + "." + inner.Name
			}
			all = append(all, inner)
		}
	}
	return all
}

// given is the condition under which a member that may be left out is not.
func given(t reflect.Type, value string) string {
	switch t.Kind() {
	case reflect.Pointer:
		return value + " != nil"
	case reflect.Slice:
		return value + " != nil"
	case reflect.Int64:
		return value + " != 0"
	case reflect.Bool:
		return value
	}
	panic("nothing says when to leave out " + t.String())
}

// appending is the expression that appends a value to b, and the struct that is a part of it.
func appending(t reflect.Type, b, value string) (expression string, part reflect.Type) {
	method := fmt.Sprintf("%s.appendTo(%s)", value, b)
	switch e := elementOf(t); {
	case t.Kind() == reflect.Struct:
		return method, t
	case hasMethod(t):
		return method, nil
	case t.Kind() == reflect.Pointer && (e.Kind() == reflect.Struct || hasMethod(e)):
		return method, partOf(e)
	case t.Kind() == reflect.Pointer:
		return fmt.Sprintf("appendKnown(%s, %s)", b, value), nil
	case t.Kind() == reflect.Slice && (e.Kind() == reflect.Struct || hasMethod(e)):
		return fmt.Sprintf("appendObjects(%s, %s, (*%s).appendTo)", b, value, e.Name()), partOf(e)
	case t.Kind() == reflect.Slice:
		return fmt.Sprintf("appendEach(%s, %s, %s[%s])", b, value, function(e), e), nil
	case t.Kind() == reflect.Map && e.Kind() == reflect.Struct:
		return fmt.Sprintf("appendMap(%s, %s, (*%s).appendTo)", b, value, e.Name()), e
	case t.Kind() == reflect.Map:
		return fmt.Sprintf("appendCounts(%s, %s)", b, value), nil
	}
	return fmt.Sprintf("%s(%s, %s)", function(t), b, value), nil
}

// hasMethod reports whether a type that is no struct has a method of its own that appends it.
func hasMethod(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[object]())
}

// function names what appends a value of a type of the language.
func function(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "appendString"
	case reflect.Bool:
		return "appendBool"
	case reflect.Float64:
		return "appendFloat"
	}
	return "appendNumber"
}

// elementOf is what a pointer, list or map holds; nil for anything else.
func elementOf(t reflect.Type) reflect.Type {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return t.Elem()
	}
	return nil
}

// partOf is t, if it is a struct.
func partOf(t reflect.Type) reflect.Type {
	if t.Kind() != reflect.Struct {
		return nil
	}
	return t
}
