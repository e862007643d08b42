package ending

import (
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// What several rules of this room say, by number. Those of one rule stand beside it, and begin with
// ownWords.
const (
	_ rule.WordsID = iota

	requestBegins
	connectionIdle

	ownWords
)

// vocabulary is own, the words of one rule, with those that several have.
func vocabulary(own []rule.Words) []rule.Words {
	copy(own, []rule.Words{
		requestBegins: {
			Role:  "request",
			Text:  "begins",
			Facts: rule.Facts{report.CarriesData},
		},
		connectionIdle: {
			Role: "last response", Text: "the connection becomes idle",
			Facts: rule.Facts{report.RestsAfter},
		},
	})
	return own
}
