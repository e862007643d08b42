package transfer

import (
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// SmallSegments is the rule about messages that are sent in many small pieces.
var SmallSegments = &rule.Detector{Rule: report.Rule{
	Name:  "small-segments",
	Title: "message sent in many small segments",
	Doc: `What happens
A program writes a message in many small pieces, and with TCP_NODELAY each becomes a segment of its
own. Each costs 40 octets of headers and more, an acknowledgment, and the work of two kernels and
every box between.

How it is recognised
A message was sent in at least 10 segments smaller than the MSS, four times as many as it needed,
less than 10 ms apart. What comes further apart may be meant so (streaming, server-sent events) and
is not counted.

How cost is counted
It costs packets and processor time, not waiting, as far as the capture shows; so no milliseconds
are claimed.

When it is wrong
Where each piece must arrive at once.`,
	Causes: []report.Cause{
		{Code: "request", Title: "request sent in many small segments", Side: report.SideClient,
			Message: "The client sent a request in many small segments.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "collect writes in a buffer and flush it once for each message",
				},
			}},
		{Code: "response", Title: "response sent in many small segments", Side: report.SideServer,
			Message: "The server sent a response in many small segments.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "collect writes in a buffer and flush it once, write larger chunks",
					Settings: []report.Setting{
						{
							Product: report.Nginx,
							Text:    "tcp_nopush on with sendfile and proxy_buffering on",
						},
						{Product: report.Go, Text: "bufio.Writer"},
						{Product: report.Java, Text: "BufferedOutputStream"},
						{Product: report.Node, Text: "stream.cork()"},
						{
							Product: report.Python,
							Text:    "io.BufferedWriter (wbufsize of the request handler)",
						},
						{
							Product: report.Tomcat,
							Text:    "a larger response buffer (setBufferSize)",
						},
						{Product: report.Gunicorn, Text: "larger chunks from the WSGI iterator"},
					},
				},
			}},
	},
	References: []string{"RFC 896", "RFC 9293 section 3.7.4"},
},
	Rests:      rule.Connection,
	When:       rule.Pieces,
	Exchange:   runSmallSegments,
	Vocabulary: words,
}

const (
	// manyPieces is how many small segments a message must be sent in before that is worth a word.
	manyPieces = 10
	// piecesPerNeeded is how many times as many segments as a message needs are worth a word.
	piecesPerNeeded = 4
	// nearPieces is how many percent of them must have followed the one before at once: what comes
	// further apart may be meant so.
	nearPieces = 90
)

// runSmallSegments reports messages in many pieces.
func runSmallSegments(p *rule.Pass) {
	if p.Exchange.Turn {
		return
	}
	for way, n := range p.Draft.Flow.Segments {
		dir := reassembly.Dir(way)
		m, cause := p.Exchange.Request, "request"
		if dir == reassembly.FromServer {
			m, cause = p.Exchange.Response, "response"
		}
		mss := int64(p.Conn.Half[dir].Eff)
		if m == nil || mss == 0 || m.Facts.Has(exchange.EventStream) || n.Octets > m.To-m.From {
			continue
		}
		needed := (n.Octets + mss - 1) / mss
		if n.Small < manyPieces || int64(n.Small) < piecesPerNeeded*needed ||
			!reaches(n.Near, nearPieces, n.Small) {
			continue
		}
		c := rule.Claim{Rule: "small-segments", Cause: cause, Confidence: report.ConfidenceHigh}
		c.Occ = rule.Occurrence{
			Start: m.Start.Time,
			End:   m.End.Time,
			Proof: []rule.Evidence{rule.Shows(n.First.Mark(), rule.SideOf(dir), manySmall,
				n.Octets, int64(n.Small), needed)},
		}
		p.Report(c)
	}
}
