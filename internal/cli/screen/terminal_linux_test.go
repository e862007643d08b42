package screen

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"tcpwhy/internal/ptytest"
)

// helper says that this process is the program of a test.
const helper = "TCPWHY_SCREEN_HELPER"

func TestMain(m *testing.M) {
	if how := os.Getenv(helper); how != "" {
		os.Exit(help(how))
	}
	os.Exit(m.Run())
}

// clumsy is a picture that fails as it is told.
type clumsy struct {
	how  string
	gone chan struct{}
}

func (c *clumsy) Draw(int, int) []Line {
	if c.how == "draw" {
		panic("cannot draw")
	}
	return []Line{{"a picture", ""}}
}

func (c *clumsy) Key(string) bool {
	if c.how == "key" {
		panic("cannot take a key")
	}
	return false
}
func (c *clumsy) Quit() {}
func (c *clumsy) Failed(why any) {
	fmt.Fprintln(os.Stderr, "failed:", why)
	close(c.gone)
}

// help is the program: it shows a picture until that fails, or it fails itself.
func help(how string) int {
	c := &clumsy{how, make(chan struct{})}
	s, err := Open(os.Stderr, c)
	if err != nil {
		return 3
	}
	defer s.Close()
	fmt.Fprintln(s, "held back")
	if how == "caller" {
		time.Sleep(200 * time.Millisecond)
		panic("the caller fails")
	}
	select {
	case <-c.gone:
	case <-time.After(20 * time.Second):
	}
	return 0
}

// TestPanics: whoever panics, the terminal is as it was before, and what was held back is there.
func TestPanics(t *testing.T) {
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for how, want := range map[string]string{
		"draw": "failed: cannot draw", "key": "failed: cannot take a key", "caller": "panic: the caller fails",
	} {
		t.Run(how, func(t *testing.T) {
			t.Setenv(helper, how)
			term := ptytest.Start(t, exec.Command(own), 80, 24)
			if how == "key" {
				term.Await(0, "a picture")
				term.Type("x")
			}
			text, _ := term.Wait()
			behind := text[max(0, strings.LastIndex(text, "\x1b[?1049l")):]
			if strings.Count(text, enter) != 1 || strings.Count(text, leave) != 1 ||
				!strings.Contains(behind, want) || !strings.Contains(behind, "held back") || term.Settings() != term.Before {
				t.Errorf("it wrote %q", text)
			}
		})
	}
}
