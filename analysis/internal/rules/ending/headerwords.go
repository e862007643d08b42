package ending

import (
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// What header-misuse says, by number.
const (
	proxySends = iota + ownWords
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
)

// headerWords is the vocabulary of header-misuse.
var headerWords = vocabulary([]rule.Words{
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
})
