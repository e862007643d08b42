package reassembly

import (
	"fmt"
	"testing"

	"tcpwhy/reassembly/exchange"
)

// checkNames: each of the first n values has a name, and is found by it; no other name is.
func checkNames[T ~uint8](t *testing.T, n T, parse func(string) (T, bool)) {
	t.Helper()
	for v := range n {
		if got, ok := parse(fmt.Sprint(v)); got != v || !ok {
			t.Errorf("%T: %q is read as %v, %v", v, fmt.Sprint(v), got, ok)
		}
	}
	if _, ok := parse("coffee"); ok {
		t.Errorf("%T: coffee is read as one", n)
	}
}

func TestNames(t *testing.T) {
	checkNames(t, Reset+1, ParseState)
	checkNames(t, SameHost+1, ParseVantage)
	checkNames(t, exchange.ProtoTunnel+1, exchange.ParseProtocol)
	checkNames(t, FromServer+1, ParseDir)
	checkNames(t, kinds, ParseKind)
	checkNames(t, exchange.Upgraded+1, exchange.ParseOutcome)
}
