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
	finWithoutClose
	rstWithoutClose
	streamEndsBare

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
		finWithoutClose: {
			Role: "FIN", Text: "no Close frame before it",
			Facts: rule.Facts{report.Closes},
		},
		rstWithoutClose: {
			Role: "RST", Text: "no Close frame before it",
			Facts: rule.Facts{report.Resets},
		},
		streamEndsBare: {Role: "end of stream", Text: "no Close frame before it"},
	})
	return own
}
