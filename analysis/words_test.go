package analysis

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tcpwhy/analysis/internal/rule"
)

// TestWords holds what the rooms of the rules, and the judge, say against their vocabularies: each
// number has words and all words are used; whoever says something gives as many numbers as the
// words have places, and a text where they have one for it; what is said of a frame has a role.
func TestWords(t *testing.T) {
	rooms, err := filepath.Glob("internal/rules/*/words.go")
	if err != nil || len(rooms) < 2 {
		t.Fatalf("rooms with words: %v, %v", rooms, err)
	}
	for _, file := range append(rooms, "internal/judge/words.go") {
		dir := filepath.Dir(file)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			r := readRoom(t, dir)
			for name, w := range r.words {
				if !r.numbers[name] {
					t.Errorf("%s has words, and is no constant", name)
				}
				if w.text == "" || strings.TrimSpace(w.text) != w.text || !w.known() {
					t.Errorf("%s says %q", name, w.text)
				}
			}
			r.checkCalls(t)
			r.checkGroups(t)
			for name := range r.numbers {
				if _, has := r.words[name]; !has {
					t.Errorf("%s has no words", name)
				}
				if !r.used[name] {
					t.Errorf("nothing says %s", name)
				}
			}
		})
	}
}

// TestVocabularies finds the words of each rule where its claims are printed.
func TestVocabularies(t *testing.T) {
	for _, d := range detectors() {
		if len(d.Vocabulary) == 0 && d.Name != "capture-quality" {
			t.Errorf("%s has no vocabulary", d.Name)
		}
		for i := range d.Vocabulary {
			checkFactsOf(t, d.Name, &d.Vocabulary[i])
		}
		for i, w := range d.Vocabulary {
			if empty := w.Text == ""; empty != (i == 0) {
				t.Errorf("%s: entry %d of the vocabulary says %q", d.Name, i, w.Text)
			}
		}
	}
}

// checkFactsOf holds the facts of words against their places: a fact with a number has a place.
func checkFactsOf(t *testing.T, name string, w *rule.Words) {
	places, numbered := strings.Count(w.Text, "{")-strings.Count(w.Text, "{text}"), 0
	for _, f := range w.Facts {
		if f.Numbered() {
			numbered++
		}
	}
	if numbered > places {
		t.Errorf("%s: %q has %d places, and facts with %d numbers", name, w.Text, places, numbered)
	}
}

// room is the source of one package that says something.
type room struct {
	fset    *token.FileSet
	files   []*ast.File
	numbers map[string]bool   // constants that name words
	group   map[string]int    // of numbers that one rule's vocabulary alone has: which; 0: all have
	words   map[string]phrase // the vocabularies, by constant
	used    map[string]bool
	lists   map[string][]string // constants in the value of a variable of the package
}

// phrase is an entry of a vocabulary.
type phrase struct{ role, text string }

// known reports whether all places are of a kind that rule.Words lists.
func (p phrase) known() bool {
	for _, part := range strings.Split(p.text, "{")[1:] {
		verb, _, closed := strings.Cut(part, "}")
		switch {
		case !closed:
			return false
		case strings.HasPrefix(verb, "n "):
		case !slices.Contains(strings.Fields("n id side octets ms s mbit conn exchange text"), verb):
			return false
		}
	}
	return true
}

// places counts those for numbers, and reports whether there is one for a text.
func (p phrase) places() (numbers int, text bool) {
	for _, part := range strings.Split(p.text, "{")[1:] {
		if strings.HasPrefix(part, "text}") {
			text = true
		} else {
			numbers++
		}
	}
	return numbers, text
}

// readRoom parses a package and its vocabulary.
func readRoom(t *testing.T, dir string) *room {
	r := &room{
		fset:    token.NewFileSet(),
		numbers: map[string]bool{},
		group:   map[string]int{},
		words:   map[string]phrase{},
		used:    map[string]bool{},
		lists:   map[string][]string{},
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(r.fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		r.files = append(r.files, f)
		r.readConstants(f)
	}
	for _, f := range r.files {
		r.readVariables(f)
		r.readVocabularies(f)
	}
	return r
}

// readConstants takes the constants of the file that are numbers of words: those of a rule's own
// begin with ownWords, others with their type.
func (r *room) readConstants(f *ast.File) {
	for _, d := range f.Decls {
		decl, ok := d.(*ast.GenDecl)
		if !ok || decl.Tok != token.CONST || len(decl.Specs) == 0 {
			continue
		}
		first := decl.Specs[0].(*ast.ValueSpec)
		own := len(first.Values) == 1 && mentions(first.Values[0], ownWords)
		if !own && !mentions(first, "WordsID") && !mentions(first, "JudgeWords") {
			continue
		}
		for _, spec := range decl.Specs {
			for _, name := range spec.(*ast.ValueSpec).Names {
				if name.Name != "_" && name.Name != ownWords {
					r.numbers[name.Name] = true
				}
				if own {
					r.group[name.Name] = int(decl.Pos())
				}
			}
		}
	}
}

// ownWords is the constant with which the numbers of a rule's own words begin.
const ownWords = "ownWords"

// mentions reports whether a name stands in a piece of source.
func mentions(n ast.Node, name string) (found bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		found = found || ok && id.Name == name
		return true
	})
	return found
}

