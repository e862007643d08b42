package ledger

import (
	"iter"
	"sort"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// Segments are the segments of c that passed between two moments, both included, in order, as far
// as they are held. They are valid until records of the connection are released.
func Segments(c *reassembly.Conn, from, to time.Duration) iter.Seq[*reassembly.Record] {
	return func(yield func(*reassembly.Record) bool) {
		for i := firstAfter(c, from-1); i < len(c.Records) && c.Records[i].Time <= to; i++ {
			if !yield(&c.Records[i]) {
				return
			}
		}
	}
}

// SegmentsBack are the same, latest first.
func SegmentsBack(c *reassembly.Conn, from, to time.Duration) iter.Seq[*reassembly.Record] {
	return func(yield func(*reassembly.Record) bool) {
		for i := firstAfter(c, to) - 1; i >= 0 && c.Records[i].Time >= from; i-- {
			if !yield(&c.Records[i]) {
				return
			}
		}
	}
}

// firstAfter is the place among the records that are held of the first that passed later than at.
func firstAfter(c *reassembly.Conn, at time.Duration) int {
	return sort.Search(len(c.Records), func(i int) bool { return c.Records[i].Time > at })
}

// RecordOf is the record of a frame, among those that are still held; nil if it is not.
func RecordOf(c *reassembly.Conn, m capture.Mark) *reassembly.Record {
	for r := range SegmentsBack(c, m.Time, report.EndOfTime) {
		if r.Frame == m.Frame {
			return r
		}
	}
	return nil
}
