package ending

import (
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// What reset-after-data says, by number.
const (
	otherTTL = iota + ownWords
	announcedRequest
	bodyReceived
	bodyPart
	finBeforeReset
	resetOfClosedSocket
	resetOfProgram
	resetOfOther
	octetsLost
	octetsEndangered
	hadClosedFirst
	hadTimeToRead
	noneBegan
	maybeUnread
	readByWindow
	closedInTwoSteps
	unreadInWindow

	// of its cause injected
	senderWentOn
	injectedTTL
	injectedTTLAndID
	injectedEcho

	// of its cause untranslated
	strayReply
	strayAnswered
	sameOctets

	// of its cause idle-reset
	idleTimerFired

	// of its cause client-abort
	leftUnanswered
	requestEnds
	finWhileWaiting
	responseTooLate
	resetByListener
)

// resetWords is the vocabulary of reset-after-data.
var resetWords = vocabulary([]rule.Words{
	otherTTL: {
		Role:  "RST",
		Text:  "TTL {n}, where its sender's segments have {n}",
		Facts: rule.Facts{report.Resets, report.HasTTL, report.SenderTTL},
	},
	announcedRequest: {
		Role: "request", Text: "{octets} announced, {n} sent before the end",
		Facts: rule.Facts{report.CarriesData, report.SaysLengthOf, report.Told},
	},
	bodyReceived: {
		Role: "response", Text: "{octets} of body",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
	bodyPart: {
		Role: "response", Text: "{n} of {octets} of body",
		Facts: rule.Facts{report.BodyIs, report.SaysLengthOf},
	},
	finBeforeReset: {
		Role:  "FIN",
		Text:  "closes",
		Facts: rule.Facts{report.Closes},
	},
	resetOfClosedSocket: {
		Role:  "RST",
		Text:  "answers a segment for a closed socket",
		Facts: rule.Facts{report.Resets},
	},
	resetOfProgram: {
		Role:  "RST",
		Text:  "with ACK: closed with data unread, or with SO_LINGER of zero",
		Facts: rule.Facts{report.Resets},
	},
	resetOfOther: {
		Role:  "RST",
		Text:  "not sent by the program in whose name it came",
		Facts: rule.Facts{report.Resets},
	},
	octetsLost: {
		Text:  "{octets} of the response never came.",
		Facts: rule.Facts{report.Told},
	},
	octetsEndangered: {
		Text:  "{octets} of the response were not acknowledged when the reset was sent.",
		Facts: rule.Facts{report.Outstanding},
	},
	hadClosedFirst: {
		Text:  "The client had the whole response, and closed before the reset came.",
		Facts: rule.Facts{report.PeerClosed},
	},
	hadTimeToRead: {
		Text: "The client had the whole response for a while when the reset came: only one that " +
			"reads nothing before it has sent all of its request lost it.",
	},
	noneBegan: {Text: "No response had begun."},
	maybeUnread: {
		Text: "It had acknowledged all of the request; whether it had read the body does not show. " +
			"If it had, SO_LINGER of zero makes the same RST.",
		Facts: rule.Facts{report.HeardAll},
	},
	readByWindow: {
		Text: "The window that it offered shows that it had read the request.",
	},
	closedInTwoSteps: {
		Text: "It closed its direction, then the socket: data unread in that makes the RST, as " +
			"SO_LINGER of zero alone sends no FIN.",
		Facts: rule.Facts{report.HadClosed},
	},
	unreadInWindow: {
		Text: "The window that it offered with the response was smaller by what it had not read.",
	},
	senderWentOn: {
		Text:  "Its sender went on as if it had not sent it.",
		Facts: rule.Facts{report.GoesOn},
	},
	injectedTTL: {
		Text:  "Its TTL is {n}, that of its sender's segments {n}.",
		Facts: rule.Facts{report.HasTTL, report.SenderTTL},
	},
	injectedTTLAndID: {
		Text: "Its TTL is {n}, that of its sender's segments {n}; its IP identification is {id}, " +
			"where its sender had counted up to {id}.",
		Facts: rule.Facts{report.HasTTL, report.SenderTTL, report.HasID, report.SenderID},
	},
	injectedEcho: {
		Text:  "It carries IP identification {id}, that of the segment that it answers.",
		Facts: rule.Facts{report.HasID},
	},
	strayReply: {
		Role:  "stray reply",
		Text:  "comes from {text}, and continues the same numbers",
		Facts: rule.Facts{report.CarriesData},
	},
	strayAnswered: {
		Role:  "client's RST",
		Text:  "no such connection: goes to that address",
		Facts: rule.Facts{report.Resets},
	},
	sameOctets: {Text: "A segment with the next octets came from {text}, on the same port."},
	idleTimerFired: {
		Text: "The server ends connections that are idle for {s} ({n} times): its timer fired just " +
			"as the request came.",
	},
	leftUnanswered: {
		Text: "The client closed the connection {s} after its request, before any response came.",
	},
	requestEnds: {
		Role:  "request",
		Text:  "its last octet",
		Facts: rule.Facts{report.CarriesData},
	},
	finWhileWaiting: {
		Role:  "FIN",
		Text:  "closes, {s} after the request",
		Facts: rule.Facts{report.Closes, report.SinceBefore, report.PeerSilent},
	},
	responseTooLate: {
		Role: "response", Text: "comes too late",
		Facts: rule.Facts{report.CarriesData},
	},
	resetByListener: {
		Role:  "RST",
		Text:  "nobody listens any more",
		Facts: rule.Facts{report.Resets},
	},
})
