// Package html writes a report as one page for a browser. The page loads nothing, runs nothing but
// its own short script, and is whole without that: pictures are SVG, lists open without it, and the
// script only adds zoom, hover, filters and a copy button.
//
// Whatever came from the network goes through output/mask first, and is then escaped by
// html/template; a content security policy that names the script and the style sheet by their
// hashes stands between that and a browser all the same. What is shown is what the report says, in
// the sentences of output/sentence.
package html

import (
	"bufio"
	"crypto/sha256"
	_ "embed" // the style sheet, the script and the template are files
	"encoding/base64"
	"html/template"
	"io"
	"strings"

	"tcpwhy/analysis/report"
	"tcpwhy/output/sentence"
)

// Options choose what a page shows.
type Options struct {
	Version   string // of the program
	ShowQuery bool   // print query values, which are otherwise masked
	Summary   bool   // without what single findings, connections and exchanges show
}

// The limits of a page. With them it stays below 3 MB and 60,000 nodes, however large the report
// is.
const (
	maxCards   = 30   // stories told in full
	maxRows    = 300  // exchanges in the waterfall
	maxLanes   = 100  // connections in it
	maxGraphs  = 12   // connections with a graph
	maxStrokes = 8000 // of all graphs together
	maxBits    = 24   // pieces of a bar
	maxStrip   = 400  // pieces of the cause strip of a graph
	maxTable   = 50   // rows of a table
	maxProof   = 12   // frames of a proof
	targetRoom = 60   // characters of a request target
)

var (
	//go:embed page.tmpl
	pageText string
	//go:embed style.css
	styleText string
	//go:embed script.js
	scriptText string
)

// Write writes the page.
func Write(w io.Writer, r *report.Report, opts Options) error {
	out := bufio.NewWriter(w)
	b := newBuilder(r, opts)
	t, err := template.New("page").Parse(pageText)
	if err != nil {
		return err
	}
	style := paletteCSS() + styleText
	head := strings.NewReplacer("STYLE-HASH", hash(style), "SCRIPT-HASH", hash(scriptText))
	io.WriteString(out, head.Replace(headText))
	io.WriteString(out, "<style>"+style+"</style>\n")
	if err := t.Execute(out, b.page()); err != nil {
		return err
	}
	io.WriteString(out, "<script>"+scriptText+"</script>\n</body>\n</html>\n")
	return out.Flush()
}

// headText begins the page. The policy stands before anything that it is about (CSP Level 3 §3.3).
const headText = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; ` +
	`style-src 'sha256-STYLE-HASH'; script-src 'sha256-SCRIPT-HASH'; base-uri 'none'; ` +
	`form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
`

// hash is how a policy names an inline script or style sheet: by what lies between its tags.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// builder draws up a page from a report. It computes nothing but layout.
type builder struct {
	*sentence.Teller
	opts    Options
	r       *report.Report
	cards   []*report.Story              // that are told, in the order of their numbers
	conns   map[int]*report.ConnInfo     // listed, by ID
	byID    map[int]*report.ExchangeInfo // likewise
	graphs  map[int]*report.Graph        // by connection
	numbers map[int][]int                // of stories, by exchange
	lost    map[int]int64                // ns that listed occurrences cost, by exchange
}

// newBuilder looks up what parts of the page refer to.
func newBuilder(r *report.Report, opts Options) *builder {
	b := &builder{
		Teller: &sentence.Teller{Report: r, ShowQuery: opts.ShowQuery}, opts: opts, r: r,
		conns: map[int]*report.ConnInfo{}, byID: map[int]*report.ExchangeInfo{},
		graphs: map[int]*report.Graph{}, numbers: map[int][]int{}, lost: map[int]int64{},
	}
	for i := range r.Conns {
		b.conns[r.Conns[i].ID] = &r.Conns[i]
	}
	for i := range r.Exchanges {
		b.byID[r.Exchanges[i].ID] = &r.Exchanges[i]
	}
	for i := range r.Graphs {
		b.graphs[r.Graphs[i].Of.Connection] = &r.Graphs[i]
	}
	b.cards = told(r)
	b.number()
	return b
}

// number finds out which stories each exchange is part of, as far as that is listed.
func (b *builder) number() {
	for n, s := range b.cards {
		for _, i := range s.Findings {
			if i >= len(b.r.Findings) {
				continue
			}
			for k := range b.r.Findings[i].Occurrences {
				o := &b.r.Findings[i].Occurrences[k]
				all := b.numbers[o.Exchange]
				if len(all) == 0 || all[len(all)-1] != n+1 {
					b.numbers[o.Exchange] = append(all, n+1)
				}
				b.lost[o.Exchange] += int64(o.Cost.Expected)
			}
		}
	}
}
