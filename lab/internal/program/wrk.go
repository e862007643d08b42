//go:build linux

package program

import (
	"context"
	"fmt"
	"strings"

	"tcpwhy/lab/internal/peer"
)

// Wrk is the load generator: its log is one entry for the whole run.
type Wrk struct {
	Connections int
	Args        []string
}

// About names the version and the arguments.
func (w Wrk) About() string {
	return fmt.Sprintf("wrk, 1 thread, %d connections, 1 s %s",
		w.Connections, strings.Join(w.Args, " "))
}

const wrkScript = `
done = function(summary, latency, requests)
  print(string.format('{"number": %d, "end_ms": %f, "status": 200, "bytes": %d}',
    summary.requests, summary.duration / 1000, summary.bytes))
end
`

// Drive runs wrk for a second.
func (w Wrk) Drive(ctx context.Context, e *peer.Env) error {
	file, err := place(e, "wrk.lua", wrkScript)
	if err != nil {
		return err
	}
	args := []string{"-t1", fmt.Sprintf("-c%d", w.Connections), "-d1s", "-s", file}
	args = append(args, w.Args...)
	return runTool(ctx, e, "wrk", append(args, "http://"+e.Goal()+"/item/1")...)
}
