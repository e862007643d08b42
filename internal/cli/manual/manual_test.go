package manual

import (
	"os/exec"
	"strings"
	"testing"

	_ "tcpwhy/internal/golden"
)

// hostilePage has requests and escapes wherever there is text.
var hostilePage = Page{
	Name: "a-b", Program: `a 1 "x"`, Does: `does \fBbold`, Calls: []string{"FILE...", "-i 'x'"},
	About:   []string{".SH NOT A HEADING\nsecond line", "'br"},
	Parts:   []Part{{"COMMANDS", []Item{{".x", "first\nname   in columns\nlast"}}}},
	Flags:   []Item{{"-f, --flag V", `a "b" c\d` + "\n.ig"}},
	Example: "a -b | c \\\n.so /etc/passwd", Ends: "0.", SeeAlso: []string{"a-b-c", "d"},
}

const hostileRoff = `.TH "A\-B" 1 "" "a 1 \(dqx\(dq"
.SH NAME
a\-b \- does \efBbold
.SH SYNOPSIS
\fBa\-b\fR FILE...
.br
\fBa\-b\fR \-i \(aqx\(aq
.SH DESCRIPTION
\&.SH NOT A HEADING
second line
.PP
\&\(aqbr
.SH COMMANDS
.TP
\fB.x\fR
first
.EX
name   in columns
.EE
last
.SH OPTIONS
.TP
\fB\-f, \-\-flag V\fR
a "b" c\ed
\&.ig
.SH EXAMPLES
.EX
a \-b | c \e
\&.so /etc/passwd
.EE
.SH EXIT STATUS
0.
.SH SEE ALSO
.BR a\-b\-c (1),
.BR d (1)
`

func TestWrite(t *testing.T) {
	var b strings.Builder
	if err := hostilePage.Write(&b); err != nil {
		t.Fatal(err)
	}
	if b.String() != hostileRoff {
		t.Errorf("wrote\n%s\nwant\n%s", b.String(), hostileRoff)
	}
}

// TestFormatter asks groff, where it is installed, whether anything on the page is wrong.
func TestFormatter(t *testing.T) {
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Skip(err)
	}
	var b, errs strings.Builder
	if err := hostilePage.Write(&b); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(groff, "-man", "-ww", "-Tascii")
	cmd.Stdin, cmd.Stderr = strings.NewReader(b.String()), &errs
	out, err := cmd.Output()
	if err != nil || errs.Len() > 0 || !strings.Contains(string(out), ".so /etc/passwd") {
		t.Errorf("groff: %v\n%s\n%s", err, errs.String(), out)
	}
}
