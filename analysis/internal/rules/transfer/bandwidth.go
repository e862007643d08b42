package transfer

import (
	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/whatif"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

const bandwidthRule = "bandwidth"

// Bandwidth is the rule about the path's rate, and the queue before its slowest link.
var Bandwidth = &rule.Detector{Rule: report.Rule{
	Name:  bandwidthRule,
	Title: "limited by the path's rate",
	Doc: `What happens
A message cannot arrive faster than the slowest link carries it (path-rate). If the queue before
that link is deep, it fills, and everything that passes it waits (bufferbloat): round trips grow to
a multiple, for other connections too. A policer has no queue: tokens come at its rate, up to what
its bucket holds, and a segment that finds too few is lost (RFC 2475 section 2.3.3.4).

How it is recognised
path-rate: for at least half of an exchange, and for longer than a round trip and 50 ms, segments
came evenly at the rate that ten full ones in a row or their acknowledgments show, with round trips
longer than the least; or three and more in a row trickled through one by one though they had been
sent before, by their timestamps or those that they echo, or, without, by an even pace of two round
trips and more for each full one. policer: of all segments between two hosts, of all their
connections, a token bucket with one rate and one depth explains which were lost and which passed.
At nine losses in ten the bucket was empty, next to nothing passed an empty one, and that tells far
more than the share of losses alone; before a loss round trips had not grown by what the bucket
drains in, nor by a quarter (at the receiver: copies came no later than that), and what came exceeds
its rate. bufferbloat: round trips during the message were at least twice the least one and at least
20 ms longer, for three acknowledgments in a row, the receive window held nothing back (a receiver
with a full buffer acknowledges late, too), and the message was large enough to fill that queue.
Exchanges on other connections of the client that overlap a transfer at the path's rate, which is
twice as large as their own messages and more, belong to it if they waited 20 ms and more: their
answers came later than the timestamps in them say, or, captured nearer to the client, their
connections were set up, while such a transfer went on, with round trips at least twice the least
between the two, and no longer than those of the transfer grew where the capture shows that. Where
nothing tells that (no timestamps; or the request waited behind an upload, which they do not show),
answers that all came later than usual at that endpoint are suspected: with low confidence, or
medium if the transfer's own round trips grew as much. compressible: a response that the path's rate
limited is text by its Content-Type (text/*, JSON, JavaScript, XML and what is built on them)
without Content-Encoding, and larger than the first window of a connection, ten segments. Whether
the client had asked for compression is said. Where exchanges share a connection of HTTP/2, all that
their sender sent without a rest is one message, and what held that up counts once.

How cost is counted
A transfer costs nothing for being large: only fewer octets or a faster path save that. Where the
path's rate is known, all claims about an exchange cost no more together than its time less what the
path needs for all that passed it meanwhile: what is lost is sent again while the path is busy. What
others waited in its queue counts: all of it but the 5 ms that active queue management leaves; low
leaves 10 ms, high nothing. What is only suspected may be nothing. What compression would save is
a range, of the time that the response waited for the path's rate: half of its octets at the least,
65 % as is usual of text, 85 % where it repeats itself (gzip leaves 28 to 41 % of the texts of the
Canterbury corpus); it does not count as lost.

When it is wrong
A sender that paces itself on purpose at an even rate looks like a slow path. A policer that a
transfer meets only in bursts shows the depth of its bucket, and its rate roughly; of several in a
row only the tightest is seen. What waited beside a large transfer may have waited for another
reason between the two hosts; hosts behind one address of which some are farther away than others
look as if they had. Seen at the server, what its answers wait behind the capture does not show.`,
	Causes: []report.Cause{
		{Code: "path-rate", Title: "limited by the path's rate", Side: report.SideNetwork,
			Message: "The path carried the response no faster.",
			Remedies: []report.Remedy{
				{
					Side:     report.SideServer,
					Text:     "send fewer octets: smaller images, caching, compression",
					Settings: compressionSettings(),
				},
				{Side: report.SideNetwork, Text: "a faster path, or a server nearer to the client"},
			}},
		{Code: "path-rate-request", Title: "limited by the path's rate", Side: report.SideNetwork,
			Message: "The path carried the request no faster.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "send fewer octets: compress the " +
						"request's body, or send only what changed",
				},
				{Side: report.SideNetwork, Text: "a faster path, or a server nearer to the client"},
			}},
		{Code: "policer", Title: "a policer drops what is more than its rate",
			Side: report.SideNetwork,
			Message: "Segments were lost whenever more came than a token bucket lets pass, and " +
				"none waited in a queue: something on the path polices its rate.",
			Remedies: []report.Remedy{
				{
					Side: report.SideNetwork,
					Text: "where the rate is policed (a plan of the provider or the cloud, " +
						"`tc ... police`, a firewall): raise the rate, or shape instead, with a " +
						"queue that active queue management keeps short (fq_codel, cake)",
				},
				{
					Side: report.SideServer,
					Text: "shape below that rate where the octets are sent (`tc qdisc replace " +
						"dev ... root cake bandwidth ...`): then next to nothing is lost",
				},
			}},
		{Code: compressible, Title: "text sent without compression",
			Message: "The path limited a response that is text and was sent as it is: " +
				"compressed, it would have had fewer octets to carry.",
			Remedies: []report.Remedy{
				{
					Side:     report.SideServer,
					Text:     "compress text",
					Settings: compressionSettings(),
				},
				{
					Side: report.SideClient,
					Text: "ask for it: `Accept-Encoding: gzip, br, zstd` (curl --compressed), as " +
						"most HTTP libraries do by themselves",
				},
			}},
		{Code: "bufferbloat", Title: "deep queue on the path", Side: report.SideNetwork,
			Message: "A large transfer filled a deep queue on the " +
				"path: what passes the path meanwhile waits in it.",
			Remedies: []report.Remedy{
				{
					Side: report.SideNetwork,
					Text: "active queue management where the queue is: fq_codel or " +
						"cake (`tc qdisc replace dev ... root cake bandwidth ...`)",
				},
				{
					Side: report.SideServer,
					Text: "where it sends the large message: BBR keeps queues " +
						"short (net.ipv4.tcp_congestion_control=bbr on Linux)",
				},
			}},
	},
	References: []string{"RFC 8289", "RFC 8290", "RFC 7567", "RFC 2475"},
},
	Rests:      rule.Timing,
	When:       rule.Filled,
	Exchange:   runBandwidth,
	Period:     runBandwidth,
	Makes:      rule.FewerOctets,
	Across:     pathAcross,
	Vocabulary: words,
}

