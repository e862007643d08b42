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
during the response were at least twice the least one and at least 20 ms longer, for three acknowledgments in a row, the
receive window held nothing back (a receiver with a full buffer acknowledges late, too), and the response was large enough
to fill that queue. Exchanges on other connections of the client that overlap a transfer at the path's rate belong to it if
they waited 20 ms and more: their answers came later than the timestamps in them say, or their connections were set up with
round trips at least twice the least between the two. Without timestamps an answer that came much later than usual at that
endpoint is suspected (low confidence).

How cost is counted
A transfer costs nothing for being large: only fewer octets or a faster path save that. What others waited in its queue counts:
all of it but the 5 ms that active queue management leaves; low leaves 10 ms, high nothing. What is only suspected may be nothing.

When it is wrong
A sender that paces itself on purpose at an even rate looks like a slow path. What waited beside a large transfer may have
waited for another reason between the two hosts. Seen at the server, what its answers wait behind the capture does not show.`,
	Causes: []Cause{
		{Code: "path-rate", Title: "limited by the path's rate", Side: SideNetwork,
			Message: "The path carried the response no faster.",
			Remedies: []Remedy{{Side: SideServer, Text: "send fewer octets: smaller images, caching, compression",
				Settings: []Setting{{Nginx, "gzip on"}, {Apache, "mod_deflate"}, {Node, "compression middleware"}, {Tomcat, "compression=on"},
					{Caddy, "encode"}, {IIS, "dynamic compression"}, {HAProxy, "compression algo gzip"}, {Envoy, "compressor filter"}}},
				{Side: SideNetwork, Text: "a faster path, or a server nearer to the client"}}},
		{Code: "bufferbloat", Title: "deep queue on the path", Side: SideNetwork,
			Message: "A large transfer filled a deep queue on the path: what passes the path meanwhile waits in it.",
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
	if s := j.times[Serialize]; j.flow.rate > 0 && s*2 >= took && s >= max(j.flow.rtt, leastFilling) {
		p.tell("path-rate", fmt.Sprintf("%d octets at %.1f Mbit/s", j.flow.bytes, j.flow.rate*8/1e6))
	}
	if q := j.flow.queue; j.sum(RWnd, ZeroWindow) == 0 && q >= leastQueue && j.flow.rtt > 0 && q >= j.flow.rtt && j.flow.lasts() >= q {
		p.tell("bufferbloat", fmt.Sprintf("round trips grew from %s to %s", millis(j.flow.rtt), millis(j.flow.rtt+q)))
	}
}

// lasts is how long the path needs for the message; 0 if its rate is not known.
func (f *flowFacts) lasts() time.Duration {
	if f.rate <= 0 {
		return 0
	}
	return time.Duration(float64(f.bytes) / f.rate * 1e9)
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
