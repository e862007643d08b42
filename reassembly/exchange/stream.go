package exchange

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tcpwhy/capture"
)

// OnStream is what an exchange has that goes on beside others of its connection.
type OnStream struct {
	// Stream is its number. 0: it follows those before it, so that it is settled after them.
	Stream uint32
	Pushed bool // nobody asked for it: the server had promised it (RFC 9113 §8.4)
	// Refused says that the server never processed the request, so that it is safe to repeat it
	// (RFC 9113 §8.7).
	Refused bool
	// EndUnseen says that it may have ended where the capture lacks frames: it is incomplete, and
	// nobody knows what became of it.
	EndUnseen bool
	Reset     *StreamReset // nil if neither side ended the stream before its end
	RPC       *RPC         // nil if it is no call of gRPC
}

// Shut is a window without any room left, for which a message waited when its stream was over (RFC
// 9113 §5.2).
type Shut struct {
	Dir  Dir // of who waited
	Of   CreditOf
	Last capture.Mark // the head of the last frame of DATA that there was room for
	Sent int64        // octets that had passed by the window
	// Updated says that its receiver had let more come since the first of them
	Updated bool
}

// StreamReset is how one side ended a stream (RST_STREAM, RFC 9113 §6.4).
type StreamReset struct {
	Code ErrorCode
	By   Dir
	At   capture.Mark
}

// RPC is what an exchange of gRPC is beside HTTP (PROTOCOL-HTTP2 of the gRPC project).
type RPC struct {
	Service, Method string         // of the path /Service/Method
	Status          int            // grpc-status; NoRPCStatus if the capture shows none
	Timeout         time.Duration  // grpc-timeout as the client said it; 0: none
	Messages        [2]RPCMessages // by the Dir of their sender
}

// RPCMessages are those that one side of a call has sent, as far as their prefixes were seen.
type RPCMessages struct {
	Count int // that have begun
	// the first octet of the first one, and the latest of the last so far, as they passed the
	// capture
	First, Last capture.Mark
	Largest     int64 // octets of the largest, without its prefix
	Owed        int64 // octets of the last that are still to come; UnknownOwed: nobody knows
}

// UnknownOwed is the Owed of a side of whose messages the capture lacks a prefix.
const UnknownOwed = -1

// NoRPCStatus is the Status of a call whose end was not seen.
const NoRPCStatus = -1

// Streaming reports whether the call is more than a question and its answer: either side sent
// several messages, or the client its first behind one of the server's.
func (r *RPC) Streaming() bool {
	asked, answered := &r.Messages[FromClient], &r.Messages[FromServer]
	return max(asked.Count, answered.Count) > 1 ||
		asked.Count > 0 && answered.Count > 0 && asked.First.Time > answered.First.Time
}

// RPC status codes by number (google.rpc.Code).
var rpcStatusNames = [...]string{
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND",
	"ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED",
	"OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
}

// RPCStatusName is the name of a grpc-status, its number if it has none.
func RPCStatusName(status int) string {
	if status >= 0 && status < len(rpcStatusNames) {
		return rpcStatusNames[status]
	}
	return fmt.Sprint(status)
}

// meantBy are statuses of HTTP that say the same as those of gRPC (google/rpc/code.proto).
var meantBy = [...]int{
	200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401,
}

// unknownRPC is UNKNOWN, for which statuses stand that have no name.
const unknownRPC = 2

// Meant is the status of HTTP that says what an exchange came to whose own is given: that of a call
// of gRPC is 200 whatever became of it.
func (s *OnStream) Meant(status int) int {
	const success = 2
	if r := s.RPC; r != nil && status/100 == success && r.Status >= 0 {
		if r.Status >= len(meantBy) {
			return meantBy[unknownRPC]
		}
		return meantBy[r.Status]
	}
	return status
}

// ErrorCode says why a stream or a connection was ended (RFC 9113 §7).
type ErrorCode uint32

// Those that are looked at by number.
const (
	NoError            ErrorCode = 0
	ProtocolError      ErrorCode = 1
	InternalError      ErrorCode = 2
	FlowControlError   ErrorCode = 3
	RefusedStream      ErrorCode = 7
	Cancel             ErrorCode = 8
	ConnectError       ErrorCode = 10
	EnhanceYourCalm    ErrorCode = 11
	InadequateSecurity ErrorCode = 12
	HTTP11Required     ErrorCode = 13
)

var errorCodeNames = [...]string{
	"NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT",
	"STREAM_CLOSED", "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR",
	"CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
}

// String is the name of the code, its number in hexadecimal if it has none.
func (c ErrorCode) String() string {
	if int(c) < len(errorCodeNames) {
		return errorCodeNames[c]
	}
	return fmt.Sprintf("0x%x", uint32(c))
}

// H2Info is what a connection of HTTP/2 showed beside its exchanges. Pairs are by the Dir of the
// sender.
type H2Info struct {
	Sides    [2]H2Side
	GoAways  []GoAway // the first ones
	Streams  int      // that were opened
	MostOpen int      // of them at a time
	// PingTrips are the least and the longest time from a PING to its ACK as they passed the
	// capture, by who sent the PING; 0: none.
	PingTrips [2][2]time.Duration
}

