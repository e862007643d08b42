package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"tcpwhy/internal/schema"

	"github.com/google/jsonschema-go/jsonschema"
)

// schemaFile has the schema of reports.
const schemaFile = "docs/report.schema.json"

// TestGoldensShowTheSchema: what the JSON of any scenario has, that of one with a report.json has,
// so that a change of the JSON can be read in one of them: each field with a value, and as null;
// each value of those that are one of a list; and each name of maps, as the labels are.
func TestGoldensShowTheSchema(t *testing.T) {
	t.Parallel()
	root := schema.Read(t, schemaFile)
	missing := map[string]string{} // a part, and a scenario that shows it
	shown := schemaParts{}
	for _, dir := range scenarioDirs(t) {
		_, asJSON := renderBoth(t, analyseFiles(t, captures(t, dir), 1))
		var report any
		if err := json.Unmarshal([]byte(asJSON), &report); err != nil {
			t.Fatal(err)
		}
		parts := schemaParts{}
		parts.add(root, root, "report", report)
		if _, err := os.Stat(dir + "/report.json"); err == nil {
			maps.Copy(shown, parts)
			continue
		}
		for part := range parts {
			missing[part] = dir
		}
	}
	for _, part := range slices.Sorted(maps.Keys(missing)) {
		if dir := missing[part]; !shown[part] {
			t.Errorf("no report.json has %s; that of %s would: put an empty one there, and run "+
				"go test . -update", part, dir)
		}
	}
}

// schemaParts are the parts of the schema that a report has.
type schemaParts map[string]bool

// add goes through a value and the schema that describes it, which is called where.
func (p schemaParts) add(root, s *jsonschema.Schema, where string, value any) {
	if value == nil {
		p[where+": null"] = true
		return
	}
	for _, one := range s.AnyOf {
		if one.Type != "null" {
			s = one
		}
	}
	if name, ok := strings.CutPrefix(s.Ref, "#/$defs/"); ok {
		p[where] = true
		p.add(root, root.Defs[name], name, value)
		return
	}
	switch v := value.(type) {
	case map[string]any:
		p.addFields(root, s, where, v)
	case []any:
		for _, element := range v {
			p.add(root, s.Items, where+"[]", element)
		}
	default:
		p[where] = true
		if _, isBool := v.(bool); isBool || len(s.Enum) > 0 {
			p[fmt.Sprintf("%s: %v", where, v)] = true
		}
	}
}

// addFields goes through an object. Fields that the schema does not name are those of a map: their
// names are the parts.
func (p schemaParts) addFields(root, s *jsonschema.Schema, where string, object map[string]any) {
	for key, value := range object {
		if field := s.Properties[key]; field != nil {
			p.add(root, field, where+"."+key, value)
		} else {
			p[where+": "+key] = true
		}
	}
}
