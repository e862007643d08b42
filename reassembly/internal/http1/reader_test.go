package http1_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tcpwhy/reassembly/exchange"
	"tcpwhy/reassembly/internal/http1"
	"tcpwhy/reassembly/internal/http2"
	"tcpwhy/reassembly/internal/readertest"
	"tcpwhy/reassembly/internal/tlsrecord"
)

// httpCases are scripts (see script.run) and the exchanges that they hold (see describe).
var httpCases = []struct{ name, script, want string }{
	{"simple", "> GET / HTTP/1.1~Host: a~~\n< HTTP/1.1 200 OK~Content-Length: 5~~hello\nE", "GET / 200 complete q1-1 27+0 r2-2 38+5"},
	{"split over segments", "> GET /x HT\n> TP/1.1~~\n< HTTP/1.1 2\n< 00 OK~Content-Length: 5~\n< ~he\n< llo\nE", "GET /x 200 complete q1-2 19+0 r3-6 38+5"},
	{"late response body", "> GET / HTTP/1.1~~\n< HTTP/1.1 200 OK~Content-Length: 5000~~\n<= 4999\n<= 1\nE", "GET / 200 complete q1-1 18+0 r2-4 41+5000"},
	{"keep-alive", "> GET /1 HTTP/1.1~~\n< HTTP/1.1 204 No Content~~\n> GET /2 HTTP/1.1~~\n< HTTP/1.1 304 Not Modified~Content-Length: 7~~\n>F\n<F\nX", `
		GET /1 204 complete q1-1 19+0 r2-2 27+0
		GET /2 304 complete q3-3 19+0 r4-4 48+0`},
	{"pipelined in one segment", "> GET /1 HTTP/1.1~~GET /2 HTTP/1.1~~POST /3 HTTP/1.1~Content-Length: 2~~ab\n< HTTP/1.1 200~Content-Length: 1~~aHTTP/1.1 200 ~Content-Length: 2~~bbHTTP/1.1 204~~\nE", `
		GET /1 200 complete q1-1 19+0 r2-2 35+1
		GET /2 200 complete q1-1 19+0 r2-2 36+2
		POST /3 204 complete q1-1 39+2 r2-2 16+0`},
	{"head", "> HEAD / HTTP/1.1~~\n< HTTP/1.1 200 OK~Content-Length: 500~~\n> GET / HTTP/1.1~~\n< HTTP/1.1 200 OK~Content-Length: 0~~\nE", `
		HEAD / 200 complete q1-1 19+0 r2-2 40+0
		GET / 200 complete q3-3 18+0 r4-4 38+0`},
	{"chunked with extension and trailer", "> GET / HTTP/1.1~~\n< HTTP/1.1 200 OK~Transfer-Encoding: chunked~~5;a=b~hello~0A~0123456789~\n< 0~X: y~~HTTP/1.1 408 Timeout~Content-Length: 0~~\nE", `
		GET / 200 complete q1-1 18+0 r2-3 47+41
		408 complete r3-3 43+0`},
	{"chunked request", "> POST / HTTP/1.1~Transfer-Encoding: gzip, Chunked~~3~abc~\n> 0~~\n< HTTP/1.1 200 OK~Content-Length: 0~~\nE", "POST / 200 complete q1-2 53+13 r3-3 38+0"},
	{"interim", "> PUT / HTTP/1.1~Expect: 100-continue~Content-Length: 3~~\n< HTTP/1.1 100 Continue~~\n> abc\n< HTTP/1.1 103 Early Hints~Link: x~~HTTP/1.1 201 Created~Content-Length: 0~~\nE", "PUT / 201 (100@2) (103@4) complete q1-3 59+3,expect r4-4 43+0"},
	{"expect not awaited", "> PUT / HTTP/1.1~Expect: 100-continue~Content-Length: 3~~\n< HTTP/1.1 413 Too Large~Content-Length: 0~Connection: close~~\n<F\n>F\nX", "PUT / 413 complete q1-1 59+0!,expect r2-2 64+0,close"},
	{"early response, request goes on", "> PUT / HTTP/1.1~Content-Length: 30~~\n>= 10\n< HTTP/1.1 413 X~Content-Length: 0~~\n>= 10\nE", "PUT / 413 complete q1-4 38+20! r3-3 37+0"},
	{"early response, then next request", "> PUT / HTTP/1.1~Content-Length: 10~~\n< HTTP/1.1 200 X~Content-Length: 0~~\n>= 10\n> GET /2 HTTP/1.1~~\n< HTTP/1.1 204~~\nE", `
		PUT / 200 complete q1-3 38+10 r2-2 37+0
		GET /2 204 complete q4-4 19+0 r5-5 16+0`},
	{"close-delimited", "> GET / HTTP/1.0~~\n< HTTP/1.1 200 OK~~\n<= 100\n<F\n>F\nX", "GET / 200 complete q1-1 18+0 r2-3 19+100"},
	{"close-delimited, reset", "> GET / HTTP/1.0~~\n< HTTP/1.1 200 OK~~\n<= 100\n<R\nX", "GET / 200 reset q1-1 18+0 r2-3 19+100!"},
	{"close-delimited, capture ends", "> GET / HTTP/1.0~~\n< HTTP/1.1 200 OK~~\n<= 100\nE", "GET / 200 incomplete q1-1 18+0 r2-3 19+100!"},
	{"close-delimited after half-close", "> GET / HTTP/1.0~~\n>F\n< HTTP/1.1 200 OK~~\n<= 100\n<F\nX", "GET / 200 complete q1-1 18+0 r3-4 19+100"},
	{"simple request", "> GET /x~\n< <html>hello\n<F\nX", "GET /x complete q1-1 8+0 r2-2 0+11"},
	{"response without status line", "> GET /x HTTP/1.1~~\n< hello\n<F\nX", "GET /x complete q1-1 19+0 r2-2 0+5,bad"},
	{"truncated by length", "> GET / HTTP/1.1~~\n< HTTP/1.1 200 OK~Content-Length: 50~~hello\n<F\n>F\nX", "GET / 200 truncated q1-1 18+0 r2-2 39+5!"},
	{"truncated by chunks", "> GET / HTTP/1.1~~\n< HTTP/1.1 200 OK~Transfer-Encoding: chunked~~5~hello~\n<F\nX", "GET / 200 truncated q1-1 18+0 r2-2 47+10!"},
	{"truncated before the last line end", "> GET / HTTP/1.1~~\n< HTTP/1.1 200 OK~Transfer-Encoding: chunked~~0~\n<F\nX", "GET / 200 truncated q1-1 18+0 r2-2 47+3!"},
	{"truncated in the header", "> GET / HTTP/1.1~~\n< HTTP/1.1 200 OK~Conte\n<F\nX", "GET / 200 truncated q1-1 18+0 r2-2 0+0!"},
	{"truncated in the status line", "> GET / HTTP/1.1~~\n< HTTP/1.\n<F\nX", "GET / truncated q1-1 18+0 r2-2 0+0!"},
	{"reset in the body", "> GET / HTTP/1.1~~\n< HTTP/1.1 200 OK~Content-Length: 50~~hello\n<R\nX", "GET / 200 reset q1-1 18+0 r2-2 39+5!"},
	{"client resets in the body", "> GET / HTTP/1.1~~\n< HTTP/1.1 200 OK~Content-Length: 50~~hello\n>R\nX", "GET / 200 aborted q1-1 18+0 r2-2 39+5!"},
	{"client closes in the body", "> GET / HTTP/1.1~~\n< HTTP/1.1 200 OK~Content-Length: 50~~hello\n>F\n<= 5\n<R\nX", "GET / 200 aborted q1-1 18+0 r2-4 39+10!"},
	{"no response, FIN", "> GET / HTTP/1.1~~\n<F\n>F\nX", "GET / no-response q1-1 18+0"},
	{"no response, RST", "> GET / HTTP/1.1~~\n<R\nX", "GET / no-response q1-1 18+0"},
	{"client gives up", "> GET / HTTP/1.1~~\n>R\nX", "GET / aborted q1-1 18+0"},
	{"half-close answered by close", "> GET / HTTP/1.1~~\n>F\n<F\nX", "GET / aborted q1-1 18+0"},
	{"half-close, then answer", "> GET / HTTP/1.1~~\n>F\n< HTTP/1.1 200 OK~Content-Length: 0~~\n<F\nX", "GET / 200 complete q1-1 18+0 r3-3 38+0"},
	{"request on a closed connection", "> GET /1 HTTP/1.1~~\n< HTTP/1.1 204~~\n<F\n> GET /2 HTTP/1.1~~\n<R\nX", `
		GET /1 204 complete q1-1 19+0 r2-2 16+0
		GET /2 no-response q4-4 19+0`},
	{"pipelined, closed after the first", "> GET /1 HTTP/1.1~~GET /2 HTTP/1.1~~\n< HTTP/1.1 204 X~Connection: close~~\n<F\n>F\nX", `
		GET /1 204 complete q1-1 19+0 r2-2 37+0,close
		GET /2 no-response q1-1 19+0`},
	{"capture ends", "> GET / HTTP/1.1~~\nE", "GET / incomplete q1-1 18+0"},
	{"capture ends in the response", "> GET / HTTP/1.1~~\n< HTTP/1.1 200 OK~Content-Length: 50~~hello\nE", "GET / 200 incomplete q1-1 18+0 r2-2 39+5!"},
	{"capture ends after the client's FIN", "> GET / HTTP/1.1~~\n>F\nE", "GET / incomplete q1-1 18+0"},
	{"connect", "> CONNECT a:443 HTTP/1.1~~\n< HTTP/1.1 200 OK~~\n> hello\n< welcome\n< back\n> again\n< yes\n<F\n>F\nX", `
		CONNECT a:443 200 upgraded q1-1 26+0 r2-2 19+0
		T complete q3-3 0+5 r4-5 0+11
		T complete q6-6 0+5 r7-7 0+3`},
	{"connect refused", "> CONNECT a:443 HTTP/1.1~~\n< HTTP/1.1 407 X~Content-Length: 2~~no\n> CONNECT a:443 HTTP/1.1~~\n< HTTP/1.1 200 OK~~\nE", `
		CONNECT a:443 407 complete q1-1 26+0 r2-2 37+2
		CONNECT a:443 200 upgraded q3-3 26+0 r4-4 19+0`},
	{"websocket", "> GET /ws HTTP/1.1~Connection: Upgrade~Upgrade: websocket~~\n< HTTP/1.1 101 Switching Protocols~Upgrade: websocket~Connection: upgrade~~\\0\\0\n> xx\nE", `
		GET /ws 101 upgraded q1-1 61+0,upgrade,upgradefield r2-2 77+0,upgrade,upgradefield
		T incomplete r2-2 0+2!,sse`},
	{"h2c", "> GET / HTTP/1.1~Upgrade: h2c~~\n< HTTP/1.1 101 X~Upgrade: h2c~~abc\n> PRI * HTTP/2.0~~SM~~\nE", `
		#1 GET / (101@2) incomplete q1-1 32+0,upgradefield`},
	{"bare LF and odd lines", "> ~~get /a b HTTP/1.1\\nHost : x\\nfoo\\n\\n\n< HTTP/1.1 200\\ncontent-length:0\\n\\n\nE", "get /a b 200 complete q1-1 32+0,bad,lf r2-2 31+0,lf"},
	{"obsolete fold", "> GET / HTTP/1.1~Content-Length:~ 2~~ab\n< HTTP/1.1 200 OK~Transfer-Encoding:~\\tchunked~~0~~\nE", "GET / 200 complete q1-1 39+2,bad r2-2 49+5,bad"},
	{"absolute and asterisk targets", "> GET http://a/b HTTP/1.1~~OPTIONS * HTTP/1.1~~\n< HTTP/1.1 204~~HTTP/1.1 204~~\nE", `
		GET http://a/b 204 complete q1-1 27+0 r2-2 16+0
		OPTIONS * 204 complete q1-1 22+0 r2-2 16+0`},
	{"equal lengths", "> GET / HTTP/1.1~~\n< HTTP/1.1 200 OK~Content-Length: 3~Content-Length: 3~~abc\nE", "GET / 200 complete q1-1 18+0 r2-2 57+3"},
	{"list of equal lengths", "> GET / HTTP/1.1~~\n< HTTP/1.1 200 OK~Content-Length: 3, 3~~abc\nE", "GET / 200 complete q1-1 18+0 r2-2 41+3,conflict"},
	{"different lengths", "> GET / HTTP/1.1~~\n< HTTP/1.1 200 OK~Content-Length: 3~Content-Length: 5~~abc\n<F\nX", "GET / 200 complete q1-1 18+0 r2-2 57+3,conflict"},
	{"length is no number", "> POST / HTTP/1.1~Content-Length: 0x5~~abcde\n< HTTP/1.1 400 X~Content-Length: 0~~\n<F\nX", "POST / 400 complete q1-1 40+5!,conflict r2-2 37+0"},
	{"length without value", "> POST / HTTP/1.1~Content-Length:~~abcde\nE", "POST / incomplete q1-1 36+5!,conflict"},
	{"length beyond 2^63", "> POST / HTTP/1.1~Content-Length: 9223372036854775808~~abcde\nE", "POST / incomplete q1-1 56+5!,conflict"},
	{"length of 2^63-1", "> POST / HTTP/1.1~Content-Length: 9223372036854775807~~abcde\nE", "POST / incomplete q1-1 56+5!"},
	{"length and chunked", "> POST / HTTP/1.1~Content-Length: 3~Transfer-Encoding: chunked~~0~~\n< HTTP/1.1 200 OK~Content-Length: 0~~\nE", "POST / 200 complete q1-1 66+5,both r2-2 38+0"},
	{"chunked is not last", "> GET / HTTP/1.1~~\n< HTTP/1.1 200 OK~Transfer-Encoding: chunked, gzip~~abc\n<F\nX", "GET / 200 complete q1-1 18+0 r2-2 53+3,oddte"},
	{"bad chunk size", "> GET / HTTP/1.1~~\n< HTTP/1.1 200 OK~Transfer-Encoding: chunked~~xyz~abc\n<F\nX", "GET / 200 truncated q1-1 18+0 r2-2 47+8!,badchunk"},
	{"chunk size overflows", "> GET / HTTP/1.1~~\n< HTTP/1.1 200 OK~Transfer-Encoding: chunked~~10000000000000000~abc\n<F\nX", "GET / 200 truncated q1-1 18+0 r2-2 47+22!,badchunk"},
	{"chunk longer than its size", "> GET / HTTP/1.1~~\n< HTTP/1.1 200 OK~Transfer-Encoding: chunked~~2~abc~\n<F\nX", "GET / 200 truncated q1-1 18+0 r2-2 47+8!,badchunk"},
	{"response first", "< HTTP/1.1 200 OK~Content-Length: 0~~\n> GET / HTTP/1.1~~\n< HTTP/1.1 204~~\nE", `
		200 complete r1-1 38+0
		GET / 204 complete q2-2 18+0 r3-3 16+0`},
	{"line ends after a body", "> POST /1 HTTP/1.1~Content-Length: 1~~a~\n< HTTP/1.1 204~~\n> GET /2 HTTP/1.1~~\n< HTTP/1.1 204~~\nE", `
		POST /1 204 complete q1-1 39+1 r2-2 16+0
		GET /2 204 complete q3-3 19+0 r4-4 16+0`,
	},
	{
		"more than announced by the client",
		"> POST / HTTP/1.1~Content-Length: 3~~abc\"defg\"\n< HTTP/1.1 200 OK~Content-Length: 0~~\n<F\n>F\nX",
		"POST / 200 complete q1-1 38+3 r2-2 38+0",
	},
	{
		"more than announced, a word",
		"> POST / HTTP/1.1~Content-Length: 3~~abcdefg\n< HTTP/1.1 200 OK~Content-Length: 0~~\n<F\n>F\nX",
		"POST / 200 complete q1-1 38+3 r2-2 38+0",
	},
	{
		"more than announced, refused",
		"> POST / HTTP/1.1~Content-Length: 3~~abc\"defg\"\n< HTTP/1.1 200 OK~Content-Length: 0~~HTTP/1.1 400 X~Content-Length: 0~~\n<F\n>F\nX",
		`
		POST / 200 complete q1-1 38+3 r2-2 38+0
		400 complete q1-1 0+6,bad r2-2 37+0`,
	},
	{
		"a body that nobody announced",
		"> GET / HTTP/1.1~~{}\n< HTTP/1.1 204~~\n> GET /2 HTTP/1.1~~\n< HTTP/1.1 204~~\nE",
		`
		GET / 204 complete q1-1 18+0 r2-2 16+0
		GET /2 204 complete q3-3 19+0 r4-4 16+0`,
	},
	{
		"empty lines, refused",
		"> ~~\n< HTTP/1.1 400 Bad~Content-Length: 0~~\n<F\n>F\nX",
		"400 complete q1-1 0+4,bad r2-2 39+0",
	},
	{
		"empty lines, then silence, then a response to idleness",
		"> ~~\n< HTTP/1.1 408 X~Content-Length: 0~~\n<F\nX",
		"408 complete r2-2 37+0",
	},
	{
		"a line that is no request, refused",
		"> GET /1 HTTP/1.1~~\n< HTTP/1.1 204~~\n> quit~\n< HTTP/1.1 400 Bad~Content-Length: 0~~\n<F\n>F\nX",
		`
		GET /1 204 complete q1-1 19+0 r2-2 16+0
		400 complete q3-3 0+6,bad r4-4 39+0`,
	},
	{
		"words that may become a request, refused",
		"> GET /1 HTTP/1.1~~\n< HTTP/1.1 204~~\n> this is\n>  no request\n< HTTP/1.1 400 Bad~Content-Length: 0~~\n<F\n>F\nX",
		`
		GET /1 204 complete q1-1 19+0 r2-2 16+0
		400 complete q3-4 0+18,bad r5-5 39+0`,
	},
	{
		"a response that nobody asked for",
		"> GET /1 HTTP/1.1~~\n< HTTP/1.1 204~~\n> ~\n< HTTP/1.1 200 OK~Content-Length: 0~~\nE",
		`
		GET /1 204 complete q1-1 19+0 r2-2 16+0
		200 complete r4-4 38+0`,
	},
	{
		"second request in pieces",
		"> GET /1 HTTP/1.1~~\n< HTTP/1.1 204~~\n> OPT\n> IONS *\n>  HTTP/1.1~~\n< HTTP/1.1 204~~\nE",
		`
		GET /1 204 complete q1-1 19+0 r2-2 16+0
		OPTIONS * 204 complete q3-5 22+0 r6-6 16+0`},
	{"connection fields", "> GET / HTTP/1.1~Connection: close, Proxy-Authorization~Proxy-Connection: keep-alive~Via: 1.1 x~~\n< HTTP/1.0 200 OK~Connection: Keep-Alive~Keep-Alive: timeout=5, max=9~Content-Type: text/event-stream;x~Transfer-Encoding: chunked~~0~~\nE",
		"GET / 200 complete q1-1 100+0,close,proxyconn,via,leak r2-2 136+5,keepalive,kafield,sse,oddte"},
}

