package analysis

import (
	"fmt"
	"time"
)

var bandwidth = &Detector{
	Name:  "bandwidth",
	Title: "limited by the path's rate",
	Doc: `What happens
A response cannot arrive faster than the slowest link carries it (path-rate). If the queue before that link is deep, it
fills, and everything that passes it waits (bufferbloat): round trips grow to a multiple, for other connections too.

How it is recognised
path-rate: for at least half of an exchange, and for longer than a round trip and 50 ms, segments came evenly at the rate
that ten full ones in a row or their acknowledgments show, with round trips longer than the least. bufferbloat: round trips
during the response were at least twice the least one and at least 20 ms longer, for three acknowledgments in a row, and
the receive window held nothing back: a receiver with a full buffer acknowledges late, too.

How cost is counted
No milliseconds are claimed: only fewer octets or a faster path save them, and what a queue costs shows in other exchanges.

When it is wrong
A sender that paces itself on purpose at an even rate looks like a slow path.`,
	Causes: []Cause{
		{Code: "path-rate", Title: "limited by the path's rate", Side: SideNetwork,
			Message: "The path carried the response no faster.",
			Remedies: []Remedy{{Side: SideServer, Text: "send fewer octets: smaller images, caching, compression",
				Settings: []Setting{{Nginx, "gzip on"}, {Apache, "mod_deflate"}, {Node, "compression middleware"}, {Tomcat, "compression=on"},
					{Caddy, "encode"}, {IIS, "dynamic compression"}, {HAProxy, "compression algo gzip"}, {Envoy, "compressor filter"}}},
				{Side: SideNetwork, Text: "a faster path, or a server nearer to the client"}}},
		{Code: "bufferbloat", Title: "deep queue on the path", Side: SideNetwork,
			Message: "The response filled a deep queue on the path, and round trips grew to a multiple.",
			Remedies: []Remedy{{Side: SideNetwork, Text: "active queue management where the queue is: fq_codel or cake (`tc qdisc replace dev ... root " +
				"cake bandwidth ...`)"}, {Side: SideServer, Text: "BBR keeps queues short (net.ipv4.tcp_congestion_control=bbr)"}}},
	},
	References: []string{"RFC 8289", "RFC 8290", "RFC 7567"},
	exchange:   runBandwidth,
}

// runBandwidth tells of responses that the path's rate limited.
func runBandwidth(p *pass) {
	j := p.job
	took := j.until - j.from
	if p.exchange.Response == nil {
		return
	}
	if s := j.times[Serialize]; j.flow.rate > 0 && s*2 >= took && s >= max(j.flow.rtt, 50*time.Millisecond) {
		p.tell("path-rate", fmt.Sprintf("%d octets at %.1f Mbit/s", j.flow.bytes, j.flow.rate*8/1e6))
	}
	if q := j.flow.queue; j.sum(RWnd, ZeroWindow) == 0 && q >= 20*time.Millisecond && j.flow.rtt > 0 && q >= j.flow.rtt {
		p.tell("bufferbloat", fmt.Sprintf("round trips grew from %s to %s", millis(j.flow.rtt), millis(j.flow.rtt+q)))
	}
}

// tell reports a fact about the response that costs nothing.
func (p *pass) tell(cause, text string) {
	x := p.exchange
	c := claim{rule: "bandwidth", cause: cause, confidence: ConfidenceMedium}
	c.occ = Occurrence{Start: x.Response.Start.Time, End: x.Response.End.Time,
		Evidence: []Evidence{at(x.Response.Start, "first segment", SideServer, text),
			at(x.Response.End, "last segment", SideServer, "ends the response")}}
	p.report(c)
}
