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

	// of h2-goaway/churn and h2-connections
	takesNoMore
	openBefore
	opensAnother
	waitedForIt
	endedAfterEach
	endedAfter
	endedIdle
	hadRoom
	hadRoomUnsaid

	// of h2-reset
	asksOnStream
	resetsUnanswered
	resetsInMiddle
	givenUpEach

	// of h2-ping, h2-settings-wait and h2-headers
	asksPing
	answersPing
	hasPing
	givesDeafUp
	sendsSettings
	asksBehind
	headerBegins
	headerEnds
	longHeaderEnds
	carriesUp
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

	takesNoMore: {
		Role:  "GOAWAY",
		Text:  "connection {conn} takes no more requests",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
	openBefore: {
		Role:  "older connection",
		Text:  "first request of connection {conn}",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
	opensAnother: {
		Role:  "new connection",
		Text:  "SYN to the same service, {s} after that",
		Facts: rule.Facts{report.BeginsConnection, report.SinceBefore},
	},
	waitedForIt: {
		Role:  "first request",
		Text:  "had to wait for it",
		Facts: rule.Facts{report.CarriesData},
	},
	endedAfterEach: {Text: "It ends a connection behind {n request}, as it did {n} times."},
	endedAfter:     {Text: "It ended that behind {n request}."},
	endedIdle:      {Text: "No stream had been open on it for {s}."},
	hadRoom: {
		Text: "The other one had {n stream} open at that moment; the server allows {n}.",
	},
	hadRoomUnsaid: {
		Text: "The other one had {n stream} open at that moment; the server had named no " +
			"limit.",
	},

	asksOnStream: {
		Role:  "request",
		Text:  "stream {id}",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
	resetsUnanswered: {
		Role:  "RST_STREAM",
		Text:  "{text}, {s} later; nothing of a response had come",
		Facts: rule.Facts{report.CarriesData, report.SinceBefore},
	},
	resetsInMiddle: {
		Role:  "RST_STREAM",
		Text:  "{text}, {s} later, before the response was whole",
		Facts: rule.Facts{report.CarriesData, report.SinceBefore},
	},
	givenUpEach: {Text: "It gave up {n request} of {n} so, each after {s}."},

	asksPing: {
		Role:  "PING",
		Text:  "asks for an answer at once",
		Facts: rule.Facts{report.CarriesData},
	},
	answersPing: {
		Role:  "PING ACK",
		Text:  "answers it {s} later; its host had acknowledged it in time",
		Facts: rule.Facts{report.CarriesData, report.SinceBefore},
	},
	hasPing: {
		Role:  "acknowledgment",
		Text:  "the server's host has the PING",
		Facts: rule.Facts{report.Acknowledges},
	},
	givesDeafUp: {
		Role:  "close",
		Text:  "{s} later; nothing had come from the server's program",
		Facts: rule.Facts{report.Ends, report.SinceBefore, report.PeerSilent},
	},
	sendsSettings: {
		Role:  "SETTINGS",
		Text:  "what the client waited for",
		Facts: rule.Facts{report.CarriesData},
	},
	asksBehind: {
		Role:  "first request",
		Text:  "{s} behind the server's SETTINGS",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
	headerBegins: {
		Role:  "header",
		Text:  "of stream {id} begins",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
	headerEnds: {
		Role:  "end of header",
		Text:  "{octets} in all, {s} after its beginning",
		Facts: rule.Facts{report.CarriesData, report.Told, report.SinceBefore},
	},
	longHeaderEnds: {
		Role:  "end of header",
		Text:  "{octets} in all",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
	carriesUp: {Text: "The way to the server carried {mbit} meanwhile."},
}
