package text

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/output/mask"
	"tcpwhy/output/page"
	"tcpwhy/output/sentence"
	"tcpwhy/output/wording"
	"tcpwhy/reassembly"
)

// shownWait is the shortest wait that is told of between segments; the ledger has all.
const shownWait = time.Millisecond

// writeTrace writes one exchange or connection in full: its ledger, and its segments in a notation
// like packetdrill's.
func writeTrace(of textReport) error {
	t := traceReport{textReport: of, trace: of.report.Trace}
	t.begin()
	t.ledger()
	t.shares()
	t.segments()
	return t.Flush()
}

// traceReport is a trace on its way to a page. Its times count from start.
type traceReport struct {
	textReport
	trace *report.Trace
	start time.Duration
	took  time.Duration
	times []report.LabelTime
}

// begin says what is traced.
func (t *traceReport) begin() {
	c := t.trace.Conn
	t.start, t.took, t.times = c.Start, c.Duration, c.Times
	title := "Connection " + strconv.Itoa(c.ID)
	if x := t.trace.Exchange; x != nil {
		t.start, t.took, t.times = x.Start, x.Duration, x.Times
		title = "Exchange " + strconv.Itoa(x.ID) + ": " +
			wording.Request(x, t.opts.ShowQuery, textTarget) + t.Ending(x)
	}
	t.Para("", title, page.Strong)
	ends := c.Client.String() + " -> " + c.Server.String()
	if host := t.host(); host != "" {
		ends += ", " + mask.Shorten(mask.Host(host), textTarget)
	}
	t.Para("", ends, page.Plain)
	when := fmt.Sprintf("It begins %s after the first frame of the capture and takes %s.",
		wording.Duration(t.start), wording.Duration(t.took))
	t.Para("", when+" Times below count from its beginning.", page.Plain)
	t.proxied()
}

// proxied says what the exchange has to do with others that proxies made.
func (t *traceReport) proxied() {
	x := t.trace.Exchange
	if x == nil {
		return
	}
	if legs := t.Legs(x, t.Listed()); legs != "" {
		t.Para("", wording.Capital(legs)+".", page.Plain)
	}
	if x.Behind {
		of := strconv.Itoa(x.Front)
		if x.Alike {
			of += ", or of another that asked for the same at the time"
		}
		t.Para("", "A proxy made it of exchange "+of+".", page.Plain)
	}
}

// host is what the service was called, "" if that is not known.
func (t *traceReport) host() string {
	if x := t.trace.Exchange; x != nil && x.Host != "" {
		return x.Host
	}
	if c := t.trace.Conn; c.TLS != nil {
		return c.TLS.SNI
	}
	return ""
}

// ledger writes the tiles.
func (t *traceReport) ledger() {
	t.Heading("Where its time went, in order")
	for i := range t.trace.Tiles {
		tile := &t.trace.Tiles[i]
		label := fmt.Sprintf("%11s %11s %11s  ",
			column(tile.From-t.start), column(tile.To-t.start), column(tile.To-tile.From))
		t.Para(label, t.story(tile), page.Plain)
	}
	t.more(t.trace.MoreTiles, "wait", "waits")
}

// story says what a tile was, and which frames show it.
func (t *traceReport) story(tile *report.Tile) string {
	s := tile.Label.Title()
	if tile.Waits > 1 {
		s += ", " + wording.Count(tile.Waits, "wait", "waits")
	}
	var facts []string
	if tile.Before.Frame != 0 {
		facts = append(facts, "after "+t.frame(tile.Before.Frame))
	}
	if tile.Cause.Frame != 0 {
		facts = append(facts, "released by "+t.frame(tile.Cause.Frame))
	}
	if tile.End.Frame != 0 {
		facts = append(facts, "ended by "+t.frame(tile.End.Frame))
	}
	if len(facts) > 0 {
		s += ": " + strings.Join(facts, ", ")
	}
	return s
}

// frame is a frame's name. Its spaces do not break.
func (t *traceReport) frame(f capture.FrameID) string {
	several := len(t.report.Capture.Inputs) > 1
	return strings.ReplaceAll(t.FrameName(f, several), " ", wording.NoBreak)
}

// column is a duration in milliseconds with three decimals, so that columns line up.
func column(d time.Duration) string {
	return strings.TrimPrefix(strings.TrimSuffix(wording.Offset(d), wording.NoBreak+"ms"), "+")
}

