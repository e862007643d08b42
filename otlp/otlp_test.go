package otlp

import (
	"bytes"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"tcpwhy/analysis"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/internal/cli"
	"tcpwhy/output"
)

// analysed is the report of a scenario.
func analysed(t *testing.T, scenario string) *report.Report {
	t.Helper()
	files, err := filepath.Glob("../testdata/pcaps/" + scenario + "/capture*")
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v", scenario, err)
	}
	src, err := capture.Open(capture.Config{Inputs: files})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	r, err := analysis.Run(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// spansOf are the spans that the collector's package reads of a report.
func spansOf(t *testing.T, r *report.Report) (all []ptrace.Span) {
	t.Helper()
	for line := range output.Spans(r, output.Options{Version: "1.2.3"}) {
		var q = ptraceotlp.NewExportRequest()
		if err := q.UnmarshalJSON(line); err != nil {
			t.Fatalf("the collector does not read it: %v\n%s", err, line)
		}
		all = append(all, spansIn(q.Traces())...)
	}
	return all
}

func spansIn(traces ptrace.Traces) (all []ptrace.Span) {
	for _, resource := range traces.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				all = append(all, span)
			}
		}
	}
	return all
}

// TestSpans: the collector reads a span for each exchange, as long as that, with times that add up
// to its duration, and with the findings that are listed.
func TestSpans(t *testing.T) {
	for _, scenario := range []string{
		"nagle-delayed-ack-request-rtt10", "proxied-go-any", "truncated-content-length-rtt10",
		"grpc-unavailable-rtt20", "connect-refused-rtt10", "nagle-delayed-ack-response-rtt10-server",
	} {
		if files, _ := filepath.Glob("../testdata/pcaps/" + scenario); len(files) == 0 {
			continue
		}
		r := analysed(t, scenario)
		spans := spansOf(t, r)
		if len(spans) != r.ExchangeCount {
			t.Errorf("%s: %d spans of %d exchanges", scenario, len(spans), r.ExchangeCount)
		}
		ids := map[string]bool{}
		for i, s := range spans {
			x := &r.Exchanges[i]
			ids[s.SpanID().String()] = true
			took := s.EndTimestamp().AsTime().Sub(s.StartTimestamp().AsTime())
			if took != x.Duration ||
				!s.StartTimestamp().AsTime().Equal(r.Capture.Start.Add(x.Start)) {
				t.Errorf("%s: exchange %d took %v, its span %v", scenario, x.ID, x.Duration, took)
			}
			sum := 0.0
			for key, v := range s.Attributes().All() {
				if strings.HasPrefix(key, "tcpwhy.time.") {
					sum += v.Double()
				}
			}
			if off := time.Duration(sum*1e6) - x.Duration; off.Abs() > time.Microsecond {
				t.Errorf("%s: exchange %d: times are off by %v", scenario, x.ID, off)
			}
			if s.TraceID().IsEmpty() || s.SpanID().IsEmpty() {
				t.Errorf("%s: exchange %d has no identifiers", scenario, x.ID)
			}
			if v, ok := s.Attributes().Get("http.response.status_code"); x.Status > 0 &&
				(!ok || v.Int() != int64(x.Status)) {
				t.Errorf("%s: exchange %d: status %v", scenario, x.ID, v)
			}
		}
		if len(ids) != len(spans) {
			t.Errorf("%s: %d identifiers of %d spans", scenario, len(ids), len(spans))
		}
		checkEvents(t, scenario, r, spans)
	}
}

// checkEvents wants an event for each occurrence that is listed, with its frames.
func checkEvents(t *testing.T, scenario string, r *report.Report, spans []ptrace.Span) {
	t.Helper()
	want, got, frames, wantFrames := 0, 0, 0, 0
	for i := range r.Findings {
		for _, o := range r.Findings[i].Occurrences {
			if o.Exchange >= 0 {
				want++
				wantFrames += len(o.Evidence)
			}
		}
	}
	for _, s := range spans {
		for _, e := range s.Events().All() {
			got++
			v, _ := e.Attributes().Get("tcpwhy.frames")
			frames += v.Slice().Len()
			if rule, _ := e.Attributes().Get("tcpwhy.rule"); e.Name() != "tcpwhy.finding" ||
				rule.Str() == "" {
				t.Errorf("%s: event %s of rule %q", scenario, e.Name(), rule.Str())
			}
		}
	}
	if got != want || frames != wantFrames {
		t.Errorf(
			"%s: %d events with %d frames, want %d with %d",
			scenario,
			got,
			frames,
			want,
			wantFrames,
		)
	}
}

