package json

import "tcpwhy/analysis/report"

// schemaVersion changes when a name of the JSON report changes its meaning or goes.
const schemaVersion = 2

// toolName is the program's name in reports.
const toolName = "tcpwhy"

// Options choose what a report for programs shows.
type Options struct {
	Version   string // of the program
	ShowQuery bool   // print query values, which are otherwise masked
	Summary   bool   // lists no finding, connection or exchange
}

// toolObject is what wrote a report.
type toolObject struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// encoder turns a report into what JSON shows of it.
type encoder struct {
	report *report.Report
	opts   Options
	ids    []string // names of its findings
}

func (o *Options) tool() toolObject { return toolObject{toolName, o.Version} }

// lineStart is what the line of an object of the report begins with, before its members.
type lineStart struct {
	Type string `json:"type"`
	Live bool   `json:"live,omitzero"` // the capture goes on, so this is not the last word
}

// captureLine is the first line of a report.
type captureLine struct {
	Type          string        `json:"type"`
	SchemaVersion int           `json:"schema_version"`
	Tool          toolObject    `json:"tool"`
	Capture       captureObject `json:",embed"`
}

// errorObject says why there is no report.
type errorObject struct {
	Message string `json:"message"`
	Hint    maybe  `json:"hint"`
}

// errorLine is the only line where there is no report.
type errorLine struct {
	Type          string      `json:"type"`
	SchemaVersion int         `json:"schema_version"`
	Tool          toolObject  `json:"tool"`
	Object        errorObject `json:",embed"`
}

// refused takes the error that stands in place of a report.
func (d *decoder) refused(o *errorObject) { d.note(noReport(o.Message)) }

// noReport is the error of a run that made no report, as the one that read it has it.
type noReport string

func (e noReport) Error() string { return "there is no report: " + string(e) }
