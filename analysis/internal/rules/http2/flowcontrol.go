package http2

import (
	"cmp"
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/whatif"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const (
	flowControlRule  = "h2-flow-control"
	streamCause      = "stream"
	connectionCause  = "connection"
	applicationCause = "application"
	neverCause       = "never-updated"
)

// FlowControl is the rule about windows of HTTP/2 that are smaller than what the path holds.
var FlowControl = &rule.Detector{Rule: report.Rule{
	Name:  flowControlRule,
	Title: "flow control of HTTP/2 holds data back",
	Doc: `What happens
A receiver of HTTP/2 allows each stream, and all streams of a connection together, so many
octets of DATA, and lets more come by WINDOW_UPDATE (RFC 9113 section 5.2). Both windows have
65,535 octets unless it says otherwise. SETTINGS_INITIAL_WINDOW_SIZE sets a stream's, and only
WINDOW_UPDATE on stream 0 raises the connection's (section 6.9.2). If either is smaller than
what the path holds, rate times round trip, the sender stops and waits a round trip for each
window of data, whatever TCP could do.

How it is recognised
An account of both windows is kept, frame by frame. A frame of DATA did not fit into one of
them, and left as soon as its sender could know of the update that made room, or when its host
had acknowledged that; or the frame before it had used the window up to the octet, so that its
sender had more to send. Which window it was says the cause, stream or connection, with -request
where the message was one. application: updates came later than the data they were for, as the
receiver's program had not read. What one was for is known by the next frame
that was let go, less a window; a receiver that reads at once lets come what has just come, be it
for each frame or for half a window. never-updated: a window was used up when a stream was over
before its end, its client had let no more come since the first octet, and the response stood still
for a second and more before that. How long an octet takes the program follows from when its
words came, at the slowest. The cause is that of which the cure saves more. Silent: TCP's own
window was full at the same time, which is receive-window's; a larger window would have gained
nothing, as the path was full; and where the capture lacks what the account needs.

How cost is counted
By simulation: what the message took while windows or the path bounded it, less what TCP's
windows, the path and the pace of the receiver's program would have made of all that passed
meanwhile, of other streams, too.
Never more than the time labelled h2_window. High is twice that, low seven tenths, half beside
others, nothing where the program is slower than the path. application: the same, less what a
program that reads at once would have made of it behind the same window; low nothing.
never-updated: how long the message stood still; a repetition is waited for as for any failure.

When it is wrong
How fast the path is shows only in bursts as large as the window; a path that is slower than
those tell makes the cost too high. A receiver that holds updates back on purpose, or whose kernel
does (Nagle's algorithm), looks like a program that does not read. One that lets more come before
it works on what it took looks faster than it is, where the window leaves it nothing more to take.
never-updated: a program that has no use for a response, and does not say so, looks like one that
forgot.`,
	Causes: []report.Cause{
		windowCause(streamCause, reassembly.FromServer),
		windowCause(connectionCause, reassembly.FromServer),
		windowCause(streamCause, reassembly.FromClient),
		windowCause(connectionCause, reassembly.FromClient),
		neverUpdatedCause(),
		{
			Code:  applicationCause,
			Title: "receiver's program reads slowly",
			Side:  report.SideUnknown,
			Message: "The receiver had the data and let no more come until its program had " +
				"read: " +
				"that is slower than the path.",
			Remedies: []report.Remedy{
				{
					Side: report.SideUnknown,
					Text: "let the receiver read sooner, or in another thread than the one that " +
						"works on it; a larger window only hides it",
				},
			},
		},
	},
	References: []string{
		"RFC 9113 section 5.2", "RFC 9113 section 6.9", "RFC 9113 section 6.5.2",
	},
},
	Rests:      rule.Timing | rule.Beginning | rule.Messages,
	Beside:     true,
	When:       rule.Streams,
	Exchange:   runFlowControl,
	Vocabulary: flowControlWords,
}

// receiverOf is the side that the windows of what dir sends are of.
func receiverOf(dir reassembly.Dir) report.Side { return rule.SideOf(dir.Peer()) }

// windowCause is the cause that the window of a stream, or that of the connection, was too small
// for
// dir's messages.
func windowCause(which string, dir reassembly.Dir) report.Cause {
	c := report.Cause{
		Code:  rule.OfRequest(dir, which),
		Title: "window of a stream too small",
		Side:  receiverOf(dir),
		Message: "The window of HTTP/2 that the " + receiverOf(dir).String() + " offers for " +
			"a stream " +
			"held the " + rule.SideOf(dir).String() + " back again and again, and it had to " +
			"wait a " +
			"round trip for each window of data.",
	}
	text := "offer a larger window for streams, rate times round trip and more, and as much for " +
		"the connection"
	if which == connectionCause {
		c.Title = "window of the connection too small"
		c.Message = "The window of HTTP/2 that the " + receiverOf(dir).String() + " offers " +
			"for all " +
			"streams of the connection together held the " + rule.SideOf(dir).String() + " " +
			"back again " +
			"and again, and it had to wait a round trip for each window of data."
		text = "offer a larger window for the connection (WINDOW_UPDATE on stream 0), rate " +
			"times " +
			"round trip and more, and as much for streams"
	}
	c.Remedies = []report.Remedy{{Side: c.Side, Text: text, Settings: windowSettings(dir)}}
	return c
}

