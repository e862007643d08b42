package har

import (
	"encoding/json"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tcpwhy/analysis"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/internal/schema"
	"tcpwhy/output/internal/sample"
)

// schemaFile has the schema of HAR 1.2.
const schemaFile = "testdata/har-1.2.schema.json"

// archived is the archive of a report, as a program reads it. It is one by the rules of HAR 1.2.
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
	if err := schema.Resolved(t, schemaFile).Validate(all); err != nil {
		t.Errorf("it is no HTTP archive: %v\n%s", err, b.String())
	}
	log := all["log"].(map[string]any)
	for _, e := range log["entries"].([]any) {
		checkURL(t, e.(map[string]any)["request"].(map[string]any)["url"].(string))
	}
	return log
}

// checkURL: a URL is absolute, for those who read archives as for people.
func checkURL(t *testing.T, text string) {
	t.Helper()
	if u, err := url.Parse(text); err != nil || !u.IsAbs() || u.Host == "" {
		t.Errorf("%q is no absolute URL: %v", text, err)
	}
}

// TestArchive: the archive of a report has its exchanges, whatever the network said in them.
func TestArchive(t *testing.T) {
	for _, said := range []string{"", "\"},{", "a b\x00\u202e%", "http://", "//x", "[::1", "x@y:z/"} {
		r := sample.Report()
		if said != "" {
			r.Exchanges[0].Method, r.Exchanges[0].Target = said, said
			r.Exchanges[0].Host, r.Exchanges[0].Version = said, said
		}
		if n := len(archived(t, r)["entries"].([]any)); n != 2 {
			t.Errorf("%q: %d entries", said, n)
		}
	}
}

// TestArchives: so has that of captures, one scenario in twenty.
func TestArchives(t *testing.T) {
	dirs, err := filepath.Glob("../../testdata/pcaps/*")
	if err != nil || len(dirs) == 0 {
		t.Fatal("there are no scenarios", err)
	}
	entries := 0
	for i := 0; i < len(dirs); i += 20 {
		inputs, err := filepath.Glob(dirs[i] + "/capture*.pcap*")
		if err != nil {
			t.Fatal(err)
		}
		src, err := capture.Open(capture.Config{Inputs: inputs})
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		r, err := analysis.Run(t.Context(), src, analysis.WithWorkers(1))
		if err != nil {
			t.Fatal(err)
		}
		entries += len(archived(t, r)["entries"].([]any))
	}
	if entries == 0 {
		t.Error("no archive has an entry")
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

// TestMost: an archive has no more entries than viewers take, and says how many exchanges are not
// in it.
func TestMost(t *testing.T) {
	r := sample.Report()
	x := r.Exchanges[0]
	for len(r.Exchanges) <= maxEntries+5 {
		r.Exchanges = append(r.Exchanges, x)
	}
	r.ExchangeCount = len(r.Exchanges)
	var b strings.Builder
	if err := Write(&b, r, Options{}); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), `"startedDateTime"`) - strings.Count(b.String(), `"pages"`); n != maxEntries {
		t.Errorf("%d entries, want %d", n, maxEntries)
	}
	if !strings.Contains(b.String(), `"comment": "6 exchanges are`) {
		t.Errorf("it does not say how many are left out: %.600s", b.String())
	}
}
