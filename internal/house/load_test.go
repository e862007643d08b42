package house

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// listedPackage is what go list says of a package.
type listedPackage struct {
	ImportPath, Dir           string
	Export                    string // the file from which the compiler imports it
	GoFiles                   []string
	TestGoFiles, XTestGoFiles []string
	TestImports, XTestImports []string
	Module                    *struct {
		Path string
		Main bool
	}
}

// modules are the folders of this repository's modules: the program, and the lab.
var modules = []string{"../..", "../../lab"}

// listPackages asks go list for the packages of a module.
func listPackages(t *testing.T, module string, flags ...string) []*listedPackage {
	t.Helper()
	list := exec.Command("go", append(append([]string{"list", "-json"}, flags...), "./...")...)
	list.Dir = module
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []*listedPackage
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listedPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, &p)
	}
}

// checkedPackage is a package of this repository, tests left out, whose names the type checker has
// resolved.
type checkedPackage struct {
	name  string // the path within the repository; of its root, that of the program
	set   *token.FileSet
	files []*ast.File
	texts []string // of the files
	types *types.Package
	info  types.Info
}

// checkedPackages are all packages of a module. What they import comes from the compiler's export
// data, so that only they are checked.
func checkedPackages(t *testing.T, module string) []*checkedPackage {
	t.Helper()
	listed := listPackages(t, module, "-deps", "-export")
	exports := map[string]string{}
	for _, p := range listed {
		exports[p.ImportPath] = p.Export
	}
	set := token.NewFileSet()
	imports := importer.ForCompiler(set, "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("no export data of %s", path)
		}
		return os.Open(exports[path])
	})
	var checked []*checkedPackage
	for _, p := range listed {
		if p.Module != nil && p.Module.Main && len(p.GoFiles) > 0 {
			checked = append(checked, check(t, p, set, imports))
		}
	}
	return checked
}

// check parses a package and resolves its names.
func check(
	t *testing.T, listed *listedPackage, set *token.FileSet, imports types.Importer,
) *checkedPackage {
	t.Helper()
	p := &checkedPackage{
		name: strings.TrimPrefix(listed.ImportPath, "tcpwhy/"),
		set:  set,
		info: types.Info{Uses: map[*ast.Ident]types.Object{}},
	}
	for _, name := range listed.GoFiles {
		text, err := os.ReadFile(filepath.Join(listed.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(set, name, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		p.files, p.texts = append(p.files, file), append(p.texts, string(text))
	}
	var err error
	config := types.Config{Importer: imports}
	if p.types, err = config.Check(listed.ImportPath, set, p.files, &p.info); err != nil {
		t.Fatal(err)
	}
	return p
}
