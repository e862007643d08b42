//go:build linux

package main

import (
	"encoding/json"
	"os"
	"sync"
	"time"
)

// A request is what the client's application saw of one request.
type request struct {
	Number     int     `json:"number"`
	Connection int     `json:"connection"` // the client's own count, from 1
	StartMS    float64 `json:"start_ms"`   // when the application wanted it, before any connect; since the run's start
	EndMS      float64 `json:"end_ms"`     // when the response was read, or the failure seen
	Status     int     `json:"status"`     // 0 if no response came
	Bytes      int64   `json:"bytes"`      // of the response's body that the application got
	Error      string  `json:"error,omitempty"`
}

// requestLog collects requests; it is written as JSON beside the capture.
type requestLog struct {
	mu       sync.Mutex
	start    time.Time
	requests []request
}

func newRequestLog() *requestLog { return &requestLog{start: time.Now()} }

func (l *requestLog) since(t time.Time) float64 { return float64(t.Sub(l.start).Microseconds()) / 1000 }

// add records a request that ended now.
func (l *requestLog) add(began time.Time, r request, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.Number = len(l.requests) + 1
	r.StartMS, r.EndMS = l.since(began), l.since(time.Now())
	if err != nil {
		r.Error = err.Error()
	}
	l.requests = append(l.requests, r)
}

// A runLog is one recording as the application saw it.
type runLog struct {
	Scenario string    `json:"scenario"`
	Fixed    bool      `json:"fixed"`
	Kernel   string    `json:"kernel"`
	LateMS   float64   `json:"late_ms"` // the most that the link, or a waking program, was late
	Programs []string  `json:"programs"`
	Total    float64   `json:"total_ms"` // sum over requests
	Requests []request `json:"requests"`
}

func (l *requestLog) total() float64 {
	var sum float64
	for _, r := range l.requests {
		sum += r.EndMS - r.StartMS
	}
	return sum
}

func (r runLog) write(name string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(name, append(text, '\n'), 0o644)
}

func readRunLog(name string) (r runLog, err error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(text, &r)
}
