package keylog

import (
	"bytes"
	"sync"
	"sync/atomic"
)

// maxLine is how long a line may be that waits for its end: the longest of RFC 9850 has some 200
// octets. What is longer is no line of a key log.
const maxLine = 4 << 10

// Log is what is known of key logs that are read, or that grow. Its Secrets may be asked for by any
// goroutine while others write.
type Log struct {
	adding  sync.Mutex
	secrets atomic.Pointer[Secrets]
	growing atomic.Bool
}

// Grow says that the log will grow while the capture goes on.
func (l *Log) Grow() { l.growing.Store(true) }

// Grows reports whether it may.
func (l *Log) Grows() bool { return l.growing.Load() }

// Secrets are those of all whole lines so far; nil if there are none.
func (l *Log) Secrets() *Secrets { return l.secrets.Load() }

// Writer takes one file of the log.
func (l *Log) Writer() *Writer { return &Writer{log: l} }

// add takes whole lines.
func (l *Log) add(lines []byte) {
	l.adding.Lock()
	defer l.adding.Unlock()
	l.secrets.Store(l.secrets.Load().With(lines))
}

// Writer takes the octets of a key log, in any pieces. A line that has not ended waits for what
// comes next.
type Writer struct {
	log  *Log
	rest []byte // the beginning of that line
}

// Write implements io.Writer. It fails never.
func (w *Writer) Write(p []byte) (int, error) {
	end := bytes.LastIndexByte(p, '\n') + 1
	if end > 0 {
		w.log.add(append(w.rest, p[:end]...))
		w.rest = nil
	}
	w.rest = append(w.rest, p[end:]...)
	if len(w.rest) > maxLine {
		w.rest = append(w.rest[:0], '?') // so that it counts as bad, once it ends
	}
	return len(p), nil
}

// End says that nothing more comes: the last line has ended, too.
func (w *Writer) End() {
	if len(w.rest) > 0 {
		w.log.add(w.rest)
	}
	w.rest = nil
}