// windowSettings are those of programs that receive what dir sends: of the stream's window, then
// of
// the connection's.
func windowSettings(dir reassembly.Dir) []report.Setting {
	both := []report.Setting{
		{Product: report.Go, Text: "HTTP2Config MaxReceiveBufferPerStream, PerConnection"},
		{Product: report.Node, Text: "initialWindowSize, session.setLocalWindowSize"},
		{Product: report.Envoy, Text: "initial_stream_window_size, " +
			"initial_connection_window_size"},
	}
	if dir == reassembly.FromClient {
		return append(both,
			report.Setting{Product: report.Nginx, Text: "http2_body_preread_size"},
			report.Setting{Product: report.HAProxy, Text: "tune.h2.fe.initial-window-size"})
	}
	return append(both,
		report.Setting{Product: report.Java, Text: "jdk.httpclient.windowsize, " +
			"connectionWindowSize"},
		report.Setting{Product: report.DotNet, Text: "InitialHttp2StreamWindowSize"},
		report.Setting{Product: report.Curl, Text: "a newer version"})
}

const (
	_ rule.WordsID = iota
	windowUsedUp
	moreAllowed
	heldFrame
	lateAllowed
	windowWas
	standsStill
	streamShut
	connectionShut
)

var flowControlWords = []rule.Words{
	windowUsedUp: {
		Role:  "window used up",
		Text:  "the last frame of DATA that there was room for",
		Facts: rule.Facts{report.CarriesData},
	},
	moreAllowed: {
		Role:  "WINDOW_UPDATE",
		Text:  "lets more come",
		Facts: rule.Facts{report.CarriesData},
	},
	lateAllowed: {
		Role:  "WINDOW_UPDATE",
		Text:  "lets more come, {ms} after the data had",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
	heldFrame: {
		Role:  "held frame",
		Text:  "left as soon as it could, {ms} later",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
	standsStill: {
		Role:  "last octets",
		Text:  "of the message; nothing more came for {ms}",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
	streamShut:     {Text: "It was the window of the stream, after {octets}."},
	connectionShut: {Text: "It was the window of the connection, after {octets} of all streams."},
	windowWas: {
		Text: "The window was {octets} and the round trip {ms}, which is {mbit} at most.",
	},
}

// runFlowControl claims what windows of HTTP/2 cost the messages of an exchange.
func runFlowControl(p *rule.Pass) {
	if p.Conn.HTTP2 == nil || p.Draft.Times[report.H2Window] <= 0 {
		return
	}
	if neverUpdated(p) {
		claimNever(p)
		return
	}
	for _, dir := range ledger.BothWays {
		if h := holdsOf(p, dir); len(h.waits) > 0 {
			h.claim(p)
		}
	}
}

// holds are the waits of one message for flow control.
type holds struct {
	dir   reassembly.Dir
	waits []ledger.Wait
	freed []exchange.Freed // what each ended with
	// all of that time, what of it each window caused, and by how much updates were late because
	// nobody read
	all, late time.Duration
	by        [exchange.OfSettings + 1]time.Duration
	slowest   int // the wait with the latest update
	lateMost  time.Duration
}

// holdsOf are those of dir's message.
func holdsOf(p *rule.Pass, dir reassembly.Dir) holds {
	h := holds{dir: dir}
	var kept time.Duration
	for _, w := range p.Draft.WaitsWith(report.H2Window) {
		kept += w.Length()
		f, ok := ledger.FreedBy(p.Conn, p.Exchange, &w)
		if w.Dir != dir || !ok {
			continue
		}
		h.waits, h.freed = append(h.waits, w), append(h.freed, f)
		h.all += w.Length()
		h.by[f.Of] += w.Length()
	}
	h.read(p)
	// the shortest are not kept, of which as large a part was late; beside others, what is not kept
	// waited for frames of those
	if kept > 0 && !p.Draft.Shared {
		times := float64(p.Draft.Times[report.H2Window]-p.Draft.ShutFor()) / float64(kept)
		h.all = time.Duration(float64(h.all) * times)
		h.late = time.Duration(float64(h.late) * times)
	}
	return h
}

const (
	// lateLeast is the shortest time of a program that is told apart from a prompt update,
	// lateTrip
	// the same in percent of a round trip, as round trips vary.
	lateLeast = rule.Noticeable / 4
	lateTrip  = 25
)

// mostlyParts: a program that reads slowly is the cause if its part of the waits is one of so many
// (reasoning: more than half).
const mostlyParts = 2

const (
	// sureTenths and mostTimes bound what the simulation may be off by: against what the cure
	// saved it
	// was off by half at most (measured, 11 recordings with windows of 16 kB to 256 kB).
	sureTenths, mostTimes = 7, 2
	// beside others on the connection it is no surer than that: they share the path that a larger
	// window would fill
	besideTenths = 5
)

// claim claims what the waits cost, as that of which the cure saves more.
func (h *holds) claim(p *rule.Pass) {
	m := p.Draft.Message(h.dir)
	if m == nil {
		return
	}
	pace := h.pace(p, m)
	took := bounded(p, h.dir, m)
	program := time.Duration(pace * float64(m.To-m.From) * float64(time.Second))
	// a program that reads at once leaves what the window itself costs, or what updates were not
	// late
	reader := whatif.Clamp(took-h.readAtOnce(p, m), max(h.late, min(program, h.all)))
	most := h.all
	if pace == 0 {
		most -= h.late
	}
	saved := whatif.Clamp(took-h.roomy(p, m, pace), most)
	slower := program > unheld(p, h.dir, m) // than the path
	if slower && reader > saved || pace == 0 && h.late > h.all/mostlyParts {
		h.claimReader(p, reader)
		return
	}
	if saved < time.Millisecond {
		return
	}
	c := h.claimOf(rule.OfRequest(h.dir, h.cause()))
	c.Confidence = h.certainty(p)
	tenths := time.Duration(sureTenths)
	switch {
	case slower:
		tenths = 0 // what the program does behind its words shows nowhere
	case p.Draft.Shared:
		tenths = besideTenths
	}
	c.Occ.Cost = report.Cost{
		Low: saved * tenths / 10, Expected: saved, High: min(most, mostTimes*saved),
	}
	i := longest(h.waits)
	w := &h.waits[i]
	c.Occ.Proof = []rule.Evidence{
		rule.Shows(h.freed[i].Since, rule.SideOf(h.dir), windowUsedUp),
		rule.Shows(h.freed[i].By, receiverOf(h.dir), moreAllowed),
		rule.Shows(w.End, rule.SideOf(h.dir), heldFrame, rule.Ns(w.Length())),
	}
	byTime(c.Occ.Proof)
	if size := h.size(p); size > 0 {
		rtt := p.Conn.RTTMin()
		rate := float64(size) / max(rtt.Seconds(), 1e-9)
		c.Says = []rule.Said{rule.Say(windowWas, size, rule.Ns(rtt), int64(rate))}
	}
	p.Report(c)
}

// claimOf is a claim of the waits without cost and proof.
func (h *holds) claimOf(cause string) rule.Claim {
	last := &h.waits[len(h.waits)-1]
	return rule.Claim{
		Rule: flowControlRule, Cause: cause, Confidence: report.ConfidenceMedium,
		Occ:  rule.Occurrence{Start: h.waits[0].From, End: last.To},
		Lost: []report.Interval{{From: h.waits[0].From, To: last.To}},
	}
}

// claimReader claims what is saved if the receiver's program reads at once.
func (h *holds) claimReader(p *rule.Pass, saved time.Duration) {
	if max(h.late, saved) < rule.Noticeable || saved < time.Millisecond {
		return
	}
	c := h.claimOf(applicationCause)
	c.Side = receiverOf(h.dir)
	c.Occ.Cost = report.Cost{Expected: saved, High: h.all}
	f, w := &h.freed[h.slowest], &h.waits[h.slowest]
	c.Occ.Proof = []rule.Evidence{
		rule.Shows(f.Since, rule.SideOf(h.dir), windowUsedUp),
		rule.Shows(f.By, receiverOf(h.dir), lateAllowed, rule.Ns(h.lateMost)),
		rule.Shows(w.End, rule.SideOf(h.dir), heldFrame, rule.Ns(w.Length())),
	}
	byTime(c.Occ.Proof)
	p.Report(c)
}

// byTime puts frames in the order in which they were captured: far from a host, what it said passes
// before what it had sent until then.
func byTime(proof []rule.Evidence) {
	slices.SortStableFunc(proof, func(a, b rule.Evidence) int {
		return cmp.Compare(a.Mark.Time, b.Mark.Time)
	})
}

// cause is which window most of the waits were for.
func (h *holds) cause() string {
	if h.by[exchange.OfConnection] > h.by[exchange.OfStream]+h.by[exchange.OfSettings] {
		return connectionCause
	}
	return streamCause
}

// certainty is how sure it is that a larger window would have saved as much.
func (h *holds) certainty(p *rule.Pass) report.Confidence {
	lost := p.Draft.Sum(report.FastRetx, report.RTO, report.TLP, report.LostRetx,
		report.RecoveryCwnd)
	full := slices.ContainsFunc(h.freed, func(f exchange.Freed) bool { return f.Full })
	if lost > 0 || len(h.waits) == 1 && !full {
		return report.ConfidenceMedium
	}
	return report.ConfidenceHigh
}

// size is the window in question, in octets; 0 if it is not known.
func (h *holds) size(p *rule.Pass) int64 {
	if h.cause() == connectionCause {
		return h.sizeOf(p, exchange.OfConnection)
	}
	return h.sizeOf(p, exchange.OfStream)
}

// sizeOf is size of one of the windows.
func (h *holds) sizeOf(p *rule.Pass, of exchange.CreditOf) int64 {
	own := &p.Conn.HTTP2.Sides[h.dir.Peer()]
	if of == exchange.OfConnection {
		return own.Window
	}
	if own.Settings.Window.Said {
		return int64(own.Settings.Window.Value)
	}
	return firstWindow
}

// firstWindow is what a window has before anything is said of it (RFC 9113 section 6.9.2).
const firstWindow = 65535

// longest is which of the waits is the longest.
func longest(waits []ledger.Wait) int {
	out := 0
	for i := range waits {
		if waits[i].Length() > waits[out].Length() {
			out = i
		}
	}
	return out
}

// bounded is what a message took while windows, those of HTTP/2 among them, other streams or the
// path bounded it: all of it but pauses, repairs, holds and TCP's receive window.
func bounded(p *rule.Pass, dir reassembly.Dir, m *exchange.Message) time.Duration {
	pause := ledger.Pause(dir)
	other := p.Draft.Sum(pause, report.StreamIdle, report.HostStopped, report.CaptureGap,
		report.Queue, report.ZeroWindow, report.FastRetx, report.RTO, report.TLP, report.LostRetx,
		report.SpuriousRetx, report.NagleRTT, report.NagleDelack, report.Cork, report.H2HOL)
	if dir == reassembly.FromServer {
		other += p.Draft.Spent(dir, report.RWnd)
	}
	return m.End.Time - m.Start.Time - other
}

// unheld is what all that passed from the message's first octet to its last would have taken with
// TCP's windows and the path alone.
func unheld(p *rule.Pass, dir reassembly.Dir, m *exchange.Message) time.Duration {
	t, began := transferOf(p, dir, m)
	return t.Simulate(began)
}

// transferOf is all that passed from the message's first octet to its last, as a simulation sees
// it, and the window in segments that it begins with.
func transferOf(p *rule.Pass, dir reassembly.Dir, m *exchange.Message) (t whatif.Transfer,
	began int64) {
	s := p.State.Sender(dir)
	octets := m.To - m.From
	took := max((m.End.Time - m.Start.Time).Seconds(), 1e-9)
	t = whatif.Transfer{
		Octets: octets,
		MSS:    max(int64(p.Conn.Half[dir].Eff), 1),
		Window: s.WindowRoom(),
		Grows:  true,
		RTT:    p.Conn.RTTMin(),
		Rate:   s.PathRate(float64(octets) / took),
	}
	grown := ledger.UsualInitial + m.From/t.MSS // slow start adds what is acknowledged (RFC 3465)
	flown := 2 * s.MostInFlight() / t.MSS       // and what was in flight doubles at most
	return t, max(ledger.UsualInitial, min(grown, flown))
}

// readAtOnce is what the message would have taken with the windows that it had, if its receiver's
// program had read at once.
func (h *holds) readAtOnce(p *rule.Pass, m *exchange.Message) time.Duration {
	t, began := transferOf(p, h.dir, m)
	if size := h.size(p); size > 0 && !p.Draft.Shared {
		t.Allowed = []ledger.Allowed{{Most: size}}
	}
	return t.Simulate(began)
}

// paceParts is at how many places of a message it is looked at whether the program or the path is
// behind there.
const paceParts = 32

// roomy is what the message would have taken with windows that hold nothing back, and a program
// that takes so many seconds for an octet, which waits for the first ones.
func (h *holds) roomy(p *rule.Pass, m *exchange.Message, pace float64) (took time.Duration) {
	t, began := transferOf(p, h.dir, m)
	octets := t.Octets
	for i := int64(1); i <= paceParts; i++ {
		t.Octets = octets * i / paceParts
		read := time.Duration(pace * float64(octets-t.Octets) * float64(time.Second))
		took = max(took, t.Simulate(began)+read)
	}
	return took
}
