package traffic

import (
	"fmt"

	"tcpwhy/capture"
)

// connections are kinds of many connections, or of one that begins and ends.
func connections() []Kind {
	return []Kind{
		{"SYN flood", func(i int, s *capture.Segment) {
			talker(s, i, true)
			s.Flags, s.Seq = capture.SYN, scramble(i)
		}, ""},
		{"half-open connections", func(i int, s *capture.Segment) {
			talker(s, i/2, i%2 == 0)
			s.Flags, s.Seq = capture.SYN, 0
			if i%2 == 1 {
				s.Flags, s.Ack = capture.SYN|capture.ACK, 1
			}
		}, ""},
		{"requests without an answer", func(i int, s *capture.Segment) {
			talker(s, i, true)
			s.Payload = []byte(getTiny)
		}, "one-sided"},
		{"short connections of as many clients", shortConnections, ""},
		{"connections of as many clients, each with a fault", faultyConnections, ""},
		{"RST storm", func(i int, s *capture.Segment) {
			if !opening(i, s) {
				talker(s, 1, i%2 == 0)
				s.Flags, s.Seq = capture.RST, uint32(i%7)
			}
		}, ""},
		{"FIN storm", func(i int, s *capture.Segment) {
			if !opening(i, s) {
				talker(s, 1, i%2 == 0)
				s.Flags, s.Seq, s.Ack = capture.FIN|capture.ACK, uint32(i%11), uint32(i%5)
			}
		}, ""},
		{"SYNs of one connection", func(i int, s *capture.Segment) {
			talker(s, 1, i%3 != 1)
			s.Flags, s.Seq = capture.SYN, scramble(i/3)
		}, ""},
		{"hosts without number in one name each", func(i int, s *capture.Segment) {
			talker(s, i/4, i%4 != 1)
			s.Payload, s.Seq = nil, 0
			switch i % 4 {
			case 0:
				s.Flags = capture.SYN
			case 1:
				s.Flags, s.Ack = capture.SYN|capture.ACK, 1
			case 2:
				s.Seq, s.Ack = 1, 1
				s.Payload = fmt.Appendf(nil, "GET /%d HTTP/1.1\r\nHost: h%d.example\r\n\r\n", i, i)
			case 3:
				s.Seq, s.Ack, s.Flags = 1, 1, capture.ACK
			}
		}, ""},
	}
}

// shortConnections makes connections of six segments with one exchange each.
func shortConnections(i int, s *capture.Segment) {
	const reply = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	talker(s, i/6, i%2 == 0)
	switch i % 6 {
	case 0:
		s.Flags = capture.SYN
	case 1:
		s.Flags, s.Ack = capture.SYN|capture.ACK, 1
	case 2:
		s.Seq, s.Ack, s.Payload = 1, 1, []byte(getTiny)
	case 3:
		s.Seq, s.Ack, s.Payload = 1, 1+uint32(len(getTiny)), []byte(reply)
	case 4:
		s.Flags, s.Seq, s.Ack = capture.FIN|capture.ACK, 1+uint32(len(getTiny)), 1+uint32(
			len(reply),
		)
	case 5:
		s.Flags, s.Seq, s.Ack = capture.FIN|capture.ACK, 1+uint32(len(reply)), 2+uint32(
			len(getTiny),
		)
	}
}

// faultyConnections makes connections of five segments that a RST ends in the middle of a response.
func faultyConnections(i int, s *capture.Segment) {
	const reply = "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\npart"
	talker(s, i/5, i%5 == 0 || i%5 == 2)
	switch i % 5 {
	case 0:
		s.Flags = capture.SYN
	case 1:
		s.Flags, s.Ack = capture.SYN|capture.ACK, 1
	case 2:
		s.Seq, s.Ack, s.Payload = 1, 1, []byte(getTiny)
	case 3:
		s.Seq, s.Ack, s.Payload = 1, 1+uint32(len(getTiny)), []byte(reply)
	case 4:
		s.Flags, s.Seq, s.Ack = capture.RST|capture.ACK, 1+uint32(len(reply)), 1+uint32(
			len(getTiny),
		)
	}
}
