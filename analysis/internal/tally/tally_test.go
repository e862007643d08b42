package tally

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"tcpwhy/analysis/report"
	_ "tcpwhy/internal/golden" // go test ./... -update gives the flag to every package
	"tcpwhy/reassembly/exchange"
)

var server = netip.MustParseAddrPort("192.0.2.1:80")

// get is a GET that began at a moment and took so long.
func get(target string, start, took time.Duration, status int) *Exchange {
	return &Exchange{
		ExchangeInfo: &report.ExchangeInfo{
			Method: "GET", Target: target, Status: status, Outcome: exchange.Complete, Start: start,
			Duration: took, Times: []report.LabelTime{{Label: report.Think, Time: took / 2}},
		},
		Server: server,
	}
}

func TestEndpoints(t *testing.T) {
	var all Tally
	for i := range 10 {
		all.Add(get(fmt.Sprintf("/report/%d?x=1", i), 0, time.Duration(i+1)*time.Second, 200))
	}
	all.Add(get("/health", 0, time.Millisecond, 503))
	failed := get("/report/11", 0, 5*time.Second, 0)
	failed.Outcome = exchange.Aborted
	all.Add(failed)
	stream := get("/events", 0, time.Hour, 200)
	stream.Streams, stream.Outcome = true, exchange.Aborted
	all.Add(stream)

	r := all.SoFar(time.Minute)
	if len(r.Endpoints) != 3 {
		t.Fatalf("%d endpoints, want 3", len(r.Endpoints))
	}
	e := r.Endpoints[0]
	if e.Method != "GET" || e.Template != "/report/{n}" || e.Server != server || e.Host != "" {
		t.Errorf("the first is %s %s at %s", e.Method, e.Template, e.Server)
	}
	if e.Exchanges != 11 || e.Failed != 1 || e.Statuses[2] != 10 {
		t.Errorf("%d exchanges, %d failed, %d 2xx", e.Exchanges, e.Failed, e.Statuses[2])
	}
	if m, p := e.Duration.Median(), e.Duration.Quantile(0.9); m != 5*time.Second ||
		p != 9*time.Second {
		t.Errorf("median %v, p90 %v", m, p)
	}
	if e.Time != 60*time.Second || e.Thought != 30*time.Second || e.Think.Most != 5*time.Second {
		t.Errorf("%v, of which the server %v, at most %v", e.Time, e.Thought, e.Think.Most)
	}
	if last := r.Endpoints[2]; last.Streams != 1 || last.Time != 0 || last.Failed != 0 {
		t.Errorf("the stream counts: %+v", last)
	}
	if len(r.Failures) != 1 || r.Failures[0].Outcome != exchange.Aborted ||
		r.Failures[0].Waits.Sum != 5*time.Second {
		t.Errorf("failures: %+v", r.Failures)
	}
	want := []report.StatusCount{{Status: 200, Count: 11}, {Status: 503, Count: 1}}
	if !reflect.DeepEqual(r.Statuses, want) {
		t.Errorf("statuses: %v", r.Statuses)
	}
}

// TestOrder: the order of endpoints that nothing but one part of their key tells apart is that of
// the key, whatever order they are kept in.
func TestOrder(t *testing.T) {
	other := netip.AddrPortFrom(server.Addr(), server.Port()+1)
	for range 20 { // maps are ordered anew each time
		var all Tally
		for _, behind := range []bool{true, false} {
			for _, at := range []netip.AddrPort{other, server} {
				x := get("/", 0, time.Second, 200)
				x.Behind, x.Server = behind, at
				all.Add(x)
			}
		}
		var got []string
		for _, e := range all.SoFar(time.Minute).Endpoints {
			got = append(got, fmt.Sprint(e.Server.Port()-server.Port(), e.Behind))
		}
		if want := []string{"0 false", "0 true", "1 false", "1 true"}; !slices.Equal(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
	}
}

// TestManyEndpoints: paths without end cost no memory without end, and none is lost.
func TestManyEndpoints(t *testing.T) {
	var all Tally
	for i := range 5000 {
		x := get(fmt.Sprintf("/%c%c%c", 'a'+i%26, 'a'+i/26%26, 'a'+i/676), 0, time.Second, 200)
		all.Add(x)
	}
	r := all.SoFar(0)
	n := 0
	for i := range r.Endpoints {
		n += r.Endpoints[i].Exchanges
	}
	last := &r.Endpoints[len(r.Endpoints)-1]
	if len(r.Endpoints) != maxEndpoints+1 || !last.Other() || n != 5000 {
		t.Errorf("%d endpoints with %d exchanges, the last %q", len(r.Endpoints), n, last.Template)
	}
}

// TestFarewell: a status that answers nobody is no error of a request.
func TestFarewell(t *testing.T) {
	var all Tally
	x := get("", 0, 0, 408)
	x.Method = ""
	all.Add(x)
	asked := get("/", 0, 0, 408)
	asked.Request = &report.MessageInfo{}
	all.Add(asked)
	if r := all.SoFar(0); len(r.Statuses) != 1 || r.Statuses[0].Count != 1 {
		t.Errorf("statuses: %v", r.Statuses)
	}
}

// TestAttemptEndsElsewhere: an attempt without an end is unfinished until that shows.
func TestAttemptEndsElsewhere(t *testing.T) {
	var all Tally
	for conn := range 2 {
		x := get("", 0, time.Second, 0)
		x.Connection, x.Outcome, x.Attempt = conn, exchange.Incomplete, &report.AttemptInfo{}
		all.Add(x)
	}
	if r := all.SoFar(0); r.Unfinished.Count != 2 || len(r.Failures) != 0 {
		t.Errorf("at first %+v", r)
	}
	all.Ended(1, exchange.Filtered)
	all.Ended(1, exchange.Filtered)
	all.Ended(7, exchange.Filtered)
	r := all.SoFar(0)
	if r.Unfinished.Count != 1 || len(r.Failures) != 1 || r.Failures[0].Count != 1 {
		t.Errorf("in the end %+v", r)
	}
}

// TestSteps: however long the capture, steps are few, begin at its first frame and hold everything.
func TestSteps(t *testing.T) {
	for _, end := range []time.Duration{
		0, time.Millisecond, 119 * time.Millisecond, 120 * time.Millisecond, time.Minute,
		400 * 24 * time.Hour,
	} {
		var all Tally
		const n = 1000
		for i := range n {
			all.Add(get("/", end*time.Duration(i)/n, 0, 500))
		}
		r := all.SoFar(end)
		sum := 0
		for i := range r.Over.Steps {
			sum += r.Over.Steps[i].Errors
		}
		steps := time.Duration(len(r.Over.Steps))
		if steps > maxSteps || sum != n || steps*r.Over.Each <= end || r.Over.Each%leastStep != 0 {
			t.Errorf("%v: %d steps of %v with %d", end, steps, r.Over.Each, sum)
		}
		if end > time.Second && steps < maxSteps/2 {
			t.Errorf("%v: only %d steps", end, steps)
		}
	}
}
