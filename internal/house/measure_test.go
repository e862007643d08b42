package house

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"
	"unicode/utf8"
)

// measures are all figures of a package.
func (p *checkedPackage) measures() []measure {
	all := []measure{
		{p.name + ": files that depend on each other", float64(p.entangled()), mostEntangled},
		{p.name + ": percent of wide lines", p.wideShare(), mostWide},
	}
	for name, n := range p.fields() {
		all = append(all, measure{p.name + ": fields of " + name, float64(n), mostFields})
	}
	return all
}

// entangled is how many files the largest set has that all depend on each other.
func (p *checkedPackage) entangled() int {
	reaches := p.dependencies()
	for via := range reaches { // Warshall's transitive closure
		for from := range reaches {
			for to := range reaches {
				reaches[from][to] = reaches[from][to] || reaches[from][via] && reaches[via][to]
			}
		}
	}
	most := 0
	for a := range reaches {
		n := 0
		for b := range reaches {
			if a == b || reaches[a][b] && reaches[b][a] {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// dependencies says of each file and each other one whether it uses something that is declared
// there: a name of the package, a method or a field.
func (p *checkedPackage) dependencies() [][]bool {
	number := map[*token.File]int{}
	uses := make([][]bool, len(p.files))
	for i, file := range p.files {
		number[p.set.File(file.Pos())] = i
		uses[i] = make([]bool, len(p.files))
	}
	for name, object := range p.info.Uses {
		if object.Pkg() == p.types && outlivesFunctions(object) {
			uses[number[p.set.File(name.Pos())]][number[p.set.File(object.Pos())]] = true
		}
	}
	return uses
}

// outlivesFunctions reports whether an object is no local one.
func outlivesFunctions(o types.Object) bool {
	if v, ok := o.(*types.Var); ok && v.IsField() {
		return true
	}
	_, isFunc := o.(*types.Func) // methods are in no scope
	return isFunc || o.Parent() == o.Pkg().Scope()
}

// fields are the number of fields of each struct, an embedded one being one. Structs without a name
// of their own are called by where they are.
func (p *checkedPackage) fields() map[string]int {
	count := map[string]int{}
	named := map[*ast.StructType]string{}
	for _, file := range p.files {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.TypeSpec:
				if s, ok := n.Type.(*ast.StructType); ok {
					named[s] = n.Name.Name
				}
			case *ast.StructType:
				name := named[n]
				if name == "" {
					name = p.set.Position(n.Pos()).String()
				}
				count[name] = max(count[name], n.Fields.NumFields())
			}
			return true
		})
	}
	return count
}

// wideShare is the percentage of lines that are too wide.
func (p *checkedPackage) wideShare() float64 {
	lines, tooWide := 0, 0
	for _, text := range p.texts {
		for line := range strings.Lines(text) {
			lines++
			line = strings.TrimSuffix(line, "\n")
			if utf8.RuneCountInString(line)+(tab-1)*strings.Count(line, "\t") > wide {
				tooWide++
			}
		}
	}
	return 100 * float64(tooWide) / float64(max(lines, 1))
}
