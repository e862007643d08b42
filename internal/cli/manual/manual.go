// Package manual writes manual pages, for man(1).
package manual

import (
	"fmt"
	"io"
	"strings"
)

// Page is a manual page of section 1. Its texts are plain: nothing in them is a request of the
// formatter's.
type Page struct {
	Name    string   // of the program or command, as the page is called
	Program string   // and its version: the foot of the page
	Does    string   // a clause without a full stop
	Calls   []string // how it is called, without its name
	About   []string // paragraphs
	Parts   []Part
	Flags   []Item
	Example string // commands, a line each
	Ends    string // the exit status, a paragraph
	SeeAlso []string
}

// Part is a section of items under a heading of its own.
type Part struct {
	Heading string
	Items   []Item
}

// Item is a term and what it means. Lines of the meaning in which words stand in columns stay
// lines.
type Item struct{ Term, Meaning string }

// Write writes the page.
func (p *Page) Write(w io.Writer) error {
	var b strings.Builder
	name := strings.ToUpper(p.Name)
	fmt.Fprintf(&b, ".TH %s 1 \"\" %s\n", quoted(name), quoted(p.Program))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", escaped(p.Name), escaped(p.Does))
	b.WriteString(".SH SYNOPSIS\n")
	for i, call := range p.Calls {
		if i > 0 {
			b.WriteString(".br\n")
		}
		fmt.Fprintf(&b, "\\fB%s\\fR %s\n", escaped(p.Name), escaped(call))
	}
	b.WriteString(".SH DESCRIPTION\n")
	for i, text := range p.About {
		if i > 0 {
			b.WriteString(".PP\n")
		}
		writeText(&b, text)
	}
	for _, part := range p.Parts {
		writeItems(&b, part.Heading, part.Items)
	}
	writeItems(&b, "OPTIONS", p.Flags)
	p.writeEnd(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

// writeEnd writes the sections after those of what may be given.
func (p *Page) writeEnd(b *strings.Builder) {
	if p.Example != "" {
		fmt.Fprintf(b, ".SH EXAMPLES\n.EX\n")
		writeLines(b, p.Example)
		b.WriteString(".EE\n")
	}
	if p.Ends != "" {
		b.WriteString(".SH EXIT STATUS\n")
		writeText(b, p.Ends)
	}
	if len(p.SeeAlso) == 0 {
		return
	}
	b.WriteString(".SH SEE ALSO\n")
	for i, name := range p.SeeAlso {
		comma := ","
		if i == len(p.SeeAlso)-1 {
			comma = ""
		}
		fmt.Fprintf(b, ".BR %s (1)%s\n", escaped(name), comma)
	}
}

// writeItems writes a section of items; nothing if there are none.
func writeItems(b *strings.Builder, heading string, items []Item) {
	if len(items) == 0 {
		return
	}
	fmt.Fprintf(b, ".SH %s\n", escaped(heading))
	for _, item := range items {
		fmt.Fprintf(b, ".TP\n\\fB%s\\fR\n", escaped(item.Term))
		writeText(b, item.Meaning)
	}
}

// writeText writes lines that the formatter fills, but those in columns.
func writeText(b *strings.Builder, text string) {
	inColumns := false
	for _, line := range strings.Split(strings.TrimSpace(text)+"\n", "\n") {
		columns := strings.Contains(line, "  ")
		switch {
		case columns && !inColumns:
			b.WriteString(".EX\n")
		case !columns && inColumns:
			b.WriteString(".EE\n")
		}
		inColumns = columns
		if line != "" {
			writeLines(b, line)
		}
	}
}

// writeLines writes lines none of which is a request.
func writeLines(b *strings.Builder, text string) {
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		line = escaped(line)
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, `\(aq`) {
			line = `\&` + line
		}
		b.WriteString(line + "\n")
	}
}

// escaped is text in which no character means anything to the formatter, and that may be copied
// from the page: its hyphens and quotes are those of a command line.
func escaped(text string) string {
	return strings.NewReplacer(`\`, `\e`, `-`, `\-`, `'`, `\(aq`, `^`, `\(ha`, `~`, `\(ti`,
		"`", `\(ga`, `…`, `...`).Replace(text)
}

// quoted is one argument of a request.
func quoted(text string) string {
	return `"` + strings.ReplaceAll(escaped(text), `"`, `\(dq`) + `"`
}
