package json

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"tcpwhy/analysis/compare"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/internal/schema"
	"tcpwhy/output/internal/sample"
)

// TestComparisonSchema: a comparison with one of everything, and an empty one, follow the schema,
// which is strict; and none is taken for a report.
func TestComparisonSchema(t *testing.T) {
	resolved := schema.Resolved(t, "../../docs/compare.schema.json")
	empty := &report.Report{Capture: &capture.Stats{}}
	for _, sides := range [][2]*report.Report{
		{asked(60, 80*time.Millisecond), asked(150, 20*time.Millisecond)}, {empty, empty},
		{asked(2, time.Millisecond), asked(2, time.Millisecond)},
	} {
		var b bytes.Buffer
		c := compare.Of(compare.Side{Name: "a", Report: sides[0]},
			compare.Side{Name: "b", Version: "1.2.2", Report: sides[1]}, compare.Options{})
		if err := WriteComparison(&b, c, Options{Version: "1.2.3"}); err != nil {
			t.Fatal(err)
		}
		var v any
		if err := json.Unmarshal(b.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		if err := resolved.Validate(v); err != nil {
			t.Errorf("%v\n%s", err, b.String())
		}
		if _, _, err := Read(&b); err == nil || !strings.Contains(err.Error(), "comparison") {
			t.Errorf("read as a report: %v", err)
		}
	}
}

// asked is the sample with n exchanges of one endpoint, each of which took about so long.
func asked(n int, took time.Duration) *report.Report {
	r := sample.Report()
	e := report.Endpoint{Method: "GET", Template: "/item/{n}", Host: "api.example", Exchanges: n}
	for i := range n {
		d := took + time.Duration(i)*time.Microsecond
		e.Duration.Add(d)
		e.Time += d
	}
	e.Times = []report.LabelTime{{Label: report.Think, Time: e.Time}}
	r.Endpoints = []report.Endpoint{e}
	return r
}

// TestReadDamaged: what cannot be all of a report is refused, each with what is wrong.
func TestReadDamaged(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b, asked(3, time.Second), Options{Version: "1.2.3"}); err != nil {
		t.Fatal(err)
	}
	whole := b.String()
	for want, change := range map[string]*strings.Replacer{
		"":                     strings.NewReplacer(),
		"3 durations":          strings.NewReplacer(`"n": 3`, `"n": 4`),
		"negative":             strings.NewReplacer(`1000.001`, `-1000.001`),
		"-3 exchanges":         strings.NewReplacer(`"exchanges": 3`, `"exchanges": -3`),
		"no endpoints":         strings.NewReplacer(`"endpoints": [`, `"ends": [`),
		"no capture":           strings.NewReplacer(`"capture": {`, `"shot": {`),
		"schema_version is 99": strings.NewReplacer(`"schema_version": 2`, `"schema_version": 99`),
		"something follows":    strings.NewReplacer("\n}\n", "\n}{}\n"),
		"UTF-16":               strings.NewReplacer("{\n  \"schema", "\xff\xfe{\n  \"schema"),
	} {
		_, _, err := Read(strings.NewReader(change.Replace(whole)))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
	if _, _, err := Read(strings.NewReader(whole[:len(whole)/2])); err == nil {
		t.Error("half a report is read")
	}
}

// anyNumber is one in JSON.
var anyNumber = regexp.MustCompile(`: -?[0-9.]+`)

// TestCompareMutated: whatever numbers stand in a report, comparing it ends, and what is written is
// JSON.
func TestCompareMutated(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	var b bytes.Buffer
	if err := Write(&b, asked(40, time.Second), Options{Version: "1.2.3"}); err != nil {
		t.Fatal(err)
	}
	places := anyNumber.FindAllIndex(b.Bytes(), -1)
	instead := []string{
		": 0", ": -1", ": 1", ": 7", ": 1e3", ": 9223372036854", ": 9007199254740991", ": -0.000001",
	}
	read := 0
	for range 400 {
		at := places[random.IntN(len(places))]
		text := b.String()[:at[0]] + instead[random.IntN(len(instead))] + b.String()[at[1]:]
		r, _, err := Read(strings.NewReader(text))
		if err != nil {
			continue
		}
		read++
		var out bytes.Buffer
		c := compare.Of(compare.Side{Report: asked(40, time.Second)}, compare.Side{Report: r},
			compare.Options{})
		if err := WriteComparison(&out, c, Options{Version: "1.2.3"}); err != nil || !json.Valid(out.Bytes()) {
			t.Fatalf("%v with %s:\n%s", err, text[at[0]-30:at[0]+20], out.String())
		}
	}
	if read < 50 {
		t.Errorf("only %d were read", read)
	}
}
