package analysis

import (
	"fmt"

	"tcpwhy/reassembly"
)

var zeroWindow = &Detector{
	Name:  "zero-window",
	Title: "receiver stopped reading",
	Doc: `What happens
A program reads more slowly than data arrives. Its receive buffer fills, its kernel closes the window, and the sender must
stop (RFC 9293 section 3.8.6.1). It asks with probes, in growing intervals, in case the message that opens the window again
gets lost.

How it is recognised
The receiver offered a window of zero after the sender's last data, and the sender went on as soon as a segment that opened
it, or that answered its probe, could have reached it.

How cost is counted
Expected is the wait, from the data that filled the window to the data after it. High adds the time for which the same
buffer held the sender back without closing. Low leaves a round trip for each wait.

When it is wrong
The reader may have had to wait for something else, such as a disk, and a larger buffer would only hide it. The last
window of a connection that is being closed means nothing, and is not counted.`,
	Causes: []Cause{
		{Code: "response", Title: "client stopped reading the response", Side: SideClient,
			Message: "The client's program read the response more slowly than it came, and its kernel closed the window: the " +
				"server had to stop.",
			Remedies: []Remedy{{Side: SideClient, Text: "read from the socket without pause, and hand the data to another thread or task for " +
				"what takes long; a larger SO_RCVBUF or net.ipv4.tcp_rmem bridges short pauses"},
				{Side: SideProxy, Text: "let the proxy take the response off the server: nginx proxy_buffering on"}}},
		{Code: "request", Title: "server stopped reading the request", Side: SideServer,
			Message: "The server's program read the request more slowly than it came, and its kernel closed the window: the " +
				"client had to stop.",
			Remedies: []Remedy{{Side: SideServer, Text: "read the body without pause, and hand the data to another thread or task for what takes " +
				"long; a larger SO_RCVBUF or net.ipv4.tcp_rmem bridges short pauses"},
				{Side: SideProxy, Text: "let the proxy collect the request first: nginx proxy_request_buffering on"}}},
	},
	References: []string{"RFC 9293 section 3.8.6.1", "RFC 1122 section 4.2.2.17"},
	exchange:   runZeroWindow,
}

// runZeroWindow claims the waits for a closed window.
func runZeroWindow(p *pass) {
	owner := p.claimed(receiveWindow.Name)
	for i, w := range p.job.with(ZeroWindow) {
		c := claim{rule: "zero-window", cause: "response", confidence: ConfidenceHigh}
		if w.dir == reassembly.FromClient {
			c.cause = "request"
		}
		cost := Cost{Low: max(0, w.length()-p.conn.RTTMin()), Expected: w.length(), High: w.length()}
		if i == 0 && !owner {
			cost.High += p.job.times[RWnd]
		}
		c.occ = Occurrence{Start: w.from, End: w.to, Cost: cost, Evidence: zeroEvidence(p, &w)}
		c.lost = []interval{{w.from, w.to}}
		p.report(c)
	}
}

// zeroEvidence shows the last data, the closing of the window, its opening, and the data after it.
func zeroEvidence(p *pass, w *slice) []Evidence {
	sender, receiver := sideOf(w.dir), sideOf(w.dir.Peer())
	out := []Evidence{at(w.before, "last data", sender, "fills the window")}
	for i := range p.conn.Records {
		r := &p.conn.Records[i]
		if r.Dir != w.dir && r.Window == 0 && r.PureAck() && r.Time >= w.from && r.Time <= w.to {
			out = append(out, at(r.Mark(), "window closed", receiver, "offers a window of 0"))
			break
		}
	}
	if mark0(w.cause) {
		out = append(out, at(w.cause, "window opened", receiver, "offers room again"))
	}
	return append(out, at(w.end, "data again", sender, fmt.Sprintf("%d octets, after %s", w.octets, millis(w.length()))))
}
