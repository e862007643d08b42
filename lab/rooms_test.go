package main

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rooms are the lab's packages below internal, with what each may import of the others. Nothing
// outside the lab can import them, and none imports anything of the program: they run it.
var rooms = map[string]string{
	"phrase":    "",
	"packet":    "",
	"world":     "packet phrase",
	"peer":      "phrase world",
	"own":       "peer",
	"program":   "own peer phrase world",
	"scenario":  "peer world",
	"catalog":   "own peer program scenario world",
	"recording": "packet peer scenario world",
	"score":     "own peer program recording scenario world",
	"publish":   "packet recording scenario world",
}

func TestRooms(t *testing.T) {
	const inside = "tcpwhy/lab/internal/"
	files, err := filepath.Glob("internal/*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		room := filepath.Base(filepath.Dir(name))
		allowed, known := rooms[room]
		if !known {
			t.Errorf("%s: %s is no room of the lab", name, room)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			other, ours := strings.CutPrefix(path, inside)
			switch {
			case ours && !slices.Contains(strings.Fields(allowed), other):
				t.Errorf("%s: %s must not import %s", name, room, other)
			case !ours && strings.HasPrefix(path, "tcpwhy"):
				t.Errorf("%s imports %s, which is not the lab's", name, path)
			}
		}
	}
}
