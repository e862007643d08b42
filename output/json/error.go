package json

import (
	"io"

	"tcpwhy/output/mask"
)

// WriteError writes, instead of a report, an object that says why there is none, and what may help;
// hint is "" if nothing is known to.
func WriteError(w io.Writer, message, hint string, opts Options) error {
	o := newObjectWriter(w, true, opts)
	o.member("error", &errorObject{mask.Visible(message), text(hint)})
	return o.end()
}

// WriteErrorLine is WriteError for a report in lines.
func WriteErrorLine(w io.Writer, message, hint string, opts Options) error {
	to := newLineWriter(w)
	to.line(&errorLine{
		"error", schemaVersion, opts.tool(),
		errorObject{mask.Visible(message), text(hint)},
	})
	return to.err
}
