package http2

import (
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// What the rules of this room say, by number.
const (
	_ rule.WordsID = iota

	// of h2-goaway
	neverProcessed
	crossedGoAway
	goAwayBelow
	goAwayFor
	waitsAtGoAway
	saidToGo
)

// words is what the rules of this room say.
var words = []rule.Words{
	neverProcessed: {Text: "The server never processed it, so that it can be repeated safely, " +
		"whatever its method."},
	crossedGoAway: {
		Role:  "request",
		Text:  "stream {id}, on its way when the GOAWAY was sent",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
	saidToGo: {
		Role:  "request",
		Text:  "stream {id}, {s} after the client could know of the GOAWAY",
		Facts: rule.Facts{report.CarriesData, report.Told, report.Told},
	},
	goAwayBelow: {
		Role:  "GOAWAY",
		Text:  "{text}: no stream above {id} is processed",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
	goAwayFor: {
		Role:  "GOAWAY",
		Text:  "{text}: ends the connection",
		Facts: rule.Facts{report.CarriesData},
	},
	waitsAtGoAway: {
		Role:  "request",
		Text:  "stream {id}, not answered when the connection ended",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
}