// shares writes how much each label got.
func (t *traceReport) shares() {
	if t.took <= 0 {
		return
	}
	t.Heading("Together, in milliseconds")
	for _, part := range sentence.ByTime(t.times) {
		label := fmt.Sprintf("%12s  %5s  ", column(part.Time), wording.Percent(part.Time, t.took))
		t.Para(label, part.Label.Title(), page.Plain)
	}
}

// notation explains how segments are written.
const notation = "> is sent by the client, < by the server, each so many seconds after the one " +
	"before. Octets count from 1 in each direction; windows are in octets. Behind # stand the " +
	"frame, what Wireshark would call the segment, and the frame that released it."

// segments writes the segments.
func (t *traceReport) segments() {
	t.Heading("Segments")
	t.Para("", notation, page.Faint)
	t.Blank()
	waits := t.waits()
	before := t.start
	for i := range t.trace.Segments {
		s := &t.trace.Segments[i]
		for _, wait := range waits[s.Frame] {
			t.comment("# ", wait, page.Cyan)
		}
		at := s.Time.Round(time.Microsecond)
		text := segmentText(&s.Record, at-before.Round(time.Microsecond), t.trace.Conn)
		before = at
		t.segment(text, t.remarks(s))
	}
	t.more(t.trace.MoreSegments, "segment", "segments")
}

// segment writes one line, and what does not fit of the remarks below it.
func (t *traceReport) segment(text, remarks string) {
	if line := text + "  # " + remarks; page.Cells(line) <= t.Width {
		t.Put(t.Fit(text), page.Plain)
		t.Put(t.Fit("  # "+remarks), page.Faint)
		t.Blank()
		return
	}
	t.Put(t.Fit(text), page.Plain)
	t.Blank()
	t.comment("    # ", remarks, page.Faint)
}

// comment writes text behind a mark that every line gets.
func (t *traceReport) comment(mark, text string, s page.Style) {
	for _, line := range page.Wrap(t.Fit(text), t.Width-page.Cells(mark)) {
		t.Put(mark+line, s)
		t.Blank()
	}
}

// waits are the waits worth telling of, by the frame that ended them.
func (t *traceReport) waits() map[capture.FrameID][]string {
	out := map[capture.FrameID][]string{}
	for i := range t.trace.Tiles {
		tile := &t.trace.Tiles[i]
		if d := tile.To - tile.From; tile.End.Frame != 0 && tile.Waits == 1 && d >= shownWait {
			wait := wording.Duration(d) + ": " + tile.Label.Title()
			out[tile.End.Frame] = append(out[tile.End.Frame], wait)
		}
	}
	return out
}

// segmentText is a segment as packetdrill and tcpdump write it.
func segmentText(r *reassembly.Record, since time.Duration, c *report.ConnInfo) string {
	arrow := ">"
	if r.Dir == reassembly.FromServer {
		arrow = "<"
	}
	us := max(0, since.Microseconds())
	s := fmt.Sprintf("+%d.%06d %s %s", us/1e6, us%1e6, arrow, wording.Flags(r.Flags))
	if r.Trait.Has(reassembly.Wild) {
		return s + fmt.Sprintf(" 0:%d(%d)", r.Len, r.Len) // its numbers mean nothing
	}
	seq := r.Seq + 1
	s += fmt.Sprintf(" %d:%d(%d)", seq, seq+int64(r.Len), r.Len)
	if r.Flags&capture.ACK != 0 {
		s += fmt.Sprintf(" ack %d", r.Ack+1)
	}
	s += fmt.Sprintf(" win %d", r.Window)
	if mss := c.MSS[r.Dir]; r.Flags&capture.SYN != 0 && mss > 0 {
		s += fmt.Sprintf(" <mss %d>", mss)
	}
	return s
}

// remarks are a segment's frame, kind and traits, and what released it.
func (t *traceReport) remarks(s *report.TracedSegment) string {
	words := []string{t.frame(s.Frame)}
	if k := s.Kind.String(); k != "" {
		words = append(words, k)
	}
	words = append(words, wording.Traits(s.Trait)...)
	if s.SACK > 0 && !s.Trait.Has(reassembly.Wild) {
		words = append(words, fmt.Sprintf("sack up to %d", s.Ack+1+int64(s.SACK)))
	}
	if s.Cause.Frame != 0 {
		words = append(words, "by "+t.frame(s.Cause.Frame))
	}
	return strings.Join(words, ", ")
}

// more says how many are not shown.
func (t *traceReport) more(n int, one, many string) {
	if n > 0 {
		count := wording.Count(n, "more "+one, "more "+many)
		t.Para("", "and "+count+", not shown", page.Plain)
	}
}
