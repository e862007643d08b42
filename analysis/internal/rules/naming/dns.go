package naming

import (
	"slices"
	"strconv"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

const (
	dnsRule         = "dns"
	unansweredCause = "unanswered"
	slowCause       = "slow"
	searchCause     = "search-domains"
	errorCause      = "error"
	deadCause       = "dead-address"
)

const (
	// slowAnswer is what finding out takes at most where nothing is wrong: a resolver that has
	// nothing in its cache asks a root, a top-level and a domain's server, up to a round trip of
	// 100 ms each, most of which it knows (reasoning).
	slowAnswer = 100 * time.Millisecond
	// slowTrips is how many round trips to the server an answer must take beside: a resolver as far
	// as that is far, not slow (reasoning).
	slowTrips = 3
	// noticed is what a person notices as a break (Nielsen, Usability Engineering, 1993: one
	// second).
	noticed = time.Second
	// sureWithin is within what a client connects at once: by chance it hardly does (reasoning: of
	// the time between two connections a small part).
	sureWithin = 2 * time.Millisecond
)

// DNS is the rule about names that took long to be looked up.
var DNS = &rule.Detector{Rule: report.Rule{
	Name:  dnsRule,
	Title: "looking up the name took long",
	Doc: `What happens
Before a client connects it asks a resolver for the addresses of the server's name (RFC 1035),
mostly for both kinds at once (A and AAAA), and connects when both answers are there. A datagram
that is lost is sent again only when a timer runs out: 5 s with glibc, Go and systemd-resolved, 1
s to 5 s elsewhere. Two queries that leave one socket together may race in a NAT's connection
table, and one is dropped. Names with few dots are tried with search domains behind them first
(resolv.conf: search, ndots; Kubernetes sets ndots:5).

How it is recognised
The look-up must have led to the connection: the same host was answered with the address that it
connects to, and its SYN is the first thing that follows, within 10 ms of the last answer as the
client knew it, or within 50 ms more while the answer for the other kind of address is outstanding
(RFC 8305 section 3), or as a resolver's timer runs out. Who connects to the same address
meanwhile, or did so in the second before, without having asked knows it anyway, and waits for
none. unanswered: a query got no answer until the next query for the name, which no answer had
released: the same query, by its number, or another one after a time that timers are set to (a
whole number of half seconds). error: the answer was neither an address nor that there is none,
and the resolver asked again. search-domains: names that are not known, of which the one that was
found is the beginning, or whose domain contains its domain, were asked for one after the other.
slow: an answer for the name took more than 100 ms, and three round trips to the server.
dead-address: after the same look-up the client had tried another of the addresses, and had a RST,
or SYNs for a second and more without an answer.

How cost is counted
The exchange begins with the first query. unanswered and error: from the query to the next, less
what the quickest answer took. search-domains: until the name is asked for that was found. slow:
less the quickest other answer of the look-up; low is half. A stretch of time is counted once, in
the order in which the causes stand here. What a dead address took is the time of the attempt, an
exchange of its own, and stands in high alone. Several connections that one look-up released
waited for it together.

When it is wrong
A program that refreshes addresses in the background, and by chance connects as soon as an answer
is there. Two programs on one host that ask for the same name so that the second query is taken
for a repetition of the first. An answer that the capture lacks looks as if it had not come, but
the resolver would not have asked again.`,
	Causes: []report.Cause{
		{
			Code:  unansweredCause,
			Title: "look-up not answered, and repeated",
			Side:  report.SideNetwork,
			Message: "Before the connection its name was looked up, a query got no answer, " +
				"and the client waited for a timer.",
			Remedies: []report.Remedy{
				{
					Side: report.SideNetwork,
					Text: "find out who drops queries or answers: on a node with NAT " +
						"`conntrack -S` (insert_failed), a firewall that takes the " +
						"second of two queries for a copy, a limit of packets a second, " +
						"a name server that is down; a cache on each node (Kubernetes " +
						"NodeLocal DNSCache) avoids both NAT and loss",
				},
				{
					Side: report.SideClient,
					Text: "resolv.conf: options single-request-reopen (a socket for each " +
						"query, glibc) or use-vc (TCP), timeout:1 attempts:3; name " +
						"servers that are down go from the list",
				},
			},
		},
		{
			Code:  errorCause,
			Title: "look-up answered with an error",
			Side:  report.SideNetwork,
			Message: "Before the connection its name was looked up, and a resolver answered " +
				"with an error before another answer had the address.",
			Remedies: []report.Remedy{
				{
					Side: report.SideNetwork,
					Text: "see why that resolver cannot answer (`dig @it name`): what it " +
						"forwards to, DNSSEC, its limits; until then take it from the " +
						"list of name servers",
				},
			},
		},
		{
			Code:  searchCause,
			Title: "name tried in search domains first",
			Side:  report.SideClient,
			Message: "Before the connection its name was looked up in search domains where it " +
				"does not exist.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "write the name with a dot at its end, or so many dots that it " +
						"counts as complete: resolv.conf options ndots:1 (Kubernetes: " +
						"dnsConfig of the pod); or the whole name of a service, with the " +
						"cluster's domain",
				},
			},
		},
		{
			Code:    slowCause,
			Title:   "look-up answered slowly",
			Side:    report.SideNetwork,
			Message: "Before the connection its name was looked up, and the answer came late.",
			Remedies: []report.Remedy{
				{
					Side: report.SideNetwork,
					Text: "see what the resolver waits for: name servers of the domain " +
						"that are far or do not answer, a forwarder, its load; let it " +
						"refresh names before they expire (unbound prefetch, CoreDNS " +
						"cache prefetch)",
				},
				{
					Side: report.SideServer,
					Text: "a longer TTL of the records lets caches keep them",
				},
				{
					Side: report.SideClient,
					Text: "a cache on the host (systemd-resolved, nscd, NodeLocal " +
						"DNSCache), or fewer connections: keep them and use them again",
				},
			},
		},
		{
			Code:  deadCause,
			Title: "one address of several is dead",
			Side:  report.SideServer,
			Message: "The name has several addresses, and the client tried one in vain before " +
				"it connected to another.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "take the address out of DNS, or bring its host back: health checks, " +
						"and a TTL that is not longer than an outage may last",
				},
				{
					Side: report.SideClient,
					Text: "try addresses at the same time, 250 ms apart (Happy Eyeballs, " +
						"RFC 8305), or allow each attempt a shorter time",
				},
			},
		},
	},
	References: []string{"RFC 1035 section 4.2.1", "RFC 8305 section 3", "resolv.conf(5)"},
},
	Rests:      rule.Connection,
	Attempts:   true,
	Makes:      rule.LateLookup,
	Beside:     true,
	When:       rule.LookedUp,
	Exchange:   runDNS,
	Vocabulary: words,
}

