package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"tcpwhy/analysis"
)

const (
	// keyLogPiece is how many octets of a key log are read at once.
	keyLogPiece = 1 << 20
	// keyLogEvery is how often a live capture looks whether key logs have grown. What a program
	// writes into one later than this after it used the key is late, whatever is done here.
	keyLogEvery = 100 * time.Millisecond
)

// keyLogHint is what helps who named a file that is no key log.
const keyLogHint = "its lines are LABEL CLIENT-RANDOM SECRET, as SSLKEYLOGFILE has programs write " +
	"them; a server's private key opens nothing"

// readKeyLogs reads the files of --keylog; nil if there are none.
func (o *options) readKeyLogs() (*analysis.KeyLog, error) {
	if len(o.keyLogs) == 0 {
		return nil, nil
	}
	log := &analysis.KeyLog{}
	for _, name := range o.keyLogs {
		f := &keyLogFile{name: name}
		err := f.open(log)
		if err == nil {
			err = f.readAll(log)
			f.Close()
		}
		if err != nil {
			return nil, err
		}
	}
	return log, nil
}

// keyLogFile is a key log that is being read.
type keyLogFile struct {
	name string
	file *os.File // nil: not there yet
	to   *analysis.KeyLogWriter
	read int64
}

// open opens the file anew.
func (f *keyLogFile) open(log *analysis.KeyLog) error {
	file, err := os.Open(f.name)
	if err != nil {
		return fmt.Errorf("--keylog: %w", err)
	}
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return errors.Join(fmt.Errorf("--keylog %s: that is a directory", f.name), file.Close())
	}
	f.file, f.to, f.read = file, log.Writer(), 0
	return nil
}

// Close closes the file.
func (f *keyLogFile) Close() {
	if f.file != nil {
		f.file.Close()
	}
}

// readAll reads a file that grows no more.
func (f *keyLogFile) readAll(log *analysis.KeyLog) error {
	before := log.Secrets().Tally()
	if err := f.more(); err != nil {
		return err
	}
	f.to.End()
	after := log.Secrets().Tally()
	if after.Used == before.Used && after.Ignored == before.Ignored && after.Bad > before.Bad {
		return &usageError{
			fmt.Sprintf("--keylog %s: that is no key log of TLS", f.name),
			keyLogHint,
		}
	}
	return nil
}

// more reads what has come to the file.
func (f *keyLogFile) more() error {
	n, err := io.CopyBuffer(onlyWriter{f.to}, onlyReader{f.file}, make([]byte, keyLogPiece))
	f.read += n
	if err != nil {
		return fmt.Errorf("--keylog %s: %w", f.name, err)
	}
	return nil
}

// onlyReader and onlyWriter have no other methods, so that what is copied comes in pieces.
type (
	onlyReader struct{ io.Reader }
	onlyWriter struct{ io.Writer }
)

// followKeyLogs reads the files of --keylog, and whatever is added to them until it is stopped. One
// that is not there yet may come. The log is nil if there are none.
func (o *options) followKeyLogs(warn func(error)) (log *analysis.KeyLog, stop func()) {
	if len(o.keyLogs) == 0 {
		return nil, func() {}
	}
	log = &analysis.KeyLog{}
	log.Grow()
	var files []*keyLogFile
	for _, name := range o.keyLogs {
		f := &keyLogFile{name: name}
		err := f.open(log)
		if err == nil {
			err = f.more()
		}
		if err != nil {
			warn(err)
		}
		files = append(files, f)
	}
	ended := make(chan struct{})
	var following sync.WaitGroup
	following.Go(func() { followAll(log, files, ended) })
	return log, func() {
		close(ended)
		following.Wait()
	}
}

// followAll looks at the files until it has ended.
func followAll(log *analysis.KeyLog, files []*keyLogFile, ended <-chan struct{}) {
	every := time.NewTicker(keyLogEvery)
	defer every.Stop()
	for {
		for _, f := range files {
			f.follow(log)
		}
		select {
		case <-every.C:
		case <-ended:
			for _, f := range files {
				f.Close()
			}
			return
		}
	}
}

// follow reads what has been added to a file. One that was emptied, or replaced by another, is read
// from its beginning. An error is no reason to stop the capture: the next look may do better.
func (f *keyLogFile) follow(log *analysis.KeyLog) {
	now, err := os.Stat(f.name)
	if err != nil {
		return
	}
	if f.file != nil {
		was, err := f.file.Stat()
		if err == nil && os.SameFile(was, now) && now.Size() >= f.read {
			if now.Size() > f.read {
				_ = f.more()
			}
			return
		}
		f.Close()
		f.file = nil
	}
	_ = f.open(log) // what is in it is read at the next look
}
