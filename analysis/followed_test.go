package analysis

import (
	"reflect"
	"testing"

	"tcpwhy/analysis/internal/plain"
	"tcpwhy/capture"
)

// TestFollowedIsPlain: what followers tell can be written down.
func TestFollowedIsPlain(t *testing.T) {
	if _, err := plain.Shape(reflect.TypeFor[following]()); err != nil {
		t.Error(err)
	}
}

// TestFollowedThenJudged: to follow and to judge apart, with what was followed written and read
// between, is to analyse.
func TestFollowedThenJudged(t *testing.T) {
	for _, file := range []string{aPart, another,
		"../testdata/pcaps/connection-refused-restart-rtt50/capture.pcap"} {
		open := func() capture.Source {
			src, err := capture.Open(capture.Config{Inputs: []string{file}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = src.Close() })
			return src
		}
		want, err := Run(t.Context(), open())
		if err != nil {
			t.Fatal(err)
		}
		f, err := Follow(t.Context(), open())
		if err != nil {
			t.Fatal(err)
		}
		octets, err := f.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		var again Followed
		if err := again.UnmarshalBinary(octets); err != nil {
			t.Fatal(err)
		}
		got, err := Judge(want.Capture, []*Followed{&again})
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v\nwant %+v", file, got, want)
		}
		var bad Followed
		if err := bad.UnmarshalBinary(octets[:len(octets)-1]); err != ErrDamaged {
			t.Errorf("cut: %v", err)
		}
		if _, err := Follow(t.Context(), open(), WithPartial(&Partial{}, PartBy{})); err == nil {
			t.Error("a part of what is only followed")
		}
	}
	if r, err := Judge(&capture.Stats{}, nil); err != nil || len(r.Findings) > 1 {
		t.Errorf("of nothing: %v, %v", err, r)
	}
}
