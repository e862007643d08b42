package analysis

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

// TestSigns: of what shows none of the signs that a rule names, it claims nothing, and the report of
// rules that look at everything, at once, is the same, also where the capture lacks segments. Each rule claims
// something of what shows some.
func TestSigns(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../testdata/pcaps/*/scenario.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scenarios", err)
	}
	w := &watch{t: t, claims: map[string]int{}}
	all := w.everywhere()
	for i, file := range files {
		if testing.Short() && i%8 > 0 {
			continue
		}
		w.dir = filepath.Dir(file)
		tried := []int{0}
		if i%4 == 0 {
			tried = append(tried, 1+i%7)
		}
		for _, lost := range tried {
			usual := analysedBy(t, w.dir, lost, detectors())
			if everywhere := analysedBy(t, w.dir, lost, all); !reflect.DeepEqual(usual, everywhere) {
				t.Errorf("%s, %d: rules that look at everything find something else", w.dir, lost)
			}
		}
	}
	for _, d := range detectors() {
		looks := d.Exchange != nil || d.Closed != nil
		if looks && d.When == 0 {
			t.Logf("%s is always asked", d.Name)
		} else if looks && !testing.Short() && w.claims[d.Name] == 0 {
			t.Errorf("%s claims nothing in any scenario", d.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.claims)) {
		t.Logf("%s: %d", name, w.claims[name])
	}
}

// analysedBy is the report of the captures in a folder, by those rules. Of every so many segments
// some are left out; of 0 none.
func analysedBy(t *testing.T, dir string, lost int, rules []*rule.Detector) *report.Report {
	t.Helper()
	inputs, _ := filepath.Glob(dir + "/capture*")
	src, err := capture.Open(capture.Config{Inputs: inputs})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	o := options{workers: 1}
	if text, err := os.ReadFile(dir + "/keys.txt"); err == nil {
		o.keys = &KeyLog{}
		log := o.keys.Writer()
		log.Write(text)
		log.End()
	}
	p := newPipeline(&o, rules)
	if err := p.read(t.Context(), &thinned{Source: src, every: lost}); err != nil {
		t.Fatal(dir, err)
	}
	return p.judge.Report(src.Stats())
}

// thinned lacks some of the segments of a source.
type thinned struct {
	capture.Source
	every, n int
}

// Next is the next segment that is not left out.
func (s *thinned) Next(seg *capture.Segment) error {
	err := s.Source.Next(seg)
	for ; err == nil && s.every > 0 && s.n%(s.every+s.n%5) == s.every/2; s.n++ {
		err = s.Source.Next(seg)
	}
	s.n++
	return err
}

// watch watches rules that look at everything.
type watch struct {
	t      *testing.T
	dir    string
	claims map[string]int // by rule, of what shows signs
}

// everywhere are all rules, without what they name as signs, and with comparisons that are told of
// everything when it happens.
func (w *watch) everywhere() (all []*rule.Detector) {
	atOnce := map[*rule.Comparison]*rule.Comparison{}
	for _, d := range detectors() {
		r := *d
		r.When = 0
		if d.Across != nil && atOnce[d.Across] == nil {
			c := *d.Across
			c.Late = false
			atOnce[d.Across] = &c
		}
		r.Across = atOnce[d.Across]
		if d.Exchange != nil {
			r.Exchange = w.look(d, d.Exchange,
				func(p *rule.Pass) rule.Signs { return rule.SignsOf(p.State, p.Draft) })
		}
		if d.Closed != nil {
			r.Closed = w.look(d, d.Closed,
				func(p *rule.Pass) rule.Signs { return rule.SignsOfEnd(p.State) })
		}
		all = append(all, &r)
	}
	return all
}

// look is f, a function of rule d, and a look at whether it claims something without a sign.
func (w *watch) look(
	d *rule.Detector, f func(*rule.Pass), signs func(*rule.Pass) rule.Signs,
) func(*rule.Pass) {
	return func(p *rule.Pass) {
		shown, before := signs(p), claimsOf(p)
		f(p)
		switch said := claimsOf(p) != before; {
		case said && !d.Speaks(shown):
			w.t.Errorf("%s: %s claims something of connection %d, which shows signs %b",
				w.dir, d.Name, p.Conn.ID, shown)
		case said:
			w.claims[d.Name]++
		}
	}
}

// claimsOf is how much has been claimed of what a pass is about.
func claimsOf(p *rule.Pass) (n int) {
	if p.Draft != nil {
		n = len(p.Draft.Claims) + int(p.Draft.Perhaps)<<32
	}
	return n + len(p.State.Claims)
}
