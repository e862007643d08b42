package text

import (
	"fmt"
	"io"

	"tcpwhy/analysis/report"
	"tcpwhy/output/page"
	"tcpwhy/output/wording"
)

// Explain writes all that is known about a rule: what happens, how it is recognised, how its cost
// is counted and when it is wrong; its causes and what cures each; and what to read.
func Explain(w io.Writer, r *report.Rule, opts page.Options) error {
	p := page.New(w, opts)
	p.Para("", r.Name+": "+r.Title, page.Strong)
	for _, part := range r.Parts() {
		p.Heading(part.Title)
		for i, text := range part.Paragraphs {
			if i > 0 {
				p.Blank()
			}
			p.Para("  ", text, page.Plain)
		}
	}
	writeCauses(p, r)
	if len(r.References) > 0 {
		p.Heading("References")
		for _, ref := range r.References {
			p.Para("  ", ref, page.Plain)
		}
	}
	return p.Flush()
}

// writeCauses lists the ways in which a rule's fault comes about, each with its cures.
func writeCauses(p *page.Page, r *report.Rule) {
	if len(r.Causes) == 0 {
		return
	}
	p.Heading("Causes and fixes")
	for i := range r.Causes {
		c := &r.Causes[i]
		if i > 0 {
			p.Blank()
		}
		if c.Code != "" {
			p.Para("  ", c.Code, page.Strong)
		}
		p.Para("  ", wording.Meaning(c), page.Plain)
		for _, m := range c.Remedies {
			p.Para(fmt.Sprintf("  %-9s", m.Side.String()+":"), m.General(), page.Green)
		}
	}
}

// ListRules writes one line for each rule.
func ListRules(w io.Writer, rules []report.Rule, opts page.Options) error {
	p := page.New(w, opts)
	widest := 0
	for i := range rules {
		widest = max(widest, len(rules[i].Name))
	}
	for i := range rules {
		r := &rules[i]
		p.Para(fmt.Sprintf("%-*s  ", widest, r.Name), r.Title, page.Plain)
	}
	return p.Flush()
}
