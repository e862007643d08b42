package json

import (
	"bufio"
	"bytes"
	"encoding/json"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/internal/schema"
	"tcpwhy/output/internal/sample"
	"tcpwhy/output/wording"
)

// schemaFile has the schema of reports.
const schemaFile = "../../docs/report.schema.json"

// decode is the JSON report as a program sees it, numbers untouched.
func decode(t *testing.T, r *report.Report) map[string]any {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, r, Options{Version: "1.2.3"}); err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(b.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSchema(t *testing.T) {
	resolved := schema.Resolved(t, schemaFile)
	reports := map[string]*report.Report{
		"sample": sample.Report(),
		"empty":  {Capture: &capture.Stats{}},
	}
	for name, r := range reports {
		if err := resolved.Validate(decode(t, r)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSchemaIsStrict changes a valid report in ways that the schema must notice.
func TestSchemaIsStrict(t *testing.T) {
	resolved := schema.Resolved(t, schemaFile)
	tests := []struct {
		name   string
		change func(v map[string]any)
	}{
		{"an unknown field", func(v map[string]any) { v["extra"] = 1.0 }},
		{"a missing field", func(v map[string]any) { delete(v, "summary") }},
		{"a list that is null", func(v map[string]any) { v["findings"] = nil }},
		{
			"an unknown severity",
			func(v map[string]any) { first(v, "findings")["severity"] = "grave" },
		},
		{
			"an unknown label",
			func(v map[string]any) {
				first(v, "exchanges")["time_ms"] = map[string]any{"coffee": 1.0}
			},
		},
		{
			"a time as text",
			func(v map[string]any) { first(v, "exchanges")["duration_ms"] = "1 ms" },
		},
		{
			"a field too many in a connection",
			func(v map[string]any) { first(v, "connections")["extra"] = nil },
		},
	}
	for _, tt := range tests {
		v := decode(t, sample.Report())
		tt.change(v)
		if resolved.Validate(v) == nil {
			t.Errorf("the schema accepts %s", tt.name)
		}
	}
}

func first(v map[string]any, list string) map[string]any {
	return v[list].([]any)[0].(map[string]any)
}

// TestSchemaNamesLabels keeps the schema's list of labels equal to the program's.
func TestSchemaNamesLabels(t *testing.T) {
	data, err := os.ReadFile("../../docs/report.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Defs struct {
			Times struct {
				PropertyNames struct{ Enum []string }
			}
		} `json:"$defs"`
	}
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, l := range report.Labels() {
		names = append(names, l.String())
	}
	got, want := strings.Join(s.Defs.Times.PropertyNames.Enum, " "), strings.Join(names, " ")
	if got != want {
		t.Errorf("labels of the schema\n%s\nlabels of the program\n%s", got, want)
	}
}

func TestNDJSON(t *testing.T) {
	var b bytes.Buffer
	if err := WriteLines(&b, sample.Report(), Options{Version: "1.2.3"}); err != nil {
		t.Fatal(err)
	}
	whole := decode(t, sample.Report())
	var types []string
	for lines := bufio.NewScanner(&b); lines.Scan(); {
		var v map[string]any
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		kind := v["type"].(string)
		types = append(types, kind)
		delete(v, "type")
		if kind == "finding" {
			if got, want := compact(t, v), compact(t, first(whole, "findings")); got != want {
				t.Errorf("finding %s\nwant %s", got, want)
			}
		}
	}
	const want = "capture summary story finding over connection exchange exchange"
	if got := strings.Join(types, " "); got != want {
		t.Errorf("lines are %s, want %s", got, want)
	}
}

func compact(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestMillis(t *testing.T) {
	tests := []struct {
		d    time.Duration
		want string
	}{
		{0, "0"}, {1, "0.000001"}, {-1, "-0.000001"}, {time.Millisecond, "1"},
		{1500 * time.Microsecond, "1.5"}, {40812345, "40.812345"},
		{1<<63 - 1, "9223372036854.775807"}, {-1 << 63, "-9223372036854.775808"},
	}
	for _, tt := range tests {
		if got := string(wording.AppendMillis(nil, tt.d)); got != tt.want {
			t.Errorf("wording.AppendMillis(%d) = %s, want %s", int64(tt.d), got, tt.want)
		}
	}
}

// TestTimesAddUp sums the printed labels exactly: no digit may be lost on the way.
func TestTimesAddUp(t *testing.T) {
	r := sample.Report()
	parts := []report.LabelTime{
		{Label: report.Think, Time: 1},
		{Label: report.RoundTrip, Time: 333333333},
		{Label: report.RTO, Time: 9007199254740993},
	}
	r.Exchanges[0].Times = parts
	r.Exchanges[0].Duration = parts[0].Time + parts[1].Time + parts[2].Time
	var b bytes.Buffer
	if err := Write(&b, r, Options{}); err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(&b)
	dec.UseNumber()
	var v struct {
		Exchanges []struct {
			Duration json.Number            `json:"duration_ms"`
			Times    map[string]json.Number `json:"time_ms"`
		}
	}
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	sum := new(big.Rat)
	for _, n := range v.Exchanges[0].Times {
		part, _ := new(big.Rat).SetString(n.String())
		sum.Add(sum, part)
	}
	want, _ := new(big.Rat).SetString(v.Exchanges[0].Duration.String())
	if sum.Cmp(want) != 0 {
		t.Errorf("the labels add up to %s, want %s", sum.FloatString(6), want.FloatString(6))
	}
}

func TestTraceJSON(t *testing.T) {
	r := sample.Traced()
	v := decode(t, r)
	if err := schema.Resolved(t, schemaFile).Validate(v); err != nil {
		t.Error(err)
	}
	trace, ok := v["trace"].(map[string]any)
	if !ok || len(trace["tiles"].([]any)) != 3 || len(trace["segments"].([]any)) != 5 {
		t.Errorf("trace is %v", v["trace"])
	}
	if _, ok := decode(t, sample.Report())["trace"]; ok {
		t.Error("a report without a trace has one")
	}
	var b bytes.Buffer
	if err := WriteLines(&b, r, Options{}); err != nil ||
		!strings.Contains(b.String(), `{"type":"trace","connection":0,`) {
		t.Errorf("ndjson, %v: %s", err, b.String())
	}
}

// TestShowQuery: values of queries are there when they are asked for, and only then.
func TestShowQuery(t *testing.T) {
	for _, show := range []bool{false, true} {
		var b bytes.Buffer
		if err := Write(&b, sample.Report(), Options{ShowQuery: show}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(b.String(), "key="+sample.Secret); got != show {
			t.Errorf("values shown %v: a planted value appears: %v", show, got)
		}
	}
}
