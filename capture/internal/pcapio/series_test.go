package pcapio

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"tcpwhy/capture/internal/frame"
)

// TestSeriesRotates writes more than fits, and reads what is left.
func TestSeriesRotates(t *testing.T) {
	dir := t.TempDir()
	s, err := NewSeries(filepath.Join(dir, "trace.pcapng"), 1000, 2, false)
	if err == nil {
		err = s.Begin([]string{"eth0"}, 1, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		if i == 6 { // somebody clears up
			if err := os.Remove(s.kept[0]); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Write(&frame.Frame{Time: fileEpoch + int64(i), Data: make([]byte, 300), OrigLen: 300}, ""); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.WriteDrops(fileEpoch, 5); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(names) != 2 || filepath.Base(names[0]) != "trace-00004.pcapng" || filepath.Base(names[1]) != "trace-00005.pcapng" {
		t.Fatalf("files %v, %v", names, err)
	}
	frames, drops := 0, uint64(0)
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		got, stats := readOctets(t, data)
		frames += len(got)
		drops += stats.drops
	}
	if frames != 4 || drops != 5 {
		t.Errorf("%d frames and %d drops, want 4 and 5", frames, drops)
	}
}

func TestSeriesTells(t *testing.T) {
	if _, err := NewSeries(filepath.Join(t.TempDir(), "no", "such.pcapng"), 0, 0, false); err == nil {
		t.Error("no error for a folder that is not there")
	}
}

// TestSeriesPasses: files that exist are passed over, links too, and replaced if that is wanted.
func TestSeriesPasses(t *testing.T) {
	for _, replace := range []bool{false, true} {
		dir := t.TempDir()
		for _, name := range []string{"trace-00001.pcapng", "trace-00003.pcapng", "other"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte("old"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Symlink("other", filepath.Join(dir, "trace-00002.pcapng")); err != nil {
			t.Skip(err)
		}
		s, err := NewSeries(filepath.Join(dir, "trace.pcapng"), 1000, 0, replace)
		if err == nil {
			err = s.Begin([]string{"eth0"}, 1, 0)
		}
		for i := 0; i < 6 && err == nil; i++ { // two files
			err = s.Write(&frame.Frame{Time: fileEpoch, Data: make([]byte, 300), OrigLen: 300}, "")
		}
		if err = errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
		want := []string{"other", "trace-00001.pcapng", "trace-00003.pcapng"}
		if replace {
			want = []string{"other"}
		}
		var old []string
		all, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range all {
			if data, err := os.ReadFile(filepath.Join(dir, f.Name())); err == nil && string(data) == "old" && f.Type() == 0 {
				old = append(old, f.Name())
			}
		}
		if !slices.Equal(old, want) {
			t.Errorf("replace %v: still old are %v, want %v", replace, old, want)
		}
	}
}
