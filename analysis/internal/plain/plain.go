// Package plain writes values down as octets and reads them back: whatever holds no function, no
// channel and no interface. The octets of equal values are equal. Fields count whether they are
// exported or not, so that a type that is kept in memory can be written as it is; what that is
// must be known to who reads: see Shape.
//
// Numbers are variable in length, text and lists begin with their length, maps are in the order of
// their keys, pointers are a list of none or one. Whatever is read allocates no more than a fixed
// multiple of its length.
package plain

import (
	"bytes"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
)

// ErrShort says that octets end too early, or hold what no value can be.
var ErrShort = errors.New("the octets hold no such value")

// marshals are types that write themselves: addresses and moments.
var (
	appender    = reflect.TypeFor[encoding.BinaryAppender]()
	unmarshaler = reflect.TypeFor[encoding.BinaryUnmarshaler]()
)

// byItself reports whether values of a type write and read themselves: only structs do.
func byItself(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.Implements(appender) &&
		reflect.PointerTo(t).Implements(unmarshaler)
}

// themselves remembers which types of structs write and read themselves.
type themselves map[reflect.Type]bool

func (all themselves) has(t reflect.Type) bool {
	is, known := all[t]
	if !known {
		is = byItself(t)
		all[t] = is
	}
	return is
}

// Append appends what v points to.
func Append(b []byte, v any) ([]byte, error) {
	w := writer{octets: b, own: themselves{}}
	w.write(reflect.ValueOf(v).Elem())
	return w.octets, w.err
}

type writer struct {
	octets []byte
	err    error
	own    themselves
}

// fieldOf is a field of a struct that has an address, to be read and written.
func fieldOf(v reflect.Value, i int) reflect.Value {
	f := v.Field(i)
	if f.CanSet() {
		return f
	}
	return reflect.NewAt(f.Type(), f.Addr().UnsafePointer()).Elem()
}

// write appends a value that has an address.
func (w *writer) write(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64,
		reflect.Float64:
		w.number(v)
	case reflect.String:
		w.text([]byte(v.String()))
	case reflect.Struct:
		w.fields(v)
	case reflect.Array:
		for i := range v.Len() {
			w.write(v.Index(i))
		}
	case reflect.Slice:
		w.length(v)
		for i := range v.Len() {
			w.write(v.Index(i))
		}
	case reflect.Pointer:
		if v.IsNil() {
			w.octets = append(w.octets, 0)
			return
		}
		w.octets = append(w.octets, 1)
		w.write(v.Elem())
	case reflect.Map:
		w.entries(v)
	default:
		w.err = errors.Join(w.err, fmt.Errorf("%s is no plain value", v.Type()))
	}
}

// fields appends a struct.
func (w *writer) fields(v reflect.Value) {
	if w.own.has(v.Type()) {
		own, err := v.Interface().(encoding.BinaryAppender).AppendBinary(nil)
		w.err = errors.Join(w.err, err)
		w.text(own)
		return
	}
	for i := range v.NumField() {
		w.write(fieldOf(v, i))
	}
}

// number appends a value of one number.
func (w *writer) number(v reflect.Value) {
	switch {
	case v.CanInt():
		w.octets = binary.AppendVarint(w.octets, v.Int())
	case v.CanUint():
		w.octets = binary.AppendUvarint(w.octets, v.Uint())
	case v.CanFloat():
		w.octets = binary.BigEndian.AppendUint64(w.octets, math.Float64bits(v.Float()))
	case v.Bool():
		w.octets = append(w.octets, 1)
	default:
		w.octets = append(w.octets, 0)
	}
}

// text appends octets behind their length.
func (w *writer) text(s []byte) {
	w.octets = binary.AppendUvarint(w.octets, uint64(len(s)))
	w.octets = append(w.octets, s...)
}

// length appends the length of a list or a map, of which none is not the same as an empty one.
func (w *writer) length(v reflect.Value) {
	n := uint64(0)
	if !v.IsNil() {
		n = uint64(v.Len()) + 1
	}
	w.octets = binary.AppendUvarint(w.octets, n)
}

// entries appends a map, in the order of what its keys are written as.
func (w *writer) entries(v reflect.Value) {
	w.length(v)
	all := make([][2][]byte, 0, v.Len())
	for key, value := range v.Seq2() {
		var entry [2][]byte
		for i, of := range [2]reflect.Value{key, value} {
			own := reflect.New(of.Type()).Elem()
			own.Set(of)
			one := writer{own: w.own}
			one.write(own)
			entry[i], w.err = one.octets, errors.Join(w.err, one.err)
		}
		all = append(all, entry)
	}
	slices.SortFunc(all, func(a, b [2][]byte) int { return bytes.Compare(a[0], b[0]) })
	for _, entry := range all {
		w.octets = append(append(w.octets, entry[0]...), entry[1]...)
	}
}

// Read reads what v points to, and gives the octets behind it.
func Read(octets []byte, v any) (rest []byte, err error) {
	r := reader{octets: octets, least: map[reflect.Type]int{}, own: themselves{}}
	r.read(reflect.ValueOf(v).Elem())
	if r.bad {
		return nil, ErrShort
	}
	return r.octets, nil
}

type reader struct {
	octets []byte
	bad    bool
	least  map[reflect.Type]int // octets that a value takes
	own    themselves
}

