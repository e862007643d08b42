package tally

import (
	"cmp"
	"maps"
	"slices"

	"tcpwhy/analysis/report"
	"tcpwhy/reassembly/exchange"
)

// maxCodes caps the codes that are told apart, as they come from the network.
const maxCodes = 64

// streamEnds counts how streams of HTTP/2 ended that did not come to their end, and what calls on
// them came to.
type streamEnds struct {
	resets map[streamEnd]int
	calls  int
	failed map[int]int // by status
}

// streamEnd is who ended a stream, and why.
type streamEnd struct {
	code exchange.ErrorCode
	by   exchange.Dir
}

// add counts an exchange. A reset that came when the response was whole ended nothing. What a
// GOAWAY left out was not reset, but never processed (RFC 9113 §6.8).
func (s *streamEnds) add(x *report.ExchangeInfo) {
	on := &x.OnStream
	if on.Reset != nil && x.Outcome != exchange.Complete {
		count(&s.resets, streamEnd{on.Reset.Code, on.Reset.By})
	}
	if r := on.RPC; r != nil && r.Status != exchange.NoRPCStatus {
		s.calls++
		if r.Status != 0 {
			count(&s.failed, r.Status)
		}
	}
}

// count counts one of a kind, while there are not too many kinds.
func count[K comparable](m *map[K]int, k K) {
	if *m == nil {
		*m = map[K]int{}
	}
	if _, known := (*m)[k]; known || len(*m) < maxCodes {
		(*m)[k]++
	}
}

// list is all of it.
func (s *streamEnds) list() (r report.StreamEnds) {
	r.Calls = s.calls
	for k, n := range s.resets {
		r.Resets = append(r.Resets, report.StreamEnd{Code: k.code, By: k.by, Count: n})
	}
	slices.SortFunc(r.Resets, mostResets)
	for _, status := range slices.Sorted(maps.Keys(s.failed)) {
		r.Failed = append(r.Failed, report.CallEnd{Status: status, Count: s.failed[status]})
	}
	slices.SortStableFunc(r.Failed, mostCalls)
	return r
}

// mostResets puts what was most frequent first.
func mostResets(a, b report.StreamEnd) int {
	return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Code, b.Code),
		cmp.Compare(a.By, b.By))
}

// mostCalls puts what was most frequent first.
func mostCalls(a, b report.CallEnd) int {
	return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Status, b.Status))
}
