package golden

import "testing"

func TestDifference(t *testing.T) {
	for _, tt := range []struct {
		got, want, g, w string
		line            int
	}{
		{"a\nb\n", "a\nc\n", "b\n", "c\n", 2},
		{"a\nb\nc\n", "a\n", "b\n", "", 2},
		{"a", "a\n", "a", "a\n", 1},
		{"", "a\n", "", "a\n", 1},
		{"a\n", "a\n", "", "", 0},
	} {
		line, g, w := difference([]byte(tt.got), []byte(tt.want))
		if line != tt.line || string(g) != tt.g || string(w) != tt.w {
			t.Errorf("%q and %q differ in line %d, %q and %q", tt.got, tt.want, line, g, w)
		}
	}
}
