package main

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"tcpwhy/internal/cli"
)

// analyseFile is the JSON report of a file.
func analyseFile(t *testing.T, name string) []byte {
	t.Helper()
	var out, errs bytes.Buffer
	if status := cli.Run([]string{"-F", "json", name}, nil, &out, &errs); status != cli.ExitOK {
		t.Fatalf("%s: status %d: %s", name, status, errs.String())
	}
	return out.Bytes()
}

// decode reads a JSON report, without the name and the format of its input.
func decode(t *testing.T, report []byte) map[string]any {
	t.Helper()
	var r map[string]any
	if err := json.Unmarshal(report, &r); err != nil {
		t.Fatalf("%v in %.200s", err, report)
	}
	for _, in := range r["capture"].(map[string]any)["inputs"].([]any) {
		delete(in.(map[string]any), "name")
		delete(in.(map[string]any), "format")
	}
	return r
}

// timeless removes what depends on the exact times of frames.
func timeless(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if strings.HasSuffix(key, "_ms") || key == "start" || key == "end" {
				delete(v, key)
			} else {
				v[key] = timeless(value)
			}
		}
	case []any:
		for i := range v {
			v[i] = timeless(v[i])
		}
	}
	return v
}

// sameReport compares two reports and shows where they first differ.
func sameReport(t *testing.T, what string, live, file any) {
	t.Helper()
	if reflect.DeepEqual(live, file) {
		return
	}
	a, _ := json.MarshalIndent(live, "", " ")
	b, _ := json.MarshalIndent(file, "", " ")
	x, y := strings.Split(string(a), "\n"), strings.Split(string(b), "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			t.Errorf("%s differs at line %d: live %q, file %q", what, i+1, x[i], y[i])
			return
		}
	}
	t.Errorf("%s differs: live %d lines, file %d", what, len(x), len(y))
}

// count is a number of the report's capture or summary.
func count(r map[string]any, object, field string) int {
	n, _ := r[object].(map[string]any)[field].(float64)
	return int(n)
}
