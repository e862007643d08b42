package rule

import (
	"reflect"
	"testing"
	"time"
	"unsafe"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// TestEventSize: fast paths and parts of several machines rest on it.
func TestEventSize(t *testing.T) {
	if n := unsafe.Sizeof(Event{}); n != 64 {
		t.Errorf("an event has %d octets, want 64", n)
	}
}

// TestOverInNumbers: an exchange that is over and a connection that closes come out of their events
// as they went in, also by way of another batch.
func TestOverInNumbers(t *testing.T) {
	mark := capture.Mark{Time: 3 * time.Second, Frame: capture.NewFrameID(2, 77)}
	over := Over{End: mark, Outcome: exchange.ResetByPeer, Reusable: true, Doubt: true,
		Reason: "close-delimited", IdleLimit: 75 * time.Second, Bytes: 1 << 40, Gap: true,
		Failure: &Failure{Host: "example.com", Took: time.Second},
		Products: report.Products{Client: report.ProductSet(0).With(report.Curl),
			Server: ^report.ProductSet(0), Proxy: ^report.ProductSet(0)}}
	quiet := Over{End: mark, Turn: true, Foreign: true, NotKept: true, Asked10: true}
	closing := Closing{At: mark, By: reassembly.FromServer, Alert: true, Open: true}
	other := Closing{At: mark, Fin: reassembly.FromServer, Reset: true, Gap: true, Abort: true}
	var first, second Batch
	first.TellOver(Event{At: 4}, Over{Failure: &Failure{Host: "other"}})
	second.TellOver(Event{At: 1}, over)
	second.TellOver(Event{At: 2}, quiet)
	second.TellClosing(Event{At: 3}, closing)
	second.TellClosing(Event{At: 3, Conn: 1}, other)
	first.Append(&second)
	second.Empty()
	first.Sort()
	for i, want := range []Over{over, quiet} {
		e := first.At(i)
		if got := e.Over(); !reflect.DeepEqual(got, want) {
			t.Errorf("over %d: %+v, want %+v", i, got, want)
		}
	}
	for i, want := range []Closing{closing, other} {
		e := first.At(i + 2)
		if got := e.Closing(); got != want {
			t.Errorf("closing %d: %+v, want %+v", i, got, want)
		}
	}
	if last := first.At(4); last.Over().Failure.Host != "other" {
		t.Errorf("the failure told first is that of %q", last.Over().Failure.Host)
	}
}

// TestBatchRest: what is not due stays, with what lies beside it.
func TestBatchRest(t *testing.T) {
	var b, room Batch
	for i := range 4 {
		b.TellBegan(Event{At: time.Duration(i)}, Began{Method: string(rune('A' + i))})
	}
	n := b.Due(1)
	if n != 2 {
		t.Fatalf("%d events are due, want 2", n)
	}
	b.Rest(n, &room)
	if len(b.Events) != 2 || len(b.began) != 2 || len(room.Events) != 0 {
		t.Fatalf("%d events and %d beginnings are left", len(b.Events), len(b.began))
	}
	if e := b.At(1); e.Began().Method != "D" {
		t.Errorf("the last began with %s", e.Began().Method)
	}
}

// TestPlainData: what workers tell can be written to octets. It holds no function, no channel, no
// interface, and nothing of what follows connections.
func TestPlainData(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var walk func(path string, of reflect.Type)
	walk = func(path string, of reflect.Type) {
		if seen[of] {
			return
		}
		seen[of] = true
		switch of.Kind() {
		case reflect.Func, reflect.Chan, reflect.Interface, reflect.UnsafePointer:
			t.Errorf("%s is a %v", path, of)
		case reflect.Pointer, reflect.Slice, reflect.Array:
			walk(path+"[]", of.Elem())
		case reflect.Map:
			walk(path+"[]", of.Elem())
		case reflect.Struct:
			if of == reflect.TypeFor[reassembly.Conn]() ||
				of == reflect.TypeFor[exchange.Exchange]() ||
				of == reflect.TypeFor[exchange.Message]() {
				t.Errorf("%s is a %v", path, of)
				return
			}
			for i := range of.NumField() {
				walk(path+"."+of.Field(i).Name, of.Field(i).Type)
			}
		}
	}
	walk("Batch", reflect.TypeFor[Batch]())
}