// H2Conn is what a connection of HTTP/2 has beside its exchanges while it is followed.
type H2Conn struct {
	H2Info
	// Lossy says that the capture lacks frames: streams may be open that nobody saw begin, and
	// others may have ended.
	Lossy  bool
	Owners [2]Owners      // by Dir: whose octets are whose
	Freed  [2]FreedFrames // by Dir of the sender: what flow control had kept back
	Trips  Trips          // of PINGs, the latest
	Wishes Wishes         // what the client said of priorities
}

// PingTrip is a PING and its answer (RFC 9113 §6.7), as they passed the capture; no frame if none
// has.
type PingTrip struct {
	By              Dir // who asked
	Asked, Answered capture.Mark
	End             int64 // the offset behind the PING in its sender's stream
	Data            [8]byte
}

// Took is how long the answer took.
func (t *PingTrip) Took() time.Duration { return t.Answered.Time - t.Asked.Time }

// Trips are those of a connection, in the order of their answers, and the PINGs that wait for one.
type Trips struct {
	all     []PingTrip
	count   int           // of all there were
	waiting [2][]PingTrip // by who asked, the oldest first
}

const (
	maxTrips   = 64 // are kept
	maxWaiting = 8  // PINGs of one side that wait for their answers are followed
)

// Ask takes note of a PING; of too many that wait the oldest goes.
func (t *Trips) Ask(p PingTrip) {
	w := &t.waiting[p.By]
	if len(*w) >= maxWaiting {
		*w = slices.Delete(*w, 0, 1)
	}
	*w = append(*w, p)
}

// Answer takes note of the answer to a PING of that side, which repeats its octets. It is false if
// no such PING is known. Of too many trips the oldest go.
func (t *Trips) Answer(by Dir, data []byte, at capture.Mark) (PingTrip, bool) {
	w := &t.waiting[by]
	i := slices.IndexFunc(*w, func(p PingTrip) bool { return string(p.Data[:]) == string(data) })
	if i < 0 {
		return PingTrip{}, false
	}
	p := (*w)[i]
	*w = slices.Delete(*w, i, i+1)
	p.Answered = at
	if len(t.all) >= maxTrips {
		t.all = slices.Delete(t.all, 0, maxTrips/2)
	}
	t.all = append(t.all, p)
	t.count++
	return p, true
}

// Unanswered is the oldest PING of a side that had no answer by then; false if all had.
func (t *Trips) Unanswered(by Dir, then capture.Mark) (oldest PingTrip, found bool) {
	for _, list := range [2][]PingTrip{t.all, t.waiting[by]} {
		for _, p := range list {
			late := p.Answered.Frame == 0 || p.Answered.Time > then.Time
			if p.By == by && late && p.Asked.Time < then.Time &&
				(!found || p.Asked.Time < oldest.Asked.Time) {
				oldest, found = p, true
			}
		}
	}
	return oldest, found
}

// Since are those that are kept behind the first n of all, and how many there are in all.
func (t *Trips) Since(n int) ([]PingTrip, int) {
	return t.all[max(0, len(t.all)-(t.count-n)):], t.count
}

// MaxGoAways is how many of them are kept.
const MaxGoAways = 8

// H2Side is what one side of HTTP/2 announced and sent to direct the other.
type H2Side struct {
	Settings     H2Settings
	Updates      int // WINDOW_UPDATE frames
	Pings        int // without those that answer
	Resets       int // RST_STREAM frames
	SettingsSent int // SETTINGS frames, without those that answer
	// Window is the most that the connection's flow control has ever let the peer send beyond what
	// it had sent, in octets; 0 if that is not known.
	Window int64
}

// H2Settings are the settings that matter (RFC 9113 §6.5.2), as announced last.
type H2Settings struct {
	At      time.Duration // when the first SETTINGS passed; 0: none was seen
	Acked   time.Duration // when the peer acknowledged that; 0: that was not seen
	Streams Setting       // MAX_CONCURRENT_STREAMS: what the peer may open
	Window  Setting       // INITIAL_WINDOW_SIZE
	Frame   Setting       // MAX_FRAME_SIZE
	Table   Setting       // HEADER_TABLE_SIZE
	NoPush  bool
	Connect bool // ENABLE_CONNECT_PROTOCOL (RFC 8441)
}

// Setting is a value that may not have been announced.
type Setting struct {
	Value uint32
	Said  bool
}

// GoAway says that a side takes no more streams (RFC 9113 §6.8).
type GoAway struct {
	By   Dir
	At   capture.Mark
	Last uint32 // the highest stream that was, or may be, processed
	Code ErrorCode
	// Text is what it says for debugging, of 64 octets at most, as far as the words are those that
	// programs use for that: an ellipsis stands for others.
	Text string
}

// ParseErrorCode is the code of that name in reports; false if it is none.
func ParseErrorCode(name string) (ErrorCode, bool) {
	if i := slices.Index(errorCodeNames[:], name); i >= 0 {
		return ErrorCode(i), true
	}
	hex, ok := strings.CutPrefix(name, "0x")
	n, err := strconv.ParseUint(hex, 16, 32)
	return ErrorCode(n), ok && err == nil
}
