package capture

import (
	"reflect"
	"testing"
	"time"
)

// TestJoined: the account of two parts counts what both do, has a gap where neither has a frame, and
// its inputs in the order of their first frames.
func TestJoined(t *testing.T) {
	const h = time.Hour
	start := time.Unix(0, 0).UTC()
	a := &Stats{
		Start: start, End: 9 * h, Frames: 3, Gaps: []Gap{{h, 4 * h}, {5 * h, 9 * h}},
		Inputs:  []Input{{Name: "x", First: 2, Frames: 3, Comments: []string{"no"}}},
		Tunnels: map[string]uint64{"gre": 1}, FirstSet: NewFrameID(0, 2),
	}
	b := &Stats{
		Start: start, End: 6 * h, Frames: 5, Gaps: []Gap{{2 * h, 5*h + time.Minute}},
		Inputs: []Input{{Name: "c", First: 3, Frames: 1}, {Name: "y", First: 1, Frames: 4}}, FirstSet: NewFrameID(1, 9),
	}
	got, places := Joined(a, b)
	want := &Stats{
		Start: start, End: 9 * h, Frames: 8, Gaps: []Gap{{2 * h, 4 * h}, {6 * h, 9 * h}},
		Inputs: []Input{
			{Name: "y", First: 1, Frames: 4}, {Name: "x", First: 2, Frames: 3},
			{Name: "c", First: 3, Frames: 1},
		},
		Tunnels: map[string]uint64{"gre": 1}, FirstSet: NewFrameID(0, 9),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
	if placed := [2][]int{{1}, {2, 0}}; !reflect.DeepEqual(places, placed) {
		t.Errorf("places %v, want %v", places, placed)
	}
	if other, _ := Joined(b, a); !reflect.DeepEqual(other, want) {
		t.Errorf("the other way %+v\nwant %+v", other, want)
	}
	same := Input{Name: "x", Frames: 2, Octets: 100, First: 1, Latest: 7}
	again := same
	again.Name = "y"
	if !same.Same(&again) || same.Same(&Input{Name: "x"}) || (&Input{}).Same(&Input{}) {
		t.Error("recordings are told apart by their frames")
	}
}
