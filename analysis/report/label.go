package report

import (
	"slices"
	"time"
)

// LabelTimes lists the labels that got time.
func LabelTimes(times *[LabelCount]time.Duration) []LabelTime {
	n := 0
	for _, t := range times {
		if t != 0 {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	out := make([]LabelTime, 0, n)
	for l, t := range times {
		if t != 0 {
			out = append(out, LabelTime{Label: Label(l), Time: t})
		}
	}
	return out
}

// AddTimes adds more to times, both in the order of Labels; it may reorder what times has room for.
func AddTimes(times, more []LabelTime) []LabelTime {
	for _, m := range more {
		i, known := slices.BinarySearchFunc(times, m.Label, func(t LabelTime, l Label) int {
			return int(t.Label) - int(l)
		})
		if known {
			times[i].Time += m.Time
		} else {
			times = slices.Insert(times, i, m)
		}
	}
	return times
}

// Label says what a slice of time was spent on (the leaves of the time ledger).
type Label uint8

// The labels, in the order of reports. Zero is Unknown: time that nothing explains is never hidden.
const (
	Unknown        Label = iota // unknown: no rule explains it
	CaptureGap                  // the capture lacks frames that would explain it
	PreconnectIdle              // between a handshake and a first request that did not wait for it
	DNS                         // looking up the server's name, before the connection
	QUICTried                   // QUIC, tried in vain before the connection
	TCPHandshake                // SYN to SYN-ACK to ACK
	SYNRetx                     // waiting to send a lost SYN again
	SYNACKRetx                  // waiting for a SYN-ACK that was lost or not sent
	TLSRTT                      // round trips of the TLS handshake
	TLSServer                   // the server's own time in it
	TLSClient                   // the client's own time in it
	ProxyConnect                // CONNECT through a proxy
	ReqApp                      // the client's application between parts of a request
	// the server, from the request's arrival to the response's first octet
	Think
	Think100      // waiting for 100 Continue
	RoundTrip     // one unavoidable round trip
	Queue         // round-trip time above the least one
	Serialize     // the path's rate
	Paced         // the sender spread its segments on purpose
	SlowStart     // congestion window still growing from its initial value
	SlowStartIdle // the same after an idle period
	CongAvoid     // congestion window, past slow start
	RecoveryCwnd  // congestion window reduced by loss
	SendLimit     // a limit of the sender's own, below both windows
	RWnd          // receive window full
	ZeroWindow    // receive window closed
	FastRetx      // loss repaired by fast retransmission
	RTO           // loss repaired by timeout
	TLP           // loss repaired by a tail loss probe
	LostRetx      // a retransmission was lost too
	SpuriousRetx  // sent again though it had arrived
	NagleRTT      // Nagle's algorithm held data for a round trip
	NagleDelack   // Nagle's algorithm held data for a delayed ACK
	DelackCwnd    // a full window waited for a delayed ACK
	Cork          // TCP_CORK or MSG_MORE held the end of a message
	AppPaced      // the server, between parts of a response
	HostStopped   // a host did nothing at all, its kernel neither
	ClientThink   // the client between exchanges
	IdleReusable  // an idle connection that could have carried a request
	IdleUnusable  // an idle connection that was announced or half closed
	PipelineHOL   // waiting for the response before, on a pipelined connection
	H2Mux         // behind octets of other streams of the connection
	H2Window      // flow control of HTTP/2 held data back
	H2HOL         // behind octets of another stream that TCP had lost
	StreamLimit   // too many streams at a time: the server refused it
	StreamIdle    // a stream that stays open: nothing to be said
	Closing       // from the first FIN or RST to the end
	Tunnel        // what another protocol did after an upgrade
	LabelCount
)

// labelNames are the keys of time_ms.
var labelNames = [LabelCount]string{
	"unknown", "capture_gap", "preconnect_idle", "dns", "quic_tried", "tcp_handshake", "syn_retx",
	"synack_retx",
	"tls_rtt", "tls_server", "tls_client", "proxy_connect", "req_app", "think",
	"think_100continue", "rtt", "queue", "serialize", "paced", "slow_start", "ss_idle_restart",
	"cong_avoid", "recovery_cwnd", "send_limit", "rwnd", "zero_window", "fast_retx", "rto", "tlp",
	"lost_retx", "spurious_retx", "nagle_rtt", "nagle_delack", "delack_cwnd", "cork",
	"app_paced", "host_stopped", "client_think", "idle_reusable", "idle_unusable", "pipeline_hol",
	"h2_mux", "h2_window", "h2_hol", "stream_limit", "stream_idle", "close",
	"tunnel",
}

// String is the label's name in JSON.
func (l Label) String() string { return labelNames[l] }

// ParseLabel is the label of that name in reports; false if there is none.
func ParseLabel(name string) (Label, bool) {
	i := slices.Index(labelNames[:], name)
	return Label(max(i, 0)), i >= 0
}

// labelTitles are for people.
var labelTitles = [LabelCount]string{
	"not explained", "frames missing from the capture", "connected early, not yet used",
	"looking up the name", "QUIC, tried in vain", "TCP handshake", "waiting to repeat a lost SYN", "waiting for the SYN-ACK",
	"TLS round trips", "TLS, server's own time", "TLS, client's own time",
	"CONNECT through a proxy", "client between parts of a request", "server",
	"waiting for 100 Continue", "round trips", "queueing on the path", "the path's rate",
	"pacing", "slow start", "slow start after idle", "congestion window",
	"congestion window after loss", "sender's own limit", "receive window",
	"receive window closed",
	"loss, repaired quickly", "loss, repaired by timeout",
	"loss, repaired by a tail loss probe", "loss of a retransmission",
	"needless retransmission", "Nagle hold, one round trip",
	"Nagle hold, waiting for a late ACK", "window waiting for a late ACK",
	"corked end of a message", "server between parts of a response", "host stood still",
	"client between exchanges",
	"idle, reusable", "idle, not reusable", "waiting behind another response",
	"behind other streams", "HTTP/2 flow control", "behind another stream's loss",
	"limit of concurrent streams", "open stream, idle", "closing",
	"tunnelled protocol",
}

// Title is the label in words, for text reports.
func (l Label) Title() string { return labelTitles[l] }

// Labels lists every label in the order of reports.
func Labels() []Label {
	all := make([]Label, LabelCount)
	for i := range all {
		all[i] = Label(i)
	}
	return all
}
