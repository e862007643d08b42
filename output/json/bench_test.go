package json

import (
	"io"
	"testing"

	"tcpwhy/output/internal/sample"
)

// BenchmarkWrite writes a long report; an operation is a connection with one exchange.
func BenchmarkWrite(b *testing.B) {
	r := sample.Report()
	conn, x := r.Conns[0], r.Exchanges[0]
	r.Conns, r.Exchanges = nil, nil
	for range b.N {
		r.Conns, r.Exchanges = append(r.Conns, conn), append(r.Exchanges, x)
	}
	b.ReportAllocs()
	b.ResetTimer()
	if err := Write(io.Discard, r, Options{}); err != nil {
		b.Fatal(err)
	}
}