// read reads a value that has an address.
func (r *reader) read(v reflect.Value) {
	if r.bad {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(string(r.text()))
	case reflect.Struct:
		r.fields(v)
	case reflect.Array:
		for i := range v.Len() {
			r.read(v.Index(i))
		}
	case reflect.Slice:
		if n, some := r.length(v.Type().Elem()); some {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				r.read(v.Index(i))
			}
		}
	case reflect.Pointer:
		if r.flag() {
			v.Set(reflect.New(v.Type().Elem()))
			r.read(v.Elem())
		}
	case reflect.Map:
		r.entries(v)
	default:
		r.number(v)
	}
}

// fields reads a struct.
func (r *reader) fields(v reflect.Value) {
	if r.own.has(v.Type()) {
		own := r.text()
		if !r.bad {
			r.bad = v.Addr().Interface().(encoding.BinaryUnmarshaler).UnmarshalBinary(own) != nil
		}
		return
	}
	for i := range v.NumField() {
		r.read(fieldOf(v, i))
	}
}

// number reads a value of one number.
func (r *reader) number(v reflect.Value) {
	switch {
	case v.CanInt():
		n, used := binary.Varint(r.octets)
		if r.pass(used); !r.bad && !v.OverflowInt(n) {
			v.SetInt(n)
			return
		}
	case v.CanUint():
		if n := r.unsigned(); !r.bad && !v.OverflowUint(n) {
			v.SetUint(n)
			return
		}
	case v.CanFloat():
		if len(r.octets) >= 8 {
			v.SetFloat(math.Float64frombits(binary.BigEndian.Uint64(r.octets)))
			r.pass(8)
			return
		}
	case v.Kind() == reflect.Bool:
		v.SetBool(r.flag())
		return
	}
	r.bad = true
}

// pass passes over octets; none is an error.
func (r *reader) pass(n int) {
	if r.bad = r.bad || n <= 0 || n > len(r.octets); !r.bad {
		r.octets = r.octets[n:]
	}
}

func (r *reader) unsigned() uint64 {
	n, used := binary.Uvarint(r.octets)
	r.pass(used)
	return n
}

// flag reads an octet that is 0 or 1.
func (r *reader) flag() bool {
	if len(r.octets) == 0 || r.octets[0] > 1 {
		r.bad = true
		return false
	}
	set := r.octets[0] == 1
	r.pass(1)
	return set
}

// text reads octets behind their length.
func (r *reader) text() []byte {
	n := r.unsigned()
	if r.bad || n > uint64(len(r.octets)) {
		r.bad = true
		return nil
	}
	s := r.octets[:n]
	r.octets = r.octets[n:]
	return s
}

// length reads that of a list of values that take at least as many octets as those of a type; false
// if there is no list.
func (r *reader) length(of ...reflect.Type) (n int, some bool) {
	least := 0
	for _, t := range of {
		least += r.leastOf(t)
	}
	all := r.unsigned()
	if r.bad || all == 0 {
		return 0, false
	}
	if all--; all > uint64(len(r.octets)/max(least, 1)) {
		r.bad = true
		return 0, false
	}
	return int(all), true
}

// leastOf is how many octets a value of a type takes at least.
func (r *reader) leastOf(t reflect.Type) int {
	if n, known := r.least[t]; known {
		return n
	}
	n := 1
	switch {
	case byItself(t):
	case t.Kind() == reflect.Struct:
		n = 0
		for i := range t.NumField() {
			n += r.leastOf(t.Field(i).Type)
		}
	case t.Kind() == reflect.Array:
		n = t.Len() * r.leastOf(t.Elem())
	case t.Kind() == reflect.Float64:
		n = 8
	}
	r.least[t] = n
	return n
}

// entries reads a map, whose keys must be in order.
func (r *reader) entries(v reflect.Value) {
	t := v.Type()
	n, some := r.length(t.Key(), t.Elem())
	if !some {
		return
	}
	v.Set(reflect.MakeMapWithSize(t, n))
	var last []byte
	for i := range n {
		from := r.octets
		key, value := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
		r.read(key)
		written := from[:len(from)-len(r.octets)]
		if r.bad = r.bad || i > 0 && bytes.Compare(last, written) >= 0; r.bad {
			return
		}
		last = written
		r.read(value)
		v.SetMapIndex(key, value)
	}
}

// Shape stands for a type with all that is in it, by names and order: values of one shape read each
// other's octets. The error is that of a type whose values are not plain.
func Shape(t reflect.Type) (shape [8]byte, err error) {
	var d describer
	d.describe(t, map[reflect.Type]bool{})
	sum := sha256.Sum256(d.text.Bytes())
	copy(shape[:], sum[:])
	return shape, d.err
}

type describer struct {
	text bytes.Buffer
	err  error
}

func (d *describer) describe(t reflect.Type, within map[reflect.Type]bool) {
	if within[t] {
		d.err = fmt.Errorf("%s contains itself", t)
		return
	}
	within[t] = true
	defer delete(within, t)
	fmt.Fprintf(&d.text, "%s %s(", t, t.Kind())
	switch {
	case byItself(t):
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			d.text.WriteString(t.Field(i).Name + " ")
			d.describe(t.Field(i).Type, within)
		}
	case t.Kind() == reflect.Map:
		d.describe(t.Key(), within)
		d.describe(t.Elem(), within)
	case t.Kind() == reflect.Array:
		fmt.Fprint(&d.text, t.Len(), " ")
		d.describe(t.Elem(), within)
	case t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer:
		d.describe(t.Elem(), within)
	case t.Kind() == reflect.Func || t.Kind() == reflect.Interface || t.Kind() == reflect.Chan ||
		t.Kind() == reflect.UnsafePointer:
		d.err = fmt.Errorf("%s is no plain value", t)
	}
	d.text.WriteByte(')')
}
