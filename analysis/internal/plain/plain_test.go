package plain

import (
	"bytes"
	"math"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"testing"
	"time"

	_ "tcpwhy/internal/golden" // go test ./... -update gives the flag to every package
)

// all has a field of each kind.
type all struct {
	A    bool
	n    int8
	Wide uint64
	F    float64
	Text string
	list []*inner
	at   [2]uint16
	of   map[inner][]string
	addr netip.AddrPort
	when time.Time
	None []int
	Some []int
}

type inner struct {
	n    time.Duration
	name string
}

func sample() *all {
	return &all{
		A: true, n: -128, Wide: math.MaxUint64, F: -0.5, Text: "text\x00",
		list: []*inner{nil, {math.MinInt64, "x"}, {}}, at: [2]uint16{1, math.MaxUint16},
		of:   map[inner][]string{{1, "b"}: {"", "y"}, {1, "a"}: nil, {-1, "a"}: {}},
		addr: netip.MustParseAddrPort("[2001:db8::1]:80"),
		when: time.Date(2026, 11, 30, 1, 2, 3, 4, time.UTC), Some: []int{},
	}
}

func TestThereAndBack(t *testing.T) {
	octets, err := Append([]byte("before"), sample())
	if err != nil {
		t.Fatal(err)
	}
	var got all
	rest, err := Read(append(octets, "behind"...)[len("before"):], &got)
	if err != nil || string(rest) != "behind" || !reflect.DeepEqual(&got, sample()) {
		t.Errorf("%v, rest %q, %+v; want %+v", err, rest, got, sample())
	}
	for range 10 { // maps have no order
		if again, _ := Append(nil, sample()); string(again) != string(octets[len("before"):]) {
			t.Fatal("equal values are other octets")
		}
	}
	for n := range len(octets) - len("before") {
		var cut all
		if _, err := Read(octets[len("before"):][:n], &cut); err != ErrShort {
			t.Errorf("%d octets: %v, want %v", n, err, ErrShort)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, tt := range []struct {
		name   string
		octets []byte
		to     any
	}{
		{"a list longer than its octets", []byte{0xff, 0xff, 0xff, 0xff, 0x0f, 0}, &[]inner{}},
		{"a map whose keys are not in order", []byte{3, 4, 0, 2, 0}, &map[int]int{}},
		{"a map with a key twice", []byte{3, 4, 0, 4, 0}, &map[int]int{}},
		{"a number that is too large", []byte{0x80, 4}, new(uint8)},
		{"neither true nor false", []byte{2}, new(bool)},
		{"no address", []byte{1, 7}, &netip.Addr{}},
	} {
		if _, err := Read(tt.octets, tt.to); err != ErrShort {
			t.Errorf("%s: %v, want %v", tt.name, err, ErrShort)
		}
	}
}

func TestShape(t *testing.T) {
	shape := func(v any) [8]byte {
		s, err := Shape(reflect.TypeOf(v))
		if err != nil {
			t.Errorf("%T: %v", v, err)
		}
		return s
	}
	if first := shape(all{}); first != shape(all{}) ||
		shape(struct{ A int }{}) == shape(struct{ B int }{}) ||
		shape(struct{ A [2]int }{}) == shape(struct{ A [3]int }{}) {
		t.Error("shapes do not tell types apart")
	}
	type loop struct{ Next *loop }
	for _, v := range []any{func() {}, struct{ any }{}, make(chan int), loop{}} {
		if _, err := Shape(reflect.TypeOf(v)); err == nil {
			t.Errorf("%T is taken for plain", v)
		}
	}
	if _, err := Append(nil, &struct{ f func() }{}); err == nil {
		t.Error("a function was written")
	}
}

func TestEach(t *testing.T) {
	v := sample()
	Each(v, func(i *inner) { i.name = "seen" })
	if v.list[1].name != "seen" || v.list[2].name != "seen" {
		t.Errorf("%+v, %+v", v.list[1], v.list[2])
	}
	m := struct{ of map[string]inner }{map[string]inner{"a": {}}}
	Each(&m, func(d *time.Duration) { *d = 7 })
	if m.of["a"].n != 7 {
		t.Errorf("%+v", m)
	}
}

// TestMangled: whatever stands in octets, reading them ends, and what was read is written again.
func TestMangled(t *testing.T) {
	octets, err := Append(nil, sample())
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		mangled := bytes.Clone(octets)
		for range 1 + rnd.IntN(3) {
			mangled[rnd.IntN(len(mangled))] = byte(rnd.Uint32())
		}
		var v, again all
		if _, err := Read(mangled, &v); err != nil {
			continue
		}
		written, err := Append(nil, &v)
		if err != nil {
			t.Fatal(err)
		}
		if rest, err := Read(written, &again); err != nil || len(rest) > 0 {
			t.Fatalf("%v, rest %d of what was written", err, len(rest))
		}
	}
}
