package text

import (
	"bytes"
	"testing"

	"tcpwhy/output/internal/sample"
	"tcpwhy/output/page"
)

func TestExplain(t *testing.T) {
	var b bytes.Buffer
	if err := Explain(&b, sample.Rule(), page.Options{}); err != nil {
		t.Fatal(err)
	}
	want := `nagle: a title

WHAT HAPPENS
  One thing after another.

HOW IT IS RECOGNISED
  By <this> and ` + "`that_one`" + `.

  And more of it, in a long sentence that goes on, and on, and on until the line
  is full.

CAUSES AND FIXES
  request
  The client does it.
  client:  set TCP_NODELAY

REFERENCES
  RFC 896
`
	if b.String() != want {
		t.Errorf("explanation:\n%s\nwant:\n%s", b.String(), want)
	}
}