// readVariables notes which constants stand in variables that are no vocabulary.
func (r *room) readVariables(f *ast.File) {
	for _, d := range f.Decls {
		decl, ok := d.(*ast.GenDecl)
		if !ok || decl.Tok != token.VAR {
			continue
		}
		for _, spec := range decl.Specs {
			v := spec.(*ast.ValueSpec)
			for i, value := range v.Values {
				r.lists[v.Names[i].Name] = r.mentioned(value)
			}
		}
	}
}

// readVocabularies reads all lists of words in the file.
func (r *room) readVocabularies(f *ast.File) {
	ast.Inspect(f, func(n ast.Node) bool {
		lit, ok := n.(*ast.CompositeLit)
		if !ok {
			return true
		}
		if list, ok := lit.Type.(*ast.ArrayType); ok && mentions(list.Elt, "Words") {
			r.readWords(lit)
			return false
		}
		return true
	})
}

// checkGroups holds that no file says words of several rules: each has those of its own alone.
func (r *room) checkGroups(t *testing.T) {
	for _, f := range r.files {
		groups := map[int]string{}
		for _, name := range r.mentioned(f) {
			if g := r.group[name]; g > 0 {
				groups[g] = name
			}
		}
		if len(groups) > 1 {
			t.Errorf("%s says words of several rules: %v", r.fset.Position(f.Pos()), groups)
		}
	}
}

// readWords reads a vocabulary.
func (r *room) readWords(all *ast.CompositeLit) {
	for _, e := range all.Elts {
		entry := e.(*ast.KeyValueExpr)
		var p phrase
		for _, f := range entry.Value.(*ast.CompositeLit).Elts {
			switch field := f.(*ast.KeyValueExpr); field.Key.(*ast.Ident).Name {
			case "Role":
				p.role = literal(field.Value)
			case "Text":
				p.text = literal(field.Value)
			}
		}
		for _, name := range r.mentioned(entry.Key) {
			r.words[name] = p
		}
	}
}

// literal is the value of a string that may be written in parts.
func literal(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, _ := strconv.Unquote(e.Value)
		return s
	case *ast.BinaryExpr:
		return literal(e.X) + literal(e.Y)
	}
	return ""
}

// mentioned are the names of words in a piece of source.
func (r *room) mentioned(n ast.Node) []string {
	var out []string
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && r.numbers[id.Name] {
			out = append(out, id.Name)
		}
		return true
	})
	return out
}

// checkCalls looks at everything that is said.
func (r *room) checkCalls(t *testing.T) {
	for _, f := range r.files {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			texts := map[ast.Node]bool{} // calls whose result is given a text
			ast.Inspect(fn, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				sel, ok := call.Fun.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				switch pkg, _ := sel.X.(*ast.Ident); {
				case sel.Sel.Name == "With":
					texts[sel.X] = true
				case pkg == nil || pkg.Name != "rule":
				case sel.Sel.Name == "Say":
					r.checkCall(t, fn, call, 0, texts[call])
				case sel.Sel.Name == "Shows":
					r.checkCall(t, fn, call, 2, texts[call])
				}
				return true
			})
		}
	}
}

// checkCall looks at one call, of which an argument names the words.
func (r *room) checkCall(t *testing.T, fn *ast.FuncDecl, call *ast.CallExpr, arg int, text bool) {
	at := r.fset.Position(call.Pos())
	given := len(call.Args) - arg - 1
	names := r.possible(fn, call.Args[arg])
	if len(names) == 0 {
		t.Errorf("%s: nothing tells which words", at)
	}
	for _, name := range names {
		r.used[name] = true
		w := r.words[name]
		numbers, takesText := w.places()
		if numbers != given || call.Ellipsis.IsValid() {
			t.Errorf("%s: %d numbers for %s, which says %q", at, given, name, w.text)
		}
		if takesText != text {
			t.Errorf("%s: a text is given: %t; %s says %q", at, text, name, w.text)
		}
		if frame := arg > 0; frame && w.role == "" {
			t.Errorf("%s: %s says %q of a frame, and has no role", at, name, w.text)
		}
	}
}

// possible are the words that an expression may name: a constant, one of a list of the package, one
// that a function is given to choose from, or what a variable of the function is given anywhere.
func (r *room) possible(fn *ast.FuncDecl, e ast.Expr) []string {
	switch e := e.(type) {
	case *ast.IndexExpr:
		return r.lists[fmt.Sprint(e.X)]
	case *ast.CallExpr:
		return r.mentioned(e)
	case *ast.Ident:
		if r.numbers[e.Name] {
			return []string{e.Name}
		}
		return r.assigned(fn, e.Name)
	}
	return nil
}

// assigned are the words that a variable of the function is given.
func (r *room) assigned(fn *ast.FuncDecl, variable string) []string {
	var out []string
	ast.Inspect(fn, func(n ast.Node) bool {
		a, ok := n.(*ast.AssignStmt)
		if !ok || len(a.Lhs) != len(a.Rhs) {
			return true
		}
		for i, left := range a.Lhs {
			if id, ok := left.(*ast.Ident); ok && id.Name == variable {
				out = append(out, r.possible(fn, a.Rhs[i])...)
			}
		}
		return true
	})
	return out
}
