//go:build linux

package recording

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"tcpwhy/lab/internal/peer"
)

// A Log is one recording as the application saw it.
type Log struct {
	Scenario string `json:"scenario"`
	Fixed    bool   `json:"fixed"`
	Kernel   string `json:"kernel"`
	// the most that the link, or a waking program, was late
	LateMS   float64        `json:"late_ms"`
	Programs []string       `json:"programs"`
	Total    float64        `json:"total_ms"` // sum over requests
	Requests []peer.Request `json:"requests"`

	Served  []peer.Served     `json:"-"` // server.json
	Kernels []*peer.KernelLog `json:"-"` // tcpinfo.json
	Keys    []byte            `json:"-"` // keys.txt: secrets of TLS connections, if there were any
}

// write makes app.json, and of what the server's side knows server.json and tcpinfo.json.
func (r Log) write(dir string) error {
	return errors.Join(writeJSON(dir, "app.json", r), writeJSON(dir, "server.json", r.Served),
		writeJSON(dir, "tcpinfo.json", r.Kernels), r.writeKeys(dir))
}

func (r Log) writeKeys(dir string) error {
	if len(r.Keys) == 0 {
		return nil
	}
	return os.WriteFile(filepath.Join(dir, "keys.txt"), r.Keys, 0o644)
}

func writeJSON(dir, name string, v any) error {
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name), append(text, '\n'), 0o644)
}

// ReadLog reads what the application saw of a recording.
func ReadLog(scenario, variant string) (r Log, err error) {
	return r, readJSON(filepath.Join(Dir(scenario, variant), "app.json"), &r)
}

// ReadKernelLogs reads the kernel's account of the server's sockets.
func ReadKernelLogs(scenario, variant string) (logs []peer.KernelLog, err error) {
	return logs, readJSON(filepath.Join(Dir(scenario, variant), "tcpinfo.json"), &logs)
}

func readJSON(name string, v any) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}
