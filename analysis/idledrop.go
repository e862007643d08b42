package analysis

import (
	"fmt"

	"tcpwhy/reassembly"
)

var idleDrop = &Detector{
	Name:  "idle-drop",
	Title: "idle connection was forgotten on the way",
	Doc: `What happens
Firewalls, NAT gateways and load balancers forget connections that are idle for some time (350 s at AWS, 4 min at Azure,
often a minute elsewhere), without telling either end. The next request is answered by a RST from the box, or by nothing:
the client repeats it until it gives up.

How it is recognised
A request on a connection that was idle for 30 s or more, that neither side had closed. It is not acknowledged. Either a RST
comes back, and the server never sent a FIN, or three repetitions and more get no answer of any kind and the client gives up.

How cost is counted
From the request to its repetition on another connection, if the same method and target follow within a second; else until
the RST, or until the client gave up.

When it is wrong
A server that crashed and came back while the connection was idle answers the same way. If the capture lost the FIN.`,
	Causes: []Cause{{Side: SideNetwork,
		Message: "The request went out on a connection that had long been idle, and that no longer existed at the other end or " +
			"on the way to it, though nobody had closed it.",
		Remedies: []Remedy{
			{Side: SideClient, Text: "send TCP keep-alives more often than the box forgets: SO_KEEPALIVE with TCP_KEEPIDLE (Linux " +
				"net.ipv4.tcp_keepalive_time, 7200 s unless set)", Settings: []Setting{{Go, "net.Dialer.KeepAlive"},
				{Node, "socket.setKeepAlive(true, 30000)"}, {Curl, "--keepalive-time"}, {Java, "SO_KEEPALIVE with jdk.net.TCP_KEEPIDLE"},
				{Python, "socket_options with SO_KEEPALIVE"}, {PHP, "CURLOPT_TCP_KEEPALIVE"}},
				After: "or give idle connections up earlier"},
			{Side: SideNetwork, Text: "raise the idle timeout of the box: AWS NLB tcp.idle_timeout.seconds, Azure idleTimeoutInMinutes with " +
				"TCP reset on idle, Linux nf_conntrack_tcp_timeout_established, HAProxy timeout client and timeout server"}}}},
	References: []string{"RFC 5382 REQ-5", "RFC 9293 section 3.8.4"},
	closed:     runIdleDrop,
}

// runIdleDrop reports a request that met a forgotten connection, also where nothing ever ended that connection: the client
// has closed, and there is nobody to answer.
func runIdleDrop(p *pass) {
	p.reportFate("idle-drop")
	e, x := &p.state.ending, p.state.last
	if e.failed != nil || x == nil || x.Request == nil || x.Outcome != reassembly.Incomplete || !mark0(e.latest) {
		return
	}
	closed, _, ok := closedAt(p.conn, reassembly.FromClient)
	if !ok || closed.Time < x.Request.Start.Time {
		return
	}
	x2 := *x
	x2.Outcome = reassembly.Aborted // the client's FIN came after the request: it no longer waits
	given := ending{failed: &x2, prior: e.latest, idle: x.Start().Time - e.latest.Time, answered: e.answered}
	took := max(0, closed.Time-x.Start().Time)
	cl := claim{index: x.Index, correctness: true, unsafe: !x.Turn && !idempotent(x.Method)}
	cl.occ = Occurrence{Start: x.Start().Time, End: x.Start().Time + took, Cost: Cost{Expected: took, High: took}}
	v := &verdictOnEnd{p: p, c: p.conn, x: &x2, e: &given, claim: &cl}
	if v.forgotten() {
		p.report(cl)
	}
}

// idleDropText says how idle the connection was, and whether keep-alives were sent.
func idleDropText(v *verdictOnEnd) string {
	probes := 0
	for i := range v.c.Records {
		if v.c.Records[i].Kind == reassembly.KeepAlive {
			probes++
		}
	}
	if probes > 0 {
		return "TCP keep-alives were sent on it, too rarely or in vain."
	}
	return "No TCP keep-alive was seen on it."
}

// idleDropEvidence shows the last response, the request and what came back.
func idleDropEvidence(v *verdictOnEnd) []Evidence {
	out := []Evidence{at(v.e.prior, "last response", SideServer, "the connection becomes idle"),
		at(v.x.Request.Start, "request", SideClient, fmt.Sprintf("sent after %s of idleness", seconds(v.e.idle)))}
	h := &v.c.Half[reassembly.FromServer]
	switch {
	case h.RstSeen && foreignReset(v.c, reassembly.FromServer):
		_, usual, _ := ttls(v.c, reassembly.FromServer)
		out = append(out, at(h.Rst, "RST", SideNetwork, fmt.Sprintf("TTL %d, where the server's segments have %d: a box on the "+
			"way sent it", h.RstTTL, usual)))
	case h.RstSeen:
		out = append(out, at(h.Rst, "RST", SideServer, "no such connection"))
	default:
		for i := len(v.c.Records) - 1; i >= 0; i-- {
			if r := &v.c.Records[i]; r.Kind.Retransmitted() && r.Len > 0 {
				return append(out, at(r.Mark(), "last repetition", SideClient, fmt.Sprintf("sent %d times in all, never acknowledged",
					v.repeats()+1)))
			}
		}
	}
	return out
}
