package plain

import "reflect"

// Each calls f for every T in what v points to, keys of maps aside. Where a T is within another,
// f is called for the outer one alone.
func Each[T any](v any, f func(*T)) {
	e := visitor[T]{f: f, has: map[reflect.Type]bool{}}
	e.visit(reflect.ValueOf(v).Elem())
}

type visitor[T any] struct {
	f   func(*T)
	has map[reflect.Type]bool // whether there may be one in values of a type
}

// holds reports whether there may be a T in values of a type.
func (e *visitor[T]) holds(t reflect.Type) bool {
	if has, known := e.has[t]; known {
		return has
	}
	e.has[t] = false // while it is not known, for types that contain themselves
	has := t == reflect.TypeFor[T]()
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			has = has || e.holds(t.Field(i).Type)
		}
	case reflect.Map, reflect.Array, reflect.Slice, reflect.Pointer:
		has = has || e.holds(t.Elem())
	}
	e.has[t] = has
	return has
}

func (e *visitor[T]) visit(v reflect.Value) {
	if !e.holds(v.Type()) {
		return
	}
	if v.Type() == reflect.TypeFor[T]() {
		e.f(v.Addr().Interface().(*T))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			e.visit(fieldOf(v, i))
		}
	case reflect.Array, reflect.Slice:
		for i := range v.Len() {
			e.visit(v.Index(i))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			e.visit(v.Elem())
		}
	case reflect.Map:
		for key, value := range v.Seq2() {
			own := reflect.New(value.Type()).Elem()
			own.Set(value)
			e.visit(own)
			v.SetMapIndex(key, own)
		}
	}
}