// runDNS looks at the look-up that the exchange began with.
func runDNS(p *rule.Pass) {
	if p.Draft == nil || p.Exchange.Index != 0 {
		return
	}
	if l := p.Conn.Lookup; l != nil && l.Dead.First.Frame != 0 && p.Exchange.Attempt == nil {
		deadAddress(p, l)
	}
	if p.Draft.Lookup == nil {
		return
	}
	f := finder{Pass: p, l: p.Draft.Lookup}
	f.unanswered()
	f.errors()
	f.search()
	f.slow()
}

// deadAddress claims that the client had to try another of several addresses first. That time is
// the attempt's, which is an exchange of its own: it counts there.
func deadAddress(p *rule.Pass, l *reassembly.Lookup) {
	took := p.Conn.Start.Time - l.Dead.First.Time
	c := rule.Claim{Rule: dnsRule, Cause: deadCause, Confidence: report.ConfidenceMedium,
		Least: report.Low}
	if took >= noticed {
		c.Least = report.Medium
	}
	said := rule.Say(otherSilent, rule.Ns(took))
	if l.Dead.Refused {
		said = rule.Say(otherRefused, rule.Ns(took))
	}
	c.Occ = rule.Occurrence{
		Start:     l.Dead.First.Time,
		End:       p.Conn.Start.Time,
		Cost:      report.Cost{High: took},
		Elsewhere: true,
		Proof: []rule.Evidence{
			rule.Shows(l.Ready, report.SideNetwork, lastAnswer),
			rule.Shows(l.Dead.First, report.SideClient, triedFirst).With(l.Dead.Server.String()),
			rule.Shows(p.Conn.Start, report.SideClient, triedNext, rule.Ns(took)),
		},
	}
	c.Says = []rule.Said{rule.Say(nameAsked).With(l.Name), said}
	p.Report(c)
}

// finder looks for what made one look-up long.
type finder struct {
	*rule.Pass
	l    *reassembly.Lookup
	lost []report.Interval // that has been claimed
}

