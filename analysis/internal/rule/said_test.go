package rule

import (
	"testing"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

// The words of the tests.
const (
	saidPlain WordsID = iota + 1
	saidNumber
	saidOctets
	saidMillis
	saidSeconds
	saidRate
	saidNames
	saidText
	saidOf
	saidSide
	saidAll
	saidTooMany
)

// said is a vocabulary, as a room of rules has one.
func said() []Words {
	return []Words{
		saidPlain:   {Role: "ACK", Text: "covers it, and carries no data"},
		saidNumber:  {Role: "", Text: "The server closed after {n} requests."},
		saidOctets:  {Role: "first piece", Text: "{octets}: the headers"},
		saidMillis:  {Role: "held piece", Text: "sent {ms} after that ACK"},
		saidSeconds: {Role: "SYN again", Text: "{s} after the first"},
		saidRate:    {Role: "large message", Text: "fills the path: {mbit}"},
		saidNames: {
			Role: "large message",
			Text: "exchange {exchange} on connection {conn} fills the path",
		},
		saidText:    {Role: "ICMP", Text: "from {text}, after {ms}"},
		saidOf:      {Role: "", Text: "{n request} in {n copy|copies}"},
		saidSide:    {Role: "close", Text: "by the {side}"},
		saidAll:     {Role: "", Text: "{n}, {octets}, {ms}, {s}"},
		saidTooMany: {Role: "", Text: "{n}{n}{n}{n}{n}."},
	}
}

func TestSentence(t *testing.T) {
	from := Say(saidText, Ns(12*time.Millisecond)).With("10.0.0.{254}")
	for _, tt := range []struct {
		name string
		said Said
		want string
	}{
		{"nothing", Said{}, ""},
		{"nothing, though there is a number", Say(0, 5), ""},
		{"words alone", Say(saidPlain), "covers it, and carries no data"},
		{"a number", Say(saidNumber, 3), "The server closed after 3 requests."},
		{"octets", Say(saidOctets, 131), "131 octets: the headers"},
		{"milliseconds", Say(saidMillis, Ns(41*time.Millisecond)), "sent 41 ms after that ACK"},
		{"less than ten of them", Say(saidMillis, Ns(9876*time.Microsecond)),
			"sent 9.88 ms after that ACK"},
		{"seconds", Say(saidSeconds, Ns(3100*time.Millisecond)), "3.1 s after the first"},
		{"less than one of them", Say(saidSeconds, Ns(999*time.Millisecond)),
			"999 ms after the first"},
		{"a rate, from octets a second", Say(saidRate, 1_250_000), "fills the path: 10.0 Mbit/s"},
		{"a low rate", Say(saidRate, 16_000), "fills the path: 0.13 Mbit/s"},
		{"a very low rate", Say(saidRate, 1_200), "fills the path: 0.010 Mbit/s"},
		{"a connection and an exchange", Say(saidNames, 12, 4),
			"exchange 12 on connection 4 fills the path"},
		{"a text takes no number, and is not read as words", from,
			"from 10.0.0.{254}, after 12 ms"},
		{"one of a thing", Say(saidOf, 1, 1), "1 request in 1 copy"},
		{"several", Say(saidOf, 2, 0), "2 requests in 0 copies"},
		{"a side", Say(saidSide, int64(report.SideServer)), "by the server"},
		{"each place takes the next number", Say(saidAll, 7, 8, 9e6, 2e9),
			"7, 8 octets, 9.00 ms, 2.0 s"},
		{"a number that was not given is zero", Say(saidAll, 7), "7, 0 octets, 0.00 ms, 0.00 ms"},
		{"a place without a number stays empty", Say(saidTooMany, 1, 2, 3, 4, 5), "1234."},
		{"a negative number", Say(saidNumber, -1), "The server closed after -1 requests."},
	} {
		if got := tt.said.Sentence(said()); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestShows: a frame as evidence is who sent it, and words with their numbers.
func TestShows(t *testing.T) {
	at := capture.Mark{Time: time.Second, Frame: 9}
	e := Shows(at, report.SideServer, saidNames, 12, 4)
	if e.Mark != at || e.Side != report.SideServer || e.Words != saidNames || e.N[0] != 12 ||
		e.N[1] != 4 {
		t.Errorf("shows %+v", e)
	}
	if got := e.Sentence(said()); got != "exchange 12 on connection 4 fills the path" {
		t.Errorf("says %q", got)
	}
}

// TestSentences: one after the other, and nothing for what is not said.
func TestSentences(t *testing.T) {
	for _, tt := range []struct {
		name string
		all  []Said
		want string
	}{
		{"none", nil, ""},
		{"nothing is said", []Said{{}}, ""},
		{"one", []Said{Say(saidNumber, 3)}, "The server closed after 3 requests."},
		{"two, and nothing between", []Said{Say(saidNumber, 3), {}, Say(saidTooMany, 1)},
			"The server closed after 3 requests. 1000."},
	} {
		if got := Sentences(tt.all, said()); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
