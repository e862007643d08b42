package traffic

import (
	"encoding/binary"
	"strings"

	"tcpwhy/capture"
)

// Frames of HTTP/2 (RFC 9113 §6) that floods are made of.
const (
	headersFrame      = 1
	resetFrame        = 3
	settingsFrame     = 4
	pingFrame         = 6
	continuationFrame = 9

	endStream  = 1
	endHeaders = 4

	preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	// get is GET / over http, in indexed fields alone (RFC 7541 §6.1).
	get = "\x82\x86\x84"
	// good is 200, likewise.
	good = "\x88"
)

// frame is one.
func frame(kind, flags byte, stream uint32, payload string) string {
	var head [9]byte
	n := len(payload)
	head[0], head[1], head[2], head[3], head[4] = byte(n>>16), byte(n>>8), byte(n), kind, flags
	binary.BigEndian.PutUint32(head[5:], stream)
	return string(head[:]) + payload
}

// multiplexed are kinds of HTTP/2 in cleartext.
func multiplexed() []Kind {
	return []Kind{
		{"HTTP/2: rapid reset, 40 streams a segment", h2Flood(func(i int) string {
			var b strings.Builder
			for k := range 40 {
				id := uint32(2*(40*i+k) + 1)
				b.WriteString(frame(headersFrame, endStream|endHeaders, id, get))
				b.WriteString(frame(resetFrame, 0, id, "\x00\x00\x00\x08"))
			}
			return b.String()
		}), "h2-streams"},
		{"HTTP/2: a header block without end", h2Flood(func(i int) string {
			part := strings.Repeat("\x00\x01a\x01b", 280)
			if i == 0 {
				return frame(headersFrame, 0, 1, get)
			}
			return frame(continuationFrame, 0, 1, part[:1391])
		}), ""},
		{"HTTP/2: empty CONTINUATIONs", h2Flood(func(i int) string {
			if i == 0 {
				return frame(headersFrame, 0, 1, get)
			}
			return strings.Repeat(frame(continuationFrame, 0, 1, ""), 155)
		}), ""},
		{"HTTP/2: SETTINGS", h2Flood(func(i int) string {
			return strings.Repeat(frame(settingsFrame, 0, 0, "\x00\x04\x00\x00\xff\xff"), 93)
		}), ""},
		{"HTTP/2: PINGs", h2Flood(func(int) string {
			return strings.Repeat(frame(pingFrame, 0, 0, "12345678"), 82)
		}), ""},
		{"HTTP/2: header bombs", h2Flood(func(i int) string {
			// an entry of 4,000 octets, named by one octet again and again
			if i == 0 {
				return frame(headersFrame, endStream|endHeaders, 1,
					get+"\x40\x06cookie\x7f\xa1\x1e"+strings.Repeat("c", 4000))
			}
			return frame(headersFrame, endStream|endHeaders, uint32(2*i+1),
				get+strings.Repeat("\xbe", 1380))
		}), ""},
		{"HTTP/2: tiny exchanges, 4 a segment", tinyStreams, ""},
	}
}

// h2Flood is what a client sends on one connection that it has opened.
func h2Flood(say func(i int) string) func(int, *capture.Segment) {
	at := uint32(0)
	return func(i int, s *capture.Segment) {
		if opening(i, s) {
			at = 0
			return
		}
		text := say(i - 3)
		if i == 3 {
			text = preface + frame(settingsFrame, 0, 0, "") + text
		}
		s.Payload, s.Seq = []byte(text), at
		at += uint32(len(text))
	}
}

// tinyStreams are requests of twelve octets, and answers of ten.
func tinyStreams(i int, s *capture.Segment) {
	if opening(i, s) {
		return
	}
	const each = 4
	begin := preface + frame(settingsFrame, 0, 0, "")
	k, fromClient := (i-3)/2, i%2 == 1
	talker(s, 1, fromClient)
	var b strings.Builder
	if k == 0 && fromClient {
		b.WriteString(begin)
	}
	for n := range each {
		id := uint32(2*(each*k+n) + 1)
		if fromClient {
			b.WriteString(frame(headersFrame, endStream|endHeaders, id, get))
		} else {
			b.WriteString(frame(headersFrame, endStream|endHeaders, id, good))
		}
	}
	asked, said := uint32(len(begin)+12*each*k), uint32(10*each*k)
	if k == 0 {
		asked = 0
	}
	s.Payload, s.Seq, s.Ack = []byte(b.String()), asked, said
	if !fromClient {
		s.Seq, s.Ack = said, uint32(len(begin)+12*each*(k+1))
	}
}
