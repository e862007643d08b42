package json

import (
	"maps"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// object is a part of a report that can be written. Its method is in generated.go, which is made of
// the structs and their tags: with a new member, go test ./output/json -update writes it anew. Of a
// member that goes, or has another name or type, its line there is to be changed by hand first.
type object interface {
	// appendTo appends the object, without spaces; null for a nil pointer.
	appendTo(b []byte) []byte
}

// null is what is not known, or not there.
const null = "null"

// appendString appends a string. What is no UTF-8 becomes U+FFFD.
func appendString[T ~string](b []byte, s T) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			b, _ = jsontext.AppendQuote(b, s) // it says if there is something that is no UTF-8
			return b
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// appendTo appends the text, or null.
func (m maybe) appendTo(b []byte) []byte {
	if m == "" {
		return append(b, null...)
	}
	return appendString(b, m)
}

// integer is a type of numbers of JSON objects.
type integer interface {
	int | int64 | uint16 | uint32 | uint64
}

func appendNumber[T integer](b []byte, n T) []byte {
	if n < 0 {
		return strconv.AppendInt(b, int64(n), 10)
	}
	return strconv.AppendUint(b, uint64(n), 10)
}

// appendKnown appends a number, or null for nil.
func appendKnown[T integer](b []byte, n *T) []byte {
	if n == nil {
		return append(b, null...)
	}
	return appendNumber(b, *n)
}

// appendEach appends a list of scalars.
func appendEach[T any](b []byte, list []T, one func([]byte, T) []byte) []byte {
	b = append(b, '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = one(b, v)
	}
	return append(b, ']')
}

// appendObjects appends a list of objects.
func appendObjects[T any](b []byte, list []T, one func(*T, []byte) []byte) []byte {
	b = append(b, '[')
	for i := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = one(&list[i], b)
	}
	return append(b, ']')
}

// appendMap appends an object of objects, in the order of their names.
func appendMap[T any](b []byte, m map[string]T, one func(*T, []byte) []byte) []byte {
	b = append(b, '{')
	for i, name := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			b = append(b, ',')
		}
		value := m[name]
		b = one(&value, append(appendString(b, name), ':'))
	}
	return append(b, '}')
}

// appendCounts appends an object of numbers, in the order of their names.
func appendCounts[T integer](b []byte, m map[string]T) []byte {
	return appendMap(b, m, func(n *T, b []byte) []byte { return appendNumber(b, *n) })
}

func appendBool(b []byte, v bool) []byte { return strconv.AppendBool(b, v) }

func appendFloat(b []byte, v float64) []byte { return jsontext.AppendFloat(b, v, 64) }
