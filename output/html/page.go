package html

import (
	"html/template"
	"strings"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/output/mask"
	"tcpwhy/output/sentence"
	"tcpwhy/output/wording"
)

// page is what the template lays out, from top to bottom.
type page struct {
	Title, Name string
	Lost        string // the beginning of Verdict that says how much
	Verdict     string // the most important line
	Grave       bool   // it says that something failed
	Also        []line
	Facts       string
	Patterns    template.HTML
	Times       []share
	Cards       []card
	Brief       []brief
	More        string // stories that are not told
	Density     *density
	Services    *table
	Waterfall   *waterfall
	Graphs      []graph
	Endpoints   *endpoints
	Trips       *trips
	NoGraphs    string // why there are none; "": there are, or nothing is to be shown
	Quiet       string
	Blind       string
	Notes       []line
	Version     string
	Data        *data
}

// line is a line of text and its class.
type line struct{ Text, Class string }

// weights are the classes of lines.
var weights = [...]string{
	sentence.Usual: "usual", sentence.Main: "main", sentence.Grave: "grave",
	sentence.Warned: "warned",
}

// text is a sentence fit to be shown. Spaces that do not break do that in lines of a terminal
// alone.
func text(s string) string { return mask.Visible(spaced(s)) }

// spaced has plain spaces only.
func spaced(s string) string { return strings.ReplaceAll(s, wording.NoBreak, " ") }

// page draws the whole page up.
func (b *builder) page() *page {
	r := b.r
	p := &page{
		Name:  text(sentence.InputNames(r.Capture.Inputs)),
		Facts: text(b.facts()), Patterns: patterns(), Version: text(b.opts.Version),
		Times: b.times(), Notes: lines(b.CaptureNotes()),
		Quiet: strings.Join(b.Quiet(), ", "), Blind: strings.Join(r.Blind, ", "),
	}
	b.verdict(p)
	if !b.opts.Summary {
		p.Cards, p.Brief, p.More = b.tellCards()
		p.Waterfall = b.waterfall()
		p.Graphs = b.drawGraphs()
		p.Trips = b.trips()
		p.NoGraphs = b.noGraphs()
	}
	p.Density, p.Services, p.Endpoints = b.density(), b.services(), b.endpoints()
	p.Data = b.data(p)
	return p
}

// noGraphs is why no segments are shown; "" if some are, or none would be.
func (b *builder) noGraphs() string {
	switch {
	case len(b.r.Graphs) > 0 || len(b.cards) == 0:
		return ""
	case b.r.Parts > 0:
		return "Segments are not shown: this is made of " +
			wording.Count(b.r.Parts, "part", "parts") + " that were analysed before."
	}
	return "Segments are not shown: the input could be read only once."
}

// verdict takes the first line of the verdict as the heading, which is the gravest.
func (b *builder) verdict(p *page) {
	all := b.Verdict()
	if len(all) == 0 {
		all = []sentence.Line{{Text: b.Subject() + "."}}
	}
	first := all[0]
	p.Verdict, p.Grave = text(first.Text), first.Weight == sentence.Grave
	p.Title = mask.Shorten(p.Verdict, 120) + " - " + p.Name
	if took := spaced(b.LostOf()); b.r.ByClock().Lost > 0 &&
		strings.HasPrefix(p.Verdict, took) {
		p.Lost, p.Verdict = took, strings.TrimPrefix(p.Verdict, took)
	}
	p.Also = lines(all[1:])
	if each := b.EachForItself(); each != "" {
		p.Also = append(p.Also, line{text(each), weights[sentence.Usual]})
	}
}

// lines are lines with their classes.
func lines(all []sentence.Line) (out []line) {
	for _, l := range all {
		out = append(out, line{text(l.Text), weights[l.Weight]})
	}
	return out
}

// facts are what the capture is, in one line.
func (b *builder) facts() string {
	r, s := b.r, b.r.Capture
	size := octets(float64(s.Bytes))
	if s.Bytes < 10_000 {
		size = wording.Count(s.Bytes, "byte", "bytes")
	}
	facts := []string{
		wording.Count(r.ExchangeCount, "exchange", "exchanges") + " on " +
			wording.Count(r.Connections, "connection", "connections"),
		wording.Count(s.Frames, "frame", "frames") + ", " + size,
	}
	if r.ExchangeTime > 0 {
		facts = append(facts, wording.Duration(r.ExchangeTime)+" of exchange time")
		if r.Clock.Shared > 0 {
			facts = append(facts, wording.Duration(r.ByClock().Time)+" by the clock")
		}
	}
	if !s.Start.IsZero() {
		facts = append(facts, s.Began().Format("2006-01-02 15:04:05.000")+" UTC, for "+
			wording.Duration(s.Lasted()))
	}
	if v := b.Vantage(); v != "" {
		facts = append(facts, strings.ToLower(v[:1])+strings.TrimSuffix(v[1:], "."))
	}
	return strings.Join(facts, " · ")
}

// share is a part of all the time.
type share struct {
	bit
	Name, Time, Share string
	Inside            bool   // there is room for its share inside the bar
	Middle            string // of it
}

// times are where the time went, the largest part first.
func (b *builder) times() []share {
	const inside, onPhones = 0.08, 0.12
	var out []share
	whole, at := spanOf(0, b.r.ByClock().Time), time.Duration(0)
	if b.r.ByClock().Time <= 0 {
		return nil
	}
	for _, t := range sentence.ByTime(b.r.ByClock().Times) {
		piece := report.Piece{Label: t.Label, From: at, To: at + t.Time}
		at = piece.To
		from, to := whole.moment(piece.From), whole.moment(piece.To)
		out = append(out, share{
			bit: bit{
				X: pct(
					from,
				), W: pct(to - from), Class: labelClass(t.Label), Fill: labelFill(t.Label),
				Title: t.Label.Title() + ", " + spaced(wording.Duration(t.Time)),
				Wide:  to-from < onPhones,
			},
			Name: t.Label.Title(), Time: spaced(wording.Duration(t.Time)),
			Share:  spaced(wording.Percent(t.Time, b.r.ByClock().Time)),
			Inside: to-from >= inside, Middle: pct((from + to) / 2),
		})
	}
	return out
}
