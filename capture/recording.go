package capture

import (
	"io"
	"io/fs"
	"os"

	"tcpwhy/capture/internal/pcapio"
)

// Recording is what a capture is read from: a file, an object of a store, a stream.
type Recording interface {
	// Name is what reports and errors call it.
	Name() string
	// Open gives its octets, pcap, pcapng or snoop, compressed or not, from the first one on. It
	// is called again when the recording's turn comes, if several are one capture: both times they
	// are the same octets. The error says what it is about.
	Open() (io.ReadCloser, error)
	// Size is how many octets Open gives; negative if that is not known.
	Size() int64
}

// File is the recording in a file of the system.
func File(name string) Recording { return file(name) }

type file string

// Name implements Recording.
func (f file) Name() string { return string(f) }

// Open implements Recording.
func (f file) Open() (io.ReadCloser, error) { return os.Open(string(f)) }

// Size implements Recording.
func (f file) Size() int64 { return sizeOf(os.Stat(string(f))) }

func (f file) onlyOnce() bool { return f.Size() < 0 }

// FS is the recording in a file of a file system.
func FS(fsys fs.FS, name string) Recording { return stored{fsys, name} }

type stored struct {
	fs   fs.FS
	name string
}

// Name implements Recording.
func (s stored) Name() string { return s.name }

// Open implements Recording.
func (s stored) Open() (io.ReadCloser, error) { return s.fs.Open(s.name) }

// Size implements Recording.
func (s stored) Size() int64 { return sizeOf(fs.Stat(s.fs, s.name)) }

func (s stored) onlyOnce() bool { return s.Size() < 0 }

// Stream is the recording that a reader gives, once, as it comes: no more is waited for than the
// frame that is read needs. The reader is not closed.
func Stream(name string, r io.Reader) Recording { return stream{name, r} }

type stream struct {
	name string
	from io.Reader
}

// Name implements Recording.
func (s stream) Name() string { return s.name }

// Open implements Recording.
func (s stream) Open() (io.ReadCloser, error) { return io.NopCloser(s.from), nil }

// Size implements Recording.
func (stream) Size() int64 { return -1 }

func (stream) onlyOnce() bool { return true }

// sizeOf is the size of a file that gives the same octets whenever it is opened; negative of
// another, or where that is not known.
func sizeOf(info fs.FileInfo, err error) int64 {
	if err != nil || !info.Mode().IsRegular() {
		return -1
	}
	return info.Size()
}

// reopens reports whether a recording gives the same octets when it is opened again. Those of
// others promise it.
func reopens(r Recording) bool {
	once, known := r.(interface{ onlyOnce() bool })
	return !known || !once.onlyOnce()
}

// storedAs is a recording as its reader takes it; what is read of it is added to read.
func storedAs(r Recording, read *int64) pcapio.Stored {
	_, waits := r.(stream)
	return pcapio.Stored{Name: r.Name(), Waits: waits, Open: func() (io.ReadCloser, error) {
		octets, err := r.Open()
		if err != nil {
			return nil, err
		}
		return &counted{octets, read}, nil
	}}
}

// counted counts the octets that are read.
type counted struct {
	io.ReadCloser
	n *int64
}

// Read implements io.Reader.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	*c.n += int64(n)
	return n, err
}
