// Package schema has the schemas that tests hold outputs to.
package schema

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
)

// Read is the JSON schema in a file. A file that has none ends the test.
func Read(t testing.TB, file string) *jsonschema.Schema {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var s jsonschema.Schema
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	return &s
}

// Resolved is the schema in a file, ready to check with.
func Resolved(t testing.TB, file string) *jsonschema.Resolved {
	t.Helper()
	resolved, err := Read(t, file).Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	return resolved
}
