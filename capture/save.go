package capture

import "tcpwhy/capture/internal/pcapio"

// SaveConfig says where a live capture is saved.
type SaveConfig struct {
	Name string // of a pcapng file; - is standard output
	// octets after which the next file begins; 0: one file. Names then get a number before their
	// extension
	FileSize int64
	Files    int // how many files are kept, the oldest go; 0: all
	// a file that exists is removed first, instead of being an error or, where names have a number,
	// passed over
	Overwrite bool
}

// Saver writes the frames of a live capture to files, in pcapng. It is handed to Live.SaveTo.
type Saver struct{ files *pcapio.Series }

// NewSaver opens the first file, so that a mistake in its name is told before anything is captured.
// A file that exists and is not to be overwritten is the error outfile.Exists.
func NewSaver(c SaveConfig) (*Saver, error) {
	files, err := pcapio.NewSeries(c.Name, c.FileSize, c.Files, c.Overwrite)
	if err != nil {
		return nil, err
	}
	return &Saver{files: files}, nil
}
