package cli

import (
	"strings"
	"testing"
)

// TestCaught: a panic while a report is written is an error with what helps, unless it is looked
// for.
func TestCaught(t *testing.T) {
	write := func(o *options) (err error) {
		defer o.caught(&err)
		panic("S3CRET")
	}
	err := write(&options{written: written{}, format: "html"})
	if err == nil || !strings.Contains(err.Error(), "--format html") ||
		strings.Contains(err.Error(), "S3CRET") ||
		!strings.Contains(hintOf(err), "--debug-panics") {
		t.Errorf("error %v, hint %q", err, hintOf(err))
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	_ = write(&options{panics: true})
}
