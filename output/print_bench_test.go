package output

import (
	"io"
	"testing"

	"tcpwhy/analysis/report"
)

// printed is how many connections, and findings, the report has that is printed; there are twice as
// many exchanges.
const printed = 1000

// longSample is a report with many of everything.
func longSample() *report.Report {
	r := sample()
	findings, conns, exchanges := r.Findings, r.Conns, r.Exchanges
	for i := 1; i < printed; i++ {
		r.Findings = append(r.Findings, findings[0])
		r.Conns = append(r.Conns, conns[0])
		r.Exchanges = append(r.Exchanges, exchanges...)
	}
	return r
}

// BenchmarkPrint writes reports; ns/exchange is the cost for each exchange with its share of the
// rest.
func BenchmarkPrint(b *testing.B) {
	r := longSample()
	for _, format := range []struct {
		name  string
		write func() error
	}{
		{"text", func() error { return Text(io.Discard, r, TextOptions{}) }},
		{"json", func() error { return JSON(io.Discard, r, JSONOptions{}) }},
		{"ndjson", func() error { return NDJSON(io.Discard, r, JSONOptions{}) }},
	} {
		b.Run(format.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := format.write(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(r.Exchanges)), "ns/exchange")
		})
	}
}
