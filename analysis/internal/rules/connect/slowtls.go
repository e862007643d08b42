package connect

import (
	"hash/fnv"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/whatif"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const (
	oldTLSCause      = "old-version"
	notResumedCause  = "not-resumed"
	flightSizeCause  = "flight-size"
	helloRetryCause  = "hello-retry"
	clientStallCause = "client-stall"
	serverStallCause = "server-stall"
	earlyDataCause   = "early-data-rejected"
)

const (
	// stallLeast is from how long on a side's own time in a handshake is looked at: a signature and
	// a verification take a millisecond or two, and a busy machine a time slice or two more.
	stallLeast = 10 * time.Millisecond
	// delackMost is by when a host acknowledges what it got, at the latest (Windows and Linux, 200
	// ms): where nothing did, and what answers came later, it had been late itself.
	delackMost = 200 * time.Millisecond
	// tunedInitial is the initial window of a tuned server, in segments.
	tunedInitial = 32
	// surePercent of what a larger window saves is sure: a segment more can take a round trip.
	surePercent = 67
)

// numbers of a claim about a handshake that took longer than it needs
const (
	slowName    = iota // a hash of the name asked for
	slowProgram        // of the client: see exchange.TLSOffer
	slowOffered        // 1: the client offered a session
	slowResumed        // 1: it was resumed
	slowID             // stands for the session ID that the client sent; 0: none
	slowBeside         // 1: what it cost is no part of the set-up that the request waited for
)

// shaken is the look at a TLS handshake that came to its end, and that a request waited for.
type shaken struct {
	p   *rule.Pass
	c   *reassembly.Conn
	t   *exchange.TLSInfo
	rtt time.Duration
}

// runSlowTLS looks at what made a TLS handshake take longer than it needs.
func runSlowTLS(p *rule.Pass) {
	c, t := p.Conn, p.Conn.TLS
	if t == nil || p.Exchange.Index > 0 || !p.Draft.Critical || p.Exchange.Request == nil ||
		t.Unread || !ledger.ShowsStart(c) || !ledger.Seen(t.ClientHello) ||
		!ledger.Seen(t.ServerHello) || !ledger.Seen(t.ClientFinished) || c.RTTMin() <= 0 ||
		p.Exchange.Request.Start.Time < t.ClientHello.Time { // which opens a tunnel for it
		return
	}
	h := &shaken{p: p, c: c, t: t, rtt: c.RTTMin()}
	h.helloRetry()
	h.flightSize()
	h.earlyData()
	if !h.oldVersion() {
		h.notResumed()
	}
	h.stall(reassembly.FromClient)
	h.stall(reassembly.FromServer)
}

// report refers a claim: it stands unless the connection need not have been set up at all.
func (h *shaken) report(cause string, side report.Side, end time.Duration, cost report.Cost,
	proof []rule.Evidence, says ...rule.Said) {
	cl := rule.Claim{
		Rule:       tlsHandshakeRule,
		Cause:      cause,
		Confidence: report.ConfidenceHigh,
		Referred:   true,
		Side:       side,
		Says:       says,
		Occ: rule.Occurrence{
			Start: h.t.ClientHello.Time,
			End:   max(end, h.t.ClientHello.Time),
			Cost:  cost,
			Proof: append([]rule.Evidence{h.hello()}, proof...),
		},
	}
	if h.p.Draft.Doubtful {
		cl.Confidence, cl.Occ.Cost.Low = report.ConfidenceMedium, 0
	}
	cl.Num[slowName], cl.Num[slowProgram] = hashed(h.t.SNI), int64(h.t.Program)
	cl.Num[slowID] = int64(h.t.OfferedID)
	cl.Num[slowBeside] = number(cause == earlyDataCause &&
		h.p.Exchange.Request.Start.Time < h.t.ClientFinished.Time)
	cl.Num[slowOffered], cl.Num[slowResumed] = number(h.t.Offered), number(h.t.Resumed)
	if standsAlone(&cl) {
		cl.Kind = rule.SlowHandshake
	}
	h.p.Report(cl)
}

// hello shows the ClientHello.
func (h *shaken) hello() rule.Evidence {
	if h.t.SNI == "" {
		return rule.Shows(h.t.ClientHello, report.SideClient, clientHello)
	}
	return rule.Shows(h.t.ClientHello, report.SideClient, clientHelloFor).With(h.t.SNI)
}

// hashed is a number that stands for a name.
func hashed(name string) int64 {
	h := fnv.New32a()
	h.Write([]byte(name))
	return int64(h.Sum32())
}

