//go:build linux

package program

import (
	"context"
	"fmt"
	"strings"

	"tcpwhy/lab/internal/peer"
)

// Curl is the program: one run, with all its requests one after the other.
type Curl struct {
	Count  int
	Args   []string // further arguments
	Body   int      // octets to POST; 0 is GET
	Secure bool
	Apart  bool // one run of the program for each request, as scripts do
}

// About names the version and the arguments.
func (c Curl) About() string {
	name, _, _ := strings.Cut(Version("curl", "--version"), " (")
	words := fmt.Sprintf("%s, %d request(s)", name, c.Count)
	if c.Body > 0 {
		words += fmt.Sprintf(" with a body of %d octets", c.Body)
	}
	if len(c.Args) > 0 {
		words += ", " + strings.Join(c.Args, " ")
	}
	if c.Apart {
		words += ", each a run of its own"
	}
	return words
}

// curlLine makes curl print a request of the log when it is done; it measures how long, not since
// when.
const curlLine = `{"number": 0, "end_ms": %{time_total}, ` +
	`"status": %{http_code}, "bytes": %{size_download}}\n`

// Drive runs curl and takes its log.
func (c Curl) Drive(ctx context.Context, e *peer.Env) error {
	runs, each := 1, c.Count
	if c.Apart {
		runs, each = c.Count, 1
	}
	for run := range runs {
		if err := runTool(ctx, e, "curl", c.args(e, run, each)...); err != nil {
			return err
		}
	}
	clock := 0.0
	for i := range e.Log.Requests {
		r := &e.Log.Requests[i]
		r.Number, r.StartMS, r.EndMS = i+1, clock, clock+r.EndMS*1000
		clock = r.EndMS
	}
	return nil
}

func (c Curl) args(e *peer.Env, run, each int) []string {
	args := []string{"-s", "-S", "-q", "--noproxy", "*", "-m", "20", "-w", curlLine}
	args = append(args, c.Args...)
	scheme := "http"
	if c.Secure {
		scheme, args = "https", append(args, "-k", "--http1.1")
	}
	if c.Body > 0 {
		args = append(args, "--data-binary", string(peer.Fill(c.Body)))
	}
	for n := range each {
		args = append(args, "-o", "/dev/null",
			fmt.Sprintf("%s://%s/item/%d", scheme, e.Goal(), run+n+1))
	}
	return args
}