// gapCases need to know where segments end, so they are not chopped.
var gapCases = []struct{ name, script, want string }{
	{"responses to a hidden HEAD", "< HTTP/1.1 200 OK~Content-Length: 500~~HTTP/1.1 200 OK~Content-Length: 3~~abc\nE", `
		200 complete r1-1 40+0
		200 complete r1-1 38+3`},
	{"more than announced", "> GET /1 HTTP/1.1~~\n< HTTP/1.1 200 OK~Content-Length: 1~~abcdef\n> GET /2 HTTP/1.1~~\n< HTTP/1.1 204~~\nE", `
		GET /1 200 complete q1-1 19+0 r2-2 38+1
		incomplete r2-2 0+5!,bad
		GET /2 204 complete q3-3 19+0 r4-4 16+0,resync`},
	{"no request, answered by HTTP", "> \\0~~\n< HTTP/1.1 400 Bad~Content-Length: 0~~\n<F\nX", "400 complete q1-1 0+5!,bad r2-2 39+0"},
	{"gap in a body", "> GET / HTTP/1.1~~\n< HTTP/1.1 200 OK~Content-Length: 500~~\n<< 300\n<= 200\n> GET /2 HTTP/1.1~~\nE", `
		GET / 200 complete q1-1 18+0 r2-4 40+500,gap
		GET /2 incomplete q5-5 19+0`},
	{"gap in a chunk", "> GET / HTTP/1.1~~\n< HTTP/1.1 200 OK~Transfer-Encoding: chunked~~100~ab\n<< 200\n<= 54\n< ~0~~\nE", "GET / 200 complete q1-1 18+0 r2-5 47+268,gap"},
	{"gap over chunk framing", "> GET / HTTP/1.1~~\n< HTTP/1.1 200 OK~Transfer-Encoding: chunked~~100~ab\n<< 300\n<= 54\n> GET /2 HTTP/1.1~~\n< HTTP/1.1 204~~\nE", `
		GET / 200 incomplete q1-1 18+0 r2-4 47+361!,gap
		GET /2 204 complete q5-5 19+0 r6-6 16+0,resync`},
	{"gap hides a response", "> GET /1 HTTP/1.1~~\n<< 300\n> GET /2 HTTP/1.1~~\n< HTTP/1.1 204~~\nE", `
		GET /1 incomplete q1-1 19+0 r2-2 0+300!,resync,gap
		GET /2 204 complete q3-3 19+0 r4-4 16+0,resync`},
	{"gap hides the header of a response", "> GET /1 HTTP/1.1~~\n<< 300\n<= 200\n> GET /2 HTTP/1.1~~\n< HTTP/1.1 204~~\n>F\n<F\nX", `
		GET /1 incomplete q1-1 19+0 r2-3 0+500!,resync,gap
		GET /2 204 complete q4-4 19+0 r5-5 16+0,resync`},
	{"two hidden responses", "> GET /1 HTTP/1.1~~\n<< 300\n> GET /2 HTTP/1.1~~\n<< 300\n> GET /3 HTTP/1.1~~\n< HTTP/1.1 204~~\nE", `
		GET /1 incomplete q1-1 19+0 r2-2 0+300!,resync,gap
		GET /2 incomplete q3-3 19+0 r4-4 0+300!,resync,gap
		GET /3 204 complete q5-5 19+0 r6-6 16+0,resync`},
	{"gap hides a request", "> GET /1 HTTP/1.1~~\n< HTTP/1.1 204~~\n>> 30\n< HTTP/1.1 204~~\n> GET /3 HTTP/1.1~~\n< HTTP/1.1 204~~\nE", `
		GET /1 204 complete q1-1 19+0 r2-2 16+0
		204 complete r4-4 16+0
		GET /3 204 complete q5-5 19+0,resync r6-6 16+0`},
	{"gap in a request header", "> GET /1 HTTP/1.1~Cook\n>> 30\n> rest~~\n< HTTP/1.1 204~~\n> GET /3 HTTP/1.1~~\n< HTTP/1.1 204~~\nE", `
		GET /1 204 complete q1-3 0+38!,gap r4-4 16+0
		GET /3 204 complete q5-5 19+0,resync r6-6 16+0`},
	{"gap first, response shows HTTP", ">> 100\n< HTTP/1.1 200 OK~Content-Length: 2~~ok\n> GET /2 HTTP/1.1~~\n< HTTP/1.1 204~~\nE", `
		200 complete q1-1 0+100!,resync,gap r2-2 38+2
		GET /2 204 complete q3-3 19+0,resync r4-4 16+0`},
	{"headers cut", "> GET /a HTTP/1.1~Hos\n>_ 200\n< HTTP/1.1 200 OK~Cont\n<_ 1400\n<< 1000\n> GET /b HTTP/1.1~Hos\n>_ 200\n< HTTP/1.1 200 OK~Cont\n<_ 1400\n<F\n>F\nX", `
		T GET /a 200 complete q1-1 0+220,gap r2-3 0+2421,gap
		T GET /b 200 complete q4-4 0+220,gap r5-5 0+1421,gap`},
	{"opening cut", "> GE\n>_ 200\n< HT\n<_ 1400\n<F\n>F\nX", "T complete q1-1 0+202,gap r2-2 0+1402,gap"},
	{"no payload at all", ">> 200\n<< 100\n<< 100\n>> 50\n<< 10\n>F\n<F\nX", `
		T complete q1-1 0+200,gap r2-3 0+200,gap
		T complete q4-4 0+50,gap r5-5 0+10,gap`},
	{"bodies cut", "> POST /a HTTP/1.1~Content-Length: 500~~\n>_ 200\n>> 300\n< HTTP/1.1 200 OK~Content-Length: 1000~~ab\n<_ 998\n> GET /b HTTP/1.1~~\n< HTTP/1.1 204~~\nE", `
		POST /a 200 complete q1-2 41+500,gap r3-3 41+1000,gap
		GET /b 204 complete q4-4 19+0 r5-5 16+0`},
	{"only the response header cut", "> GET /a HTTP/1.1~~\n< HTTP/1.1 200 OK~Cont\n<_ 1400\n> GET /b HTTP/1.1~~\n< HTTP/1.1 204~~\nE", `
		T GET /a 200 complete q1-1 0+19 r2-2 0+1421,gap
		T GET /b 204 incomplete q3-3 0+19 r4-4 0+16!`},
}

