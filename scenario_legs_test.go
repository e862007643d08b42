package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tcpwhy/analysis/report"
)

// wantLegs is what a proxy must be known to have made of an exchange: frames in which they begin.
type wantLegs struct {
	front    uint64
	upstream []uint64
	waited   *timeRange
}

// parseLegs reads FRAME=FRAME[,FRAME] or FRAME=none, and waited=TIMES.
func parseLegs(words []string) (w wantLegs, err error) {
	if len(words) == 0 {
		return w, fmt.Errorf("no frame")
	}
	front, ups, _ := strings.Cut(words[0], "=")
	if w.front, err = strconv.ParseUint(front, 10, 64); err != nil {
		return w, err
	}
	for _, up := range strings.Split(ups, ",") {
		if ups == "none" {
			break
		}
		frame, err := strconv.ParseUint(up, 10, 64)
		if err != nil {
			return w, err
		}
		w.upstream = append(w.upstream, frame)
	}
	for _, word := range words[1:] {
		value, ok := strings.CutPrefix(word, "waited=")
		if !ok {
			return w, fmt.Errorf("unknown word %q", word)
		}
		times, err := parseTimes(value)
		if err != nil {
			return w, err
		}
		w.waited = &times
	}
	return w, nil
}

// check looks for the exchange and its legs.
func (w *wantLegs) check(t *testing.T, r *report.Report) {
	t.Helper()
	begins := map[int]uint64{}
	for i := range r.Exchanges {
		begins[r.Exchanges[i].ID] = beginning(&r.Exchanges[i])
	}
	for i := range r.Exchanges {
		x := &r.Exchanges[i]
		if begins[x.ID] != w.front {
			continue
		}
		var got []uint64
		for _, id := range x.Upstream {
			got = append(got, begins[id])
		}
		if !slices.Equal(got, w.upstream) {
			t.Errorf(
				"of the exchange of frame %d a proxy made those of %v, want %v",
				w.front,
				got,
				w.upstream,
			)
		}
		if w.waited != nil && !w.waited.holds(x.Waited) {
			t.Errorf(
				"the proxy of frame %d waited %v, want %v to %v",
				w.front,
				x.Waited,
				w.waited.low,
				w.waited.high,
			)
		}
		return
	}
	t.Errorf("no exchange begins with frame %d", w.front)
}

// beginning is the frame in which an exchange begins: with its request, or the SYN of an attempt.
func beginning(x *report.ExchangeInfo) uint64 {
	switch {
	case x.Attempt != nil:
		return x.Attempt.Start.Frame.Number()
	case x.Request != nil:
		return x.Request.Start.Frame.Number()
	}
	return 0
}
