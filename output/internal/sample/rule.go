package sample

import "tcpwhy/analysis/report"

// Rule is the documentation of a rule, with what Markdown would take for markup.
func Rule() *report.Rule {
	return &report.Rule{
		Name: "nagle", Title: "a title",
		Doc: `What happens
One thing
after another.

How it is recognised
By <this> and ` + "`that_one`" + `.

And more of it, in a long sentence that goes on, and on, and on until the line is full.`,
		Causes: []report.Cause{{
			Code: "request", Message: "The client does it.",
			Remedies: []report.Remedy{{Side: report.SideClient, Text: "set TCP_NODELAY"}},
		}},
		References: []string{"RFC 896"},
	}
}
