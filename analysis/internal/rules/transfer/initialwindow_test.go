package transfer

import "testing"

func TestScattered(t *testing.T) {
	tests := []struct {
		name    string
		windows []int64
		want    bool
	}{
		{"too few to tell", []int64{3, 10, 20}, false},
		{"the same each time", []int64{10, 10, 10, 10}, false},
		{"but for a segment", []int64{10, 9, 11, 10, 10}, false},
		{"half of them", []int64{10, 10, 3, 25}, false},
		{"as the application likes", []int64{3, 17, 9, 40, 25}, true},
	}
	for _, tt := range tests {
		if got := scattered(tt.windows); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
