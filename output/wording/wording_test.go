package wording

import (
	"strings"
	"testing"
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

func TestDuration(t *testing.T) {
	tests := []struct {
		d    time.Duration
		want string
	}{
		{0, "0 ms"}, {1, "<0.001 ms"}, {4200, "0.004 ms"}, {40 * time.Microsecond, "0.040 ms"},
		{4213 * time.Microsecond, "4.21 ms"}, {9999 * time.Microsecond, "10.0 ms"},
		{99949 * time.Microsecond, "99.9 ms"}, {99951 * time.Microsecond, "100 ms"},
		{999600 * time.Microsecond, "1.00 s"}, {9996 * time.Millisecond, "10.0 s"},
		{90 * time.Second, "90.0 s"}, {125 * time.Second, "2 min 5 s"},
		{3*time.Hour + 4*time.Minute, "3 h 4 min"},
	}
	for _, tt := range tests {
		if got := strings.ReplaceAll(Duration(tt.d), NoBreak, " "); got != tt.want {
			t.Errorf("Duration(%v) = %q, want %q", tt.d, got, tt.want)
		}
	}
}

// TestFlags: every set of flags is read back from its letters.
func TestFlags(t *testing.T) {
	for f := range capture.TCPFlags(1<<8 - 1) {
		if got, ok := ParseFlags(Flags(f)); got != f || !ok {
			t.Errorf("%q is read as %#x, %v, want %#x", Flags(f), got, ok, f)
		}
	}
	if got := Flags(capture.SYN | capture.ACK); got != "S." {
		t.Errorf("SYN-ACK is %q", got)
	}
	for _, letters := range []string{"", "X", "SX", ".S", "S-"} {
		if _, ok := ParseFlags(letters); ok {
			t.Errorf("%q is read as flags", letters)
		}
	}
}

func TestTraits(t *testing.T) {
	names := Traits(reassembly.Full | reassembly.Hole | reassembly.Advances)
	if got := strings.Join(names, " "); got != "full behind-a-hole" {
		t.Errorf("traits are %s", got)
	}
	for _, name := range names {
		if _, ok := ParseTrait(name); !ok {
			t.Errorf("%q is not read back", name)
		}
	}
	if _, ok := ParseTrait("coffee"); ok {
		t.Error("coffee is read as a trait")
	}
}
