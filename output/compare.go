package output

import (
	"io"

	"tcpwhy/analysis/compare"
	"tcpwhy/output/html"
	"tcpwhy/output/json"
	"tcpwhy/output/markdown"
	"tcpwhy/output/text"
)

// ComparisonFormat is one way to write what changed between two reports.
type ComparisonFormat struct {
	Name string // as --format has it
	For  string // whom or what it is for, as a clause
	File bool   // it is not to be read on a terminal

	Write func(io.Writer, *compare.Comparison, Options) error
}

// ComparisonFormats are all formats of comparisons, the usual one first.
func ComparisonFormats() []ComparisonFormat {
	return []ComparisonFormat{
		{Name: "text", For: "for people", Write: func(
			w io.Writer, c *compare.Comparison, opts Options,
		) error {
			return text.WriteComparison(w, c, opts.Page)
		}},
		{Name: "json", For: "for programs: one object", Write: func(
			w io.Writer, c *compare.Comparison, opts Options,
		) error {
			return json.WriteComparison(w, c, opts.json())
		}},
		{Name: "html", For: "for people: a page with pictures, one file", File: true, Write: func(
			w io.Writer, c *compare.Comparison, opts Options,
		) error {
			return html.WriteComparison(w, c, html.Options{Version: opts.Version})
		}},
		{Name: "markdown", For: "for people: a comment on a change", Write: func(
			w io.Writer, c *compare.Comparison, _ Options,
		) error {
			return markdown.Comparison(w, c)
		}},
	}
}

// FindComparison is the format of comparisons of that name; false if there is none.
func FindComparison(name string) (ComparisonFormat, bool) {
	for _, f := range ComparisonFormats() {
		if f.Name == name {
			return f, true
		}
	}
	return ComparisonFormat{}, false
}
