package connect

import (
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// What the rules about TLS handshakes and alerts say, by number.
const (
	clientHello = iota + ownWords
	clientHelloFor
	serverHello
	noCertificate
	lastHello
	noRecord
	helloArrived
	clientLeaves
	latestStep
	stopsAtHello
	stopsInFlight
	stopsAtFinish
	stopsAtRequest
	clientWaited
	stillHangs
	clientStops
	closesInMiddle
	resetsInMiddle
	otherResets
	alertHidden
	alertInClear
	alertSays
	hiddenOfClient
	hiddenOfServer
	hiddenEarly
	askedInVain
	choosesOld
	serverFinished
	offersSession
	offersNone
	noTripSaved
	asksAgain
	secondHello
	restOfFlight
	flightTook
	earlyInVain
	endsNoEarly
	noWorseThanNone
	nextIsOther
	clientTakes
	serverTakes
	takesElse
)

// tlsWords is what those rules say.
var tlsWords = vocabulary([]rule.Words{
	clientHello: {
		Role:  "ClientHello",
		Text:  "begins the TLS handshake",
		Facts: rule.Facts{report.CarriesData},
	},
	clientHelloFor: {
		Role:  "ClientHello",
		Text:  "begins the TLS handshake with {text}",
		Facts: rule.Facts{report.CarriesData},
	},
	serverHello: {
		Role:  "ServerHello",
		Text:  "or what else the server says first",
		Facts: rule.Facts{report.CarriesData},
	},
	noCertificate: {
		Role:  "Certificate",
		Text:  "the client has none, though the server asked for one",
		Facts: rule.Facts{report.CarriesData},
	},
	lastHello: {
		Role:  "last copy",
		Text:  "number {n}, {s} after the first; none acknowledged",
		Facts: rule.Facts{report.CarriesData, report.SentBefore, report.Told, report.SinceFirst},
	},
	noRecord: {
		Role:  "answer",
		Text:  "begins with no TLS record",
		Facts: rule.Facts{report.CarriesData},
	},
	helloArrived: {
		Role:  "ACK",
		Text:  "what the client had sent has arrived",
		Facts: rule.Facts{report.Acknowledges},
	},
	clientLeaves: {
		Role:  "close",
		Text:  "gives up {s} after its ClientHello",
		Facts: rule.Facts{report.Ends, report.SinceFirst},
	},
	latestStep: {
		Role:  "latest step",
		Text:  "the handshake went no further",
		Facts: rule.Facts{report.CarriesData},
	},
	stopsAtHello: {Text: "Nothing answers the ClientHello: who accepts connections there does " +
		"not begin the handshake."},
	stopsInFlight: {Text: "It stopped in the middle of its answer to the ClientHello."},
	stopsAtFinish: {Text: "It answered the ClientHello, and nothing to what the client sent then."},
	clientWaited:  {Text: "The client waited for {s}."},
	stopsAtRequest: {Text: "It answered the ClientHello, and nothing to the Finished and the " +
		"request of the client, which waited for {s}; most servers send tickets at once."},
	stillHangs:  {Text: "Nobody has ended that; {s} later the client was seen last."},
	clientStops: {Text: "The server had waited for {s} for the client to go on."},
	closesInMiddle: {
		Role:  "FIN",
		Text:  "{s} after the ClientHello began",
		Facts: rule.Facts{report.Closes, report.Told},
	},
	resetsInMiddle: {
		Role:  "RST",
		Text:  "{s} after the ClientHello began",
		Facts: rule.Facts{report.Resets, report.Told},
	},
	otherResets: {
		Role:  "RST",
		Text:  "{s} after the ClientHello began, with the TTL of another host",
		Facts: rule.Facts{report.Resets, report.Told},
	},
	alertHidden: {
		Role:  "alert",
		Text:  "encrypted",
		Facts: rule.Facts{report.CarriesData},
	},
	alertInClear: {
		Role:  "alert",
		Text:  "{text}",
		Facts: rule.Facts{report.CarriesData},
	},
	alertSays: {
		Text:  "The {side} said {text} (alert {id}).",
		Facts: rule.Facts{report.Told, report.AlertIs},
	},
	hiddenOfClient: {
		Text: "The {side} sent it: within the handshake that is nearly always about the server's " +
			"certificate.",
	},
	hiddenOfServer: {
		Text: "The {side} sent it when the client was done with the handshake, and no answer: " +
			"that is mostly about the client's certificate, which it wants, or does not accept.",
	},
	hiddenEarly: {Text: "The {side} sent it."},
	askedInVain: {
		Role:  "request",
		Text:  "sent, and not answered",
		Facts: rule.Facts{report.CarriesData},
	},
	choosesOld: {
		Role:  "ServerHello",
		Text:  "chooses {text}, though the client offers TLS 1.3",
		Facts: rule.Facts{report.CarriesData},
	},
	serverFinished: {
		Role:  "server's Finished",
		Text:  "the request had to wait for it",
		Facts: rule.Facts{report.CarriesData},
	},
	offersSession: {
		Role:  "ServerHello",
		Text:  "begins a new session, though the client offered the one that it had",
		Facts: rule.Facts{report.CarriesData},
	},
	offersNone: {
		Role:  "ServerHello",
		Text:  "begins a new session: the client offered none",
		Facts: rule.Facts{report.CarriesData},
	},
	noTripSaved: {
		Text: "With TLS 1.3 that costs no round trip: only the certificate is sent, and " +
			"signed for, again.",
	},
	asksAgain: {
		Role:  "HelloRetryRequest",
		Text:  "asks for another ClientHello",
		Facts: rule.Facts{report.CarriesData},
	},
	secondHello: {
		Role:  "second ClientHello",
		Text:  "{s} after the first",
		Facts: rule.Facts{report.CarriesData, report.SinceFirst},
	},
	restOfFlight: {
		Role:  "rest of the flight",
		Text:  "had to wait until the client had acknowledged what came before",
		Facts: rule.Facts{report.CarriesData},
	},
	flightTook: {Text: "The server's flight had {n octet} in {n segment}."},
	earlyInVain: {
		Role:  "early data",
		Text:  "is not taken",
		Facts: rule.Facts{report.CarriesData},
	},
	endsNoEarly: {
		Role:  "client's Finished",
		Text:  "what had been early data is said again behind it",
		Facts: rule.Facts{report.CarriesData},
	},
	noWorseThanNone: {Text: "Without early data it would have taken as long."},
	nextIsOther: {
		Role:  "before it",
		Text:  "the other side is next",
		Facts: rule.Facts{report.CarriesData},
	},
	clientTakes: {
		Role:  "client goes on",
		Text:  "{s} later",
		Facts: rule.Facts{report.CarriesData, report.SinceBefore},
	},
	serverTakes: {
		Role:  "server goes on",
		Text:  "{s} later",
		Facts: rule.Facts{report.CarriesData, report.SinceBefore},
	},
	takesElse: {Text: "Half of its other handshakes took it no more than {ms}."},
})
