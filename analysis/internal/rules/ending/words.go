package ending

import (
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// What the rules of this room say, by number.
const (
	_ rule.WordsID = iota

	// of several rules
	requestBegins
	connectionIdle
	otherTTL

	// of reset-after-data
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

	// of keepalive-race
	repeatable
	repeatableUnknown
	notIdempotent
	finBeforeRequest
	sentBeforeClose
	sentAfterClose
	socketGone
	idleTimeoutIs
	nearMisses

	// of truncated-response
	lastRecordCut
	headerCut
	shortOfLength
	lastChunkMissing
	responseBegins
	lengthAnnounced
	chunksAnnounced
	bodyUntilFIN
	finInOrder

	// of half-close
	finOfServer
	closeLater
	requestComplete
	finOfClient
	closedUnanswered
	shortRequest
	openChunks
	endlessRequest
	shortRequestEnds
	openChunksEnd
	endlessRequestEnds
	closeAfterSilence

	// of header-misuse
	proxySends
	sideSends
	proxyConnection
	upgradeUnnamed
	proxyFieldsInRequest
	proxyFieldsInResponse
	keepAliveInRequest
	keepAliveInResponse
	lengthAndChunksInRequest
	lengthAndChunksInResponse
	lengthsDifferInRequest
	lengthsDifferInResponse
	lengthTwiceInRequest
	lengthTwiceInResponse
	oddCodingInRequest
	oddCodingInResponse
	answeredNevertheless
	notAnswered
	closeAnnounced
	requestAfterNotice
	firstResponse
	nextHangs
	closeAfterHang
	responseSaysClose
	closedLate

	// of pipelining
	unsafeRequest
	sentBeforeResult
	resultOnlyHere
	sentMeanwhile
	slowResponseEnds
	heldResponse
	hostForgot
	farewell
	unaskedResponse
	lastAsked
	unansweredCount
	lastAnswered
	firstUnanswered
	finEnds
	resetEnds

	// of idle-drop
	keepAlivesInVain
	noKeepAlives
	sentAfterIdleness
	resetOfBox
	resetOfStranger
	repeatedInVain

	// of slow-close
	endOfUnknown
	lateFIN

	// of expect-continue
	bodyAnnounced
	bodyLate
	answerLate

	// of serial-requests
	roundTripEach
	runBegins
	sentAtOnce
	runEnds
)

// words is the vocabulary of the rules of this room.
var words = []rule.Words{
	requestBegins: {
		Role:  "request",
		Text:  "begins",
		Facts: rule.Facts{report.CarriesData},
	},
	connectionIdle: {
		Role: "last response", Text: "the connection becomes idle",
		Facts: rule.Facts{report.RestsAfter},
	},
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
	resetOfOther: {
		Role:  "RST",
		Text:  "not sent by the program in whose name it came",
		Facts: rule.Facts{report.Resets},
	},
	resetOfProgram: {
		Role:  "RST",
		Text:  "with ACK: closed with data unread, or with SO_LINGER of zero",
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

	repeatable:        {Text: "The request could be repeated safely."},
	repeatableUnknown: {Text: "Whether it can be repeated safely is not visible."},
	notIdempotent:     {Text: "{text} is not idempotent: a client may not repeat it by itself."},
	finBeforeRequest: {
		Role:  "FIN",
		Text:  "the server closes; it has not received the request",
		Facts: rule.Facts{report.Closes},
	},
	sentBeforeClose: {
		Role:  "request",
		Text:  "sent after {s} of idleness, {s} before the close could reach the client",
		Facts: rule.Facts{report.CarriesData},
	},
	sentAfterClose: {
		Role:  "request",
		Text:  "sent after {s} of idleness, {s} after the close had reached the client",
		Facts: rule.Facts{report.CarriesData},
	},
	socketGone: {
		Role:  "RST",
		Text:  "the socket is gone: nobody reads the request",
		Facts: rule.Facts{report.Resets},
	},
	idleTimeoutIs: {
		Text: "The server closes connections that are idle for {s} ({n} times): a client must " +
			"give them up before.",
	},
	nearMisses: {Text: "Requests came within a tenth of that time {n} times."},

	lastRecordCut: {
		Text:  "The last record is not complete.",
		Facts: rule.Facts{report.RecordOpen},
	},
	headerCut: {
		Text:  "The header of the response is not complete.",
		Facts: rule.Facts{report.HeaderOpen},
	},
	shortOfLength: {
		Text:  "{n} of {octets} came, then FIN.",
		Facts: rule.Facts{report.BodyIs, report.SaysLengthOf},
	},
	lastChunkMissing: {
		Text:  "{octets} came, then FIN, and no last chunk.",
		Facts: rule.Facts{report.Told, report.SaysCoding},
	},
	responseBegins: {
		Role: "header", Text: "the response begins",
		Facts: rule.Facts{report.CarriesData},
	},
	lengthAnnounced: {
		Role: "header", Text: "Content-Length: {id}",
		Facts: rule.Facts{report.CarriesData, report.SaysLengthOf},
	},
	chunksAnnounced: {
		Role: "header", Text: "Transfer-Encoding: chunked",
		Facts: rule.Facts{report.CarriesData, report.SaysCoding},
	},
	bodyUntilFIN: {
		Role:  "last octet",
		Text:  "{octets} of body so far",
		Facts: rule.Facts{report.CarriesData},
	},
	finInOrder: {
		Role:  "FIN",
		Text:  "closes, in order",
		Facts: rule.Facts{report.Closes},
	},

	finOfServer: {
		Role:  "FIN",
		Text:  "the server closes",
		Facts: rule.Facts{report.Closes},
	},
	closeLater: {
		Role:  "close",
		Text:  "{s} later",
		Facts: rule.Facts{report.SinceBefore},
	},
	requestComplete: {
		Role:  "end of request",
		Text:  "nothing is missing",
		Facts: rule.Facts{report.CarriesData},
	},
	finOfClient: {
		Role:  "client's FIN",
		Text:  "closes its direction; the other stays open",
		Facts: rule.Facts{report.Closes},
	},
	closedUnanswered: {
		Role:  "server's close",
		Text:  "closes without an answer, {s} later",
		Facts: rule.Facts{report.SinceBefore, report.OwnSilent},
	},
	shortRequest:   {Text: "{n} of {n} announced octets were sent."},
	openChunks:     {Text: "The last chunk was not sent."},
	endlessRequest: {Text: "Only a close could end the request."},
	shortRequestEnds: {
		Role: "last octet", Text: "{n} of {n} announced octets were sent.",
		Facts: rule.Facts{report.CarriesData, report.BodyIs, report.SaysLengthOf},
	},
	openChunksEnd: {
		Role: "last octet", Text: "The last chunk was not sent.",
		Facts: rule.Facts{report.CarriesData, report.SaysCoding},
	},
	endlessRequestEnds: {
		Role: "last octet", Text: "Only a close could end the request.",
		Facts: rule.Facts{report.CarriesData},
	},
	closeAfterSilence: {
		Role:  "close",
		Text:  "after {s} in which nobody sent anything",
		Facts: rule.Facts{report.SinceBefore, report.PeerSilent, report.OwnSilent},
	},

	proxySends: {Text: "A proxy on the side of the {side} sends it."},
	sideSends:  {Text: "The {side} sends it."},
	proxyConnection: {
		Role: "request header", Text: "Proxy-Connection, and a target that begins with /",
		Facts: rule.Facts{report.CarriesData, report.SaysProxy},
	},
	upgradeUnnamed: {
		Role: "request header", Text: "Upgrade, and Connection does not name it",
		Facts: rule.Facts{report.CarriesData, report.SaysUpgrade},
	},
	proxyFieldsInRequest: {
		Role: "request header", Text: "Connection names Proxy-*, which is another hop's",
		Facts: rule.Facts{report.CarriesData, report.SaysProxy, report.SaysConnection},
	},
	proxyFieldsInResponse: {
		Role: "response header", Text: "Connection names Proxy-*, which is another hop's",
		Facts: rule.Facts{report.CarriesData, report.SaysProxy, report.SaysConnection},
	},
	keepAliveInRequest: {
		Role: "request header", Text: "Keep-Alive, and Connection does not name it",
		Facts: rule.Facts{report.CarriesData, report.SaysKeepAlive},
	},
	keepAliveInResponse: {
		Role: "response header", Text: "Keep-Alive, and Connection does not name it",
		Facts: rule.Facts{report.CarriesData, report.SaysKeepAlive},
	},
	lengthAndChunksInRequest: {
		Role: "request header", Text: "Content-Length and Transfer-Encoding",
		Facts: rule.Facts{report.CarriesData, report.SaysLength, report.SaysCoding},
	},
	lengthAndChunksInResponse: {
		Role: "response header", Text: "Content-Length and Transfer-Encoding",
		Facts: rule.Facts{report.CarriesData, report.SaysLength, report.SaysCoding},
	},
	lengthsDifferInRequest: {
		Role: "request header", Text: "Content-Length that contradicts itself",
		Facts: rule.Facts{report.CarriesData, report.SaysLength},
	},
	lengthsDifferInResponse: {
		Role: "response header", Text: "Content-Length that contradicts itself",
		Facts: rule.Facts{report.CarriesData, report.SaysLength},
	},
	lengthTwiceInRequest: {
		Role: "request header", Text: "the same Content-Length more than once",
		Facts: rule.Facts{report.CarriesData, report.SaysLength},
	},
	lengthTwiceInResponse: {
		Role: "response header", Text: "the same Content-Length more than once",
		Facts: rule.Facts{report.CarriesData, report.SaysLength},
	},
	oddCodingInRequest: {
		Role: "request header", Text: "Transfer-Encoding that does not end in chunked once",
		Facts: rule.Facts{report.CarriesData, report.SaysCoding},
	},
	oddCodingInResponse: {
		Role: "response header", Text: "Transfer-Encoding that does not end in chunked once",
		Facts: rule.Facts{report.CarriesData, report.SaysCoding},
	},
	answeredNevertheless: {Text: "It was answered all the same."},
	notAnswered:          {Text: "It got no response."},
	closeAnnounced: {
		Role: "close announced", Text: "Connection: close in this exchange",
		Facts: rule.Facts{report.SaysClose},
	},
	requestAfterNotice: {
		Role:  "request",
		Text:  "sent on the same connection",
		Facts: rule.Facts{report.CarriesData},
	},
	firstResponse: {
		Role: "last response", Text: "the first response on the connection is complete",
		Facts: rule.Facts{report.RestsAfter},
	},
	nextHangs: {
		Role:  "request",
		Text:  "the next one: received, and not answered",
		Facts: rule.Facts{report.CarriesData},
	},
	closeAfterHang: {
		Role:  "close",
		Text:  "{s} later the connection is closed",
		Facts: rule.Facts{report.Ends, report.SinceBefore, report.OwnSilent},
	},
	responseSaysClose: {
		Role: "close announced", Text: "the response says Connection: close",
		Facts: rule.Facts{report.SaysClose},
	},
	closedLate: {
		Role: "close", Text: "the first FIN, {s} later",
		Facts: rule.Facts{report.ClosesFirst, report.SinceBefore},
	},

	unsafeRequest: {
		Role: "request", Text: "{text}: not idempotent",
		Facts: rule.Facts{report.CarriesData},
	},
	sentBeforeResult: {
		Role:  "pipelined request",
		Text:  "sent before the result was known",
		Facts: rule.Facts{report.CarriesData},
	},
	resultOnlyHere: {
		Role: "response", Text: "the result comes only here",
		Facts: rule.Facts{report.CarriesData},
	},
	sentMeanwhile: {
		Role:  "pipelined request",
		Text:  "sent while another was unanswered",
		Facts: rule.Facts{report.CarriesData},
	},
	slowResponseEnds: {
		Role: "end of the response before", Text: "{s} later",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
	heldResponse: {
		Role:  "response",
		Text:  "can only come now",
		Facts: rule.Facts{report.CarriesData},
	},
	hostForgot: {
		Text: "The RST has the TTL of the server's own segments: its host, or what stands for it, " +
			"knew no such connection any more, as after a restart.",
	},
	farewell: {
		Text: "It ends a connection that had been idle for {s}: the server's timer ran out, and " +
			"the server took the end of its wait for a request that is none.",
	},
	unaskedResponse: {
		Role:  "response",
		Text:  "status {id}, and no request is unanswered",
		Facts: rule.Facts{report.CarriesData},
	},
	lastAsked: {
		Role: "last response", Text: "answers the last request",
		Facts: rule.Facts{report.CarriesData},
	},
	unansweredCount: {Text: "{n request} got no response."},
	lastAnswered: {
		Role: "last response", Text: "nothing after it was answered",
		Facts: rule.Facts{report.CarriesData},
	},
	firstUnanswered: {
		Role: "unanswered request", Text: "the first without a response",
		Facts: rule.Facts{report.CarriesData},
	},
	finEnds: {
		Role:  "FIN",
		Text:  "ends the connection",
		Facts: rule.Facts{report.Closes},
	},
	resetEnds: {
		Role:  "RST",
		Text:  "ends the connection",
		Facts: rule.Facts{report.Resets},
	},

	keepAlivesInVain: {
		Text:  "TCP keep-alives were sent on it, too rarely or in vain.",
		Facts: rule.Facts{report.KeptAlive},
	},
	noKeepAlives: {
		Text:  "No TCP keep-alive was seen on it.",
		Facts: rule.Facts{report.NoKeepAlive},
	},
	sentAfterIdleness: {
		Role:  "request",
		Text:  "sent after {s} of idleness",
		Facts: rule.Facts{report.CarriesData, report.SinceBefore},
	},
	resetOfBox: {
		Role:  "RST",
		Text:  "TTL {n}, where the server's segments have {n}: a box on the way sent it",
		Facts: rule.Facts{report.Resets, report.HasTTL, report.SenderTTL},
	},
	resetOfStranger: {
		Role:  "RST",
		Text:  "no such connection",
		Facts: rule.Facts{report.Resets},
	},
	repeatedInVain: {
		Role:  "last repetition",
		Text:  "sent {n} times in all, never acknowledged",
		Facts: rule.Facts{report.SentBefore},
	},

	endOfUnknown: {
		Role: "last octet", Text: "{octets} of body, of unknown length",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
	lateFIN: {
		Role:  "FIN",
		Text:  "ends the response, {s} later",
		Facts: rule.Facts{report.Closes, report.SinceBefore},
	},

	bodyAnnounced: {
		Role:  "header",
		Text:  "Expect: 100-continue, and no body yet",
		Facts: rule.Facts{report.CarriesData},
	},
	bodyLate: {
		Role:  "body",
		Text:  "begins {s} after the header; nothing had come",
		Facts: rule.Facts{report.CarriesData, report.SinceBefore, report.PeerSilent},
	},
	answerLate: {
		Role:  "answer",
		Text:  "{s} after the header",
		Facts: rule.Facts{report.SinceBefore},
	},

	roundTripEach: {Text: "{n} requests, a round trip of {ms} each."},
	runBegins: {
		Role: "first request", Text: "begins the run",
		Facts: rule.Facts{report.CarriesData},
	},
	sentAtOnce: {
		Role: "second request", Text: "sent as soon as the response before was complete",
		Facts: rule.Facts{report.CarriesData},
	},
	runEnds: {
		Role: "last response", Text: "ends the run of {n}",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
}
