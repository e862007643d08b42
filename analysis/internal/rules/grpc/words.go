package grpc

import (
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// What the rules of this room say, by number.
const (
	_ rule.WordsID = iota

	callBegins

	// of grpc-status
	saysStatus
	announcesMuch
	cancelsLarge
	shareFailed
	shareOfAllFailed

	// of grpc-deadline
	callWithDeadline
	requestEnds
	serverHasIt
	cancelsInTime
	givesUpInTime
	saysTooLate
	answersInVain
	metDeadline
	metDeadlineAll
	serverHeldIt
	waysHeldIt
	leavesLittle
	enoughForMost
	neverAnswered

	// of grpc-chatty
	tripEach
	runBegins
	calledNext
	runEnds
)

// words are the vocabulary of the rules of this room.
var words = []rule.Words{
	callBegins: {
		Role:  "call",
		Text:  "begins",
		Facts: rule.Facts{report.CarriesData},
	},
	saysStatus: {
		Role:  "trailers",
		Text:  "grpc-status {id}, {text}",
		Facts: rule.Facts{report.CarriesData},
	},
	announcesMuch: {
		Role:  "message",
		Text:  "of {octets}, as it announced; {octets} of them passed",
		Facts: rule.Facts{report.CarriesData, report.Told, report.Told},
	},
	cancelsLarge: {
		Role:  "RST_STREAM",
		Text:  "the client cancels the call",
		Facts: rule.Facts{report.CarriesData},
	},
	shareFailed: {Text: "{n call} of {n} of {text} failed so."},
	shareOfAllFailed: {
		Text: "{n call} of {n} of {text} failed so, those of other clients included.",
	},
	callWithDeadline: {
		Role:  "call",
		Text:  "begins; its grpc-timeout is {s}",
		Facts: rule.Facts{report.CarriesData},
	},
	requestEnds: {
		Role:  "request",
		Text:  "its last octet",
		Facts: rule.Facts{report.CarriesData},
	},
	serverHasIt: {
		Role:  "ACK",
		Text:  "the server has all of it",
		Facts: rule.Facts{report.Acknowledges},
	},
	cancelsInTime: {
		Role:  "RST_STREAM",
		Text:  "the client cancels, {s} after the call began",
		Facts: rule.Facts{report.CarriesData, report.SinceFirst},
	},
	givesUpInTime: {
		Role:  "RST_STREAM",
		Text:  "the server gives up, {s} after the call began",
		Facts: rule.Facts{report.CarriesData, report.SinceFirst},
	},
	saysTooLate: {
		Role:  "trailers",
		Text:  "DEADLINE_EXCEEDED, {s} after the call began",
		Facts: rule.Facts{report.CarriesData, report.SinceFirst},
	},
	answersInVain: {
		Role:  "answer",
		Text:  "its end; it is there {s} after the call began, at the soonest",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
	metDeadline: {Text: "{n call} of {n} of {text} ended so."},
	metDeadlineAll: {
		Text: "{n call} of {n} of {text} ended so, those of other clients included.",
	},
	serverHeldIt: {
		Text: "The server had had this call for {s} and sent nothing of an answer.",
	},
	waysHeldIt: {
		Text: "Losses, windows and the path took {s} of the {s} of this call.",
	},
	leavesLittle: {
		Text: "A round trip takes {s} at the least, of a deadline of {s}.",
	},
	enoughForMost: {
		Text: "The deadline is enough: within it, or a shorter one, {n call} of {n} of this client " +
			"were answered.",
	},
	neverAnswered: {
		Text: "No call of this method was answered: one that sends messages as things happen " +
			"looks the same until the first.",
	},
	tripEach: {
		Text: "{n call}, each sent when the answer to the one before was there, at a round trip " +
			"of {ms}.",
	},
	runBegins: {
		Role:  "call",
		Text:  "first of the run",
		Facts: rule.Facts{report.CarriesData},
	},
	calledNext: {
		Role:  "call",
		Text:  "the next one, {ms} after the first was answered",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
	runEnds: {
		Role:  "response",
		Text:  "last of {n}",
		Facts: rule.Facts{report.CarriesData},
	},
}