// turnCases are dialogues of other protocols.
var turnCases = []struct{ name, script, want string }{
	{"server speaks first", "< 220 hello~\n> EHLO x~\n< 250 ok~\n>F\n<F\nX", `
		T complete r1-1 0+11
		T complete q2-2 0+8 r3-3 0+8`},
	{"word and blank", "> get key~\n< VALUE~\nE", "T incomplete q1-1 0+9 r2-2 0+7!"},
	{"nothing closed", "> abc\n< def\nE", "T incomplete q1-1 0+3 r2-2 0+3!"},
	{"reset", "> abc\n< def\n<R\nX", "T reset q1-1 0+3 r2-2 0+3!"},
	{"no answer", "> \\0abc\n<F\nX", "T no-response q1-1 0+4!"},
	{"half-close", "> \\0abc\n>F\n< def\n<F\nX", "T complete q1-1 0+4 r3-3 0+3"},
	{"opening never ends", "> GE\n>F\n<F\nX", "T aborted q1-1 0+2"},
}

func TestHTTP(t *testing.T) {
	for _, c := range httpCases {
		t.Run(c.name, func(t *testing.T) { readertest.Expect(t, c.script, c.want) })
	}
}

func TestHTTPGaps(t *testing.T) {
	for _, c := range gapCases {
		t.Run(c.name, func(t *testing.T) { readertest.Expect(t, c.script, c.want) })
	}
}

