package outfile

import (
	"io/fs"
	"os"
)

// noFollow does not exist here: look has seen that there is no link, and making one takes rights.
const noFollow = 0

func ofStranger(fs.FileInfo) bool { return false }

func descriptor(string) (fd int, own bool) { return 0, false }

func duplicate(_ int, name string) (*os.File, error) {
	return nil, about(name, fs.ErrNotExist)
}
