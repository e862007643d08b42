package keylog

import (
	"bytes"
	"sync"
	"sync/atomic"
)

// maxLine is how long a line may be that waits for its end: the longest of RFC 9850 has some 200
// octets. What is longer is no line of a key log.
const maxLine = 4 << 10

// Log is a key log while it is read: octets are written to it, in any pieces, and Secrets are what
// has been read so far. Writing and asking may be done by different goroutines.
type Log struct {
	writing sync.Mutex
	rest    []byte // the beginning of a line whose end has not come
	secrets atomic.Pointer[Secrets]
}

// Secrets are those of all whole lines so far; nil if there are none.
func (l *Log) Secrets() *Secrets { return l.secrets.Load() }

// Write takes octets of a log. A line that has not ended waits for what comes next.
func (l *Log) Write(p []byte) (int, error) {
	l.writing.Lock()
	defer l.writing.Unlock()
	end := bytes.LastIndexByte(p, '\n') + 1
	if end > 0 {
		l.take(append(l.rest, p[:end]...))
		l.rest = nil
	}
	l.rest = append(l.rest, p[end:]...)
	if len(l.rest) > maxLine {
		l.rest = append(l.rest[:0], '?') // so that it counts as bad, once it ends
	}
	return len(p), nil
}

// End says that a file has ended: its last line, too.
func (l *Log) End() {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.take(l.rest)
	l.rest = nil
}

func (l *Log) take(lines []byte) {
	if len(lines) > 0 {
		l.secrets.Store(l.secrets.Load().With(lines))
	}
}
