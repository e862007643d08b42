package report

import "strings"

// Rule is what there is to say about a rule, whatever it found.
type Rule struct {
	Name  string // as in reports and flags
	Title string // for people, no full stop
	// four parts: what happens, how it is recognised, how cost is counted, when it is wrong
	Doc        string
	Causes     []Cause
	References []string
}

// Cause is one way in which a rule's fault comes about.
type Cause struct {
	Code     string // "" for a rule without causes, or its usual one
	Title    string // for people, the finding's title; "" for the rule's own
	Message  string // the story, in one or two plain sentences
	Side     Side   // who causes it
	Remedies []Remedy
}

// DocPart is one part of a rule's documentation.
type DocPart struct {
	Title      string
	Paragraphs []string
}

// longestHeading is how many characters a heading of the documentation may have.
const longestHeading = 40

// Parts splits the documentation at its headings: the first line of a paragraph that is short and
// has no punctuation, while the paragraph goes on below it.
func (r *Rule) Parts() []DocPart {
	var parts []DocPart
	for _, block := range strings.Split(strings.TrimSpace(r.Doc), "\n\n") {
		head, rest, found := strings.Cut(strings.TrimSpace(block), "\n")
		if found && len(head) <= longestHeading && !strings.ContainsAny(head, ".,:;") {
			parts = append(parts, DocPart{Title: head})
			block = rest
		}
		if len(parts) == 0 {
			parts = append(parts, DocPart{Title: "What happens"})
		}
		last := &parts[len(parts)-1]
		last.Paragraphs = append(last.Paragraphs, strings.Join(strings.Fields(block), " "))
	}
	return parts
}

// Cause is the rule's cause with that code; nil if there is none.
func (r *Rule) Cause(code string) *Cause {
	for i := range r.Causes {
		if r.Causes[i].Code == code {
			return &r.Causes[i]
		}
	}
	return nil
}

// CaptureQuality is the name of the rule whose findings say what a capture could not show: for
// people they are caveats of a report, not findings.
const CaptureQuality = "capture-quality"

// Caveats that outputs look for. With the first and the last the numbers of connections may not be
// those of Wireshark.
const (
	// frames were put in the order of their times; Wireshark keeps that of the file
	CaveatReordered = "reordered"
	// what connections carry is encrypted, and no key opens it
	CaveatEncrypted = "encrypted"
	// connections carry a protocol that is not read
	CaveatForeign = "not-http"
	// ICMP errors quote connections that have no number here
	CaveatQuoted = "quoted-connections"
	// this program failed on connections: a defect of its own
	CaveatNotJudged = "not-judged"
	// likewise on a rule that compares connections
	CaveatRuleEnded = "rule-ended"
	// no end of a connection is this machine's, as far as this network namespace tells
	CaveatElsewhere = "process-elsewhere"
	// this machine's kernel counted other repetitions than the capture shows
	CaveatKernelDiffers = "kernel-differs"
	// it sent once what the capture lacks
	CaveatSentOnce = "kernel-sent-once"
	// it counted less than claims say
	CaveatKernelDenies = "kernel-denies"
)

// CaveatOf is the caveat of connections whose process on this machine is not known.
func CaveatOf(r SocketReason) string { return "process-" + r.String() }
