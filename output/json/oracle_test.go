package json

import (
	"bytes"
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"tcpwhy/analysis/report"
	"tcpwhy/output/finding"
	"tcpwhy/output/internal/sample"
)

// What follows writes reports by reflection on the tags of the structs: slowly, but it forgets no
// member. What is generated has to write the same octets.

func (m millis) MarshalJSONTo(
	enc *jsontext.Encoder,
) error {
	return enc.WriteValue(m.appendTo(nil))
}

func (m maybe) MarshalJSONTo(enc *jsontext.Encoder) error {
	if m == "" {
		return enc.WriteToken(jsontext.Null)
	}
	return enc.WriteToken(jsontext.String(string(m)))
}

func (t labelTimes) MarshalJSONTo(enc *jsontext.Encoder) error {
	err := enc.WriteToken(jsontext.BeginObject)
	for _, part := range t {
		if err == nil && part.Time != 0 {
			err = json.MarshalEncode(enc, part.Label.String())
			if err == nil {
				err = json.MarshalEncode(enc, millis(part.Time))
			}
		}
	}
	if err != nil {
		return err
	}
	return enc.WriteToken(jsontext.EndObject)
}

// reflected is v as JSON, with an end of line.
func reflected(t testing.TB, v any, opts ...json.Options) []byte {
	t.Helper()
	opts = append(opts, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	b, err := json.Marshal(v, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return append(b, '\n')
}

// reportObject is what Write writes, in one piece.
type reportObject struct {
	SchemaVersion int                `json:"schema_version"`
	Tool          toolObject         `json:"tool"`
	Capture       *captureObject     `json:"capture"`
	Summary       *summaryObject     `json:"summary"`
	Trace         *traceObject       `json:"trace,omitzero"`
	Stories       []storyObject      `json:"stories"`
	Findings      []findingObject    `json:"findings"`
	Endpoints     []endpointObject   `json:"endpoints"`
	Over          *overObject        `json:"over"`
	Connections   []connectionObject `json:"connections"`
	Exchanges     []exchangeObject   `json:"exchanges"`
}

// reflectedReport is what Write has to write of a report.
func reflectedReport(r *report.Report, opts Options) *reportObject {
	e := encoder{report: r, opts: opts, ids: finding.IDs(r.Findings)}
	o := &reportObject{
		SchemaVersion: schemaVersion, Tool: opts.tool(), Capture: e.capture(), Summary: e.summary(),
		Over: e.over(),
	}
	if r.Trace != nil {
		o.Trace = e.trace(r.Trace)
	}
	for i := range r.Stories {
		o.Stories = append(o.Stories, e.story(&r.Stories[i], e.ids))
	}
	for i := range r.Findings {
		o.Findings = append(o.Findings, e.finding(&r.Findings[i], e.ids[i]))
	}
	for i := range r.Endpoints {
		o.Endpoints = append(o.Endpoints, e.endpoint(&r.Endpoints[i]))
	}
	for i := range r.Conns {
		o.Connections = append(o.Connections, e.connection(&r.Conns[i]))
	}
	for i := range r.Exchanges {
		o.Exchanges = append(o.Exchanges, e.exchange(&r.Exchanges[i]))
	}
	return o
}

// line is an object of the report on a line of its own.
type line[T any] struct {
	Type   string `json:"type"`
	Object T      `json:",embed"`
}

// reflectedLines is what WriteLines has to write.
func reflectedLines(t testing.TB, o *reportObject) (all []byte) {
	t.Helper()
	all = reflected(t, captureLine{"capture", o.SchemaVersion, o.Tool, *o.Capture})
	all = append(all, reflected(t, line[summaryObject]{"summary", *o.Summary})...)
	if o.Trace != nil {
		all = append(all, reflected(t, line[traceObject]{"trace", *o.Trace})...)
	}
	all = append(all, reflectedEach(t, "story", o.Stories)...)
	all = append(all, reflectedEach(t, "finding", o.Findings)...)
	all = append(all, reflectedEach(t, "endpoint", o.Endpoints)...)
	all = append(all, reflected(t, line[overObject]{"over", *o.Over})...)
	all = append(all, reflectedEach(t, "connection", o.Connections)...)
	return append(all, reflectedEach(t, "exchange", o.Exchanges)...)
}

func reflectedEach[T any](t testing.TB, kind string, list []T) (all []byte) {
	t.Helper()
	for _, o := range list {
		all = append(all, reflected(t, line[T]{kind, o})...)
	}
	return all
}

// checkReflected: reports are written as reflection would write them.
func checkReflected(t *testing.T, r *report.Report, opts Options) {
	t.Helper()
	o := reflectedReport(r, opts)
	var layout []json.Options
	if len(r.Findings)+len(r.Conns)+len(r.Exchanges) <= mostIndented {
		layout = append(layout, jsontext.WithIndent("  "))
	}
	for _, w := range []struct {
		name  string
		write func(io.Writer, *report.Report, Options) error
		want  []byte
	}{
		{"object", Write, reflected(t, o, layout...)},
		{"lines", WriteLines, reflectedLines(t, o)},
	} {
		var b bytes.Buffer
		if err := w.write(&b, r, opts); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.Bytes(), w.want) {
			t.Errorf(
				"%s: reflection writes it in another way: %s",
				w.name,
				unlike(b.Bytes(), w.want),
			)
		}
	}
}

// unlike quotes where two texts part.
func unlike(got, want []byte) string {
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	from := max(0, at-60)
	return string(
		got[from:min(len(got), at+60)],
	) + "\nwant " + string(
		want[from:min(len(want), at+60)],
	)
}

// TestReflectedLong: lists of several parts are in their order, whatever is made first.
func TestReflectedLong(t *testing.T) {
	for _, n := range []int{1, partSize - 1, partSize, partSize + 1, 20*partSize + 7} {
		r := sample.Report()
		conn, x := r.Conns[0], r.Exchanges[0]
		r.Conns, r.Exchanges = nil, nil
		for i := range n {
			conn.ID, x.ID = i, i
			r.Conns, r.Exchanges = append(r.Conns, conn), append(r.Exchanges, x)
		}
		checkReflected(t, r, Options{Version: "1.2.3"})
	}
}

// TestReflectedRandom fills every member of every object with all kinds of values.
func TestReflectedRandom(t *testing.T) {
	random := filler{rand.New(rand.NewPCG(1, 2))}
	for _, o := range written {
		for range 300 {
			v := reflect.New(reflect.TypeOf(o))
			random.fill(v.Elem())
			got := append(v.Interface().(object).appendTo(nil), '\n')
			if want := reflected(t, v.Interface()); !bytes.Equal(got, want) {
				t.Fatalf("%T: reflection writes it in another way: %s", o, unlike(got, want))
			}
		}
	}
}

// filler makes up values.
type filler struct{ *rand.Rand }

// texts are what strings are made of.
var texts = []string{
	"a", "/path", `"`, `\`, "\n", "\t", "\x00", "\x1f", "\x7f", "<&>", "é", "\u2028", "\U0001f600",
	"\xff", "\xed\xa0\x80", "…", "\ufffd", "\b\f\r",
}

// fill fills v, one time in three with nothing.
func (f filler) fill(v reflect.Value) {
	if f.IntN(3) == 0 && v.Kind() != reflect.Struct {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for _, field := range v.Fields() {
			f.fill(field)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	case reflect.Slice:
		f.fillList(v)
	case reflect.Map:
		f.fillMap(v)
	case reflect.String:
		v.SetString(f.text())
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(math.Ldexp(f.Float64(), f.IntN(80)-40))
	default:
		f.fillNumber(v)
	}
}

func (f filler) text() (s string) {
	for range f.IntN(5) {
		s += texts[f.IntN(len(texts))]
	}
	return s
}

// fillNumber makes small and large numbers.
func (f filler) fillNumber(v reflect.Value) {
	if n := f.Uint64() >> f.IntN(64); v.CanUint() {
		v.SetUint(n & (1<<v.Type().Bits() - 1))
	} else {
		v.SetInt(int64(n))
	}
}

func (f filler) fillList(v reflect.Value) {
	if v.Type() == reflect.TypeFor[labelTimes]() {
		var times labelTimes // each label once
		for _, l := range report.Labels() {
			d := millis(0)
			f.fill(reflect.ValueOf(&d).Elem())
			times = append(times, report.LabelTime{Label: l, Time: time.Duration(d)})
		}
		v.Set(reflect.ValueOf(times))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), f.IntN(4), 4))
	for i := range v.Len() {
		f.fill(v.Index(i))
	}
}

func (f filler) fillMap(v reflect.Value) {
	v.Set(reflect.MakeMap(v.Type()))
	for range f.IntN(4) {
		value := reflect.New(v.Type().Elem()).Elem()
		f.fill(value)
		v.SetMapIndex(reflect.ValueOf(texts[f.IntN(10)]), value)
	}
}