func number(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// old reports whether the version that was agreed on takes two round trips, unless it resumes.
func (h *shaken) old() bool { return h.t.Version != "TLS 1.3" }

// waitsForServer reports whether the request waited for the server's Finished, for which a client
// of TLS 1.2 need not wait if it makes a false start (RFC 7918).
func (h *shaken) waitsForServer() bool {
	return ledger.Seen(h.t.ServerFinished) && h.t.ServerEnds() &&
		h.p.Exchange.Request.Start.Time >= h.t.ServerFinished.Time
}

// secondTrip is what the second round trip of a whole handshake up to TLS 1.2 cost: the server's
// own time is not of it, as it has the same work in another place without.
func (h *shaken) secondTrip() report.Cost {
	took := h.t.ServerFinished.Time - h.t.ClientFinished.Time + h.c.Far(reassembly.FromClient)
	return report.Cost{Low: h.rtt, Expected: h.rtt, High: max(h.rtt, took)}
}

// oldVersion: the server chose an older version than the client offers.
func (h *shaken) oldVersion() bool {
	t := h.t
	if !h.old() || !t.Modern || t.Resumed || !h.waitsForServer() {
		return false
	}
	h.report(
		oldTLSCause,
		report.SideUnknown,
		t.ServerFinished.Time,
		h.secondTrip(),
		[]rule.Evidence{
			rule.Shows(t.ServerHello, report.SideServer, choosesOld).With(t.Version),
			rule.Shows(t.ServerFinished, report.SideServer, serverFinished),
		},
	)
	return true
}

// notResumed: a whole handshake; whether the client could have resumed a session is the learner's
// to say.
func (h *shaken) notResumed() {
	t := h.t
	if t.Resumed || t.Version == "" || h.old() && !h.waitsForServer() || !h.old() && !t.Offered {
		return
	}
	cost, end, says := h.secondTrip(), t.ServerFinished.Time, rule.Said{}
	if !h.old() {
		cost = report.Cost{High: h.p.Draft.Flights}
		end, says = t.ClientFinished.Time, rule.Say(noTripSaved)
	}
	h.report(notResumedCause, report.SideClient, end, cost, []rule.Evidence{
		rule.Shows(t.ServerHello, report.SideServer, offersNone),
	}, says)
}

// helloRetry: the server asked for another ClientHello.
func (h *shaken) helloRetry() {
	t := h.t
	if !ledger.Seen(t.RetryAt) {
		return
	}
	second := h.firstAfter(reassembly.FromClient, t.RetryAt.Time)
	if second == nil || second.Time > t.ServerHello.Time {
		return
	}
	cost := report.Cost{Low: h.rtt, Expected: h.rtt, High: h.rtt}
	if h.c.Half[0].Retrans+h.c.Half[1].Retrans == 0 {
		cost.High = max(h.rtt, second.Time-t.ClientHello.Time)
	}
	h.report(helloRetryCause, report.SideUnknown, second.Time, cost, []rule.Evidence{
		rule.Shows(t.RetryAt, report.SideServer, asksAgain),
		rule.Shows(second.Mark(), report.SideClient, secondHello,
			rule.Ns(second.Time-t.ClientHello.Time)),
	})
}

// firstAfter is the first segment with data of dir behind a moment; nil if there is none.
func (h *shaken) firstAfter(dir reassembly.Dir, at time.Duration) *reassembly.Record {
	for i := range h.c.Records {
		if r := &h.c.Records[i]; r.Dir == dir && r.Len > 0 && r.Time > at {
			return r
		}
	}
	return nil
}

// flightSize: the server's flight did not fit into its first window.
func (h *shaken) flightSize() {
	var waited time.Duration
	var proof []rule.Evidence
	for _, w := range h.p.Draft.WaitsWith(report.SlowStart) {
		if w.Dir == reassembly.FromServer && ledger.Seen(w.End) &&
			w.End.Time <= h.t.ClientFinished.Time {
			waited += w.Length()
			proof = append(proof, rule.Shows(w.End, report.SideServer, restOfFlight))
		}
	}
	n, first := h.flightSegments()
	if len(proof) == 0 || first <= 0 {
		return
	}
	saved := waited * time.Duration(rounds(n, first)-rounds(n, max(first, tunedInitial))) /
		time.Duration(max(1, rounds(n, first)-1))
	if saved = whatif.Clamp(saved, waited); saved < time.Millisecond {
		return
	}
	cost := report.Cost{Low: saved * surePercent / 100, Expected: saved, High: waited}
	h.report(flightSizeCause, report.SideUnknown, h.t.ClientFinished.Time, cost, proof,
		rule.Say(flightTook, h.t.ServerFlight, n))
}

// flightSegments is how many segments the server's flight had, and how many of them left before the
// client could answer any.
func (h *shaken) flightSegments() (n, first int64) {
	begins := time.Duration(-1)
	trip := h.rtt / 2 // the next round cannot be as near
	for i := range h.c.Records {
		r := &h.c.Records[i]
		switch {
		case r.Dir != reassembly.FromServer || r.Len == 0 || r.Kind != reassembly.Plain:
		case r.Time < h.t.ServerHello.Time || r.Time > h.t.ClientFinished.Time:
		default:
			if begins < 0 {
				begins = r.Time
			}
			n++
			if r.Time-begins < trip {
				first++
			}
		}
	}
	return n, first
}

// rounds is how many round trips n segments take that begin with a window of so many, which
// doubles.
func rounds(n, window int64) int64 {
	trips := int64(0)
	for window = max(window, 1); n > 0; window *= 2 {
		n -= window
		trips++
	}
	return trips
}

// earlyData: what the client had said as early data it had to say again.
func (h *shaken) earlyData() {
	t := h.t
	if t.Early != exchange.EarlyRejected || !ledger.Seen(t.EarlyAt) {
		return
	}
	cost := report.Cost{Expected: h.rtt, High: h.rtt}
	h.report(earlyDataCause, report.SideUnknown, t.ClientFinished.Time, cost, []rule.Evidence{
		rule.Shows(t.EarlyAt, report.SideClient, earlyInVain),
		rule.Shows(t.ClientFinished, report.SideClient, endsNoEarly),
	}, rule.Say(noWorseThanNone))
}

// stall refers the time that dir's side took for itself, if that is long: how long it takes else,
// its other handshakes show.
func (h *shaken) stall(dir reassembly.Dir) {
	cause, label, words := serverStallCause, report.TLSServer, serverTakes
	if dir == reassembly.FromClient {
		cause, label, words = clientStallCause, report.TLSClient, clientTakes
	}
	var took time.Duration
	var longest ledger.Wait
	sure := true
	for _, w := range h.p.Draft.WaitsWith(label) {
		if !h.within(&w) {
			continue
		}
		own, proven := h.ownTime(&w)
		took += own
		sure = sure && proven
		if w.Length() > longest.Length() {
			longest = w
		}
	}
	if took < stallLeast || dir == reassembly.FromServer && h.acceptedLate(took) {
		return
	}
	cost := report.Cost{Expected: took, High: took}
	if sure {
		cost.Low = took
	}
	var proof []rule.Evidence
	if longest.Before.Frame != h.t.ClientHello.Frame {
		proof = append(proof, rule.Shows(longest.Before, rule.SideOf(longest.Prev), nextIsOther))
	}
	h.report(cause, report.SideUnknown, longest.To, cost, append(proof,
		rule.Shows(longest.End, rule.SideOf(dir), words,
			rule.Ns(longest.End.Time-longest.Before.Time))))
}

// within reports whether a wait lies within the handshake: behind the ClientHello.
func (h *shaken) within(w *ledger.Wait) bool {
	t := h.t
	return ledger.Seen(w.Before) && ledger.Seen(w.End) && w.Before.Time >= t.ClientHello.Time &&
		w.End.Time <= max(t.ClientFinished.Time, t.ServerFinished.Time)
}

// ownTime is how much of a wait its side took for itself, and whether the capture proves that. What
// it had heard it acknowledges within a time; where that, too, was late, or did not come, the path
// may have been.
func (h *shaken) ownTime(w *ledger.Wait) (own time.Duration, proven bool) {
	if w.Prev == w.Dir {
		return w.Length(), true
	}
	asked := ledger.RecordOf(h.c, w.Before)
	if asked == nil {
		return 0, false
	}
	for i := range h.c.Records {
		r := &h.c.Records[i]
		switch {
		case r.Dir != w.Dir || r.Time <= asked.Time || r.Ack < asked.End():
		case r.Frame != w.End.Frame:
			return whatif.Clamp(w.To-max(w.From, r.Time), w.Length()), true
		case w.Length() > delackMost && h.c.Far(w.Dir) > delackMost/200:
			return 0, false
		default:
			return w.Length(), h.c.Far(w.Dir) <= delackMost/200
		}
	}
	return 0, false
}

// acceptedLate reports whether the SYN-ACK was late as well, by half of what the server took: then
// it is the host, the path, or what accepts connections, and not TLS.
func (h *shaken) acceptedLate(took time.Duration) bool {
	c := h.c
	if len(c.SYNs) != 1 || len(c.SYNACKs) != 1 {
		return len(c.SYNs) > 1 || len(c.SYNACKs) > 1
	}
	late := c.SYNACKs[0].Time - c.SYNs[0].Time - c.Far(reassembly.FromServer)
	return late > took/2
}