// TestParents: a request with a traceparent is part of the trace that it names, on both legs of a
// proxy; the others of a connection are one trace.
func TestParents(t *testing.T) {
	r := analysed(t, "proxied-go-any")
	parents := 0
	for i, s := range spansOf(t, r) {
		trail := r.Exchanges[i].Trail
		if trail == nil || trail.TraceID == [16]byte{} {
			if !s.ParentSpanID().IsEmpty() {
				t.Errorf("exchange %d has a parent that nobody named", i)
			}
			continue
		}
		parents++
		if s.TraceID().String() != hex.EncodeToString(trail.TraceID[:]) ||
			s.ParentSpanID().String() != hex.EncodeToString(trail.ParentID[:]) {
			t.Errorf("exchange %d: trace %s, parent %s", i, s.TraceID(), s.ParentSpanID())
		}
	}
	if parents == 0 {
		t.Error("no request names a parent")
	}
	traces := map[string]bool{}
	for _, s := range spansOf(t, analysed(t, "nagle-delayed-ack-request-rtt10")) {
		traces[s.TraceID().String()] = true
	}
	if len(traces) != 1 {
		t.Errorf("one connection is %d traces", len(traces))
	}
}

// TestKinds: who captured at the server saw the server's span, and what fails has the status of an
// error.
func TestKinds(t *testing.T) {
	for scenario, want := range map[string]ptrace.SpanKind{
		"nagle-delayed-ack-response-rtt10":        ptrace.SpanKindClient,
		"nagle-delayed-ack-response-rtt10-server": ptrace.SpanKindServer,
	} {
		for _, s := range spansOf(t, analysed(t, scenario)) {
			if s.Kind() != want || s.Status().Code() != ptrace.StatusCodeUnset {
				t.Errorf("%s: kind %s, status %s", scenario, s.Kind(), s.Status().Code())
			}
		}
	}
	failed := 0
	for _, s := range spansOf(t, analysed(t, "truncated-content-length-rtt10")) {
		if _, ok := s.Attributes().Get("error.type"); ok &&
			s.Status().Code() == ptrace.StatusCodeError {
			failed++
		}
	}
	if failed == 0 {
		t.Error("no span of a truncated response failed")
	}
}

// TestSent: the program sends what the collector's package reads, and tells what was not taken in.
func TestSent(t *testing.T) {
	spans := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		q := ptraceotlp.NewExportRequest()
		if err == nil {
			err = q.UnmarshalJSON(body)
		}
		if err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", r.URL, err)
		}
		spans += q.Traces().SpanCount()
		reply := ptraceotlp.NewExportResponse()
		reply.PartialSuccess().SetRejectedSpans(2)
		reply.PartialSuccess().SetErrorMessage("too \x1b[31mold")
		text, err := reply.MarshalJSON()
		if err != nil {
			t.Error(err)
		}
		w.Write(text)
	}))
	defer server.Close()
	var out, errs bytes.Buffer
	status := cli.Run([]string{
		"-F", "otlp", "--otlp-endpoint", server.URL,
		"../testdata/pcaps/nagle-delayed-ack-request-rtt10/capture.pcap",
	}, strings.NewReader(""), &out, &errs)
	told := "tcpwhy: warning: the collector did not take in 2 spans: too \\x1b[31mold\n"
	if status != cli.ExitOK || spans != 10 || out.Len() > 0 || errs.String() != told {
		t.Errorf(
			"status %d, %d spans, output %q, errors %q",
			status,
			spans,
			out.String(),
			errs.String(),
		)
	}
	server.Close()
	if status := cli.Run([]string{
		"--otlp-endpoint", "https://localhost", "x.pcap",
	}, strings.NewReader(""), &out, &errs); status != cli.ExitError {
		t.Errorf("https: status %d", status)
	}
}
