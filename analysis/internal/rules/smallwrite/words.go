package smallwrite

import (
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// What the rules of this room say, by number.
const (
	_ rule.WordsID = iota
	firstPiece
	firstHeaders
	pieceACK
	pieceDataACK
	heldPiece
	lastFull
	tailACK
	heldTails
	heldOnce
	lastOfWindow
	lateACK
	heldByACK
	beforeTail
	corkedTail
)

// words is the vocabulary of the rules of this room.
var words = []rule.Words{
	firstPiece: {
		Role:  "first piece",
		Text:  "{octets}",
		Facts: rule.Facts{report.CarriesOctets},
	},
	firstHeaders: {
		Role:  "first piece",
		Text:  "{octets}: the headers",
		Facts: rule.Facts{report.CarriesOctets},
	},
	pieceACK: {
		Role:  "ACK",
		Text:  "covers it, and carries no data",
		Facts: rule.Facts{report.CarriesNone, report.Acknowledges},
	},
	pieceDataACK: {
		Role:  "ACK",
		Text:  "covers it, with data of its own",
		Facts: rule.Facts{report.Acknowledges},
	},
	heldPiece: {
		Role:  "held piece",
		Text:  "{octets}, sent {ms} after that ACK could be known",
		Facts: rule.Facts{report.CarriesOctets},
	},
	lastFull: {
		Role:  "last full segment",
		Text:  "of what was not acknowledged then",
		Facts: rule.Facts{report.CarriesData},
	},
	tailACK: {
		Role:  "ACK",
		Text:  "covers all of it, and carries no data",
		Facts: rule.Facts{report.CarriesNone, report.Acknowledges},
	},
	heldTails: {Text: "Its kernel holds the small end of a message until all of it before is " +
		"acknowledged (RFC 896 to the letter; Linux holds it behind small segments only): one " +
		"write for each message does not help, TCP_NODELAY does."},
	heldOnce: {Text: "It shows once on each of many connections, and no piece ever left early."},

	lastOfWindow: {
		Role:  "last of the window",
		Text:  "a full segment; no more may be outstanding",
		Facts: rule.Facts{report.CarriesData},
	},
	lateACK: {
		Role: "late ACK", Text: "came {ms} later than a prompt one",
		Facts: rule.Facts{report.Acknowledges, report.Told},
	},
	heldByACK: {
		Role:  "held segment",
		Text:  "left as soon as that ACK was known",
		Facts: rule.Facts{report.CarriesData},
	},

	beforeTail: {
		Role:  "before",
		Text:  "a full segment, the last data before the wait",
		Facts: rule.Facts{report.CarriesData},
	},
	corkedTail: {
		Role:  "end of the message",
		Text:  "came {ms} later; nothing had released it",
		Facts: rule.Facts{report.CarriesData},
	},
}
