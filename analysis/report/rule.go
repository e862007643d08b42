package report

// Cause is one way in which a rule's fault comes about.
type Cause struct {
	Code     string // "" for a rule without causes, or its usual one
	Title    string // for people, the finding's title; "" for the rule's own
	Message  string // the story, in one or two plain sentences
	Side     Side   // who causes it
	Remedies []Remedy
}
