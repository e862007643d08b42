//go:build unix

package outfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"testing"
)

// TestPipes: a pipe of this user's is written to, one of a stranger's is not.
func TestPipes(t *testing.T) {
	for way, write := range ways {
		t.Run(way, func(t *testing.T) {
			name := place(t)
			if err := syscall.Mkfifo(name, 0o666); err != nil {
				t.Skip(err)
			}
			if err := Check(name); err != nil {
				t.Error(err)
			}
			read := make(chan string)
			go func() {
				text, err := os.ReadFile(name)
				read <- fmt.Sprint(string(text), err)
			}()
			if err := write(name); err != nil {
				t.Fatal(err)
			}
			if got := <-read; got != "new<nil>" {
				t.Errorf("read %q", got)
			}
			if os.Getuid() != 0 {
				return // only root gives a pipe away
			}
			if err := os.Chown(name, 65534, 65534); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(write(name), Check(name)); !errors.Is(err, foreign) {
				t.Errorf("a stranger's: %v", err)
			}
		})
	}
}

// TestDescriptors: names of this program's own descriptors go where these go, behind what is there.
func TestDescriptors(t *testing.T) {
	file, err := os.Create(place(t))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	io.WriteString(file, "old,")
	for _, dir := range []string{"/dev/fd/", "/dev//fd/", "/proc/self/fd/"} {
		name := fmt.Sprint(dir, file.Fd())
		if err := errors.Join(create(name, false), replace(name), Check(name)); err != nil {
			t.Error(err)
		}
	}
	if got, err := os.ReadFile(file.Name()); string(got) != "old,newnewnewnewnewnew" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := Create("/dev/fd/987", false); err == nil {
		t.Error("no error for a descriptor that is not open")
	}
	if fd, own := descriptor("/dev/fd/x"); own {
		t.Errorf("descriptor %d", fd)
	}
	if err := replace("/dev/null"); err != nil {
		t.Error(err)
	}
}