func TestTurns(t *testing.T) {
	for _, c := range turnCases {
		t.Run(c.name, func(t *testing.T) { readertest.Expect(t, c.script, c.want) })
	}
}

// However the octets of a segment are chopped, the exchanges are the same.
func TestHTTPChopped(t *testing.T) {
	for _, c := range append(httpCases, turnCases...) {
		t.Run(c.name, func(t *testing.T) {
			whole := readertest.New()
			whole.Run(t, c.script, nil)
			bytes := readertest.New()
			bytes.Run(t, c.script, func(int) int { return 1 })
			if got, want := readertest.Describe(bytes), readertest.Describe(whole); got != want {
				t.Errorf("octet by octet:\n%swhole:\n%s", got, want)
			}
			if t.Failed() {
				return
			}
			rapid.Check(t, func(rt *rapid.T) {
				some := readertest.New()
				some.Run(t, c.script, func(n int) int { return rapid.IntRange(1, n).Draw(rt, "n") })
				if got, want := readertest.Describe(some), readertest.Describe(whole); got != want {
					rt.Errorf("chopped:\n%swhole:\n%s", got, want)
				}
			})
		})
	}
}

func TestHTTPFields(t *testing.T) {
	p := readertest.New()
	p.Run(t, "> GET / HTTP/1.1~hOsT:  ex\x01ample.org:80 ~User-Agent: curl/8.5.0 (x; y)~~\n"+
		"< HTTP/1.0 200 OK~Server: nginx/1.22.1 (Debian)~Keep-Alive: timeout=75, max=100~Content-Length: 0~~", nil)
	x := p.Exchanges[0]
	got := []any{x.Host, x.Agent, x.Software, x.Version, x.ResponseVersion, x.KeepAliveTimeout, x.KeepAliveMax}
	want := []any{"ex?ample.org:80", "curl/8.5.0", "nginx/1.22.1", "HTTP/1.1", "HTTP/1.0", 75, 100}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("value %d: got %v, want %v", i, got[i], want[i])
		}
	}
}

