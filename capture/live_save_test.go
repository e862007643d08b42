package capture

import (
	"os"
	"path/filepath"
	"testing"
)

// TestSaverRotates writes more than fits, and reads what is left.
func TestSaverRotates(t *testing.T) {
	dir := t.TempDir()
	s, err := NewSaver(SaveConfig{Name: filepath.Join(dir, "trace.pcapng"), FileSize: 1000, Files: 2})
	if err == nil {
		err = s.begin("eth0", 1, 0)
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
		if err := s.write(&rawFrame{Time: fileEpoch + int64(i), Data: make([]byte, 300), OrigLen: 300}, ""); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.drops(fileEpoch, 5); err != nil {
		t.Fatal(err)
	}
	if err := s.close(); err != nil {
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
		drops += stats.Inputs[0].KernelDrops
	}
	if frames != 4 || drops != 5 {
		t.Errorf("%d frames and %d drops, want 4 and 5", frames, drops)
	}
}

func TestSaverTells(t *testing.T) {
	if _, err := NewSaver(SaveConfig{Name: filepath.Join(t.TempDir(), "no", "such.pcapng")}); err == nil {
		t.Error("no error for a folder that is not there")
	}
}
