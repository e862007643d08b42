package cli

import "testing"

func TestNearest(t *testing.T) {
	names := []string{"nagle", "nagle-delayed-ack", "slow-start", "reset-after-data"}
	tests := []struct{ typed, want string }{
		{"nagel", "nagle"}, {"slowstart", "slow-start"}, {"delayed-ack", "nagle-delayed-ack"},
		{"reset", "reset-after-data"}, {"nagle-delayedack", "nagle-delayed-ack"}, {"coffee", ""}, {"", ""},
		{"nda", "nagle-delayed-ack"}, {"ns", ""},
	}
	for _, tt := range tests {
		if got := nearest(tt.typed, names); got != tt.want {
			t.Errorf("nearest(%q) = %q, want %q", tt.typed, got, tt.want)
		}
	}
}
