package segment

import (
	"math/rand/v2"
	"net/netip"
	"reflect"
	"testing"
)

// TestWire: every field of a segment comes through, and what was cut is told.
func TestWire(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 9))
	for range 300 {
		var want, got Segment
		fill(rnd, reflect.ValueOf(&want).Elem())
		want.NSACK %= 5
		clear(want.SACK[want.NSACK:])
		octets := want.Append(nil)
		rest, err := got.Decode(append(octets, 1, 2))
		if err != nil || len(rest) != 2 || !reflect.DeepEqual(got, want) {
			t.Fatalf("%v, %d octets left\n%+v\nwant\n%+v", err, len(rest), got, want)
		}
		cut := octets[:rnd.IntN(len(octets))]
		if _, err := got.Decode(cut); err == nil {
			t.Fatalf("%d of %d octets are a segment", len(cut), len(octets))
		}
	}
}

// fill gives each field some value, seldom none.
func fill(rnd *rand.Rand, v reflect.Value) {
	switch v.Interface().(type) {
	case netip.Addr:
		v.Set(reflect.ValueOf(address(rnd)))
		return
	case netip.AddrPort:
		v.Set(reflect.ValueOf(netip.AddrPortFrom(address(rnd), uint16(rnd.Uint32()))))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(rnd, v.Field(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(rnd, v.Index(i))
		}
	case reflect.Slice:
		if n := rnd.IntN(40); n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				fill(rnd, v.Index(i))
			}
		}
	case reflect.Bool:
		v.SetBool(rnd.IntN(2) == 1)
	default:
		if rnd.IntN(8) == 0 {
			return
		}
		if v.CanInt() {
			v.SetInt(rnd.Int64() >> rnd.IntN(63) >> 2)
		} else {
			v.SetUint(rnd.Uint64())
		}
	}
}

func address(rnd *rand.Rand) netip.Addr {
	var octets [16]byte
	for i := range octets {
		octets[i] = byte(rnd.Uint32())
	}
	if rnd.IntN(2) == 0 {
		return netip.AddrFrom4([4]byte(octets[:4]))
	}
	return netip.AddrFrom16(octets)
}
