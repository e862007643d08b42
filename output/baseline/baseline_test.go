package baseline

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	_ "tcpwhy/internal/golden" // go test ./... -update gives the flag to every package
)

// found is a report of one finding at each of those hosts; "" has an address alone.
func found(hosts ...string) *report.Report {
	r := &report.Report{Capture: &capture.Stats{
		Start: time.Date(2026, 11, 30, 23, 59, 0, 0, time.UTC),
	}}
	for _, host := range hosts {
		r.Findings = append(r.Findings, report.Finding{
			Rule: "nagle", Severity: report.High, Host: host, Title: "held\x1b[31m", Count: 1,
			Server: netip.MustParseAddrPort("192.0.2.1:80"),
		})
	}
	return r
}

// written is a baseline as a file.
func written(t *testing.T, b *Baseline) string {
	t.Helper()
	var s strings.Builder
	if err := b.Write(&s); err != nil {
		t.Fatal(err)
	}
	return s.String()
}

// TestRoundTrip: what was found becomes entries that know it again, for 90 days, and nothing else.
func TestRoundTrip(t *testing.T) {
	b := &Baseline{}
	info := found("info")
	info.Findings[0].Severity = report.Info
	b.Add(info)
	b.Add(found("api.example", "", "api.example", "u:secret@x.example"))
	file := written(t, b)
	if strings.Contains(file, "\x1b") || strings.Contains(file, "secret") || len(b.Entries) != 3 {
		t.Errorf("the file is\n%s", file)
	}
	back, err := Read(strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	r := found("api.example", "", "other.example", "u:secret@x.example")
	back.Apply(r)
	for i, want := range []bool{true, true, false, true} {
		if got := r.Findings[i].Known; (got != nil) != want {
			t.Errorf("finding %d: known %v, want %v", i, got, want)
		}
	}
	if k := r.Findings[0].Known; k.Until != "2027-02-28" || k.Reason != notYet+"; its entry needs a reason" {
		t.Errorf("known: %+v", k)
	}
	back.Add(r)
	if len(back.Entries) != 4 {
		t.Errorf("%d entries, want those and the new one", len(back.Entries))
	}
}

// TestDays: an entry holds on its last day, by the day of the capture, and not on the next.
func TestDays(t *testing.T) {
	for until, want := range map[string]bool{"2026-11-30": true, "2026-11-29": false} {
		b, err := Read(
			strings.NewReader(`{"schema_version": 1, "known": [{"rule": "nagle", "cause": "",
			"service": "", "title": "", "reason": "old hardware", "until": "` + until + `"}]}`),
		)
		if err != nil {
			t.Fatal(err)
		}
		r := found("any.example")
		b.Apply(r)
		if got := r.Findings[0].Known != nil; got != want {
			t.Errorf("until %s: known %v, want %v", until, got, want)
		}
		if notes := b.Notes(r); (len(notes) == 0) != want {
			t.Errorf("until %s: notes %v", until, notes)
		}
	}
}

// TestMistakes: a file that may mean something else is refused.
func TestMistakes(t *testing.T) {
	for file, want := range map[string]string{
		``:                      "EOF",
		`[]`:                    "not expected",
		`{}`:                    "schema_version is 0",
		`{"schema_version": 2}`: "schema_version is 2",
		`{"schema_version": 1, "known": [{"rule": ""}]}`:                                     "names no rule",
		`{"schema_version": 1, "known": [{"rule": "nagle", "until": "2026-01-01"}]}`:         "gives no reason",
		`{"schema_version": 1, "known": [{"rule": "nagle", "reason": "x"}]}`:                 "is no day",
		`{"schema_version": 1, "known": [{"rule": "nagle", "reason": "x", "untl": "y"}]}`:    "no such member",
		`{"schema_version": 1, "known": [{"rule": "nagle", "rule": "x"}]}`:                   "duplicate",
		`{"schema_version": 1, "known": [{"rule": 7}]}`:                                      "not expected",
		`{"schema_version": 1, "known": [{"rule": "a", "reason": "x", "until": "31.1.26"}]}`: "is no day",
	} {
		if _, err := Read(strings.NewReader(file)); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", file, err, want)
		}
	}
}
