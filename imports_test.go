package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// chain are the program's packages: each imports only those after it.
var chain = []string{"tcpwhy", "tcpwhy/output", "tcpwhy/analysis", "tcpwhy/reassembly", "tcpwhy/capture"}

// onlyIn says which one package of the program may import a library; "" means that only tests may.
var onlyIn = map[string]string{
	"github.com/google/gopacket":      "tcpwhy/capture",
	"github.com/klauspost/compress":   "tcpwhy/capture",
	"github.com/pierrec/lz4":          "tcpwhy/capture",
	"github.com/ulikunitz/xz":         "tcpwhy/capture",
	"github.com/spf13/pflag":          "tcpwhy",
	"golang.org/x/term":               "tcpwhy",
	"encoding/json":                   "tcpwhy/output",
	"github.com/google/go-cmp":        "",
	"github.com/google/jsonschema-go": "",
	"github.com/rogpeppe/go-internal": "",
	"net/http":                        "",
	"pgregory.net/rapid":              "",
}

// TestImports keeps the direction of imports, and libraries where they belong.
func TestImports(t *testing.T) {
	for file, imports := range importsByFile(t) {
		pkg := packageOf(file)
		place := slices.Index(chain, chainPackage(pkg))
		if place < 0 {
			continue // a tool beside the program
		}
		for _, path := range imports {
			if other := slices.Index(chain, chainPackage(path)); other >= 0 && (other < place || other == place && path == "tcpwhy") {
				t.Errorf("%s imports %s, which stands before it in %s", file, path, strings.Join(chain, " -> "))
			}
			for library, home := range onlyIn {
				if (path == library || strings.HasPrefix(path, library+"/")) && chainPackage(pkg) != home && pkg != home {
					t.Errorf("%s imports %s, which belongs in %q", file, path, home)
				}
			}
		}
		if file != "main.go" && slices.Contains(imports, "github.com/spf13/pflag") {
			t.Errorf("%s reads flags; main.go does", file)
		}
	}
}

// importsByFile are the imports of every Go file that is no test.
func importsByFile(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		paths := []string{}
		for _, spec := range file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			paths = append(paths, name)
		}
		all[filepath.ToSlash(path)] = paths
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < len(chain) {
		t.Fatalf("found only %d files", len(all))
	}
	return all
}

// packageOf is the import path of the package that a file belongs to.
func packageOf(file string) string {
	if i := strings.LastIndexByte(file, '/'); i >= 0 {
		return "tcpwhy/" + file[:i]
	}
	return "tcpwhy"
}

// chainPackage is the element of the chain that a package is or lies below; "" if none.
func chainPackage(path string) string {
	for _, element := range chain[1:] {
		if path == element || strings.HasPrefix(path, element+"/") {
			return element
		}
	}
	if path == "tcpwhy" {
		return path
	}
	return ""
}
