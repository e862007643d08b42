//go:build linux

package peer

import (
	"sync"
	"time"
)

// A Request is what the client's application saw of one request.
type Request struct {
	Number     int `json:"number"`
	Connection int `json:"connection"` // the client's own count, from 1
	// when the application wanted it, before any connect; since the run's start
	StartMS float64 `json:"start_ms"`
	EndMS   float64 `json:"end_ms"` // when the response was read, or the failure seen
	Status  int     `json:"status"` // 0 if no response came
	Bytes   int64   `json:"bytes"`  // of the response's body that the application got
	Error   string  `json:"error,omitempty"`
}

// A RequestLog collects requests; it is written as JSON beside the capture.
type RequestLog struct {
	Start    time.Time // of the run
	Requests []Request // in the order in which they ended

	mu sync.Mutex
}

// NewRequestLog is a log of a run that begins now.
func NewRequestLog() *RequestLog { return &RequestLog{Start: time.Now()} }

func (l *RequestLog) since(t time.Time) float64 { return millis(t.Sub(l.Start)) }

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// Add records a request that ended now.
func (l *RequestLog) Add(began time.Time, r Request, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.Number = len(l.Requests) + 1
	r.StartMS, r.EndMS = l.since(began), l.since(time.Now())
	if err != nil {
		r.Error = err.Error()
	}
	l.Requests = append(l.Requests, r)
}

// Total is the sum over all requests, in milliseconds.
func (l *RequestLog) Total() float64 {
	var sum float64
	for _, r := range l.Requests {
		sum += r.EndMS - r.StartMS
	}
	return sum
}
