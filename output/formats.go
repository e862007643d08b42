// Package output is the table of formats in which a report is written. Each format has a package of
// its own below this one; what several of them share has, too:
//
//	mask     text from the network made fit to be shown
//	wording  words and figures for people
//	sentence the verdict, and what else all formats for people say alike
//	finding  names, groups and filters of findings
//	page     lines for a terminal
//
// No output holds an opinion or computes more than layout: what is in a report was decided in
// analysis.
package output

import (
	"io"

	"tcpwhy/analysis/report"
	"tcpwhy/output/csv"
	"tcpwhy/output/har"
	"tcpwhy/output/html"
	"tcpwhy/output/json"
	"tcpwhy/output/junit"
	"tcpwhy/output/markdown"
	"tcpwhy/output/otlp"
	"tcpwhy/output/page"
	"tcpwhy/output/text"
)

// Options choose how a report is written, whatever its format: each takes what concerns it.
type Options struct {
	Version   string          // of the program
	ShowQuery bool            // print query values, which are otherwise masked
	Summary   bool            // without what single findings, connections and exchanges show
	Page      page.Options    // of formats for people
	FailOn    report.Severity // of results of tests: what is as grave fails
}

// Format is one way to write a report.
type Format struct {
	Name string // as --format has it
	For  string // whom or what it is for, as a clause
	// About is its row in docs/outputs.md, behind its name: what for, and where it is described, in
	// Markdown; "" for one of which there is no more to say than For
	About string
	// writes a whole report
	Write func(io.Writer, *report.Report, Options) error
	// writes instead of a report why there is none, and what may help ("": nothing is known to);
	// nil for a format that people read: they see the error as it is
	Refuse func(w io.Writer, message, hint string, opts Options) error
	// begins what is written while a capture of the interface of that name goes on; nil for a
	// format that waits for the end
	Live func(w io.Writer, name string, opts Options) Live
	// All says that it lists as much as an analysis keeps, unless told otherwise.
	All bool
	// File says that it is not to be read on a terminal.
	File bool
	// Graphs are the connections of a report of which it shows segments, and the time of listed
	// exchanges in order, if an analysis has them; nil for a format that shows no such thing
	Graphs func(*report.Report) []report.GraphOf
}

// Live is written while a capture goes on. It is for one goroutine.
type Live interface {
	// Occurrence writes a finding with its totals so far and the occurrence that has just become
	// certain.
	Occurrence(*report.Finding) error
	// Exchange writes an exchange that has just been judged.
	Exchange(*report.ExchangeInfo) error
	// SoFar writes the totals of a report that is not the last.
	SoFar(*report.Report) error
}

// Formats are all formats, the usual one first.
func Formats() []Format {
	return []Format{
		{
			Name: "text", For: "for people", Write: writeText,
			About: "people: the verdict, the findings with their proof and fix, where the time " +
				"went; 80 columns, colours on a terminal | README.md",
		},
		{
			Name: "json", For: "for programs: one object", Write: writeJSON, Refuse: refuseJSON,
			About: "programs: one object, indented if it lists at most 500 entries | " +
				"[json.md](json.md), [report.schema.json](report.schema.json)",
		},
		{
			Name: "ndjson", For: "for programs: an object on each line",
			About: "programs: the objects of the same report, one on each line; live, findings " +
				"as they become certain | [json.md](json.md), [live.md](live.md)",
			Write: writeLines, Refuse: refuseLines, Live: liveLines, All: true,
		},
		{
			Name: "html", For: "for people: a page with pictures, one file", Write: writeHTML,
			File: true, Graphs: html.Wanted,
			About: "people: a page with pictures, for a ticket, an artefact of CI or a printer; " +
				"one file that loads nothing | [below](#the-page)",
		},
		{
			Name: "markdown", For: "for people: a ticket, a comment", Write: writeMarkdown,
			About: "people: a ticket, a comment, the summary of a CI job; at most 60,000 " +
				"characters of GitHub's dialect | [below](#markdown)",
		},
		{
			Name: "junit", For: "for CI servers: results of tests", Write: writeJUnit,
			About: "CI servers: a test for each rule, which fails where it found something as " +
				"grave as `--fail-on` (high unless given) | [below](#results-of-tests)",
		},
		{
			Name: "har", For: "for viewers of HTTP archives", Write: writeHAR, All: true,
			About: "viewers of HTTP archives: browsers' developer tools, proxies | " +
				"[below](#archives)",
		},
		{
			About: "tables: a line for each listed exchange | [below](#tables)",
			Name:  "csv", For: "for tables: a line for each exchange that is listed", Write: writeCSV,
			All: true,
		},
		{
			Name: "otlp", For: "for collectors of OpenTelemetry: spans",
			About: "collectors of OpenTelemetry: a span for each listed exchange, a line of OTLP/JSON " +
				"for each thousand; `--otlp-endpoint` sends them | [below](#spans)",
			Write: writeOTLP, All: true,
		},
	}
}

