//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// A request is what the client's application saw of one request.
type request struct {
	Number     int `json:"number"`
	Connection int `json:"connection"` // the client's own count, from 1
	// when the application wanted it, before any connect; since the run's start
	StartMS float64 `json:"start_ms"`
	EndMS   float64 `json:"end_ms"` // when the response was read, or the failure seen
	Status  int     `json:"status"` // 0 if no response came
	Bytes   int64   `json:"bytes"`  // of the response's body that the application got
	Error   string  `json:"error,omitempty"`
}

// requestLog collects requests; it is written as JSON beside the capture.
type requestLog struct {
	mu       sync.Mutex
	start    time.Time
	requests []request
}

func newRequestLog() *requestLog { return &requestLog{start: time.Now()} }

func (l *requestLog) since(
	t time.Time,
) float64 {
	return float64(t.Sub(l.start).Microseconds()) / 1000
}

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

	Served  []served     `json:"-"` // server.json
	Kernels []*kernelLog `json:"-"` // tcpinfo.json
}

func (l *requestLog) total() float64 {
	var sum float64
	for _, r := range l.requests {
		sum += r.EndMS - r.StartMS
	}
	return sum
}

// write makes app.json, and of what the server's side knows server.json and tcpinfo.json.
func (r runLog) write(dir string) error {
	return errors.Join(
		writeJSON(dir, "app.json", r),
		writeJSON(dir, "server.json", r.Served),
		writeJSON(dir, "tcpinfo.json", r.Kernels),
	)
}

func writeJSON(dir, name string, v any) error {
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name), append(text, '\n'), 0o644)
}

// readRunLog reads what the application saw of a recording.
func readRunLog(scenario, variant string) (r runLog, err error) {
	return r, readJSON(filepath.Join(recordingDir(scenario, variant), "app.json"), &r)
}

// readKernelLogs reads the kernel's account of the server's sockets.
func readKernelLogs(scenario, variant string) (logs []kernelLog, err error) {
	return logs, readJSON(filepath.Join(recordingDir(scenario, variant), "tcpinfo.json"), &logs)
}

func readJSON(name string, v any) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}