// compressionSettings are how servers compress what they send.
func compressionSettings() []report.Setting {
	return []report.Setting{
		{Product: report.Nginx, Text: "gzip on and gzip_types (text/html alone unless set)"},
		{Product: report.Apache, Text: "mod_deflate"},
		{Product: report.Node, Text: "compression middleware"},
		{Product: report.Tomcat, Text: "compression=on"},
		{Product: report.Caddy, Text: "encode"},
		{Product: report.IIS, Text: "dynamic compression"},
		{Product: report.HAProxy, Text: "compression algo gzip"},
		{Product: report.Envoy, Text: "compressor filter"},
	}
}

// rateBound is how many percent of an exchange must be waiting for the path's rate for that to be
// what limits it: with less, most of the time went elsewhere.
const rateBound = 50

// runBandwidth tells of messages that the path's rate limited, or that filled a deep queue.
func runBandwidth(p *rule.Pass) {
	if p.Exchange.Response == nil {
		return
	}
	for _, dir := range ledger.BothWays {
		m, f, rtt := p.Draft.Message(dir), p.Draft.FlowOf(dir), p.Draft.Flow.RTT
		if m == nil || f == nil {
			continue
		}
		if limitedByRate(p.Draft, dir, f) {
			tellFact(p, rule.OfRequest(dir, "path-rate"), dir,
				rule.Shows(m.Start, rule.SideOf(dir), atRate, f.Bytes, int64(f.Rate)),
				rule.Say(pathCarries, int64(f.Rate)))
			if dir == reassembly.FromServer {
				tellCompressible(p, f)
			}
		}
		if filledQueue(p.Draft, dir, f) {
			tellFact(p, "bufferbloat", dir, rule.Shows(m.Start, rule.SideOf(dir), queueGrew,
				rule.Ns(rtt), rule.Ns(rtt+f.Queue)))
		}
	}
}

// limitedByRate reports whether the path's rate limited dir's message.
func limitedByRate(j *rule.Draft, dir reassembly.Dir, f *ledger.Flow) bool {
	bound := j.Spent(dir, report.Serialize)
	return f.Rate > 0 && reaches(bound, rateBound, j.Until-j.From) &&
		bound >= max(j.Flow.RTT, leastFilling)
}

// filledQueue reports whether round trips grew to twice the least and more while dir's message was
// under way, and that was large enough to fill such a queue.
func filledQueue(j *rule.Draft, dir reassembly.Dir, f *ledger.Flow) bool {
	held := j.Spent(dir, report.RWnd) + j.Times[report.ZeroWindow]
	return held == 0 && j.Flow.RTT > 0 && f.Queue >= max(j.Flow.RTT, ledger.QueueShows) &&
		whatif.PathTime(f) >= f.Queue
}

// tellFact reports a fact about dir's message that costs nothing.
func tellFact(
	p *rule.Pass, cause string, dir reassembly.Dir, shows rule.Evidence, says ...rule.Said,
) {
	m := p.Draft.Message(dir)
	c := rule.Claim{
		Rule: bandwidthRule, Cause: cause, Confidence: report.ConfidenceMedium, Says: says,
	}
	c.Occ = rule.Occurrence{
		Start: m.Start.Time,
		End:   m.End.Time,
		Proof: []rule.Evidence{shows, rule.Shows(m.End, rule.SideOf(dir), endsMessage[dir])},
	}
	p.Report(c)
}
