package rule

import (
	"reflect"
	"strings"
	"testing"
)

// TestClaimIsPlain: a claim can be kept, sent and written down without what it was made from. It
// holds no code, nothing of any type, and nothing of the connection but what names its directions.
func TestClaimIsPlain(t *testing.T) {
	p := plain{t: t, seen: map[reflect.Type]bool{}}
	p.walk(reflect.TypeFor[Claim](), "Claim")
	p.walk(reflect.TypeFor[Said](), "Said")
	p.walk(reflect.TypeFor[Evidence](), "Evidence")
}

// plain looks at types, each once.
type plain struct {
	t    *testing.T
	seen map[reflect.Type]bool
}

// walk looks at a type and at all that it holds.
func (p *plain) walk(of reflect.Type, path string) {
	if p.seen[of] || of.PkgPath() == "net/netip" { // addresses are values, whatever they hold
		return
	}
	p.seen[of] = true
	if inReassembly := strings.HasSuffix(of.PkgPath(), "/reassembly"); inReassembly {
		if k := of.Kind(); k < reflect.Bool || k > reflect.Uint64 {
			p.t.Errorf("%s is a %s", path, of)
		}
	}
	switch of.Kind() {
	case reflect.Func, reflect.Interface, reflect.Chan, reflect.UnsafePointer:
		p.t.Errorf("%s is a %s", path, of)
	case reflect.Pointer, reflect.Slice, reflect.Array:
		p.walk(of.Elem(), path)
	case reflect.Map:
		p.walk(of.Key(), path)
		p.walk(of.Elem(), path)
	case reflect.Struct:
		for i := range of.NumField() {
			f := of.Field(i)
			p.walk(f.Type, path+"."+f.Name)
		}
	}
}
