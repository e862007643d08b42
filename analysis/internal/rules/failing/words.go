package failing

import (
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// What the rules of this room say, by number.
const (
	_ rule.WordsID = iota

	// of client-timeout
	sameTimeEach
	sameTimeWithin
	othersAfter
	answeredLater
	nothingCame
	othersAnswered
	requestEnds
	closesInVain
	resetsInVain
	closesAfterNotify
	resetsAfterNotify
	closesStopped
	resetsStopped
	closesStoppedTLS
	resetsStoppedTLS
	answersTooLate
	nobodyListens
	stopsThere
	nothingMore

	// of http-errors
	requestBegins
	saysError
	shareOfErrors
	behindRefused
	behindEnded
	behindSilent
	behindSaid
	shareOfAllErrors
	shareOfOneError
	shareOfService
	hadItWhole
)

// words are the vocabulary of the rules of this room.
var words = []rule.Words{
	sameTimeEach: {
		Text: "{n request} of {n} got no response within {s}, and the client gave up.",
	},
	sameTimeWithin: {
		Text: "{n request} of {n} got no whole response within {s}, and the client gave up.",
	},
	othersAfter: {Text: "It gave {n request} up after {s}."},
	answeredLater: {
		Text: "The server answered later, up to {s} after the request: {n response} came for " +
			"nobody.",
	},
	nothingCame: {
		Text: "The server acknowledged the requests, and sent nothing more.",
	},
	othersAnswered: {
		Text: "Meanwhile it answered other requests of the same client.",
	},
	requestEnds: {
		Role:  "request",
		Text:  "its last octet",
		Facts: rule.Facts{report.CarriesData},
	},
	closesInVain: {
		Role:  "FIN",
		Text:  "gives up, {s} after the request",
		Facts: rule.Facts{report.Closes, report.SinceBefore, report.PeerSilent},
	},
	resetsInVain: {
		Role:  "RST",
		Text:  "gives up, {s} after the request",
		Facts: rule.Facts{report.Resets, report.SinceBefore, report.PeerSilent},
	},
	closesAfterNotify: {
		Role:  "FIN",
		Text:  "gives up, {s} after the request",
		Facts: rule.Facts{report.Closes},
	},
	resetsAfterNotify: {
		Role:  "RST",
		Text:  "gives up, {s} after the request",
		Facts: rule.Facts{report.Resets},
	},
	closesStopped: {
		Role:  "FIN",
		Text:  "gives up, {s} after that",
		Facts: rule.Facts{report.Closes, report.SinceBefore, report.PeerSilent},
	},
	resetsStopped: {
		Role:  "RST",
		Text:  "gives up, {s} after that",
		Facts: rule.Facts{report.Resets, report.SinceBefore, report.PeerSilent},
	},
	closesStoppedTLS: {
		Role:  "FIN",
		Text:  "gives up, {s} after that",
		Facts: rule.Facts{report.Closes},
	},
	resetsStoppedTLS: {
		Role:  "RST",
		Text:  "gives up, {s} after that",
		Facts: rule.Facts{report.Resets},
	},
	stopsThere: {
		Role:  "response",
		Text:  "its last octets for a while",
		Facts: rule.Facts{report.CarriesData},
	},
	nothingMore: {
		Text: "All that had come of the responses was acknowledged, and the client had room for " +
			"more.",
	},
	answersTooLate: {
		Role:  "response",
		Text:  "comes too late",
		Facts: rule.Facts{report.CarriesData},
	},
	nobodyListens: {
		Role:  "RST",
		Text:  "nobody listens any more",
		Facts: rule.Facts{report.Resets},
	},
	requestBegins: {
		Role:  "request",
		Text:  "begins",
		Facts: rule.Facts{report.CarriesData},
	},
	saysError: {
		Role:  "response",
		Text:  "status {n}",
		Facts: rule.Facts{report.CarriesData},
	},
	behindRefused: {Text: "{text}, behind the proxy, refused the connection."},
	behindEnded: {
		Text: "{text}, behind the proxy, ended the connection without a response.",
	},
	behindSilent: {
		Text: "{text}, behind the proxy, had sent no response {s} after the request, when the proxy " +
			"gave up.",
	},
	behindSaid:      {Text: "{text}, behind the proxy, answered {n}."},
	shareOfErrors:   {Text: "{n response} of {n} to {text} were errors."},
	shareOfService:  {Text: "{n response} of {n} that the service gave were errors."},
	shareOfOneError: {Text: "{n response} of {n} to {text} was an error."},
	shareOfAllErrors: {
		Text: "{n response} of {n} to {text} were errors, those to other clients included.",
	},
	hadItWhole: {
		Text: "The request had been whole {s} before: that was not what it waited for.",
	},
}
