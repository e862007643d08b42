package har

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/output/internal/sample"
)

// archived is the archive of a report, as a program reads it.
func archived(t *testing.T, r *report.Report) map[string]any {
	t.Helper()
	var b strings.Builder
	if err := Write(&b, r, Options{Version: "1"}); err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal([]byte(b.String()), &all); err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	return all["log"].(map[string]any)
}

// required are the members that HAR 1.2 wants of each object.
var required = map[string][]string{
	"log":     {"version", "creator", "entries"},
	"creator": {"name", "version"},
	"entry":   {"startedDateTime", "time", "request", "response", "cache", "timings"},
	"request": {
		"method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize",
	},
	"response": {
		"status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL",
		"headersSize", "bodySize",
	},
	"content": {"size", "mimeType"},
	"timings": {"send", "wait", "receive"},
}

// has checks that an object has what it must have.
func has(t *testing.T, name string, object any) map[string]any {
	t.Helper()
	o, ok := object.(map[string]any)
	if !ok {
		t.Fatalf("%s is no object: %v", name, object)
	}
	for _, member := range required[name] {
		if o[member] == nil {
			t.Errorf("%s lacks %s: %v", name, member, o)
		}
	}
	return o
}

// TestArchive: an archive is one by the rules of HAR 1.2.
func TestArchive(t *testing.T) {
	log := has(t, "log", archived(t, sample.Report()))
	has(t, "creator", log["creator"])
	entries := log["entries"].([]any)
	if len(entries) != 2 || log["version"] != "1.2" {
		t.Fatalf("%d entries of version %v", len(entries), log["version"])
	}
	for _, e := range entries {
		e := has(t, "entry", e)
		request, response := has(t, "request", e["request"]), has(t, "response", e["response"])
		has(t, "content", response["content"])
		has(t, "timings", e["timings"])
		u, err := url.Parse(request["url"].(string))
		if err != nil || !u.IsAbs() || u.Host == "" {
			t.Errorf("%v is no absolute URL: %v", request["url"], err)
		}
		if _, err := time.Parse(time.RFC3339Nano, e["startedDateTime"].(string)); err != nil {
			t.Error(err)
		}
	}
}

// TestTimings: whatever came when, phases are not negative, add up to the duration, and TLS is part
// of connecting.
func TestTimings(t *testing.T) {
	moments := []time.Duration{0, 1, 5, 7, 20, 100}
	for _, asked := range moments {
		for _, sent := range moments {
			for _, first := range moments {
				x := exchangeOf(asked, max(asked, sent), first)
				got := timingsOf(x)
				parts := []millis{
					got.Blocked,
					got.DNS,
					got.Connect,
					got.Send,
					got.Wait,
					got.Receive,
				}
				var sum time.Duration
				for _, p := range parts {
					if p < 0 && p != none {
						t.Errorf("%v, %v, %v: %+v", asked, sent, first, got)
					}
					sum += max(0, time.Duration(p))
				}
				if sum != x.Duration || got.SSL > got.Connect {
					t.Errorf("%v, %v, %v: %+v add up to %v of %v", asked, sent, first, got, sum,
						x.Duration)
				}
			}
		}
	}
}

// exchangeOf is one of 50 ns with a set-up of 8.
func exchangeOf(asked, sent, first time.Duration) *report.ExchangeInfo {
	x := &report.ExchangeInfo{Start: 1, Duration: 50, Times: []report.LabelTime{
		{Label: report.DNS, Time: 2}, {Label: report.TCPHandshake, Time: 3},
		{Label: report.TLSRTT, Time: 3}, {Label: report.Think, Time: 42},
	}}
	x.Request, x.Response = &report.MessageInfo{}, &report.MessageInfo{}
	x.Request.Start.Time, x.Request.End.Time, x.Response.Start.Time = asked, sent, first
	return x
}

// TestFindings: an entry names the findings that it is part of.
func TestFindings(t *testing.T) {
	entries := archived(t, sample.Report())["entries"].([]any)
	i := slices.IndexFunc(entries, func(e any) bool {
		own := e.(map[string]any)["_tcpwhy"].(map[string]any)
		return len(own["findings"].([]any)) == 1 && own["exchange"] == 1.0
	})
	if i < 0 {
		t.Errorf("no entry names the finding: %v", entries)
	}
}
