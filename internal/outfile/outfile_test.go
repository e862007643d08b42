package outfile

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	_ "tcpwhy/internal/golden" // for -update
)

// place is a file in a folder of its own, and what is beside it.
func place(t *testing.T) (name string) {
	t.Helper()
	return filepath.Join(t.TempDir(), "report")
}

// holds checks what a file holds and, where there are modes, that only its owner may read it.
func holds(t *testing.T, name, want string, mode fs.FileMode) {
	t.Helper()
	got, err := os.ReadFile(name)
	if err != nil || string(got) != want {
		t.Errorf("%s holds %q (%v), want %q", filepath.Base(name), got, err, want)
	}
	info, err := os.Lstat(name)
	if err == nil && runtime.GOOS != "windows" && info.Mode() != mode {
		t.Errorf("%s is %v, want %v", filepath.Base(name), info.Mode(), mode)
	}
}

func put(t *testing.T, name, text string, mode fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// create is Create, and writes "new".
func create(name string, overwrite bool) error {
	f, err := Create(name, overwrite)
	if err != nil {
		return err
	}
	_, err = f.WriteString("new")
	return errors.Join(err, f.Close())
}

func replace(name string) error {
	return Replace(name, func(w io.Writer) error { _, err := io.WriteString(w, "new"); return err })
}

// ways are all ways to write a file that may exist.
var ways = map[string]func(name string) error{
	"overwrite": func(name string) error { return create(name, true) },
	"replace":   replace,
}

func TestCreate(t *testing.T) {
	name := place(t)
	if err := create(name, false); err != nil {
		t.Fatal(err)
	}
	holds(t, name, "new", 0o600)
	put(t, name, "old", 0)
	if err := create(name, false); !errors.Is(err, Exists) || !errors.Is(err, fs.ErrExist) {
		t.Errorf("a file that exists: %v", err)
	}
	holds(t, name, "old", 0o600)
}

// TestExisting: a file that exists is replaced by one that only its owner reads, and whoever has it
// under another name, or open, keeps what it was.
func TestExisting(t *testing.T) {
	for way, write := range ways {
		t.Run(way, func(t *testing.T) {
			name := place(t)
			put(t, name, "old", 0o644)
			if err := os.Link(name, name+"-planted"); err != nil {
				t.Skip(err)
			}
			if err := Check(name); err != nil {
				t.Error(err)
			}
			if err := write(name); err != nil {
				t.Fatal(err)
			}
			holds(t, name, "new", 0o600)
			holds(t, name+"-planted", "old", 0o644)
			if all, _ := os.ReadDir(filepath.Dir(name)); len(all) != 2 {
				t.Errorf("left behind: %v", all)
			}
		})
	}
}

// TestLinks: nothing is written through a link, be it to a file, to none, or to a device.
func TestLinks(t *testing.T) {
	ways := maps.Clone(ways)
	ways["create"] = func(name string) error { return create(name, false) }
	ways["check"] = Check
	for way, write := range ways {
		for what, target := range map[string]string{"file": "secret", "none": "none", "device": "/dev/null"} {
			t.Run(way+"-"+what, func(t *testing.T) {
				name := place(t)
				secret := filepath.Join(filepath.Dir(name), "secret")
				put(t, secret, "old", 0o600)
				if err := os.Symlink(target, name); err != nil {
					t.Skip(err)
				}
				if err := write(name); !errors.Is(err, link) || errors.Is(err, Exists) {
					t.Errorf("error %v", err)
				}
				holds(t, secret, "old", 0o600)
				if all, _ := os.ReadDir(filepath.Dir(name)); len(all) != 2 {
					t.Errorf("left behind: %v", all)
				}
			})
		}
	}
}

// TestFailed: what was there stays if writing fails, and nothing beside it.
func TestFailed(t *testing.T) {
	name := place(t)
	put(t, name, "old", 0o600)
	broken := errors.New("broken")
	err := Replace(name, func(io.Writer) error { return broken })
	if !errors.Is(err, broken) || err.Error() != "write "+name+": broken" {
		t.Errorf("error %v", err)
	}
	holds(t, name, "old", 0o600)
	if all, _ := os.ReadDir(filepath.Dir(name)); len(all) != 1 {
		t.Errorf("left behind: %v", all)
	}
	for _, wrong := range []string{filepath.Dir(name), filepath.Join(name, "below"), filepath.Join(filepath.Dir(name), "no", "folder")} {
		for way, write := range ways {
			if err := write(wrong); err == nil {
				t.Errorf("%s %s: no error", way, wrong)
			}
		}
		if err := Check(wrong); err == nil {
			t.Errorf("check %s: no error", wrong)
		}
	}
}