func TestKeepAliveZero(t *testing.T) {
	for field, want := range map[string]bool{"": false, "Keep-Alive: timeout=0~": true, "Keep-Alive: timeout=5~": false, "Keep-Alive: max=3~": false} {
		p := readertest.New()
		p.Run(t, "> GET / HTTP/1.1~Host: h~~\n< HTTP/1.1 200 OK~"+field+"Content-Length: 0~~", nil)
		if x := p.Exchanges[0]; x.NotKept != want {
			t.Errorf("%q: not kept %v, want %v", field, x.NotKept, want)
		}
	}
}

func TestHTTPHeaderCap(t *testing.T) {
	long := "X: " + strings.Repeat("y", 1000) + "~"
	p := readertest.New()
	p.Run(t, "> GET /1 HTTP/1.1~"+strings.Repeat(long, 100)+"~\n> GET /2 HTTP/1.1~~\n< HTTP/1.1 431~Content-Length: 0~~\n< HTTP/1.1 204~~\nE", nil)
	want := "GET /1 431 complete q1-1 0+34172!,toolong r3-3 35+0\nGET /2 204 complete q2-2 19+0,resync r4-4 16+0\n"
	if got := readertest.Describe(p); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestHTTPOutstandingCap(t *testing.T) {
	p := readertest.New()
	for range 2 * http1.MaxWaiting {
		p.Run(t, "> GET / HTTP/1.1~~", nil)
	}
	if n := len(p.Exchanges); n != http1.MaxWaiting+1 {
		t.Errorf("%d exchanges, want %d", n, http1.MaxWaiting+1)
	}
	if len(p.Caveats) != 1 || p.Caveats[0] != exchange.CaveatOutstanding {
		t.Errorf("caveats %v", p.Caveats)
	}
}

// Arrival in order decides: a first octet that waited behind a hole counts from when it could be
// read.
func TestLateStart(t *testing.T) {
	p := readertest.New()
	first, second := p.Next(), p.Next()
	p.Reader.Data(exchange.FromClient, 0, []byte("GET / HTTP/1.1\r\n\r\n"), p.Arrival(first, second))
	if got := p.Exchanges[0].Request.Start; got != second {
		t.Errorf("start %v, want %v", got, second)
	}
}

// A response that was sent before the only request in sight answers one that the capture lacks.
func TestResponseBeforeRequest(t *testing.T) {
	p := readertest.New()
	p.Run(t, "> GET /1 HTTP/1.1~~\n< HTTP/1.1 204~~", nil)
	response, request, late := p.Next(), p.Next(), p.Next()
	p.Gap(exchange.FromClient, 30, late)
	p.Reader.Data(exchange.FromClient, p.Off[exchange.FromClient], []byte("GET /3 HTTP/1.1\r\n\r\n"), p.Arrival(request, late))
	p.Reader.Data(exchange.FromServer, p.Off[exchange.FromServer], []byte("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\nHTTP/1.1 404\r\nContent-Length: 0\r\n\r\n"), p.Arrival(response, late))
	want := "GET /1 204 complete q1-1 19+0 r2-2 16+0\nGET /3 incomplete open q5-5 19+0,resync\n200 complete r5-5 35+0\n404 complete r5-5 35+0\n"
	if got := readertest.Describe(p); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// A request that waited behind a gap while its response was read is not unanswered, and does not
// take the next response.
func TestRequestAfterResponse(t *testing.T) {
	p := readertest.New()
	p.Run(t, "> GET /1 HTTP/1.1~~\n< HTTP/1.1 204~~", nil)
	request := p.Next()
	p.Run(t, "< HTTP/1.1 404~Content-Length: 0~~", nil)
	late := p.Next()
	p.Gap(exchange.FromClient, 30, late)
	p.Reader.Data(exchange.FromClient, p.Off[exchange.FromClient], []byte("GET /3 HTTP/1.1\r\n\r\n"), p.Arrival(request, late))
	p.Off[exchange.FromClient] += 19
	p.Run(t, "> GET /4 HTTP/1.1~~\n< HTTP/1.1 204~~\n<F\n>F\nX", nil)
	want := "GET /1 204 complete q1-1 19+0 r2-2 16+0\n404 complete r4-4 35+0\nGET /3 incomplete q5-5 19+0,resync\nGET /4 204 complete q6-6 19+0 r7-7 16+0\n"
	if got := readertest.Describe(p); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// The content that Skip says is not needed may be left out, with the same result.
func TestHTTPSkip(t *testing.T) {
	p := readertest.New()
	p.Run(t, "> GET / HTTP/1.1~~\n< HTTP/1.1 200 OK~Content-Length: 500~~", nil)
	if n := p.Reader.Skip(exchange.FromServer); n != 500 {
		t.Fatalf("Skip = %d, want 500", n)
	}
	if n := p.Reader.Skip(exchange.FromClient); n != 0 {
		t.Errorf("Skip of the client = %d, want 0", n)
	}
	at := p.Next()
	p.Reader.Skipped(exchange.FromServer, p.Off[exchange.FromServer], 500, p.Arrival(at, at))
	want := "GET / 200 complete q1-1 18+0 r2-3 40+500\n"
	if got := readertest.Describe(p); got != want {
		t.Errorf("got %swant %s", got, want)
	}
}

func BenchmarkExchange(b *testing.B) {
	request := []byte("GET /index.html HTTP/1.1\r\nHost: example.org\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n")
	response := []byte("HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: text/html\r\nContent-Length: 100\r\nConnection: keep-alive\r\n\r\n" + strings.Repeat("x", 100))
	p := readertest.New()
	at := p.Next()
	b.ReportAllocs()
	for b.Loop() {
		p.Reader.Data(exchange.FromClient, p.Off[0], request, p.Arrival(at, at))
		p.Reader.Data(exchange.FromServer, p.Off[1], response, p.Arrival(at, at))
		p.Off[0] += int64(len(request))
		p.Off[1] += int64(len(response))
		p.Forget()
	}
}

func TestExchangeAllocations(t *testing.T) {
	p := readertest.New()
	at := p.Next()
	request := []byte("GET /index.html HTTP/1.1\r\nHost: example.org\r\nUser-Agent: curl/8.5.0\r\n\r\n")
	response := []byte("HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Length: 4\r\n\r\nbody")
	n := testing.AllocsPerRun(100, func() {
		p.Reader.Data(exchange.FromClient, p.Off[0], request, p.Arrival(at, at))
		p.Reader.Data(exchange.FromServer, p.Off[1], response, p.Arrival(at, at))
		p.Off[0] += int64(len(request))
		p.Off[1] += int64(len(response))
		p.Forget()
	})
	if n > 1 {
		t.Errorf("%v allocations an exchange, want at most 1", n)
	}
}

func FuzzHTTP(f *testing.F) {
	for _, list := range [][]struct{ name, script, want string }{httpCases, gapCases, turnCases} {
		for _, c := range list {
			f.Add(readertest.Encode(readertest.SplitSteps(c.script)...))
		}
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		watch := &http1.Watch{Recogniser: http1.New()}
		readertest.Fuzz(t, readertest.Of(tlsrecord.New(), http2.New(), watch), input, func() {
			if octets, requests := watch.Held(); octets > 4*http1.MaxHeader || requests > http1.MaxWaiting {
				t.Fatalf("%d octets and %d requests held", octets, requests)
			}
		})
	})
}
