package sentence

import (
	"fmt"
	"strings"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/output/mask"
	"tcpwhy/output/wording"
)

// whoTook begins the sentence about a label that has most of the time: whose time that is, also
// where it is nobody's fault.
func whoTook(l report.Label) string {
	switch l {
	case report.Think, report.Think100, report.TLSServer:
		return "The server took"
	case report.ReqApp, report.ClientThink, report.TLSClient:
		return "The client took"
	case report.AppPaced:
		return "The server, between parts of responses, took"
	case report.RoundTrip, report.TCPHandshake, report.TLSRTT:
		return "Round trips took"
	case report.DNS:
		return "Looking up names took"
	case report.QUICTried:
		return "QUIC, tried in vain, took"
	case report.Serialize:
		return "The path's rate took"
	}
	return ""
}

// mostLabels is how many labels are named where each exchange is counted for itself.
const mostLabels = 3

// EachForItself says what exchanges that shared connections waited for, each counted for itself; ""
// where none did.
func (t *Teller) EachForItself() string {
	r := t.Report
	if r.Clock.Shared == 0 {
		return ""
	}
	var all []string
	for _, part := range ByTime(r.Times) {
		if len(all) < mostLabels {
			all = append(all, part.Label.Title()+" "+wording.Duration(part.Time)+
				" ("+wording.Percent(part.Time, r.ExchangeTime)+")")
		}
	}
	return fmt.Sprintf("That is by the clock: %s side by side on a connection count once. "+
		"Each for itself, all exchanges waited %s: %s.",
		wording.Count(r.Clock.Shared, "exchange", "exchanges"), wording.Duration(r.ExchangeTime),
		strings.Join(all, ", "))
}

// Whose says whose time it was, if that is one's for the most part, else what took most of it.
func (t *Teller) Whose() string {
	parts := ByTime(t.Report.ByClock().Times)
	if len(parts) == 0 {
		return ""
	}
	whole, largest := t.Report.ByClock().Time, parts[0]
	who := whoTook(largest.Label)
	if who == "" || 2*largest.Time < whole {
		return fmt.Sprintf("The largest part of the time: %s, %s (%s).", largest.Label.Title(),
			wording.Duration(largest.Time), wording.Percent(largest.Time, whole))
	}
	s := fmt.Sprintf("%s %s of %s (%s)", who, wording.Duration(largest.Time),
		wording.Duration(whole), wording.Percent(largest.Time, whole))
	if largest.Label == report.Think {
		return s + t.mostlyFor(largest.Time) + "." + t.behindThem()
	}
	return s + "."
}

// behindThem splits what servers took that asked others: what those took, and what was their own.
func (t *Teller) behindThem() string {
	p := &t.Report.Proxied
	if p.Waited <= 0 || len(p.Servers) == 0 {
		return ""
	}
	most := &p.Servers[0]
	for i := range p.Servers {
		if b := &p.Servers[i]; b.Own > most.Own {
			most = b
		}
	}
	who := "the server behind it, " + wording.Server(most.Server) + ","
	rest := ""
	if len(p.Servers) > 1 {
		who = "servers behind proxies"
		rest = ", most of it " + wording.Server(
			most.Server,
		) + " (" + wording.Duration(
			most.Own,
		) + ")"
	}
	return fmt.Sprintf(" Of this, %s took %s%s; %s was the proxy's own.", who,
		wording.Duration(p.Waited), rest, wording.Duration(p.Own))
}

// mostlyFor names the endpoint on which servers worked most, if it has most of that time.
func (t *Teller) mostlyFor(thought time.Duration) string {
	var most *report.Endpoint
	for i := range t.Report.Endpoints {
		e := &t.Report.Endpoints[i]
		if e.Method != "" && !e.Behind && (most == nil || answered(e) > answered(most)) {
			most = e
		}
	}
	if most == nil || 2*answered(most) < thought || most.Exchanges == 0 {
		return ""
	}
	s := ": " + mask.Shorten(t.EndpointName(most, true), targetRoom)
	if most.Exchanges > 1 {
		s += ", " + wording.Times(most.Exchanges)
		if most.Duration.N > 0 && most.Waited == 0 {
			s += ", median " + wording.Duration(most.Think.Median())
		}
	}
	if took := answered(most); took < thought {
		s += ", " + wording.Duration(took) + " of it"
	}
	return s
}

// answered is what the server of an endpoint took before it answered, also if it waited for others.
func answered(e *report.Endpoint) time.Duration { return e.Thought + e.Waited }
