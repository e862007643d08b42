package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"tcpwhy/analysis/report"
	"tcpwhy/internal/cli"
	"tcpwhy/internal/golden"
	"tcpwhy/output"
)

// shownRun is the scenario that README shows.
const shownRun = "testdata/pcaps/nagle-delayed-ack-request-rtt10/capture.pcap"

// TestREADME keeps the run and the flags that README shows equal to what the program prints.
func TestREADME(t *testing.T) {
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	run := render(t, "text", analyseFiles(t, []string{shownRun}, 1))
	flags := cli.FlagUsages()
	want := replaceBlock(t, string(data), "run", "$ tcpwhy "+shownRun+"\n"+run)
	want = replaceBlock(t, want, "flags", flags)
	want = replaceBlock(t, want, "formats", formatLines())
	golden.File(t, "README.md", []byte(want))
}

// formatLines are a line for each format.
func formatLines() string {
	var b strings.Builder
	for _, f := range output.Formats() {
		fmt.Fprintf(&b, "--format %-10s %s\n", f.Name, f.For)
	}
	return b.String()
}

// replaceBlock puts text between the marks of that name.
func replaceBlock(t *testing.T, doc, name, text string) string {
	t.Helper()
	head, rest, found := strings.Cut(doc, "<!-- "+name+" -->\n```\n")
	_, tail, ended := strings.Cut(rest, "```\n<!-- end -->")
	if !found || !ended {
		t.Fatalf("README.md has no block %q", name)
	}
	return head + "<!-- " + name + " -->\n```\n" + text + "```\n<!-- end -->" + tail
}

// TestChangelog: the latest release there is that of the source.
func TestChangelog(t *testing.T) {
	data, err := os.ReadFile("CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), "\n## Unreleased\n")
	_, release, _ := strings.Cut(rest, "\n## ")
	if version, _, _ := strings.Cut(release, " "); version != cli.Version {
		t.Errorf("the latest release is %q, the source is of %q", version, cli.Version)
	}
}

// TestJSONDocs looks for every field of the schema, and for every label, in docs/json.md.
func TestJSONDocs(t *testing.T) {
	doc, err := os.ReadFile("docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile("docs/report.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	type object struct{ Properties map[string]json.RawMessage }
	var schema struct {
		object
		Defs map[string]object `json:"$defs"`
	}
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	tables := strings.Split(string(doc), "\n## ")
	schema.Defs["report"] = schema.object
	for name, def := range schema.Defs {
		if len(def.Properties) > 0 && !documented(tables, def.Properties) {
			t.Errorf("docs/json.md has no table with exactly the fields of %q", name)
		}
	}
	for _, l := range report.Labels() {
		if !strings.Contains(string(doc), "| `"+l.String()+"` |") {
			t.Errorf("docs/json.md lacks the label %s", l)
		}
	}
}

// documented reports whether one of the tables has a row for each field, and no other.
func documented(tables []string, fields map[string]json.RawMessage) bool {
	for _, table := range tables {
		rows := strings.Count(table, "\n| `")
		found := 0
		for field := range fields {
			if strings.Contains(table, "\n| `"+field+"` | ") {
				found++
			}
		}
		if found == len(fields) && rows == found {
			return true
		}
	}
	return false
}
