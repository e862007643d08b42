package transfer

import (
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// What the rules of this room say, by number.
const (
	_ rule.WordsID = iota
	// windows
	round
	beforeIdle
	afterIdle
	windowFull
	windowMoved
	heldSegment
	fillsWindow
	windowClosed
	windowOpened
	dataAgain
	stoppedShort
	madeRoom
	wentOn
	// losses and timers
	handshakeHangs
	onlyTheEnd
	lacksTheRest
	largeLost
	cutAtLast
	lastCopy
	smallAcked
	smallHeard
	toldTooBig
	toldTooBigOnly
	toldSize
	lostFurther
	unanswered
	throughAgain
	repeatsArrived
	firstHeard
	repeatsInVain
	heardAgain
	heldUpUntil
	silentFor
	lastSign
	firstSign
	clockStood
	timerStood
	pausedIn
	laterShows
	laterCounts
	beforeWait
	repaired
	heldAfterLoss
	repairedBefore
	heldNeedlessly
	laterFirst
	needlessLater
	overtaken
	overtakenLater
	takenForLost
	arrivedAlready
	delayedData
	ackOfFirst
	firstArrived
	sameOctets
	heldByCut
	queueFull
	noneFollowed
	fewFollowed
	lateAcker
	hastyTimer
	earlyTimer
	beginsInMiddle
	// the path's rate and queues, pieces, and the server
	atRate
	pathCarries
	plainText
	wouldTake
	tookNone
	bucketExplains
	bucketHolds
	policedAt
	policedInPart
	queueGrew
	endsRequest
	endsResponse
	manySmall
	fillsPath
	emptiesPath
	lastOctet
	lateByStamp
	longTrips
	laterThanUsual
	tookLong
	tookLonger
	slowerThanOthers
	shareOfAll
	stoodStill
	blockedAll
	pausedToo
	endsStandstill
	worksOnFew
	madeTurn
	tookTurn
)

// endsMessage is what the last segment of a message shows, by who sends that.
var endsMessage = [2]rule.WordsID{
	reassembly.FromClient: endsRequest,
	reassembly.FromServer: endsResponse,
}

// words is the vocabulary of the rules of this room.
var words = []rule.Words{
	round: {
		Role:  "round",
		Text:  "number {n}, {octets}, {n segment}",
		Facts: rule.Facts{report.CarriesData},
	},
	beforeIdle: {
		Role:  "before",
		Text:  "the last data before; up to {octets} had been in flight",
		Facts: rule.Facts{report.CarriesData},
	},
	afterIdle: {
		Role:  "after",
		Text:  "the first data after {s}",
		Facts: rule.Facts{report.CarriesData},
	},
	windowFull: {
		Role:  "window full",
		Text:  "the last octets that the window had room for; it is {octets} at most",
		Facts: rule.Facts{report.CarriesData},
	},
	windowMoved: {
		Role:  "window moved",
		Text:  "acknowledges and makes room",
		Facts: rule.Facts{report.OpensWindow},
	},
	heldSegment: {
		Role:  "held segment",
		Text:  "left as soon as it had room, {ms} later",
		Facts: rule.Facts{report.CarriesData},
	},
	fillsWindow: {
		Role:  "last data",
		Text:  "fills the window",
		Facts: rule.Facts{report.CarriesData},
	},
	windowClosed: {
		Role:  "window closed",
		Text:  "offers a window of 0",
		Facts: rule.Facts{report.ShutsWindow},
	},
	windowOpened: {
		Role:  "window opened",
		Text:  "offers room again",
		Facts: rule.Facts{report.OpensWindow},
	},
	dataAgain: {
		Role:  "data again",
		Text:  "{octets}, after {ms}",
		Facts: rule.Facts{report.CarriesOctets},
	},
	stoppedShort: {
		Role:  "last of a burst",
		Text:  "with it {octets} are in flight at most, and both windows have room",
		Facts: rule.Facts{report.CarriesData},
	},
	madeRoom: {
		Role:  "ACK",
		Text:  "of what was sent before",
		Facts: rule.Facts{report.Advances},
	},
	wentOn: {
		Role:  "next burst",
		Text:  "left as soon as that was known, {ms} after the last",
		Facts: rule.Facts{report.CarriesData},
	},

	cutAtLast: {
		Role:  "smaller piece",
		Text:  "{octets} of what had been sent in full segments, none of which came",
		Facts: rule.Facts{report.CarriesOctets},
	},
	handshakeHangs: {Text: "The TLS handshake did not get through."},
	onlyTheEnd: {
		Role:  "small one",
		Text:  "the end of a message arrives; nothing full ever does",
		Facts: rule.Facts{report.CarriesData},
	},
	lacksTheRest: {
		Role: "ACK", Text: "lacks all that comes before it",
		Facts: rule.Facts{report.Lacks},
	},
	largeLost: {
		Role:  "full segment",
		Text:  "{octets}, never acknowledged",
		Facts: rule.Facts{report.CarriesOctets, report.Unheeded},
	},
	lastCopy: {
		Role:  "last copy",
		Text:  "the same segment, copy {n}",
		Facts: rule.Facts{report.SentBefore},
	},
	smallAcked: {
		Role: "small one arrived", Text: "acknowledges smaller segments sent after it",
		Facts: rule.Facts{report.Lacks},
	},
	smallHeard: {
		Role: "small one arrived", Text: "what it acknowledges was not sent again",
		Facts: rule.Facts{report.CarriesNone},
	},
	toldTooBig: {
		Role: "ICMP", Text: "too big, the next hop takes {octets} of IP; error 1 of {n}",
		Facts: rule.Facts{report.ReportsError, report.NextHop, report.Told},
	},
	toldTooBigOnly: {
		Role:  "ICMP",
		Text:  "too big, without saying what the next hop takes; error 1 of {n}",
		Facts: rule.Facts{report.ReportsError, report.Told},
	},
	toldSize: {Text: "The next hop takes {octets} of IP."},
	lostFurther: {
		Role:  "first copy",
		Text:  "passed here, and was lost further on",
		Facts: rule.Facts{report.CarriesData},
	},
	unanswered: {
		Role:  "first copy",
		Text:  "passed here; nothing acknowledged it before the next copy",
		Facts: rule.Facts{report.CarriesData},
	},
	throughAgain: {
		Role:  "through again",
		Text:  "{octets}, the first of it that arrived",
		Facts: rule.Facts{report.CarriesOctets},
	},
	repeatsArrived: {
		Role:  "needless retransmission",
		Text:  "of what had arrived, as its sender heard of no acknowledgment",
		Facts: rule.Facts{report.SentBefore},
	},
	firstHeard: {
		Role:  "goes on",
		Text:  "{ms} later",
		Facts: rule.Facts{report.SinceBefore},
	},
	repeatsInVain: {
		Role:  "retransmission",
		Text:  "by its timer: nothing comes back, which its peer's kernel would send at once",
		Facts: rule.Facts{report.SentBefore},
	},
	heardAgain: {
		Role:  "heard again",
		Text:  "{ms} later, and nothing before",
		Facts: rule.Facts{report.SinceBefore},
	},
	heldUpUntil: {
		Role:  "held up",
		Text:  "came {ms} later than its timestamp says it could have",
		Facts: rule.Facts{report.Told},
	},
	silentFor: {Text: "{n} exchanges waited; nothing got through for {s} at most."},
	lastSign:  {Role: "last sign", Text: "the last that this host sent"},
	firstSign: {
		Role:  "goes on",
		Text:  "the first that it sent again, {ms} later",
		Facts: rule.Facts{report.SinceBefore, report.OwnSilent},
	},
	clockStood: {
		Text: "Its own clock stood, too: from one to the other its timestamps went on by " +
			"{ms}.",
	},
	pausedIn:   {Text: "{n} responses stopped at the same time."},
	timerStood: {Text: "Its timer for what had been lost did not run out in that time."},
	laterShows: {
		Role:  "later segment",
		Text:  "shows that an earlier one was lost before it came here",
		Facts: rule.Facts{report.CarriesData, report.BehindHole},
	},
	laterCounts: {
		Role:  "later segment",
		Text:  "its IP identification shows that one before it never came here",
		Facts: rule.Facts{report.CarriesNone},
	},
	beforeWait: {
		Role: "before", Text: "the last data before the wait",
		Facts: rule.Facts{report.RestsAfter},
	},
	repaired: {
		Role:  "retransmission",
		Text:  "{octets}, after {ms}",
		Facts: rule.Facts{report.CarriesOctets},
	},
	repairedBefore: {
		Role:  "retransmission",
		Text:  "of what had been lost on this connection",
		Facts: rule.Facts{report.CarriesData},
	},
	heldAfterLoss: {
		Role:  "held by the window",
		Text:  "waited for a window that a loss had cut",
		Facts: rule.Facts{report.CarriesData},
	},
	heldNeedlessly: {
		Role:  "held by the window",
		Text:  "waited for a window that a needless retransmission had cut",
		Facts: rule.Facts{report.CarriesData},
	},
	laterFirst: {
		Role:  "later segment",
		Text:  "came first",
		Facts: rule.Facts{report.CarriesData},
	},
	needlessLater: {
		Role:  "needless retransmission",
		Text:  "came {ms} later",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
	overtaken: {
		Role:  "overtaken segment",
		Text:  "was sent before, and came after",
		Facts: rule.Facts{report.SentBefore},
	},
	overtakenLater: {
		Role:  "overtaken segment",
		Text:  "came {ms} later",
		Facts: rule.Facts{report.CarriesData},
	},
	takenForLost: {
		Role:  "needless retransmission",
		Text:  "it had been taken for lost",
		Facts: rule.Facts{report.SentBefore},
	},
	arrivedAlready: {
		Role:  "needless retransmission",
		Text:  "of what had arrived already",
		Facts: rule.Facts{report.SentBefore},
	},
	delayedData: {
		Role: "data again", Text: "came {ms} later than without the delay",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
	ackOfFirst: {
		Role: "late ACK", Text: "of the first copy",
		Facts: rule.Facts{report.Advances},
	},
	firstArrived: {
		Role:  "first copy",
		Text:  "arrived",
		Facts: rule.Facts{report.CarriesData},
	},
	sameOctets: {
		Role:  "needless retransmission",
		Text:  "of the same octets, {ms} later",
		Facts: rule.Facts{report.SentBefore, report.SinceBefore},
	},
	heldByCut: {
		Role:  "held by the window",
		Text:  "waited {ms} for a window that was cut",
		Facts: rule.Facts{report.CarriesData},
	},
	queueFull: {
		Text: "Nothing that the client sent after the handshake had been acknowledged by then: a " +
			"server whose accept queue is full drops it, too (Linux: `nstat TcpExtListenOverflows`).",
		Facts: rule.Facts{report.Unheard},
	},
	noneFollowed: {
		Text:  "Nothing followed it that could have told its sender sooner.",
		Facts: rule.Facts{report.FollowedNone},
	},
	fewFollowed: {
		Text:  "{n segment} followed it: too few to tell its sender sooner.",
		Facts: rule.Facts{report.FollowedBy},
	},
	lateAcker: {Text: "The host that was to acknowledge it delays acknowledgments as long as the " +
		"timer waited: it may have had the segment, and then the repetition was needless and " +
		"cost nothing."},
	beginsInMiddle: {Text: "The capture begins in the middle of the connection: what came before " +
		"may explain it."},
	earlyTimer: {
		Text: "The timer is shorter than those of the systems in use, a segment with none " +
			"beside it was repeated, and the copy was answered at once, as hosts answer what they have: " +
			"it may have arrived before, its acknowledgment delayed, so that nothing was lost.",
	},
	hastyTimer: {Text: "Only segments with none beside them were repeated, each after the same " +
		"time, and every copy was answered at once, as hosts answer what they have: the timer is " +
		"shorter than the other host takes to acknowledge, and nothing need have been lost."},

	atRate: {
		Role:  "first segment",
		Text:  "{octets} at {mbit}",
		Facts: rule.Facts{report.CarriesData},
	},
	pathCarries: {Text: "It carries {mbit}."},
	plainText: {
		Role:  "first segment",
		Text:  "{octets} of text, not compressed, at {mbit}",
		Facts: rule.Facts{report.CarriesData},
	},
	wouldTake: {Text: "The client takes compressed bodies."},
	tookNone: {Text: "The client did not ask for compression: its request names no coding in " +
		"Accept-Encoding."},
	bucketExplains: {Text: "It lets {mbit} pass, and {octets} at once after a pause: {n} of {n} " +
		"losses met it empty."},
	bucketHolds: {Text: "It lets {octets} pass at once after a pause: {n} of {n} losses met it " +
		"empty. How fast it fills these hardly tell; {mbit} would explain them."},
	policedAt: {
		Role:  "first segment",
		Text:  "{octets}, policed at {mbit}",
		Facts: rule.Facts{report.CarriesData},
	},
	policedInPart: {
		Role: "message",
		Text: "{octets}, policed at {mbit}; the capture lacks some of them",
	},
	queueGrew: {
		Role: "first segment", Text: "round trips grew from {ms} to {ms}",
		Facts: rule.Facts{report.CarriesData},
	},
	endsRequest: {
		Role:  "last segment",
		Text:  "ends the request",
		Facts: rule.Facts{report.CarriesData},
	},
	endsResponse: {
		Role:  "last segment",
		Text:  "ends the response",
		Facts: rule.Facts{report.CarriesData},
	},
	manySmall: {
		Role:  "first segment",
		Text:  "{octets} in {n small segment}; {n} would do",
		Facts: rule.Facts{report.CarriesData},
	},
	fillsPath: {
		Role:  "large message",
		Text:  "exchange {exchange} on connection {conn} fills the path: {mbit}",
		Facts: rule.Facts{report.CarriesData},
	},
	emptiesPath: {
		Role: "large message", Text: "ends",
	},
	lastOctet: {
		Role:  "request",
		Text:  "its last octet",
		Facts: rule.Facts{report.CarriesData},
	},
	lateByStamp: {
		Role:  "response",
		Text:  "under way {ms} longer than the quickest, by its timestamp",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
	longTrips: {
		Role: "response",
		Text: "round trips of {ms} on this connection, where others had {ms}",
	},
	laterThanUsual: {
		Role: "response", Text: "after {ms}, where {ms} are usual",
		Facts: rule.Facts{report.CarriesData, report.Told, report.Told},
	},
	tookLong: {
		Role:  "response",
		Text:  "its first octet; the server took {ms}",
		Facts: rule.Facts{report.CarriesData},
	},
	tookLonger: {
		Role:  "response",
		Text:  "its first octet; the server took {ms}, usually {ms} ({n exchange})",
		Facts: rule.Facts{report.CarriesData},
	},
	slowerThanOthers: {
		Text: "It took {s} here (median of {n exchange}), and {s} at the service's other " +
			"endpoints (median of {n exchange}): the cost is what would be saved if this one " +
			"were as fast.",
	},
	shareOfAll: {
		Text: "What the server took here is {n} % of all time that clients waited for this service.",
	},
	stoodStill: {
		Text: "For {s} the server sent nothing on {n connection}, though {n request} lay there, " +
			"which its host had acknowledged; then it answered within {ms}.",
	},
	blockedAll: {
		Text: "{text} had been asked for first, took {s}, and was answered with them: that may be " +
			"what kept it from all others.",
	},
	pausedToo: {
		Text: "In the middle of {n response} it paused until then, too, with nothing on its way.",
	},
	endsStandstill: {
		Role:  "answered with it",
		Text:  "the first octet of the response of exchange {exchange}, in service all the time",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
	worksOnFew: {
		Text: "It works on {n request} at a time: {n} of {n} that waited were answered some {ms} " +
			"after it was their turn, as soon as one is that nobody is before.",
	},
	madeTurn: {
		Role:  "answered before",
		Text:  "the first octet of the response of exchange {exchange}: until then it had waited for {ms}",
		Facts: rule.Facts{report.CarriesData, report.Told, report.Told},
	},
	tookTurn: {
		Role:  "response",
		Text:  "its first octet, {ms} after that",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
}
