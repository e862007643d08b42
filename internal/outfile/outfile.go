// Package outfile opens every file that the program writes. Captures and reports hold what people
// said over a network, and are often written as root into folders where others write too, so:
//
//   - only their owner may read them;
//   - no link is followed, wherever it leads: somebody else may have put it there. A file that has
//     several names (hard links) is never written into either: it is created, or replaced;
//   - a pipe is written to only if it is of root or of the user who runs the program.
//
// Links among the folders on the way are followed: who may plant one there owns the folder. Names
// of this program's own descriptors, such as /dev/stdout, are these descriptors.
package outfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// owners is the mode of every file created here: its owner reads and writes it.
const owners = 0o600

// taken is an error about a name under which there is something: errors.Is finds fs.ErrExist.
type taken string

// What may be in the way. Exists alone is what overwriting would help against.
const (
	Exists    = taken("it exists")
	link      = taken("it is a link, and links are not followed")
	directory = taken("it is a directory")
	foreign   = taken("it is a pipe of another user")
	changed   = taken("it was changed at this moment")
)

func (t taken) Error() string { return string(t) }

// Is makes errors.Is find fs.ErrExist.
func (taken) Is(target error) bool { return target == fs.ErrExist }

// Create creates a file to be written. If there is one of that name the error is Exists, or, with
// overwrite, that one is removed first: who has it open keeps it. Devices and pipes are opened as
// they are. Errors name what was to be written.
func Create(name string, overwrite bool) (*os.File, error) {
	special, err := look(name)
	if err != nil {
		return nil, about(name, err)
	}
	if special {
		return openSpecial(name)
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, owners)
	if overwrite && errors.Is(err, fs.ErrExist) {
		if err = os.Remove(name); err == nil {
			f, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, owners)
		}
	}
	if errors.Is(err, fs.ErrExist) {
		err = Exists
	}
	if err != nil {
		return nil, about(name, err)
	}
	return f, nil
}

// Replace writes a file beside the one named and renames it when it is whole, so that nobody ever
// reads half of it, and what was there stays as it was if writing fails. Devices and pipes are
// written to as they are. Errors name what was to be written.
func Replace(name string, write func(io.Writer) error) error {
	special, err := look(name)
	if err != nil {
		return about(name, err)
	}
	if special {
		f, err := openSpecial(name)
		if err != nil {
			return err
		}
		return errors.Join(write(f), f.Close())
	}
	f, err := beside(name)
	if err != nil {
		return about(name, err)
	}
	err = write(f)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(about(name, err), os.Remove(f.Name()))
	}
	return nil
}

// Check says whether Replace could begin now. It leaves nothing behind, and opens no pipe.
func Check(name string) error {
	special, err := look(name)
	if special || err != nil {
		return about(name, err)
	}
	f, err := beside(name)
	if err != nil {
		return about(name, err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// look reports whether there is something under the name that is written to as it is: a device, a
// pipe, a descriptor. What must not be written to is an error.
func look(name string) (special bool, err error) {
	if _, own := descriptor(name); own {
		return true, nil
	}
	info, err := os.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case info.Mode()&fs.ModeSymlink != 0:
		return false, link
	case info.IsDir():
		return false, directory
	case info.Mode().IsRegular():
		return false, nil
	case ofStranger(info):
		return false, foreign
	}
	return true, nil
}

// openSpecial opens what look has called special, and looks again at what it has opened.
func openSpecial(name string) (*os.File, error) {
	if fd, own := descriptor(name); own {
		return duplicate(fd, name)
	}
	f, err := os.OpenFile(name, os.O_WRONLY|noFollow, 0)
	if err != nil {
		return nil, about(name, err)
	}
	info, err := f.Stat()
	if err == nil && (info.Mode().IsRegular() || ofStranger(info)) {
		err = changed
	}
	if err != nil {
		return nil, errors.Join(about(name, err), f.Close())
	}
	return f, nil
}

// beside creates a file in the folder of name.
func beside(name string) (*os.File, error) {
	dir, base := filepath.Split(name)
	var f *os.File
	var err error
	for try := range 100 {
		other := filepath.Join(dir, fmt.Sprintf(".%s.%d-%d", base, os.Getpid(), try))
		f, err = os.OpenFile(other, os.O_WRONLY|os.O_CREATE|os.O_EXCL, owners)
		if !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	return f, err
}

// about says what was to be written, and leaves out the names that nobody gave.
func about(name string, err error) error {
	var path *fs.PathError
	var renamed *os.LinkError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &path):
		err = path.Err
	case errors.As(err, &renamed):
		err = renamed.Err
	}
	return fmt.Errorf("write %s: %w", name, err)
}
