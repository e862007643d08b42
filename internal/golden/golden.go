// Package golden compares what tests make with files of the repository. With -update the files are
// written anew instead:
//
//	go test ./... -update
//
// Tests of every package import this one, be it only for the flag: go test hands it to all of them.
package golden

import (
	"bytes"
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write golden files anew instead of comparing with them")

// shown is how many octets of a line a message quotes.
const shown = 200

// Update reports whether golden files are written anew. A test that writes files which others read
// does not run beside them then.
func Update() bool { return *update }

// File compares got with what the file holds, or writes it there.
func File(t testing.TB, file string, got []byte) {
	t.Helper()
	want, err := os.ReadFile(file)
	switch {
	case err == nil && bytes.Equal(got, want):
	case *update:
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Error(err)
		}
	case err != nil:
		t.Errorf("%v: run go test with -update, and read what it wrote", err)
	default:
		line, g, w := difference(got, want)
		t.Errorf("%s:%d: got %q, want %q; if that is right, run go test with -update",
			file, line, g, w)
	}
}

// difference is the first line that differs, and its number from 1. A line that is not there is
// empty.
func difference(got, want []byte) (line int, g, w []byte) {
	gotLines := bytes.SplitAfter(got, []byte("\n"))
	wantLines := bytes.SplitAfter(want, []byte("\n"))
	for i := range max(len(gotLines), len(wantLines)) {
		g, w = nil, nil
		if i < len(gotLines) {
			g = gotLines[i]
		}
		if i < len(wantLines) {
			w = wantLines[i]
		}
		if !bytes.Equal(g, w) {
			return i + 1, g[:min(len(g), shown)], w[:min(len(w), shown)]
		}
	}
	return 0, nil, nil
}
