package pcapio

import (
	"os"
	"path/filepath"
	"testing"

	"tcpwhy/capture/internal/frame"
)

// TestSeriesRotates writes more than fits, and reads what is left.
func TestSeriesRotates(t *testing.T) {
	dir := t.TempDir()
	s, err := NewSeries(filepath.Join(dir, "trace.pcapng"), 1000, 2)
	if err == nil {
		err = s.Begin("eth0", 1, 0)
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
	if _, err := NewSeries(filepath.Join(t.TempDir(), "no", "such.pcapng"), 0, 0); err == nil {
		t.Error("no error for a folder that is not there")
	}
}