// claim reports waits as one occurrence: the first and last of them as evidence, between what
// begins and what ends the look-up. anyway is what each would have taken otherwise.
func (f *finder) claim(
	cause string, waits []wait, low, anyway time.Duration,
	proof []rule.Evidence, says ...rule.Said,
) {
	var parts []report.Interval
	for _, w := range waits {
		parts = append(parts, w.Interval)
	}
	var own []report.Interval
	for _, part := range report.Union(parts) {
		own = append(own, without(part, f.lost)...)
	}
	whole := length(own)
	cost := max(0, whole-time.Duration(len(own))*anyway)
	if cost == 0 {
		return
	}
	f.lost = report.Union(append(f.lost, own...))
	c := rule.Claim{
		Rule: dnsRule, Cause: cause, Kind: rule.LateLookup, Confidence: f.confidence(), Lost: own,
	}
	c.Occ = rule.Occurrence{
		Start:     own[0].From,
		End:       own[len(own)-1].To,
		Cost:      report.Cost{Low: min(low, cost), Expected: cost, High: whole},
		Elsewhere: true,
		Proof:     append(proof, f.end()...),
	}
	if low == 0 {
		c.Occ.Cost.Low = cost
	}
	if cause == slowCause {
		c.Confidence = report.ConfidenceMedium // what it was that took so long is not seen
	}
	c.Says = append([]rule.Said{rule.Say(nameAsked).With(f.l.Name)}, says...)
	f.Report(c)
}

// confidence is how sure it is that the connection waited for the look-up.
func (f *finder) confidence() report.Confidence {
	late := f.Conn.Start.Time - f.l.Ready.Time - f.Conn.Far(reassembly.FromClient)
	if f.l.GaveUp || late > sureWithin {
		return report.ConfidenceMedium
	}
	return report.ConfidenceHigh
}

// end is how the look-up ended: its last answer, if one ended it, and the SYN.
func (f *finder) end() []rule.Evidence {
	if f.l.GaveUp {
		last := f.l.Tries[len(f.l.Tries)-1].Sent.Time
		return []rule.Evidence{rule.Shows(f.Conn.Start, report.SideClient, gaveUp,
			rule.Ns(f.Conn.Start.Time-last))}
	}
	return []rule.Evidence{
		rule.Shows(f.l.Ready, report.SideNetwork, lastAnswer),
		rule.Shows(f.Conn.Start, report.SideClient, connectsThen),
	}
}

// unanswered claims waits for a timer.
func (f *finder) unanswered() {
	waits := unansweredWaits(f.l)
	if len(waits) == 0 {
		return
	}
	first := waits[0]
	proof := []rule.Evidence{rule.Shows(first.try.Sent, report.SideClient, askedInVain).
		With(first.try.Kind.String())}
	if first.next != nil {
		proof = append(proof, rule.Shows(first.next.Sent, report.SideClient, askedAgain,
			rule.Ns(first.To-first.From)))
	}
	f.claim(unansweredCause, waits, 0, quickest(f.l, nil), proof)
}

// errors claims what errors took.
func (f *finder) errors() {
	waits := errorWaits(f.l)
	if len(waits) == 0 {
		return
	}
	w := waits[0]
	f.claim(errorCause, waits, 0, quickest(f.l, nil), []rule.Evidence{
		rule.Shows(w.try.Sent, report.SideClient, askedFirst).With(w.try.Kind.String()),
		rule.Shows(w.try.Answered, report.SideNetwork, anError,
			rule.Ns(w.try.Answered.Time-w.try.Sent.Time)).With(codeName(w.try.Code)),
		rule.Shows(w.next.Sent, report.SideClient, askedOther).With(w.next.Server.String()),
	})
}

// search claims what names in search domains took.
func (f *finder) search() {
	w, names := searchWait(f.l)
	if names == 0 || w.next == nil {
		return
	}
	f.claim(searchCause, []wait{w}, 0, 0, []rule.Evidence{
		rule.Shows(w.try.Sent, report.SideClient, askedFirst).With(w.try.Kind.String()),
		rule.Shows(w.next.Sent, report.SideClient, askedFirst).With("the name that there is"),
	}, rule.Say(tries, int64(names)))
}

// slow claims an answer that took long.
func (f *finder) slow() {
	w := slowest(f.l)
	took := w.To - w.From
	if took <= max(slowAnswer, slowTrips*f.Conn.RTTMin()) ||
		slices.ContainsFunc(f.lost, func(i report.Interval) bool {
			return i.From < w.To && w.From < i.To
		}) {
		return // or it came late because the resolver was asked late, or again
	}
	f.claim(slowCause, []wait{w}, took/2, quickest(f.l, w.try), []rule.Evidence{
		rule.Shows(w.try.Sent, report.SideClient, askedFirst).With(w.try.Kind.String()),
		rule.Shows(w.try.Answered, report.SideNetwork, lateAnswer, rule.Ns(took)),
	})
}

// codeName is what a response code is called (RFC 1035 §4.1.1).
func codeName(code uint8) string {
	names := [...]string{1: "FORMERR", 2: "SERVFAIL", 4: "NOTIMP", 5: "REFUSED"}
	if int(code) < len(names) && names[code] != "" {
		return names[code]
	}
	return "RCODE " + strconv.Itoa(int(code))
}
