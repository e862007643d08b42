package output

import (
	"github.com/go-json-experiment/json/jsontext"

	"tcpwhy/analysis/report"
)

// The structs of this file are the JSON report, in the order of docs/json.md. A pointer is null
// where the value is not known; a list is never null.

type jsonTool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

type jsonCapture struct {
	Start       *string           `json:"start"`
	End         *string           `json:"end"`
	Duration    millis            `json:"duration_ms"`
	Frames      uint64            `json:"frames"`
	Segments    uint64            `json:"tcp_segments"`
	ICMPErrors  uint64            `json:"icmp_errors"`
	Bytes       uint64            `json:"bytes"`
	Inputs      []jsonInput       `json:"inputs"`
	Skipped     map[string]uint64 `json:"skipped"`
	KernelDrops uint64            `json:"kernel_drops"`
	Caveats     []jsonCaveat      `json:"caveats"`
}

type jsonInput struct {
	Name        string   `json:"name"`
	Format      string   `json:"format"`
	Compression *string  `json:"compression"`
	LinkTypes   []string `json:"link_types"`
	Frames      uint64   `json:"frames"`
	Complete    bool     `json:"complete"`
	Error       *string  `json:"error"`
}

type jsonCaveat struct {
	Code    string   `json:"code"`
	Message string   `json:"message"`
	Count   uint64   `json:"count"`
	Weakens []string `json:"weakens"`
}

type jsonSummary struct {
	Connections  int            `json:"connections"`
	Exchanges    int            `json:"exchanges"`
	Findings     int            `json:"findings"`
	ExchangeTime millis         `json:"exchange_ms"`
	Lost         millis         `json:"lost_ms"`
	Times        labelTimes     `json:"time_ms"`
	Vantages     map[string]int `json:"vantages"`
	Checked      []string       `json:"checked"`
}

type jsonCost struct {
	Low      millis `json:"low"`
	Expected millis `json:"expected"`
	High     millis `json:"high"`
}

type jsonFinding struct {
	ID          string           `json:"id"`
	Rule        string           `json:"rule"`
	Cause       *string          `json:"cause"`
	Title       string           `json:"title"`
	Severity    string           `json:"severity"`
	Confidence  string           `json:"confidence"`
	Side        string           `json:"side"`
	Client      *string          `json:"client"`
	Server      *string          `json:"server"`
	Host        *string          `json:"host"`
	Message     string           `json:"message"`
	Count       int              `json:"count"`
	Cost        jsonCost         `json:"cost_ms"`
	Wall        millis           `json:"wall_ms"`
	Affected    int              `json:"affected_exchanges"`
	Remedies    []jsonRemedy     `json:"remedy"`
	References  []string         `json:"references"`
	Occurrences []jsonOccurrence `json:"occurrences"`
}

type jsonRemedy struct {
	Side string `json:"side"`
	Text string `json:"text"`
}

type jsonOccurrence struct {
	Connection int            `json:"connection"`
	Exchange   *int           `json:"exchange"`
	Start      millis         `json:"start_ms"`
	End        millis         `json:"end_ms"`
	Cost       jsonCost       `json:"cost_ms"`
	Evidence   []jsonEvidence `json:"evidence"`
	Filter     *string        `json:"wireshark_filter"`
}

type jsonEvidence struct {
	Input int    `json:"input"`
	Frame uint64 `json:"frame"`
	Time  millis `json:"time_ms"`
	Side  string `json:"side"`
	Role  string `json:"role"`
	Text  string `json:"text"`
}

type jsonConnection struct {
	ID                    int        `json:"id"`
	Client                string     `json:"client"`
	Server                string     `json:"server"`
	Start                 millis     `json:"start_ms"`
	Duration              millis     `json:"duration_ms"`
	State                 string     `json:"state"`
	History               string     `json:"history"`
	Protocol              string     `json:"protocol"`
	Vantage               string     `json:"vantage"`
	RTT                   jsonRTT    `json:"rtt_ms"`
	MSS                   jsonMSS    `json:"mss"`
	ClientBytes           int64      `json:"client_bytes"`
	ServerBytes           int64      `json:"server_bytes"`
	ClientSegments        uint32     `json:"client_segments"`
	ServerSegments        uint32     `json:"server_segments"`
	ClientRetransmissions uint32     `json:"client_retransmissions"`
	ServerRetransmissions uint32     `json:"server_retransmissions"`
	ClosedBy              *string    `json:"closed_by"`
	ResetBy               *string    `json:"reset_by"`
	TLS                   *jsonTLS   `json:"tls"`
	Exchanges             []int      `json:"exchanges"`
	Times                 labelTimes `json:"time_ms"`
	Caveats               []string   `json:"caveats"`
}

type jsonRTT struct {
	Handshake  *millis `json:"handshake"`
	Min        *millis `json:"min"`
	ClientSide *millis `json:"client_side"`
	ServerSide *millis `json:"server_side"`
}

type jsonMSS struct {
	Client *uint16 `json:"client"`
	Server *uint16 `json:"server"`
}

type jsonTLS struct {
	SNI     *string `json:"sni"`
	ALPN    *string `json:"alpn"`
	Version *string `json:"version"`
	Resumed bool    `json:"resumed"`
}

type jsonExchange struct {
	ID         int          `json:"id"`
	Connection int          `json:"connection"`
	Turn       bool         `json:"turn"`
	Method     *string      `json:"method"`
	Target     *string      `json:"target"`
	Host       *string      `json:"host"`
	Version    *string      `json:"version"`
	Status     *int         `json:"status"`
	Interim    []int        `json:"interim"`
	Outcome    string       `json:"outcome"`
	Request    *jsonMessage `json:"request"`
	Response   *jsonMessage `json:"response"`
	Start      millis       `json:"start_ms"`
	Duration   millis       `json:"duration_ms"`
	Times      labelTimes   `json:"time_ms"`
}

type jsonMessage struct {
	Start       millis `json:"start_ms"`
	End         millis `json:"end_ms"`
	StartInput  int    `json:"start_input"`
	StartFrame  uint64 `json:"start_frame"`
	EndInput    int    `json:"end_input"`
	EndFrame    uint64 `json:"end_frame"`
	HeaderBytes int64  `json:"header_bytes"`
	BodyBytes   int64  `json:"body_bytes"`
	Complete    bool   `json:"complete"`
}

// labelTimes is an object from label to milliseconds, its keys in the order of the labels.
type labelTimes []report.LabelTime

// MarshalJSONTo leaves out the labels that got no time.
func (t labelTimes) MarshalJSONTo(enc *jsontext.Encoder) error {
	if err := enc.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	for _, part := range t {
		if part.Time == 0 {
			continue
		}
		if err := enc.WriteToken(jsontext.String(part.Label.String())); err != nil {
			return err
		}
		if err := millis(part.Time).MarshalJSONTo(enc); err != nil {
			return err
		}
	}
	return enc.WriteToken(jsontext.EndObject)
}
