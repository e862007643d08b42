package json

import (
	"io"

	"tcpwhy/output/mask"
)

// errorObject says why there is no report.
type errorObject struct {
	Message string  `json:"message"`
	Hint    *string `json:"hint"`
}

// errorLine is the only line where there is no report.
type errorLine struct {
	Type          string      `json:"type"`
	SchemaVersion int         `json:"schema_version"`
	Tool          toolObject  `json:"tool"`
	Object        errorObject `json:",embed"`
}

// WriteError writes, instead of a report, an object that says why there is none, and what may help;
// hint is "" if nothing is known to.
func WriteError(w io.Writer, message, hint string, opts Options) error {
	o := newObjectWriter(w, true)
	o.member("schema_version", schemaVersion)
	o.member("tool", toolObject{toolName, opts.Version})
	o.member("error", errorObject{mask.Visible(message), text(hint)})
	return o.end()
}

// WriteErrorLine is WriteError for a report in lines.
func WriteErrorLine(w io.Writer, message, hint string, opts Options) error {
	to := newLineWriter(w)
	to.line(errorLine{
		"error", schemaVersion, toolObject{toolName, opts.Version},
		errorObject{mask.Visible(message), text(hint)},
	})
	return to.err
}

// refused takes the error that stands in place of a report.
func (d *decoder) refused(o *errorObject) { d.note(noReport(o.Message)) }

// noReport is the error of a run that made no report, as the one that read it has it.
type noReport string

func (e noReport) Error() string { return "there is no report: " + string(e) }
