package naming

import (
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// What the rule says, by number.
const (
	_ rule.WordsID = iota
	askedFirst
	askedInVain
	askedAgain
	gaveUp
	askedOther
	anError
	lateAnswer
	lastAnswer
	connectsThen
	nameAsked
	tries
	triedFirst
	triedNext
	otherSilent
	otherRefused
)

// words is the vocabulary of the rule.
var words = []rule.Words{
	askedFirst:  {Role: "first query", Text: "for {text}"},
	askedInVain: {Role: "query", Text: "for {text}; no answer to it came in time"},
	askedAgain:  {Role: "next query", Text: "{s} later, when the resolver's timer had run out"},
	askedOther:  {Role: "next query", Text: "to {text}"},
	anError:     {Role: "error", Text: "{text}, {s} after the query"},
	lateAnswer:  {Role: "answer", Text: "{s} after the query"},
	lastAnswer:  {Role: "last answer", Text: "nothing was left to wait for"},
	connectsThen: {
		Role:  "connection",
		Text:  "SYN to the address that was found, as soon as it was known",
		Facts: rule.Facts{report.BeginsConnection},
	},
	gaveUp: {
		Role:  "connection",
		Text:  "SYN to an address that was known, {s} after the query without answer",
		Facts: rule.Facts{report.BeginsConnection, report.Told},
	},
	nameAsked: {Text: "The name is {text}."},
	tries: {Text: "It was asked for with {n search domain} behind it first, and there is no " +
		"such name."},
	triedFirst: {
		Role:  "first attempt",
		Text:  "SYN to {text}",
		Facts: rule.Facts{report.BeginsConnection},
	},
	triedNext: {
		Role:  "connection",
		Text:  "SYN to another address of the name, {s} later",
		Facts: rule.Facts{report.BeginsConnection, report.Told},
	},
	otherSilent:  {Text: "The other address had not answered for {s}."},
	otherRefused: {Text: "The other address had refused; that took {s}."},
}
