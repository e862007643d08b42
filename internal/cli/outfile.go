package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// replaceFile writes a file beside the one named and renames it when it is whole, so that nobody
// ever reads half a report. What is no regular file, like /dev/stdout, is written to as it is.
func replaceFile(name string, write func(io.Writer) error) error {
	return replaceAs(name, 0o666, write)
}

// replaceAs is replaceFile of a file that gets the given permissions, as far as the user's mask
// leaves them.
func replaceAs(name string, mode fs.FileMode, write func(io.Writer) error) error {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	info, err := os.Stat(name)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("write %s: it is a directory", name)
	case err == nil && !info.Mode().IsRegular():
		return writeTo(name, write)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	f, err := createBeside(name, mode)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, reason(err))
	}
	err = write(f)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", name, reason(err)), os.Remove(f.Name()))
	}
	return nil
}

// reason is an error of the system without the name of the file, which nobody gave.
func reason(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

func writeTo(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// createBeside creates a file in the directory of name.
func createBeside(name string, mode fs.FileMode) (*os.File, error) {
	dir, base := filepath.Split(name)
	var f *os.File
	var err error
	for try := range 100 {
		beside := filepath.Join(dir, fmt.Sprintf(".%s.%d-%d", base, os.Getpid(), try))
		f, err = os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	return f, err
}
