package analysis

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tcpwhy/analysis/internal/judge"
	"tcpwhy/analysis/internal/rule"
)

// parsed calls f for each file below a folder that is no test.
func parsed(t *testing.T, folder string, f func(path string, file *ast.File)) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") ||
			strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err == nil {
			f(path, file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// isDetector reports whether an expression is written as a rule.Detector, or a pointer to one.
func isDetector(x ast.Expr) bool {
	if u, ok := x.(*ast.UnaryExpr); ok && u.Op == token.AND {
		x = u.X
	}
	c, ok := x.(*ast.CompositeLit)
	if !ok {
		return false
	}
	s, ok := c.Type.(*ast.SelectorExpr)
	return ok && s.Sel.Name == "Detector"
}

// written are the variables that hold a rule, as "package.Name", in the rooms of the rules and of
// the judge.
func written(t *testing.T) (vars []string) {
	t.Helper()
	literals := 0
	parsed(t, "internal", func(path string, file *ast.File) {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				if isDetector(n) {
					literals++
				}
			case *ast.ValueSpec:
				for i := range n.Values {
					if isDetector(n.Values[i]) {
						vars = append(vars, file.Name.Name+"."+n.Names[i].Name)
					}
				}
			}
			return true
		})
	})
	if literals != len(vars) {
		t.Errorf("%d rules are written, %d of them as a variable of their own", literals, len(vars))
	}
	return vars
}

// listed are the elements of the list that detectors returns, likewise.
func listed(t *testing.T) (names []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "rules.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == "detectors" {
			ast.Inspect(f.Body, func(n ast.Node) bool {
				list, ok := n.(*ast.CompositeLit)
				if !ok {
					return true
				}
				for _, x := range list.Elts {
					s := x.(*ast.SelectorExpr)
					names = append(names, s.X.(*ast.Ident).Name+"."+s.Sel.Name)
				}
				return false
			})
		}
	}
	return names
}

// TestDetectors: each rule that is written is in the list, once.
func TestDetectors(t *testing.T) {
	vars, names := written(t), listed(t)
	if len(names) != len(detectors()) {
		t.Fatalf("%d rules are listed by name, and there are %d", len(names), len(detectors()))
	}
	times := map[string]int{}
	for _, n := range names {
		times[n]++
	}
	for _, v := range vars {
		if times[v] != 1 {
			t.Errorf("detectors lists %s %d times", v, times[v])
		}
	}
	for _, n := range names {
		if !slices.Contains(vars, n) {
			t.Errorf("detectors lists %s, which is no variable of its own", n)
		}
	}
}

// TestWhatRulesSay holds each rule to what the contract asks of it.
func TestWhatRulesSay(t *testing.T) {
	names, made := map[string]bool{}, rule.Kinds(0)
	for _, d := range detectors() {
		if names[d.Name] {
			t.Errorf("two rules are named %s", d.Name)
		}
		names[d.Name] = true
		if made&d.Makes != 0 {
			t.Errorf("%s makes a kind of claim that another rule says it makes", d.Name)
		}
		made |= d.Makes
		t.Run(d.Name, func(t *testing.T) {
			checkNames(t, d)
			checkDoc(t, d.Doc)
			checkCauses(t, d)
			checkWords(t, d.Vocabulary)
			checkRuns(t, d)
		})
	}
}

// checkRuns wants a function of each rule, but of the one that the judge makes of what it counted.
func checkRuns(t *testing.T, d *rule.Detector) {
	t.Helper()
	own := d == judge.CaptureQuality
	runs := d.Exchange != nil || d.Certain != nil || d.Closed != nil || d.Across != nil
	if runs == own {
		t.Errorf("it has a function: %v", runs)
	}
	if (d.Rests == 0) != own {
		t.Errorf("a flaw of a capture weakens it: %v", d.Rests != 0)
	}
	if d.Across != nil && (d.Across.Start == nil || d.Across.Start() == nil) {
		t.Error("its comparison makes no state")
	}
}

func checkNames(t *testing.T, d *rule.Detector) {
	t.Helper()
	if !regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`).MatchString(d.Name) {
		t.Errorf("name %q", d.Name)
	}
	if d.Title == "" || strings.HasSuffix(d.Title, ".") {
		t.Errorf("title %q", d.Title)
	}
	if len(d.References) == 0 {
		t.Error("it names no source")
	}
}

// checkDoc wants the four parts in their order, each with something in it.
func checkDoc(t *testing.T, doc string) {
	t.Helper()
	parts := []string{"What happens", "How it is recognised", "How cost is counted",
		"When it is wrong"}
	rest := "\n\n" + doc
	for i, part := range parts {
		before, after, found := strings.Cut(rest, "\n\n"+part+"\n")
		if !found || strings.Contains(after, "\n\n"+part+"\n") {
			t.Errorf("part %q is not there once, behind the others", part)
			return
		}
		if empty := strings.TrimSpace(before) == ""; empty != (i == 0) {
			t.Errorf("what stands before part %q: %q", part, before)
		}
		rest = after
	}
	if strings.TrimSpace(rest) == "" {
		t.Errorf("the last part is empty")
	}
}

func checkCauses(t *testing.T, d *rule.Detector) {
	t.Helper()
	if len(d.Causes) == 0 {
		t.Error("it has no cause")
	}
	codes := map[string]bool{}
	for _, c := range d.Causes {
		if codes[c.Code] {
			t.Errorf("two causes have the code %q", c.Code)
		}
		codes[c.Code] = true
		if d == judge.CaptureQuality {
			continue // the caveat is the message
		}
		if !strings.HasSuffix(c.Message, ".") {
			t.Errorf("cause %q: message %q is no sentence", c.Code, c.Message)
		}
		if len(c.Remedies) == 0 {
			t.Errorf("cause %q: no remedy", c.Code)
		}
	}
	for from, to := range d.Joins {
		if !codes[from] || !codes[to] || from == to {
			t.Errorf("occurrences of %q join those of %q", from, to)
		}
	}
}

// verbs are the places that words may have for numbers; the numbers that they take.
var verbs = regexp.MustCompile(`^(n|id|octets|ms|s|mbit|side|conn|exchange|n [^|]+(\|[^|]+)?)$`)

// checkWords: the places of words are known, and a Said has a number for each.
func checkWords(t *testing.T, vocabulary []rule.Words) {
	t.Helper()
	for i, w := range vocabulary {
		if (w.Text == "") != (i == 0) || i == 0 && w.Role != "" {
			t.Errorf("words %d: %+v", i, w)
		}
		numbers, texts := 0, 0
		for _, place := range regexp.MustCompile(`\{[^}]*\}?`).FindAllString(w.Text, -1) {
			verb := strings.Trim(place, "{}")
			switch {
			case verb == "text":
				texts++
			case verbs.MatchString(verb):
				numbers++
			default:
				t.Errorf("words %d: nothing is known of the place %s", i, place)
			}
		}
		if texts > 1 || numbers > len(rule.Said{}.N) {
			t.Errorf("words %d have places for %d numbers and %d texts", i, numbers, texts)
		}
	}
}
