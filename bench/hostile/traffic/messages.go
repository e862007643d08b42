package traffic

import (
	"strings"

	"tcpwhy/capture"
)

// requests are kinds of HTTP without responses, but for the chunk.
func requests() []Kind {
	return []Kind{
		{"endless header line", func(i int, s *capture.Segment) {
			if !opening(i, s) {
				s.Seq = uint32(i-3) * 1400
				s.Payload = []byte(strings.Repeat("x", 1400))
				if i == 3 {
					copy(s.Payload, "GET / HTTP/1.1\r\nCookie: ")
				}
			}
		}, ""},
		{"endless header of short lines", func(i int, s *capture.Segment) {
			if !opening(i, s) {
				s.Seq = uint32(i-3) * 1400
				s.Payload = []byte(strings.Repeat("a: b\r\n", 234)[:1400])
				if i == 3 {
					copy(s.Payload, "GET / HTTP/1.1\r\n")
				}
			}
		}, ""},
		{"chunk of 2^68 octets", func(i int, s *capture.Segment) {
			if !opening(i, s) {
				talker(s, 1, i == 3)
				s.Payload = []byte(getTiny)
				if i > 3 {
					s.Seq, s.Ack = uint32(i-4)*1400, uint32(len(getTiny))
					s.Payload = []byte(strings.Repeat("FFFFFFFFFFFFFFFFF\r\n", 74)[:1400])
				}
				if i == 4 {
					copy(s.Payload, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
				}
			}
		}, ""},
		{"pipelined requests, 51 a segment", func(i int, s *capture.Segment) {
			if !opening(i, s) {
				s.Payload = []byte(strings.Repeat(getTiny, 51))
				s.Seq = uint32(i-3) * uint32(len(s.Payload))
			}
		}, ""},
		{"pipelined requests, an octet a segment", func(i int, s *capture.Segment) {
			if !opening(i, s) {
				at := i - 3
				s.Seq, s.Payload = uint32(at), []byte(getTiny[at%len(getTiny):at%len(getTiny)+1])
			}
		}, ""},
	}
}

// answers are kinds of HTTP with responses.
func answers() []Kind {
	return []Kind{
		{"tiny exchanges on one connection", func(i int, s *capture.Segment) {
			if !opening(i, s) {
				const reply = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
				k := uint32(i-3) / 2
				talker(s, 1, i%2 == 1)
				s.Seq, s.Ack, s.Payload = k*uint32(len(getTiny)), k*uint32(len(reply)), []byte(
					getTiny,
				)
				if i%2 == 0 {
					s.Seq, s.Ack, s.Payload = k*uint32(len(reply)), (k+1)*uint32(
						len(getTiny),
					), []byte(reply)
				}
			}
		}, ""},
		{"one exchange of as many segments", func(i int, s *capture.Segment) {
			if !opening(i, s) {
				talker(s, 1, i == 3)
				s.Payload = []byte(getTiny)
				if i > 3 {
					s.Seq, s.Ack = uint32(i-4)*100, uint32(len(getTiny))
					s.Payload = []byte(strings.Repeat("x", 100))
				}
				if i == 4 {
					copy(s.Payload, "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
				}
			}
		}, "history-cap"},
		{"interim responses without end", func(i int, s *capture.Segment) {
			if !opening(i, s) {
				const interim = "HTTP/1.1 100 Continue\r\n\r\n"
				talker(s, 1, i == 3)
				s.Payload = []byte(getTiny)
				if i > 3 {
					s.Payload = []byte(strings.Repeat(interim, 50))
					s.Seq, s.Ack = uint32(i-4)*uint32(len(s.Payload)), uint32(len(getTiny))
				}
			}
		}, ""},
	}
}
