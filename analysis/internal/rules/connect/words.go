package connect

import (
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// What several rules of this room say, by number. Those of one rule, or a family of them, begin
// with ownWords.
const (
	_ rule.WordsID = iota

	asksForConnection
	hadToWait
	synRepeated
	synRepeatedDoubling
	synRepeatedEvenly

	ownWords
)

// vocabulary is own, the words of some rules, with those that several have.
func vocabulary(own []rule.Words) []rule.Words {
	copy(own, []rule.Words{
		asksForConnection: {
			Role:  "SYN",
			Text:  "asks for the connection",
			Facts: rule.Facts{report.BeginsConnection},
		},
		hadToWait: {
			Role:  "first request",
			Text:  "had to wait for it",
			Facts: rule.Facts{report.CarriesData},
		},
		synRepeated: {
			Text:  "The SYN was repeated after {s}.",
			Facts: rule.Facts{report.SYNsApart},
		},
		synRepeatedDoubling: {
			Text:  "The SYN was repeated after {s} and again after {s}, the wait doubling.",
			Facts: rule.Facts{report.SYNsApart, report.SYNsApart},
		},
		synRepeatedEvenly: {
			Text:  "The SYN was repeated after {s} and again after {s}, at an even pace.",
			Facts: rule.Facts{report.SYNsApart, report.SYNsApart},
		},
	})
	return own
}

// What the rules about connecting and keeping connections say, by number.
const (
	// of missed-reuse
	donorIsFree = iota + ownWords
	donorHasNoStream
	closedByFIN
	closedByReset
	closedByAlert
	newConnection
	acceptedAnew
	mayNotHaveWaited
	startedForEach
	commandLineAsks
	serverSpeaksOld
	clientAsksOld
	closedWhenIdle
	keepsNoneIdle
	reasonHidden
	closedAtAge
	closedAfterRequests
	agesAreEven

	// of connection-refused
	nobodyListens
	icmpFrom
	noAnswerAtAll
	icmpSays
	wentElsewhere
	manyPortsAsked
	askedAgainAnyway
	acceptsAfter
	nobodyWaits
	triedNext
	proxyGoesOn
	otherWasFaster
	wentToOtherPort

	// of syn-retransmission
	firstOfSeveral
	answersIt
	repeatedSYN
	leadsToConnection
	synackRepeated
	answersSYN
	synackLate
	repeatedSYNACK
	answersThatOne
	synackAckLate
	answersFirstSYN
	answersFirstSYNACK
	handshakeDropped
	clientMayBegin
	firstData
	repeatedData

	// of port-exhaustion
	portsInTurn
	portUsedBefore
	ackOfOld
	resetOfOld
	synAgain
	portsMovedBefore
	neverCameAbout
	portsAtPeak
	rateLeadsTo
	portsUsedAgain
	closesFirst

	// of parallel-connections
	openAndBusy
	openTogether
	unusedOf
	closedUnused
	unaskedOf
	closedUnasked
	lostTogether
	lostMeanwhile
	queueWasFull
	queueGrewFull

	// of quic-fallback
	quicInitial
	quicGivenUp
	quicTries

	// of pool-wait
	cameInBefore
	connectionFree
	nextRequest
)

// words is what those rules say.
var words = vocabulary([]rule.Words{
	donorIsFree: {
		Role: "last response", Text: "connection {conn} has its response, and is free",
		Facts: rule.Facts{report.RestsAfter, report.Told},
	},
	donorHasNoStream: { // control frames may follow
		Role: "last response", Text: "connection {conn} has its response, and no stream is open on it",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
	closedByFIN: {
		Role:  "close",
		Text:  "FIN of connection {conn}",
		Facts: rule.Facts{report.Closes},
	},
	closedByReset: {
		Role:  "close",
		Text:  "RST of connection {conn}",
		Facts: rule.Facts{report.Resets},
	},
	closedByAlert: {
		Role: "close", Text: "alert (close_notify) of connection {conn}",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
	newConnection: {
		Role:  "new connection",
		Text:  "SYN to the same service, {s} after that response",
		Facts: rule.Facts{report.BeginsConnection, report.SinceFirst},
	},
	acceptedAnew: {
		Role:  "new connection",
		Text:  "SYN-ACK of the same service, {s} after that response; the SYN is missing",
		Facts: rule.Facts{report.AcceptsConnection, report.SinceFirst},
	},
	mayNotHaveWaited: {
		Role:  "first request",
		Text:  "came a little later than at once: it may not have waited",
		Facts: rule.Facts{report.CarriesData},
	},
	startedForEach: {
		Text: "The client is a program that is started anew for each request, so that it cannot " +
			"keep connections.",
	},
	commandLineAsks: {
		Text: "The requests name a program that does not ask for this by itself: its command " +
			"line does, or a proxy on the way.",
	},
	serverSpeaksOld: {
		Text:  "The server answers in HTTP/1.0.",
		Facts: rule.Facts{report.FirstSpeak10},
	},
	clientAsksOld: {
		Text:  "The client asks in HTTP/1.0.",
		Facts: rule.Facts{report.FirstAsks10},
	},
	closedWhenIdle: {
		Text:  "The server closed after {s} of idleness.",
		Facts: rule.Facts{report.FirstEnds},
	},
	keepsNoneIdle: {
		Text: "The server said that it keeps no idle connection (Keep-Alive: timeout=0), so the " +
			"client closed.",
	},
	reasonHidden: {
		Text: "What the messages say is not visible here: the client may have asked for it " +
			"(Connection: close).",
	},
	closedAtAge: {
		Text: "The server closed at an age of {s}, whatever number of requests had been served.",
	},
	closedAfterRequests: {
		Text:  "The server closed after {n request}.",
		Facts: rule.Facts{report.FirstServed},
	},
	agesAreEven: {
		Text: "Each connection was {s} old then, so that it may be a limit of age as well.",
	},
	nobodyListens: {
		Role:  "RST",
		Text:  "nobody listens",
		Facts: rule.Facts{report.Resets},
	},
	icmpFrom: {
		Role: "ICMP", Text: "from {text}",
		Facts: rule.Facts{report.ReportsError},
	},
	noAnswerAtAll: {
		Role: "last SYN",
		Text: "number {n}, {s} after the first; no answer of any kind",
		Facts: rule.Facts{
			report.BeginsConnection,
			report.Told,
			report.SinceFirst,
			report.NeverAnswered,
		},
	},
	icmpSays: {
		Text:  "ICMP type {id}, code {id}.",
		Facts: rule.Facts{report.ErrorType, report.ErrorCode},
	},
	wentElsewhere: {
		Text:  "The client went on to another address of the same service.",
		Facts: rule.Facts{report.AskedBeside},
	},
	manyPortsAsked: {
		Text: "The client asked several ports of this host once each: somebody looks what is " +
			"there.",
	},
	askedAgainAnyway: {
		Role:  "last SYN",
		Text:  "number {n}, {s} after the first, as if there had been no answer",
		Facts: rule.Facts{report.BeginsConnection, report.Told, report.SinceFirst},
	},
	acceptsAfter: {
		Role:  "SYN-ACK",
		Text:  "accepts, {s} after the SYN",
		Facts: rule.Facts{report.AcceptsConnection, report.SinceFirst},
	},
	nobodyWaits: {
		Role:  "RST",
		Text:  "the client's kernel knows of no such attempt any more",
		Facts: rule.Facts{report.Resets},
	},
	proxyGoesOn: {
		Role: "goes on",
		Text: "for the same client, on connection {conn}, {s} after the SYN",
	},
	triedNext: {
		Text:  "The client tried another address {s} after the SYN (frame {id}).",
		Facts: rule.Facts{report.Told, report.NamesSYN},
	},
	otherWasFaster: {
		Text:  "Another address had answered by then: this one lost the race.",
		Facts: rule.Facts{report.OtherAnswers},
	},
	wentToOtherPort: {
		Text:  "The client went on to another port of the same host, which answered.",
		Facts: rule.Facts{report.OtherAnswers},
	},
	firstOfSeveral: {
		Role:  "first SYN",
		Text:  "asks for the connection",
		Facts: rule.Facts{report.BeginsConnection},
	},
	answersIt: {
		Role:  "SYN-ACK",
		Text:  "answers it",
		Facts: rule.Facts{report.AcceptsConnection},
	},
	repeatedSYN: {
		Role:  "repeated SYN",
		Text:  "{s} after the first",
		Facts: rule.Facts{report.BeginsConnection, report.SinceFirst},
	},
	leadsToConnection: {
		Role:  "SYN-ACK",
		Text:  "leads to the connection",
		Facts: rule.Facts{report.AcceptsConnection},
	},
	synackRepeated: {
		Text:  "The SYN-ACK was repeated after {s}.",
		Facts: rule.Facts{report.SYNACKs},
	},
	answersSYN: {
		Role:  "SYN-ACK",
		Text:  "answers the SYN",
		Facts: rule.Facts{report.AcceptsConnection},
	},
	synackLate: {Text: "The SYN-ACK came {s} after the first SYN, which it answers."},
	repeatedSYNACK: {
		Role:  "repeated SYN-ACK",
		Text:  "{s} after the first",
		Facts: rule.Facts{report.AcceptsConnection, report.SinceFirst},
	},
	synackAckLate: {
		Text: "The client's acknowledgment came {s} after the first SYN-ACK, which it answers.",
	},
	answersFirstSYN: {
		Role:  "SYN-ACK",
		Text:  "answers the first SYN, {ms} later",
		Facts: rule.Facts{report.AcceptsConnection},
	},
	answersFirstSYNACK: {
		Role:  "ACK",
		Text:  "answers the first SYN-ACK, {ms} later",
		Facts: rule.Facts{report.Acknowledges},
	},
	answersThatOne: {
		Role:  "ACK",
		Text:  "answers that one",
		Facts: rule.Facts{report.Acknowledges},
	},
	handshakeDropped: {
		Text: "Its SYN-ACKs had been sent; the ends of the handshakes were dropped, so that first " +
			"requests had to be sent again and again.",
		Facts: rule.Facts{report.SentBefore},
	},
	clientMayBegin: {
		Role:  "SYN-ACK",
		Text:  "the client may begin",
		Facts: rule.Facts{report.AcceptsConnection},
	},
	firstData: {
		Role:  "first data",
		Text:  "is not acknowledged",
		Facts: rule.Facts{report.CarriesData, report.Unheeded},
	},
	repeatedData: {
		Role:  "repeated data",
		Text:  "copy {n}, {s} later",
		Facts: rule.Facts{report.SentBefore},
	},
	portsInTurn: {
		Text: "It used {n} ports for {n} connections, and {n} of these began within 60 s of the " +
			"server's close of the last from the same port.",
	},
	portUsedBefore: {
		Role:  "SYN",
		Text:  "from a port that was used before",
		Facts: rule.Facts{report.BeginsConnection},
	},
	ackOfOld: {
		Role: "ACK", Text: "does not acknowledge it: belongs to the connection before",
		Facts: rule.Facts{report.Misses},
	},
	resetOfOld: {
		Role:  "RST",
		Text:  "knows of no such connection",
		Facts: rule.Facts{report.Resets},
	},
	synAgain: {
		Role:  "SYN again",
		Text:  "{s} after the first",
		Facts: rule.Facts{report.BeginsConnection, report.SinceFirst},
	},
	portsMovedBefore: {
		Text:  "The connection before on the same ports had moved last {s} before.",
		Facts: rule.Facts{report.PortsRested},
	},
	neverCameAbout: {
		Text:  "{n} SYNs met it, and no connection came about.",
		Facts: rule.Facts{report.SYNCount},
	},
	portsAtPeak: {Text: "At the peak {n} of about {n} ports rested or were in use."},
	rateLeadsTo: {Text: "The rate held for {n} s and more leads to {n} within a minute."},
	portsUsedAgain: {
		Text: "The client uses resting ports again (net.ipv4.tcp_tw_reuse), so they do not run " +
			"out.",
	},
	closesFirst: {
		Role:  "client's FIN",
		Text:  "closes first; one of {n} within a minute",
		Facts: rule.Facts{report.ClosesFirst, report.Told},
	},
	openAndBusy: {Text: "{n} were open, and at most {n} had a request under way."},
	openTogether: {
		Role: "request", Text: "{n} connections are open",
		Facts: rule.Facts{report.CarriesData, report.OpenBeside},
	},
	unusedOf:  {Text: "{n} of {n} connections."},
	unaskedOf: {Text: "{n} of {n} connections with TLS were opened for nothing."},
	closedUnasked: {
		Role: "close", Text: "of a connection on which nothing was asked",
		Facts: rule.Facts{report.Ends},
	},
	closedUnused: {
		Role: "close", Text: "without ever having carried a request",
		Facts: rule.Facts{report.NoneBefore},
	},
	lostTogether: {
		Role: "repair", Text: "{n} connections lost segments within a round trip",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
	lostMeanwhile: {
		Role: "repair", Text: "while the queue was full of what all connections sent",
		Facts: rule.Facts{report.CarriesData},
	},
	queueWasFull: {
		Text: "Round trips grew by {ms}, and the path carried {mbit} at most: its queue was full.",
	},
	queueGrewFull: {Text: "Round trips grew by {ms}: the queue of the path was full."},
	quicInitial: {
		Role: "QUIC Initial",
		Text: "asks for {text}",
	},
	quicGivenUp: {
		Role:  "SYN",
		Text:  "{s} later, by TCP",
		Facts: rule.Facts{report.BeginsConnection},
	},
	quicTries: {Text: "It had sent {n datagram} by then, and had no answer."},
	cameInBefore: {
		Role:  "request comes in",
		Text:  "the same request, to the proxy, on connection {conn}",
		Facts: rule.Facts{report.CarriesData},
	},
	connectionFree: {
		Role:  "end of response",
		Text:  "the connection is free",
		Facts: rule.Facts{report.CarriesData},
	},
	nextRequest: {
		Role:  "next request",
		Text:  "{s} later",
		Facts: rule.Facts{report.CarriesData, report.SinceBefore},
	},
})
