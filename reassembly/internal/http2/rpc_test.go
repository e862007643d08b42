package http2

import (
	"encoding/binary"
	"math"
	"testing"

	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

// callOf reads octets of the server's messages, in pieces as long as each of sizes says by turns;
// content that skip calls needless is not shown.
func callOf(data []byte, sizes []byte, hide bool) (*stream, exchange.RPCMessages) {
	st := &stream{x: &exchange.Parts{}}
	st.becomeRPC(0)
	a := exchange.Arrived(capture.Mark{Time: 1}, capture.Mark{Time: 1}, 0)
	for i := 0; len(data) > 0; i++ {
		n := len(data)
		if len(sizes) > 0 {
			n = min(n, int(sizes[i%len(sizes)])+1)
		}
		piece := data[:n]
		if hide && st.calls[exchange.FromServer].skip() >= int64(n) {
			piece = nil
		}
		st.call(exchange.FromServer, int64(n), piece, &a)
		data = data[n:]
	}
	return st, st.x.RPC.Messages[exchange.FromServer]
}

// FuzzCalls: any split of a call's octets gives the same messages, whether or not the content of
// what is skipped is there, and their lengths add up to what there is.
func FuzzCalls(f *testing.F) {
	f.Add(
		[]byte("\x00\x00\x00\x00\x05hello\x01\x00\x00\x00\x00\x00\x00\x00\x00\x02ok"),
		[]byte{0, 3},
	)
	f.Add([]byte("\x00\xff\xff\xff\xffmore"), []byte{1})
	f.Add([]byte("\x02\x00\x00\x00\x01x"), []byte{4})
	f.Add([]byte("\x00\x00\x00\x00\x01x\x80\x00\x00\x00\x10grpc-status: 14\n"), []byte{2})
	f.Add([]byte("\x80\x00\x00\xff\x10grpc"), []byte{1})
	f.Fuzz(func(t *testing.T, data, sizes []byte) {
		st, whole := callOf(data, nil, false)
		for _, hide := range []bool{false, true} {
			if cut, got := callOf(data, sizes, hide); got != whole ||
				cut.x.RPC.Status != st.x.RPC.Status {
				t.Fatalf("in pieces %+v, at once %+v", got, whole)
			}
		}
		if count, largest, owed := recount(data); whole.Count != count ||
			whole.Largest != largest || whole.Owed != owed {
			t.Fatalf("%+v, counted %d, %d, %d", whole, count, largest, owed)
		}
	})
}

// recount counts messages the plain way.
func recount(data []byte) (count int, largest, owed int64) {
	for len(data) > 0 {
		trailers := data[0] == webTrailers
		if !trailers {
			count++
		}
		rest := int64(prefixSize - len(data))
		if rest > 0 && !trailers {
			return count, largest, rest
		}
		if rest > 0 { // of trailers, which are no message
			return count, largest, 0
		}
		n := int64(binary.BigEndian.Uint32(data[1:]))
		if !trailers {
			largest = max(largest, n)
		}
		if trailers && n > maxTrailers || !trailers && data[0] > 1 {
			return count, largest, exchange.UnknownOwed
		}
		data = data[prefixSize:]
		if rest = n - int64(len(data)); rest > 0 && trailers {
			return count, largest, 0
		}
		if rest > 0 {
			return count, largest, rest
		}
		data = data[n:]
	}
	return count, largest, 0
}

// TestCallMoments: a call's messages begin and end with the segments that carry their octets, and
// what the capture lacks is not guessed.
func TestCallMoments(t *testing.T) {
	st := &stream{x: &exchange.Parts{}}
	st.becomeRPC(0)
	piece := func(frame int, n int64, data string) {
		m := capture.Mark{Frame: capture.FrameID(frame)}
		a := exchange.Arrived(m, m, 0)
		var octets []byte
		if data != "" {
			octets = []byte(data)
		}
		st.call(exchange.FromServer, n, octets, &a)
	}
	m := &st.x.RPC.Messages[exchange.FromServer]
	piece(1, 2, "\x00\x00")
	piece(2, 3, "\x00\x00\x04")
	piece(3, 4, "")
	if m.Count != 1 || m.First.Frame != 1 || m.Last.Frame != 3 || m.Owed != 0 || m.Largest != 4 {
		t.Errorf("%+v", m)
	}
	piece(4, 1, "\x00")
	if m.Count != 2 || m.Owed != 4 {
		t.Errorf("%+v", m)
	}
	piece(5, 1, "")
	if m.Owed != exchange.UnknownOwed || st.calls[exchange.FromServer].skip() != math.MaxInt64 {
		t.Errorf("%+v", m)
	}
}

// TestWebTrailers: the trailers of gRPC-Web are a frame behind the messages, and no message.
func TestWebTrailers(t *testing.T) {
	const message, trailers = "\x00\x00\x00\x00\x02ok", "grpc-message:x\r\nGrpc-Status: 14\r\n"
	frame := "\x80\x00\x00\x00" + string(rune(len(trailers))) + trailers
	for _, tt := range []struct {
		name, data   string
		status, sent int
	}{
		{"behind a message", message + frame, 14, 1},
		{"alone", frame, 14, 0},
		{"cut off", message + frame[:len(frame)-1], exchange.NoRPCStatus, 1},
		{"compressed", message + "\x81" + frame[1:], exchange.NoRPCStatus, 2},
		{"empty", message + frame[:4] + "\x00", exchange.NoRPCStatus, 1},
	} {
		st, m := callOf([]byte(tt.data), []byte{6}, false)
		if st.x.RPC.Status != tt.status || m.Count != tt.sent {
			t.Errorf("%s: status %d, %d messages, want %d, %d", tt.name, st.x.RPC.Status, m.Count,
				tt.status, tt.sent)
		}
	}
}