// Find is the format of that name; false if there is none.
func Find(name string) (Format, bool) {
	for _, f := range Formats() {
		if f.Name == name {
			return f, true
		}
	}
	return Format{}, false
}

// Names are the names of all formats.
func Names() []string {
	var names []string
	for _, f := range Formats() {
		names = append(names, f.Name)
	}
	return names
}

func writeText(w io.Writer, r *report.Report, opts Options) error {
	return text.Write(w, r, text.Options{
		Page: opts.Page, ShowQuery: opts.ShowQuery, Summary: opts.Summary,
	})
}

func writeJSON(w io.Writer, r *report.Report, opts Options) error {
	return json.Write(w, r, opts.json())
}

func writeLines(w io.Writer, r *report.Report, opts Options) error {
	return json.WriteLines(w, r, opts.json())
}

func writeHTML(w io.Writer, r *report.Report, opts Options) error {
	return html.Write(w, r, html.Options{
		Version: opts.Version, ShowQuery: opts.ShowQuery, Summary: opts.Summary,
	})
}

func writeMarkdown(w io.Writer, r *report.Report, opts Options) error {
	return markdown.Report(w, r, markdown.Options{ShowQuery: opts.ShowQuery, Summary: opts.Summary})
}

func writeJUnit(w io.Writer, r *report.Report, opts Options) error {
	return junit.Write(w, r, junit.Options{
		Version: opts.Version, ShowQuery: opts.ShowQuery, FailOn: opts.FailOn,
	})
}

func writeHAR(w io.Writer, r *report.Report, opts Options) error {
	return har.Write(w, r, har.Options{Version: opts.Version, ShowQuery: opts.ShowQuery})
}

func writeCSV(w io.Writer, r *report.Report, opts Options) error {
	return csv.Write(w, r, csv.Options{ShowQuery: opts.ShowQuery})
}

func writeOTLP(w io.Writer, r *report.Report, opts Options) error {
	return otlp.Write(w, r, opts.otlp())
}

// Spans are the requests to a collector that the format otlp has as lines.
func Spans(r *report.Report, opts Options) func(yield func([]byte) bool) {
	return otlp.Lines(r, opts.otlp())
}

// SpansRejected is how many spans of such a request a collector that answered so did not take in,
// and why.
func SpansRejected(reply []byte) (int64, string) { return otlp.Rejected(reply) }

// otlp are the options that concern spans.
func (o *Options) otlp() otlp.Options {
	return otlp.Options{Version: o.Version, ShowQuery: o.ShowQuery}
}

func refuseJSON(w io.Writer, message, hint string, opts Options) error {
	return json.WriteError(w, message, hint, opts.json())
}

func refuseLines(w io.Writer, message, hint string, opts Options) error {
	return json.WriteErrorLine(w, message, hint, opts.json())
}

func liveLines(w io.Writer, name string, opts Options) Live {
	return json.NewLive(w, name, opts.json())
}

// json are the options that concern JSON.
func (o *Options) json() json.Options {
	return json.Options{Version: o.Version, ShowQuery: o.ShowQuery, Summary: o.Summary}
}
